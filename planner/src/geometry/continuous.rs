//! Curves between two poses whose curvature is zero at both ends and never jumps.
//!
//! Words of continuous-curvature turns and straights after Fraichard and Scheuer (2004): turn, straight, turn and turn,
//! turn, turn, in every combination of gears that is asked for. The middles of the turns alone tell the heading at every
//! joint, so that no word is searched for. Within the words the curve is the shortest; the true optimum is unknown.

use super::pose::{Pose, Pt, direction, distance, wrap};
use super::steering::{Piece, Steering};
use std::f64::consts::TAU;

/// A turn of a word.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turn {
    /// 1 left, -1 right.
    side: f64,
    /// 1 forwards, -1 in reverse.
    gear: f64,
    /// 0 to 2π.
    deflection: f64,
}

/// What lies between the first turn and the last.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Middle {
    Straight { gear: f64, length: f64 },
    Turn(Turn),
}

/// One word between two poses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Curve {
    from: Pose,
    steering: Steering,
    /// None: the word is nothing but its straight middle.
    ends: Option<[Turn; 2]>,
    middle: Middle,
    length: f64,
}

/// Shorter pieces are rounding.
const NOTHING_M: f64 = 1e-7;

impl Curve {
    /// Driven length in metres, both gears.
    pub(crate) fn length(&self) -> f64 {
        self.length
    }

    /// Pieces that are driven; `None` when a turn does not exist.
    pub(crate) fn pieces(&self) -> Option<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(9);
        let mut turn = |turn: Turn| {
            let all = self.steering.turn(turn.side, turn.gear, turn.deflection)?;
            pieces.extend(all.into_iter().filter(|piece| piece.length > NOTHING_M));
            Some(())
        };
        if let Some([first, _]) = self.ends {
            turn(first)?;
        }
        match self.middle {
            Middle::Turn(middle) => turn(middle)?,
            Middle::Straight { gear, length } if length > NOTHING_M => {
                pieces.push(Piece { gear, length, curvature: 0.0, rate: 0.0 });
            }
            Middle::Straight { .. } => {}
        }
        if let Some([_, last]) = self.ends {
            let all = self.steering.turn(last.side, last.gear, last.deflection)?;
            pieces.extend(all.into_iter().filter(|piece| piece.length > NOTHING_M));
        }
        Some(pieces)
    }

    /// Length of the pieces, without making them a list: asked of every word of every search.
    fn measured(&self) -> Option<f64> {
        let turn = |turn: &Turn| {
            let [ramp, arc, _] = self.steering.turn(turn.side, turn.gear, turn.deflection)?;
            Some(2.0 * ramp.length + arc.length)
        };
        let ends = match &self.ends {
            Some([first, last]) => turn(first)? + turn(last)?,
            None => 0.0,
        };
        let middle = match &self.middle {
            Middle::Turn(middle) => turn(middle)?,
            Middle::Straight { length, .. } => *length,
        };
        Some(ends + middle)
    }

    /// Changes of gear, those at the ends included: the robot comes and leaves forwards.
    pub(crate) fn cusps(&self) -> u32 {
        let middle = match self.middle {
            Middle::Straight { gear, .. } | Middle::Turn(Turn { gear, .. }) => gear,
        };
        let ends = self.ends.map_or([1.0; 2], |ends| ends.map(|turn| turn.gear));
        let gears = [1.0, ends[0], middle, ends[1], 1.0];
        gears.windows(2).map(|pair| u32::from(pair[0] * pair[1] < 0.0)).sum()
    }

    /// Points along the curve with chords of at most `step_rad` of the smallest circle, cut where the gear changes:
    /// whether each stretch is driven in reverse, and its points with both ends.
    pub(crate) fn stretches(&self, step_rad: f64) -> Vec<(bool, Vec<Pt>)> {
        // Two looks per ramp at least: a coarser polyline would turn the ramp into a corner.
        let step = (step_rad / self.steering.curvature).min(self.steering.ramp() / 2.0).max(0.02);
        let mut found: Vec<(bool, Vec<Pt>)> = Vec::new();
        let mut pose = self.from;
        for piece in self.pieces().unwrap_or_default() {
            let reverse = piece.gear < 0.0;
            if found.last().is_none_or(|(gear, _)| *gear != reverse) {
                found.push((reverse, vec![pose.at]));
            }
            let straight = piece.curvature == 0.0 && piece.rate == 0.0;
            let steps = if straight { 1.0 } else { (piece.length / step).ceil().max(1.0) };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
            for k in 0..steps as u32 {
                let at = |k: u32| piece.length * f64::from(k) / steps;
                pose = piece.advance(pose, at(k), at(k + 1));
                if let Some((_, points)) = found.last_mut() {
                    points.push(pose.at);
                }
            }
        }
        found
    }

    /// Points of a curve without a change of gear.
    pub(crate) fn sample(&self, step_rad: f64) -> Vec<Pt> {
        self.stretches(step_rad).into_iter().next().map_or_else(|| vec![self.from.at], |(_, points)| points)
    }
}

