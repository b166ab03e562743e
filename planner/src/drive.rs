//! Where a robot is after so many metres of a plan.

use crate::plan::{Gear, Leg, Plan};
use kompas_field::units::{Metres, Radians};
use kompas_field::{FieldFrame, Point2, Pose2};

/// A place on the path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnPath {
    /// Position and heading of the nose.
    pub pose: Pose2<FieldFrame>,
    /// Index into [`Plan::path`].
    pub leg: usize,
    /// Whether the boom may work here.
    pub implement: bool,
    /// Gear.
    pub gear: Gear,
}

/// The path by distance. Building it is linear in the points, a question is logarithmic.
#[derive(Debug, Clone)]
pub struct PathSampler {
    points: Vec<(Point2<FieldFrame>, f64)>,
    /// Leg of the piece that begins at each point.
    legs: Vec<(usize, bool, Gear)>,
}

impl PathSampler {
    /// Of all legs of `plan`, in order.
    pub fn new(plan: &Plan) -> Self {
        Self::of_legs(&plan.path)
    }

    /// Of legs that are no plan yet.
    pub(crate) fn of_legs(path: &[Leg]) -> Self {
        let (mut points, mut legs) = (Vec::new(), Vec::new());
        let mut driven = 0.0;
        let mut last: Option<Point2<FieldFrame>> = None;
        for (i, leg) in path.iter().enumerate() {
            for (k, point) in leg.points.iter().enumerate() {
                let step = last.map_or(0.0, |l| l.distance(*point).get());
                driven += step;
                if k == 0 {
                    // The leg before ends where this one begins: its point would be a piece without length.
                    if points.pop().is_some() {
                        legs.pop();
                    }
                }
                points.push((*point, driven));
                legs.push((i, leg.implement, leg.gear));
                last = Some(*point);
            }
        }
        Self { points, legs }
    }

    /// Length of the whole path.
    pub fn length(&self) -> Metres {
        Metres::new(self.points.last().map_or(0.0, |p| p.1))
    }

    /// Where the robot is after `driven` metres; before the beginning and after the end: the nearest end.
    /// `None` for an empty path.
    pub fn at(&self, driven: Metres) -> Option<OnPath> {
        if self.points.len() < 2 {
            return None;
        }
        let s = driven.get();
        let i = self.points.partition_point(|p| p.1 <= s).clamp(1, self.points.len() - 1) - 1;
        let ((a, from), (b, to)) = (self.points[i], self.points[i + 1]);
        let share = if to > from { ((s - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        let (leg, implement, gear) = self.legs[i];
        let travel = (b.y - a.y).atan2(b.x - a.x);
        let heading = if gear == Gear::Forward { travel } else { travel + std::f64::consts::PI };
        let position = Point2::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share);
        Some(OnPath { pose: Pose2::new(position, Radians::new(heading)), leg, implement, gear })
    }
}
