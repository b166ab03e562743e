//! No corner that the robot cannot drive, no bend tighter than its circle, no reversal that is not marked.

use super::place;
use crate::plan::{Gear, Leg};
use kompas_field::{FieldFrame, Finding, Point2, Rig};
use std::f64::consts::{PI, TAU};

/// Points closer than this are rounding, not road.
const SHORT_M: f64 = 0.002;
/// A heading change at one point above this (20°) is a corner.
const CORNER_RAD: f64 = 0.35;
/// Share of the smallest circle that chords may hide.
const CIRCLE_SHARE: f64 = 0.97;

/// A point with the leg it came from.
type Mark = (Point2<FieldFrame>, usize, Gear);

/// Looks at runs of one gear: at the change of gear the heading of travel flips, everywhere else it turns gently.
pub(super) fn curvature(path: &[Leg], rig: &Rig) -> Vec<Finding> {
    const MOST: usize = 20;
    let radius = rig.robot.min_turning_radius.get() * CIRCLE_SHARE;
    let spacing = (rig.robot.min_turning_radius.get() / 8.0).max(0.05);
    let runs = runs(path);
    let mut found = changes(&runs);
    for run in runs {
        let run = thinned(&run, spacing);
        for three in run.windows(3) {
            let (a, b, c) = (three[0].0, three[1].0, three[2].0);
            let turn = wrapped(heading(b, c) - heading(a, b));
            let at = || place(three[1].1, b);
            if turn.abs() > CORNER_RAD {
                let cause = format!("the heading jumps by {:.0}°", turn.to_degrees().abs());
                found.push(Finding::error("plan.corner", at(), cause, "make the plan again"));
            } else if turn.abs() > 0.02 {
                let reach = |d: f64| d.min(rig.robot.min_turning_radius.get() / 4.0).max(spacing.min(d));
                let bend = f64::midpoint(reach(a.distance(b).get()), reach(b.distance(c).get())) / turn.abs();
                // The chord mean overestimates the arc by far less than the share left for it.
                if bend < radius {
                    let cause = format!(
                        "a bend of {bend:.2} m, the rig needs {:.2} m",
                        rig.robot.min_turning_radius.get()
                    );
                    found.push(Finding::error("plan.tight_bend", at(), cause, "make the plan again"));
                }
            }
            if found.len() >= MOST {
                return found;
            }
        }
    }
    found
}

/// Where the gear changes, the nose keeps its direction, so that the direction of travel flips.
fn changes(runs: &[Vec<Mark>]) -> Vec<Finding> {
    runs.windows(2)
        .filter_map(|pair| {
            let (end, begin) = (pair[0].last()?, pair[1].first()?);
            let before = pair[0].iter().rev().find(|m| m.0.distance(end.0).get() >= SHORT_M)?;
            let after = pair[1].iter().find(|m| m.0.distance(begin.0).get() >= SHORT_M)?;
            let nose = wrapped(heading(begin.0, after.0) - heading(before.0, end.0) - PI);
            let cause = format!(
                "the gear changes and the robot would turn by {:.0}° standing",
                nose.to_degrees().abs()
            );
            (nose.abs() > CORNER_RAD)
                .then(|| Finding::error("plan.corner", place(begin.1, begin.0), cause, "make the plan again"))
        })
        .collect()
}

fn runs(path: &[Leg]) -> Vec<Vec<Mark>> {
    let mut runs: Vec<Vec<Mark>> = Vec::new();
    for (i, leg) in path.iter().enumerate() {
        let marks = leg.points.iter().map(|p| (*p, i, leg.gear));
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|m| m.2 == leg.gear) => run.extend(marks),
            _ => runs.push(marks.collect()),
        }
    }
    runs
}

/// Keeps points at least `spacing` apart, and every point at which the line doubles back.
fn thinned(run: &[Mark], spacing: f64) -> Vec<Mark> {
    let mut fine: Vec<Mark> = Vec::with_capacity(run.len());
    for mark in run {
        if fine.last().is_none_or(|last| last.0.distance(mark.0).get() >= SHORT_M) {
            fine.push(*mark);
        }
    }
    let mut kept: Vec<Mark> = Vec::with_capacity(fine.len());
    for (i, mark) in fine.iter().enumerate() {
        let doubles_back = i > 0
            && i + 1 < fine.len()
            && wrapped(heading(mark.0, fine[i + 1].0) - heading(fine[i - 1].0, mark.0)).abs()
                > PI - CORNER_RAD;
        if doubles_back || kept.last().is_none_or(|last| last.0.distance(mark.0).get() >= spacing) {
            kept.push(*mark);
        }
    }
    kept
}

fn heading(a: Point2<FieldFrame>, b: Point2<FieldFrame>) -> f64 {
    (b.y - a.y).atan2(b.x - a.x)
}

fn wrapped(angle: f64) -> f64 {
    let a = angle.rem_euclid(TAU);
    if a > PI { a - TAU } else { a }
}
