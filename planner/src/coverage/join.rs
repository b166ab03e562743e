//! One turn: from a pose the robot leaves to a pose it enters, keeping its clearance.

use super::layout::Layout;
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
    /// From the last point before to the first point after, both included.
    pub(crate) points: Vec<Pt>,
    /// Gear of each stretch, with the number of its last point; empty where all of it is forwards.
    pub(crate) gears: Vec<(Gear, usize)>,
    /// What changes of gear, and standing to steer, count as, metres.
    pub(crate) cusps: f64,
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

    /// Stretches of one gear, in order.
    pub(crate) fn stretches(&self) -> Vec<(Gear, Vec<Pt>)> {
        if self.gears.is_empty() {
            return vec![(Gear::Forward, self.points.clone())];
        }
        let firsts = std::iter::once(0).chain(self.gears.iter().map(|g| g.1));
        firsts
            .zip(&self.gears)
            .map(|(first, (gear, last))| (*gear, self.points[first..=*last].to_vec()))
            .collect()
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
    match layout.dimensions.steering {
        None => jumping_within(layout, leave, enter, limit),
        Some(steering) => {
            let curves = continuous::curves(leave.pose, enter.pose, steering, None);
            first_fit(layout, curves.into_iter().map(|c| Curve::Continuous(Box::new(c))), limit)
        }
    }
}

/// [`curve_within`], or a curve that jumps where no other fits; a jump counts as driving so much farther.
pub(crate) fn curve_at_worst(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<(Curve, Join)> {
    curve_within(layout, leave, enter, limit).or_else(|| {
        layout.dimensions.steering?;
        let jump = JUMP_RADII * layout.dimensions.radius;
        let (curve, join) = jumping_within(layout, leave, enter, limit - jump)?;
        Some((curve, Join { cusps: jump, ..join }))
    })
}

/// To stand and steer costs about as much as a turn.
const JUMP_RADII: f64 = 5.0;

/// The same with steering that jumps from one arc to the next, whatever the rig states.
pub(crate) fn jumping_within(layout: &Layout, leave: End, enter: End, limit: f64) -> Option<(Curve, Join)> {
    let curves = dubins::curves(leave.pose, enter.pose, layout.dimensions.radius);
    first_fit(layout, curves.into_iter().map(Curve::Jumping), limit)
}

fn first_fit(layout: &Layout, curves: impl Iterator<Item = Curve>, limit: f64) -> Option<(Curve, Join)> {
    for curve in curves {
        let length = curve.length();
        if length >= limit {
            break;
        }
        let points = curve.sample(layout.dimensions.arc_step());
        if layout.clearance.fits(&points) {
            return Some((curve, Join { length, cut: [0.0, 0.0], points, gears: vec![], cusps: 0.0 }));
        }
    }
    None
}

/// The cheapest curve that changes gear and keeps its clearance, changes counted, if it is below `limit` metres.
pub(crate) fn reversing_within(layout: &Layout, leave: Pose, enter: Pose, limit: f64) -> Option<Join> {
    let d = layout.dimensions;
    let join = |length: f64, cusps: u32, stretches: Vec<(bool, Vec<Pt>)>| {
        let cusps = d.cusp_cost * f64::from(cusps);
        if length + cusps >= limit || !stretches.iter().all(|(_, points)| layout.clearance.fits(points)) {
            return None;
        }
        let (mut points, mut gears): (Vec<Pt>, Vec<(Gear, usize)>) = (vec![], vec![]);
        for (reverse, stretch) in stretches {
            points.extend(&stretch[usize::from(!points.is_empty())..]);
            gears.push((if reverse { Gear::Reverse } else { Gear::Forward }, points.len() - 1));
        }
        Some(Join { length, cut: [0.0, 0.0], points, gears, cusps })
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
