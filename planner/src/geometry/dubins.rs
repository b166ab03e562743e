//! Shortest forward-only curves between two poses with a bounded turning radius (Dubins, 1957).

use super::pose::{Pose, Pt, turned, whole_above, wrap};
use std::f64::consts::TAU;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Left,
    Straight,
    Right,
}
use Piece::{Left, Right, Straight};

/// One of the six candidate words between two poses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Curve {
    from: Pose,
    radius: f64,
    pieces: [Piece; 3],
    /// In units of the radius.
    spans: [f64; 3],
}

impl Curve {
    /// Driven length in metres.
    pub(crate) fn length(&self) -> f64 {
        self.spans.iter().sum::<f64>() * self.radius
    }

    /// Points along the curve, both ends included; arcs sampled at `step_rad`.
    pub(crate) fn sample(&self, step_rad: f64) -> Vec<Pt> {
        let mut points = vec![self.from.at];
        let mut pose = self.from;
        for (piece, span) in self.pieces.into_iter().zip(self.spans) {
            if span * self.radius < 1e-9 {
                continue;
            }
            let steps = if piece == Straight { 1.0 } else { (span / step_rad).ceil().max(1.0) };
            let start = pose;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few hundred at most"
            )]
            for k in 1..=steps as u32 {
                pose = advance(start, piece, span * f64::from(k) / steps, self.radius);
                points.push(pose.at);
            }
        }
        points
    }

    /// Whether `fits` says yes to every chord of [`Curve::sample`], each turned from the one before: good to rounding, and
    /// without a sine for every point.
    pub(crate) fn all_chords(&self, step_rad: f64, fits: impl Fn(Pt, Pt) -> bool) -> bool {
        let mut pose = self.from;
        for (piece, span) in self.pieces.into_iter().zip(self.spans) {
            if span * self.radius < 1e-9 {
                continue;
            }
            let end = advance(pose, piece, span, self.radius);
            let mut before = pose.at;
            if piece != Straight {
                let side = if piece == Left { 1.0 } else { -1.0 };
                let steps = whole_above(span / step_rad).max(1);
                let (s0, c0) = pose.heading.sin_cos();
                let (turn_sin, turn_cos) = (side * span / steps as f64).sin_cos();
                let (mut sin, mut cos) = (s0, c0);
                for _ in 1..steps {
                    (sin, cos) = (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin);
                    let (x, y) = (side * self.radius * (sin - s0), side * self.radius * (cos - c0));
                    let at = Pt { x: pose.at.x + x, y: pose.at.y - y };
                    if !fits(before, at) {
                        return false;
                    }
                    before = at;
                }
            }
            if !fits(before, end.at) {
                return false;
            }
            pose = end;
        }
        true
    }
}

fn advance(pose: Pose, piece: Piece, span: f64, radius: f64) -> Pose {
    let side = match piece {
        Straight => return pose.ahead(span * radius),
        Left => 1.0,
        Right => -1.0,
    };
    let heading = pose.heading + side * span;
    let (s0, c0) = pose.heading.sin_cos();
    let (s1, c1) = heading.sin_cos();
    let at = Pt { x: pose.at.x + side * radius * (s1 - s0), y: pose.at.y - side * radius * (c1 - c0) };
    Pose::new(at, wrap(heading))
}

fn turn(angle: f64) -> f64 {
    let a = turned(angle);
    // Rounding just below a full turn is no turn.
    if TAU - a < 1e-9 { 0.0 } else { a }
}

