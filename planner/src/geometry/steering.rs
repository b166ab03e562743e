//! How fast a robot can bend its path: the largest curvature and the largest change of it per metre.
//!
//! A turn of such a robot (Fraichard and Scheuer, *From Reeds and Shepp's to continuous-curvature paths*, 2004) begins
//! and ends straight: its curvature grows along a clothoid, stays, and falls along a clothoid. All turns of one side
//! that begin at one pose share a middle, and end on the same circle around it.

use super::pose::{Pose, Pt, wrap};
use std::f64::consts::PI;

/// Nodes and weights of Gauss and Legendre on [-1, 1]: exact for polynomials up to degree 9.
const NODES: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.906_179_845_938_664, 0.236_926_885_056_189_08),
];

/// A piece of path whose curvature changes evenly: straight, arc or clothoid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    /// 1 forwards, -1 in reverse.
    pub(crate) gear: f64,
    /// Metres.
    pub(crate) length: f64,
    /// Of the steering at the beginning, 1/m, positive to the left.
    pub(crate) curvature: f64,
    /// Change per metre driven, 1/m².
    pub(crate) rate: f64,
}

impl Piece {
    /// Where the robot is `from` to `to` metres into the piece, when it was at `pose` after `from`. The Fresnel
    /// integrals by quadrature; `to - from` may turn the heading by at most a few tenths of a radian.
    pub(crate) fn advance(&self, pose: Pose, from: f64, to: f64) -> Pose {
        let heading = |s: f64| {
            let bend = |s: f64| self.curvature * s + self.rate * s * s / 2.0;
            pose.heading + self.gear * (bend(s) - bend(from))
        };
        let (half, middle) = ((to - from) / 2.0, f64::midpoint(from, to));
        let mut at = pose.at;
        for (node, weight) in NODES {
            let (sin, cos) = heading(middle + half * node).sin_cos();
            at = Pt { x: at.x + self.gear * half * weight * cos, y: at.y + self.gear * half * weight * sin };
        }
        Pose::new(at, wrap(heading(to)))
    }

    /// Where the robot is after the whole piece.
    fn end(&self, pose: Pose) -> Pose {
        const STEPS: u32 = 16;
        let at = |k: u32| self.length * f64::from(k) / f64::from(STEPS);
        (0..STEPS).fold(pose, |pose, k| self.advance(pose, at(k), at(k + 1)))
    }
}

/// What the steering of a robot can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steering {
    /// Largest curvature, 1/m.
    pub(crate) curvature: f64,
    /// Largest change of curvature per metre, 1/m².
    pub(crate) rate: f64,
    /// Ahead from where a turn begins to its middle, metres.
    pub(crate) lead: f64,
    /// Aside from where a turn begins to its middle, metres.
    pub(crate) aside: f64,
}

impl Steering {
    /// For the smallest circle of `radius` metres and at most `rate` 1/m² of change. Where curvature grows so slowly
    /// that half a turn is over before the smallest circle is reached, a larger one takes its place.
    pub(crate) fn new(radius: f64, rate: f64) -> Self {
        let curvature = (1.0 / radius).min((PI * rate).sqrt());
        let mut steering = Self { curvature, rate, lead: 0.0, aside: 0.0 };
        let ramp = Piece { gear: 1.0, length: steering.ramp(), curvature: 0.0, rate };
        let end = ramp.end(Pose::new(Pt { x: 0.0, y: 0.0 }, 0.0));
        let (sin, cos) = end.heading.sin_cos();
        steering.lead = end.at.x - sin / curvature;
        steering.aside = end.at.y + cos / curvature;
        steering
    }

    /// Metres from straight to the smallest circle.
    pub(crate) fn ramp(&self) -> f64 {
        self.curvature / self.rate
    }

    /// Deflection of a turn that is nothing but the two clothoids.
    fn shortest_full_turn(&self) -> f64 {
        self.curvature * self.curvature / self.rate
    }

    /// From the middle of a turn to where it begins and ends.
    pub(crate) fn circle(&self) -> f64 {
        self.lead.hypot(self.aside)
    }

