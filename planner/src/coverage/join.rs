//! One turn: from a pose the robot leaves to a pose it enters, keeping its clearance.

use super::layout::Layout;
use crate::geometry::dubins::{self, Curve};
use crate::geometry::pose::{Pose, Pt};

/// Arcs are sampled at this angle: chords of R/10.
pub(crate) const ARC_STEP_RAD: f64 = 0.1;

/// A drivable connection.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Metres driven on the turn itself.
    pub(crate) length: f64,
    /// How much shorter than planned the swaths before and after are worked.
    pub(crate) cut: [f64; 2],
    /// From the last point before to the first point after, both included.
    pub(crate) points: Vec<Pt>,
}

impl Join {
    /// What the optimiser compares: metres, with lost work counted as driven again.
    pub(crate) fn cost(&self) -> f64 {
        self.length + LOSS_FACTOR * (self.cut[0] + self.cut[1])
    }
}

/// A metre of swath end given up costs the headland a corner of it: as bad as driving it twice.
const LOSS_FACTOR: f64 = 2.0;

/// Shares of the slack that are tried; above 1 the middle of the strip loses work too.
const SHARES: [f64; 5] = [0.0, 0.4, 0.8, 1.2, 1.7];

/// An end that a turn may start or end at, with how much of it may be given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) pose: Pose,
    pub(crate) slack: f64,
}

impl End {
    pub(crate) const fn fixed(pose: Pose) -> Self {
        Self { pose, slack: 0.0 }
    }
}

/// The cheapest single curve between two ends. `leave` looks outward; `enter` looks the way it will be driven.
pub(crate) fn single_curve(layout: &Layout, leave: End, enter: End) -> Option<Join> {
    let whole = curve_within(layout, leave, enter, f64::MAX).map(|(_, join)| join);
    if leave.slack <= 0.05 && enter.slack <= 0.05 {
        return whole;
    }
    // A long way round may cost more than giving up a little of the swaths' ends.
    let short = 4.0 * std::f64::consts::PI * layout.dimensions.radius;
    if whole.as_ref().is_some_and(|join| join.length < short) {
        return whole;
    }
    let mut best = whole;
    for i in SHARES {
        for j in SHARES {
            let cut = [i * leave.slack, j * enter.slack];
            let limit = best.as_ref().map_or(f64::MAX, Join::cost) - LOSS_FACTOR * (cut[0] + cut[1]);
            if (i, j) == (0.0, 0.0) || limit <= 0.0 {
                continue;
            }
            let (from, to) = (leave.pose.ahead(-cut[0]), enter.pose.ahead(cut[1]));
            if let Some((_, join)) = curve_within(layout, End::fixed(from), End::fixed(to), limit) {
                best = Some(Join { cut, ..join });
            }
        }
    }
    best
}

/// The shortest curve between the poses of two ends that keeps its clearance and is below `limit` metres.
pub(crate) fn curve_within(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<(Curve, Join)> {
    for curve in dubins::curves(leave.pose, enter.pose, layout.dimensions.radius) {
        if curve.length() >= limit {
            break;
        }
        let points = curve.sample(ARC_STEP_RAD);
        if layout.clearance.fits(&points) {
            return Some((curve, Join { length: curve.length(), cut: [0.0, 0.0], points }));
        }
    }
    None
}