/// Every word from `from` to `to`, shortest first; forwards only, or with up to four changes of gear that count
/// `cusp_cost` metres each.
pub(crate) fn curves(from: Pose, to: Pose, steering: Steering, cusp_cost: Option<f64>) -> Vec<Curve> {
    const FORWARD: [[f64; 3]; 1] = [[1.0; 3]];
    const ALL: [[f64; 3]; 8] = [
        [1.0, 1.0, 1.0],
        [1.0, -1.0, 1.0],
        [1.0, 1.0, -1.0],
        [-1.0, 1.0, 1.0],
        [1.0, -1.0, -1.0],
        [-1.0, -1.0, 1.0],
        [-1.0, 1.0, -1.0],
        [-1.0, -1.0, -1.0],
    ];
    let gears: &[[f64; 3]] = if cusp_cost.is_some() { &ALL } else { &FORWARD };
    let ends = Ends { from, to, steering };
    let mut found = Vec::with_capacity(8 * gears.len());
    found.extend(ends.straight());
    for gears in gears {
        for first in [1.0, -1.0] {
            ends.with_straight(*gears, [first, first], &mut found);
            ends.with_straight(*gears, [first, -first], &mut found);
            ends.three_turns(*gears, first, &mut found);
        }
    }
    // Lengths last: most of a word's price.
    found.retain_mut(|curve| {
        let length = curve.measured();
        curve.length = length.unwrap_or(f64::MAX);
        length.is_some()
    });
    let cost = |curve: &Curve| curve.length + cusp_cost.unwrap_or(0.0) * f64::from(curve.cusps());
    found.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    found
}

struct Ends {
    from: Pose,
    to: Pose,
    steering: Steering,
}

impl Ends {
    /// Middle of a turn of `side`, `lead` metres ahead of a pose.
    fn middle_of(&self, pose: Pose, lead: f64, side: f64) -> Pt {
        let (sin, cos) = pose.heading.sin_cos();
        let aside = side * self.steering.aside;
        Pt { x: pose.at.x + lead * cos - aside * sin, y: pose.at.y + lead * sin + aside * cos }
    }

    fn deflection(side: f64, gear: f64, from: f64, to: f64) -> Turn {
        let angle = (side * gear * (to - from)).rem_euclid(TAU);
        // Rounding just below a full turn is no turn.
        Turn { side, gear, deflection: if TAU - angle < 1e-9 { 0.0 } else { angle } }
    }

    /// Straight ahead, where the goal lies there.
    fn straight(&self) -> Option<Curve> {
        let length = distance(self.from.at, self.to.at);
        let there = self.from.ahead(length);
        let straight = distance(there.at, self.to.at) < 1e-6
            && wrap(self.to.heading - self.from.heading).abs() < 1e-9
            && length > 1e-6;
        let middle = Middle::Straight { gear: 1.0, length };
        straight.then_some(Curve { from: self.from, steering: self.steering, ends: None, middle, length })
    }

    /// Turn, straight, turn. In the frame of the straight the middles lie `x` apart along it, where
    /// `x = g₂·length + (g₁ + g₃)·lead`, and `(s₃ - s₁)·aside` across.
    fn with_straight(&self, [g1, g2, g3]: [f64; 3], [s1, s3]: [f64; 2], found: &mut Vec<Curve>) {
        let Steering { lead, aside, .. } = self.steering;
        let (c1, c3) = (self.middle_of(self.from, g1 * lead, s1), self.middle_of(self.to, -g3 * lead, s3));
        let across = (s3 - s1) * aside;
        let apart = distance(c1, c3);
        let square = apart * apart - across * across;
        if square < 0.0 {
            return;
        }
        for along in [square.sqrt(), -square.sqrt()] {
            let length = g2 * (along - (g1 + g3) * lead);
            if length < 0.0 {
                continue;
            }
            let bearing = if apart > 1e-9 { direction(c1, c3) } else { self.from.heading };
            let heading = bearing - across.atan2(along);
            let first = Self::deflection(s1, g1, self.from.heading, heading);
            let last = Self::deflection(s3, g3, heading, self.to.heading);
            found.push(self.word([first, last], Middle::Straight { gear: g2, length }));
        }
    }

    /// Turn, turn to the other side, turn. The middles are the corners of a triangle with known sides.
    fn three_turns(&self, [g1, g2, g3]: [f64; 3], side: f64, found: &mut Vec<Curve>) {
        let Steering { lead, aside, .. } = self.steering;
        let (c1, c3) =
            (self.middle_of(self.from, g1 * lead, side), self.middle_of(self.to, -g3 * lead, side));
        // From middle to middle, in the frame of the pose where the turns meet.
        let first = Pt { x: (g1 + g2) * lead, y: -2.0 * side * aside };
        let second = Pt { x: (g2 + g3) * lead, y: 2.0 * side * aside };
        let (r1, r2) = (first.x.hypot(first.y), second.x.hypot(second.y));
        let apart = distance(c1, c3);
        if apart < 1e-9 || apart > r1 + r2 || apart < (r1 - r2).abs() {
            return;
        }
        let angle = ((apart * apart + r1 * r1 - r2 * r2) / (2.0 * apart * r1)).clamp(-1.0, 1.0).acos();
        for angle in [angle, -angle] {
            let bearing = direction(c1, c3) + angle;
            let c2 = Pt { x: c1.x + r1 * bearing.cos(), y: c1.y + r1 * bearing.sin() };
            let h1 = bearing - first.y.atan2(first.x);
            let h2 = direction(c2, c3) - second.y.atan2(second.x);
            let ends = [
                Self::deflection(side, g1, self.from.heading, h1),
                Self::deflection(side, g3, h2, self.to.heading),
            ];
            found.push(self.word(ends, Middle::Turn(Self::deflection(-side, g2, h1, h2))));
        }
    }

    fn word(&self, ends: [Turn; 2], middle: Middle) -> Curve {
        Curve { from: self.from, steering: self.steering, ends: Some(ends), middle, length: 0.0 }
    }
}

#[cfg(test)]
mod tests;