    /// The pieces of a turn by `deflection` (0 to 2π) to `side` (1 left, -1 right) in `gear`. Small deflections are
    /// two gentler clothoids that end on the same circle. `None` where these would need faster steering.
    pub(crate) fn turn(&self, side: f64, gear: f64, deflection: f64) -> Option<[Piece; 3]> {
        let (length, rate, arc) = if deflection >= self.shortest_full_turn() {
            let arc = (deflection - self.shortest_full_turn()) / self.curvature;
            (self.ramp(), self.rate, arc)
        } else {
            // The chord over both ends of the turn, and what a chord of a symmetric pair of clothoids is of its length.
            let (sin, cos) = deflection.sin_cos();
            let end = Pt {
                x: self.lead + cos * self.lead + sin * self.aside,
                y: self.aside + sin * self.lead - cos * self.aside,
            };
            let (half_sin, half_cos) = (deflection / 2.0).sin_cos();
            let chord = end.x * half_cos + end.y * half_sin;
            let share: f64 = NODES
                .iter()
                .map(|(node, weight)| {
                    let u = f64::midpoint(1.0, *node);
                    weight / 2.0 * (deflection / 2.0 * (1.0 - u * u)).cos()
                })
                .sum();
            let length = chord / (2.0 * share);
            let rate = deflection / (length * length);
            let fits = length > 0.0
                && rate <= self.rate * (1.0 + 1e-6)
                && rate * length <= self.curvature * (1.0 + 1e-6);
            if !fits {
                return None;
            }
            (length, rate, 0.0)
        };
        let peak = side * rate * length;
        Some([
            Piece { gear, length, curvature: 0.0, rate: side * rate },
            Piece { gear, length: arc, curvature: peak, rate: 0.0 },
            Piece { gear, length, curvature: peak, rate: -side * rate },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clothoid_ends_where_fresnels_tables_say() {
        // C and S of the convention with π/2 · t² under the sine: the rate is π.
        for (t, c, s) in [
            (0.5, 0.492_344_225_871_446_4, 0.064_732_432_859_999_29),
            (1.0, 0.779_893_400_376_822_8, 0.438_259_147_390_354_8),
        ] {
            let piece = Piece { gear: 1.0, length: t, curvature: 0.0, rate: PI };
            let end = piece.end(Pose::new(Pt { x: 0.0, y: 0.0 }, 0.0));
            assert!((end.at.x - c).abs() < 1e-12 && (end.at.y - s).abs() < 1e-12, "{end:?}");
        }
    }

    #[test]
    fn fast_steering_turns_like_a_circle() {
        let steering = Steering::new(2.0, 1e5);
        assert!(steering.lead.abs() < 1e-4 && (steering.aside - 2.0).abs() < 1e-4, "{steering:?}");
    }

    proptest! {
        /// Every turn that is offered ends on the circle, at the mirrored angle, within curvature and rate.
        #[test]
        fn turns_end_on_their_circle(
            radius in 0.5..12.0f64, rate in 0.01..5.0f64, deflection in 0.0..std::f64::consts::TAU, left: bool, ahead: bool,
        ) {
            let steering = Steering::new(radius, rate);
            let (side, gear) = (if left { 1.0 } else { -1.0 }, if ahead { 1.0 } else { -1.0 });
            let pieces = steering.turn(side, gear, deflection).expect("the theorem of the paper: every deflection exists");
            let start = Pose::new(Pt { x: 3.0, y: -1.0 }, 0.4);
            let end = pieces.iter().fold(start, |pose, piece| piece.end(pose));
            let off = |pose: Pose, lead: f64| {
                let (sin, cos) = pose.heading.sin_cos();
                let aside = side * steering.aside;
                Pt { x: pose.at.x + lead * cos - aside * sin, y: pose.at.y + lead * sin + aside * cos }
            };
            let (a, b) = (off(start, gear * steering.lead), off(end, -gear * steering.lead));
            prop_assert!(super::super::pose::distance(a, b) < 1e-5, "{a:?} {b:?}");
            prop_assert!(wrap(end.heading - start.heading - gear * side * deflection).abs() < 1e-6);
            for piece in pieces {
                let last = piece.curvature + piece.rate * piece.length;
                prop_assert!(piece.rate.abs() <= rate * 1.001 && piece.length >= 0.0);
                prop_assert!(piece.curvature.abs().max(last.abs()) <= 1.001 / radius);
            }
        }
    }
}
