//! Where the rig states how fast it steers: the curvature of every leg changes no faster, save on legs that the plan
//! names.

use super::place;
use crate::plan::{Gear, Plan};
use kompas_field::{Finding, Rig};

/// What polylines may add to a rate: chords stand for arcs, and points are rounded.
const SHARE: f64 = 1.3;
const FLOOR_1_PER_M2: f64 = 0.02;

type P = [f64; 2];

/// Curvature is that of the circle through three points of the path (Menger); its change is taken per metre from the
/// middle of one chord to the middle of the next.
pub(super) fn steering(plan: &Plan, rig: &Rig) -> Vec<Finding> {
    const MOST: usize = 20;
    let Some(rate) = rig.robot.curvature_rate else { return vec![] };
    let limit = rate * SHARE + FLOOR_1_PER_M2;
    let named = |leg: usize| plan.curvature_jumps.iter().any(|n| usize::try_from(*n) == Ok(leg));
    let circle = rig.robot.min_turning_radius.get().max(0.3);
    let spacing = (circle / 20.0).min(0.25 / (circle * rate)).max(0.01);
    let mut found = Vec::new();
    let mut run: Vec<(P, usize)> = Vec::new();
    let mut gear: Option<Gear> = None;
    let mut jumps: Vec<(usize, P, f64)> = Vec::new();
    for (number, leg) in plan.path.iter().enumerate() {
        // Standing, a robot may steer: at a change of gear curvature begins anew.
        if gear != Some(leg.gear) {
            jumps.extend(fast(&run, spacing, circle, limit));
            run.clear();
            gear = Some(leg.gear);
        }
        run.extend(leg.points.iter().map(|p| (p.to_array(), number)));
    }
    jumps.extend(fast(&run, spacing, circle, limit));
    for (leg, at, rate) in jumps {
        // Where legs meet a jump is of either.
        if [leg, leg.saturating_sub(1), leg + 1].into_iter().any(named) || found.len() >= MOST {
            continue;
        }
        let cause = format!(
            "the curvature changes by {rate:.2} per m², the rig steers {:.2}",
            rig.robot.curvature_rate.unwrap_or_default()
        );
        let at = place(leg, kompas_field::Point2::new(at[0], at[1]));
        found.push(Finding::error("plan.steering", at, cause, "make the plan again"));
    }
    found
}

/// Where curvature changes faster than `limit`: leg, point and rate.
fn fast(run: &[(P, usize)], spacing: f64, circle: f64, limit: f64) -> Vec<(usize, P, f64)> {
    let mut points: Vec<(P, usize)> = Vec::with_capacity(run.len());
    for mark in run {
        if points.last().is_none_or(|last| apart(last.0, mark.0) >= spacing) {
            points.push(*mark);
        }
    }
    let bend = |a: P, b: P, c: P| {
        // On a long straight chord only the part next to the bend counts.
        let (p, q) = (toward(b, a, circle / 5.0), toward(b, c, circle / 5.0));
        let cross = (b[0] - p[0]) * (q[1] - b[1]) - (b[1] - p[1]) * (q[0] - b[0]);
        2.0 * cross / (apart(p, b) * apart(b, q) * apart(p, q))
    };
    points
        .windows(4)
        .filter_map(|w| {
            let change = bend(w[1].0, w[2].0, w[3].0) - bend(w[0].0, w[1].0, w[2].0);
            let rate = change.abs() / apart(w[1].0, w[2].0);
            (rate > limit).then_some((w[2].1, w[2].0, rate))
        })
        .collect()
}

fn apart(a: P, b: P) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// From `a` towards `b`, at most `far` metres.
fn toward(a: P, b: P, far: f64) -> P {
    let share = (far / apart(a, b)).min(1.0);
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}