/// All words that exist from `from` to `to`, shortest first.
///
/// ```text
/// LSL RSR LSR RSL RLR LRL
/// ```
pub(crate) fn curves(from: Pose, to: Pose, radius: f64) -> Vec<Curve> {
    let (dx, dy) = ((to.at.x - from.at.x) / radius, (to.at.y - from.at.y) / radius);
    let d = dx.hypot(dy);
    let bearing = if d > 0.0 { dy.atan2(dx) } else { 0.0 };
    let (a, b) = (turn(from.heading - bearing), turn(to.heading - bearing));
    let ((sa, ca), (sb, cb)) = (a.sin_cos(), b.sin_cos());
    let cab = (a - b).cos();
    let mut found = Vec::with_capacity(6);
    let mut add = |pieces, spans| found.push(Curve { from, radius, pieces, spans });

    let p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sa - sb);
    if p >= 0.0 {
        let t = (cb - ca).atan2(d + sa - sb);
        add([Left, Straight, Left], [turn(t - a), p.sqrt(), turn(b - t)]);
    }
    let p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sb - sa);
    if p >= 0.0 {
        let t = (ca - cb).atan2(d - sa + sb);
        add([Right, Straight, Right], [turn(a - t), p.sqrt(), turn(t - b)]);
    }
    let p = -2.0 + d * d + 2.0 * cab + 2.0 * d * (sa + sb);
    if p >= 0.0 {
        let s = p.sqrt();
        let t = (-ca - cb).atan2(d + sa + sb) - (-2.0f64).atan2(s);
        add([Left, Straight, Right], [turn(t - a), s, turn(t - b)]);
    }
    let p = -2.0 + d * d + 2.0 * cab - 2.0 * d * (sa + sb);
    if p >= 0.0 {
        let s = p.sqrt();
        let t = (ca + cb).atan2(d - sa - sb) - 2.0f64.atan2(s);
        add([Right, Straight, Left], [turn(a - t), s, turn(b - t)]);
    }
    let c = (6.0 - d * d + 2.0 * cab + 2.0 * d * (sa - sb)) / 8.0;
    if c.abs() <= 1.0 {
        let p = turn(TAU - c.acos());
        let t = turn(a - (ca - cb).atan2(d - sa + sb) + p / 2.0);
        add([Right, Left, Right], [t, p, turn(a - b - t + p)]);
    }
    let c = (6.0 - d * d + 2.0 * cab + 2.0 * d * (sb - sa)) / 8.0;
    if c.abs() <= 1.0 {
        let p = turn(TAU - c.acos());
        let t = turn(-a - (ca - cb).atan2(d + sa - sb) + p / 2.0);
        add([Left, Right, Left], [t, p, turn(b - a - t + p)]);
    }
    found.sort_by(|x, y| x.length().total_cmp(&y.length()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::pose::distance;
    use proptest::prelude::*;

    fn end(curve: &Curve) -> Pose {
        curve
            .pieces
            .into_iter()
            .zip(curve.spans)
            .fold(curve.from, |pose, (piece, span)| advance(pose, piece, span, curve.radius))
    }

    proptest! {
        #[test]
        fn every_word_arrives(x in -30.0..30.0, y in -30.0..30.0, h0 in -4.0..4.0, h1 in -4.0..4.0, r in 0.5..8.0) {
            let to = Pose::new(Pt { x, y }, h1);
            let all = curves(Pose::new(Pt { x: 0.0, y: 0.0 }, h0), to, r);
            prop_assert!(!all.is_empty());
            for curve in &all {
                let there = end(curve);
                prop_assert!(distance(there.at, to.at) < 1e-6, "{:?} ends {:?}", curve, there);
                prop_assert!(wrap(there.heading - to.heading).abs() < 1e-6);
                let points = curve.sample(0.1);
                prop_assert!(distance(points[points.len() - 1], to.at) < 1e-6);
                let chords = std::cell::RefCell::new(vec![]);
                let note = |a: Pt, b: Pt| {
                    chords.borrow_mut().push((a, b));
                    true
                };
                prop_assert!(curve.all_chords(0.1, note));
                let chords = chords.into_inner();
                prop_assert_eq!(chords.len() + 1, points.len());
                for ((a, b), pair) in chords.iter().zip(points.windows(2)) {
                    prop_assert!(distance(*a, pair[0]) < 1e-9 && distance(*b, pair[1]) < 1e-9);
                }
            }
        }
    }

    #[test]
    fn turns_between_rows_cost_what_the_books_say() {
        // Neighbouring rows 3 m apart, radius 2 m: the omega turn; two rows on: half circle plus straight.
        let start = Pose::new(Pt { x: 0.0, y: 0.0 }, 0.0);
        let back = |d| Pose::new(Pt { x: 0.0, y: d }, std::f64::consts::PI);
        assert!((curves(start, back(3.0), 2.0)[0].length() - 10.33).abs() < 0.01);
        assert!((curves(start, back(6.0), 2.0)[0].length() - 8.283).abs() < 0.001);
    }
}
