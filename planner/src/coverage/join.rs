//! One turn: from a pose the robot leaves to a pose it enters, keeping its clearance.

use super::layout::{Dimensions, Layout};
use crate::geometry::pose::{Pose, Pt};
use crate::geometry::{continuous, dubins, reeds_shepp};
use crate::plan::Gear;

/// A drivable connection.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Metres driven on the turn itself.
    pub(crate) length: f64,
    /// How much shorter than planned the swaths before and after are worked.
    pub(crate) cut: [f64; 2],
    /// From the last point before to the first point after.
    pub(crate) line: Line,
    /// What changes of gear, and standing to steer, count as, metres.
    pub(crate) cusps: f64,
}

/// What is driven: nearly all joins are only compared, so a curve is drawn when somebody asks.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    /// Forwards.
    Curve(Curve),
    /// Forwards, both ends included.
    Drawn(Vec<Pt>),
    /// The stretches of one gear.
    Geared(Vec<(Gear, Vec<Pt>)>),
}

/// A curve that is driven forwards.
#[derive(Debug, Clone)]
pub(crate) enum Curve {
    /// Of instant steering.
    Jumping(dubins::Curve),
    /// Of a rig that states how fast it steers; in a box, for searches keep many of the other kind.
    Continuous(Box<continuous::Curve>),
}

impl Curve {
    /// Points along the curve, both ends included; arcs sampled at `step_rad`.
    pub(crate) fn sample(&self, step_rad: f64) -> Vec<Pt> {
        match self {
            Self::Jumping(curve) => curve.sample(step_rad),
            Self::Continuous(curve) => curve.sample(step_rad),
        }
    }

    /// Whether its every chord keeps the layout's clearance.
    fn fits(&self, layout: &Layout) -> bool {
        let step = layout.dimensions.arc_step();
        match self {
            Self::Jumping(curve) => curve.all_chords(step, |a, b| layout.clearance.segment_fits(a, b)),
            Self::Continuous(curve) => layout.clearance.fits(&curve.sample(step)),
        }
    }

    fn length(&self) -> f64 {
        match self {
            Self::Jumping(curve) => curve.length(),
            Self::Continuous(curve) => curve.length(),
        }
    }
}

impl Join {
    /// What the optimiser compares: metres, with lost work counted as driven again.
    pub(crate) fn cost(&self) -> f64 {
        self.length + self.cusps + LOSS_FACTOR * (self.cut[0] + self.cut[1])
    }

    /// Stretches of one gear, in order; each begins where the one before ends.
    pub(crate) fn stretches(&self, dimensions: Dimensions) -> Vec<(Gear, Vec<Pt>)> {
        match &self.line {
            Line::Curve(curve) => vec![(Gear::Forward, curve.sample(dimensions.arc_step()))],
            Line::Drawn(points) => vec![(Gear::Forward, points.clone())],
            Line::Geared(stretches) => stretches.clone(),
        }
    }

    /// One curve, driven forwards from end to end.
    fn along(curve: Curve) -> Self {
        Self { length: curve.length(), cut: [0.0, 0.0], line: Line::Curve(curve), cusps: 0.0 }
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
    let whole = curve_within(layout, leave, enter, f64::MAX).map(Join::along);
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
            if let Some(curve) = curve_within(layout, End::fixed(from), End::fixed(to), limit) {
                best = Some(Join { cut, ..Join::along(curve) });
            }
        }
    }
    best
}

/// The shortest curve between the poses of two ends that keeps its clearance and is below `limit` metres.
pub(crate) fn curve_within(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<Curve> {
    match layout.dimensions.steering {
        None => jumping_within(layout, leave, enter, limit),
        Some(steering) => {
            let curves = continuous::curves(leave.pose, enter.pose, steering, None);
            first_fit(layout, curves.into_iter().map(|c| Curve::Continuous(Box::new(c))), limit)
        }
    }
}

/// [`curve_within`], or a curve that jumps where no other fits, with what it costs; a jump counts as driving so much farther.
pub(crate) fn curve_at_worst(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<(Curve, f64)> {
    let with_cost = |curve: Curve, more: f64| {
        let cost = curve.length() + more;
        (curve, cost)
    };
    curve_within(layout, leave, enter, limit).map(|curve| with_cost(curve, 0.0)).or_else(|| {
        layout.dimensions.steering?;
        let jump = JUMP_RADII * layout.dimensions.radius;
        jumping_within(layout, leave, enter, limit - jump).map(|curve| with_cost(curve, jump))
    })
}

/// To stand and steer costs about as much as a turn.
const JUMP_RADII: f64 = 5.0;

/// The same with steering that jumps from one arc to the next, whatever the rig states.
fn jumping_within(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<Curve> {
    let curves = dubins::curves(leave.pose, enter.pose, layout.dimensions.radius);
    first_fit(layout, curves.into_iter().map(Curve::Jumping), limit)
}

/// The shortest join with steering that jumps.
pub(crate) fn jumping(layout: &Layout, leave: End, enter: End) -> Option<Join> {
    jumping_within(layout, leave, enter, f64::MAX).map(Join::along)
}

fn first_fit(layout: &Layout, curves: impl Iterator<Item = Curve>, limit: f64) -> Option<Curve> {
    curves.take_while(|curve| curve.length() < limit).find(|curve| curve.fits(layout))
}

/// The cheapest curve that changes gear and keeps its clearance, changes counted, if it is below `limit` metres.
pub(crate) fn reversing_within(layout: &Layout, leave: Pose, enter: Pose, limit: f64) -> Option<Join> {
    let d = layout.dimensions;
    let join = |length: f64, cusps: u32, stretches: Vec<(bool, Vec<Pt>)>| {
        let cusps = d.cusp_cost * f64::from(cusps);
        if length + cusps >= limit || !stretches.iter().all(|(_, points)| layout.clearance.fits(points)) {
            return None;
        }
        let gear = |reverse: bool| if reverse { Gear::Reverse } else { Gear::Forward };
        let stretches = stretches.into_iter().map(|(reverse, points)| (gear(reverse), points)).collect();
        Some(Join { length, cut: [0.0, 0.0], line: Line::Geared(stretches), cusps })
    };
    if let Some(steering) = d.steering {
        continuous::curves(leave, enter, steering, Some(d.cusp_cost))
            .iter()
            .find_map(|c| join(c.length(), c.cusps(), c.stretches(d.arc_step())))
    } else {
        reeds_shepp::curves(leave, enter, d.radius, d.cusp_cost)
            .iter()
            .find_map(|c| join(c.length(), c.cusps(), c.stretches(d.arc_step())))
    }
}
