//! Which legs of a path a rig that states its steering rate cannot follow without slowing down or standing.
//!
//! Turns between swaths are made of continuous curves and are not among them. Headland passes follow the boundary's bends,
//! and where no continuous curve fits a turn jumps.

use crate::geometry::pose::{Pt, direction, distance, wrap};
use crate::plan::{Gear, Leg, LegKind};
use kompas_field::{Finding, Rig};

/// Code of the finding that names these legs.
pub(crate) const CURVATURE_JUMPS: &str = "plan.curvature_jumps";

/// What chords hide and invent of a rate: stricter than the checker's.
const SHARE: f64 = 1.15;
/// Rounding of points to micrometres, as a rate.
const ROUNDING_1_PER_M2: f64 = 0.01;

/// Places in `path`, rising. Curvature is the turn at a point per mean length of the chords that meet there.
pub(crate) fn curvature_jumps(path: &[Leg], rig: &Rig) -> Vec<u32> {
    let Some(rate) = rig.robot.curvature_rate else { return vec![] };
    let limit = rate * SHARE + ROUNDING_1_PER_M2;
    let radius = rig.robot.min_turning_radius.get().max(0.3);
    // Chords of bends are about a tenth of the radius, and at most half of a ramp; thinner ones are rounding.
    let step = (radius / 10.0).min(1.0 / radius / rate / 2.0).max(0.02);
    let mut found = Vec::new();
    for run in runs(path) {
        let mut kept: Vec<(Pt, usize)> = Vec::with_capacity(run.len());
        for mark in &run {
            if kept.last().is_none_or(|last| distance(last.0, mark.0) >= step / 2.0) {
                kept.push(*mark);
            }
        }
        let mut before: Option<f64> = None;
        for three in kept.windows(3) {
            let (a, b, c) = (three[0].0, three[1].0, three[2].0);
            let reach = |d: f64| d.min(2.0 * step);
            let mean = f64::midpoint(reach(distance(a, b)), reach(distance(b, c)));
            let bend = wrap(direction(b, c) - direction(a, b)) / mean;
            if let Some(before) = before
                && (bend - before).abs() > limit * distance(a, b)
            {
                // A swath is straight: what jumps is the turn that begins or ends there.
                let legs = [three[0].1, three[1].1];
                let turn = legs.iter().rev().find(|leg| !matches!(path[**leg].kind, LegKind::Swath { .. }));
                found.push(*turn.unwrap_or(&legs[1]));
            }
            before = Some(bend);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().filter_map(|leg| u32::try_from(leg).ok()).collect()
}

/// The points of every stretch driven in one gear, with the number of their leg.
fn runs(path: &[Leg]) -> Vec<Vec<(Pt, usize)>> {
    let mut runs: Vec<(Gear, Vec<(Pt, usize)>)> = Vec::new();
    for (number, leg) in path.iter().enumerate() {
        let marks = leg.points.iter().map(|p| ((*p).into(), number));
        match runs.last_mut() {
            Some((gear, run)) if *gear == leg.gear => run.extend(marks),
            _ => runs.push((leg.gear, marks.collect())),
        }
    }
    runs.into_iter().map(|run| run.1).collect()
}

/// What a person should know of these legs.
pub(crate) fn jumps_finding(path: &[Leg], jumps: &[u32]) -> Option<Finding> {
    let first = jumps.first()?;
    let turns = jumps.iter().filter(|leg| path[**leg as usize].kind == LegKind::Turn).count();
    let all = path.iter().filter(|leg| leg.kind == LegKind::Turn).count();
    Some(Finding::warning(
        CURVATURE_JUMPS,
        format!("path[{first}]"),
        format!(
            "{} of {} legs, {turns} of {all} turns among them, bend faster than the rig steers",
            jumps.len(),
            path.len()
        ),
        "let the robot slow down or stand to steer on the legs in curvature_jumps",
    ))
}
