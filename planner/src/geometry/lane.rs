//! A closed drivable line: a headland pass or a way around an obstacle.

use super::pose::{Pose, Pt, direction, distance, lerp, wrap};
use geo::LineString;

/// A closed line with arc length. Every position is taken modulo the length.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    /// Without the closing point.
    points: Vec<Pt>,
    /// Arc length at each point, and the total at the end.
    along: Vec<f64>,
}

/// Takes out the tips of needles that boolean operations leave where two borders nearly meet.
fn unspiked(points: &mut Vec<Pt>) {
    const NEEDLE_RAD: f64 = 2.0;
    const DEPTH_M: f64 = 0.3;
    let mut i = 0;
    let mut quiet = 0;
    while points.len() > 3 && quiet < points.len() {
        let n = points.len();
        i %= n;
        let (a, b, c) = (points[(i + n - 1) % n], points[i], points[(i + 1) % n]);
        let turn = wrap(direction(b, c) - direction(a, b)).abs();
        if turn > NEEDLE_RAD && distance(a, b).min(distance(b, c)) < DEPTH_M {
            points.remove(i);
            // The neighbour before may be the tip now.
            i = (i + n - 2) % (n - 1);
            quiet = 0;
        } else {
            i += 1;
            quiet += 1;
        }
    }
}

/// Sense in which a lane is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sense {
    /// In the order of its points.
    With,
    /// Against it.
    Against,
}

impl Sense {
    pub(crate) const BOTH: [Self; 2] = [Self::With, Self::Against];
}

impl Lane {
    /// `None` when fewer than three distinct points remain.
    pub(crate) fn new(ring: &LineString<f64>) -> Option<Self> {
        /// Shorter pieces are rounding: their direction means nothing.
        const SHORT_M: f64 = 0.01;
        let mut points: Vec<Pt> = ring.0.clone();
        points.dedup_by(|a, b| distance(*a, *b) < SHORT_M);
        while points.len() > 1 && distance(points[0], points[points.len() - 1]) < SHORT_M {
            points.pop();
        }
        unspiked(&mut points);
        if points.len() < 3 {
            return None;
        }
        let mut along = vec![0.0];
        for i in 0..points.len() {
            along.push(along[i] + distance(points[i], points[(i + 1) % points.len()]));
        }
        Some(Self { points, along })
    }

    pub(crate) fn length(&self) -> f64 {
        self.along[self.points.len()]
    }

    /// As a closed line.
    pub(crate) fn ring(&self) -> LineString<f64> {
        let mut points = self.points.clone();
        points.push(points[0]);
        LineString::new(points)
    }

    fn locate(&self, s: f64) -> (usize, f64) {
        let s = s.rem_euclid(self.length());
        let i = (self.along.partition_point(|&a| a <= s).max(1) - 1).min(self.points.len() - 1);
        let span = self.along[i + 1] - self.along[i];
        (i, if span > 0.0 { ((s - self.along[i]) / span).clamp(0.0, 1.0) } else { 0.0 })
    }

    /// Position `s` metres along, looking in `sense`.
    ///
    /// The heading is that of the chord from a little before to a little after: near a vertex it turns from one side's
    /// to the other's, so that it is the tangent of the arc sampled there, and rounding in short pieces does not count.
    pub(crate) fn pose(&self, s: f64, sense: Sense) -> Pose {
        let reach = self.even_reach(s);
        let pose = Pose::new(self.at(s), direction(self.at(s - reach), self.at(s + reach)));
        if sense == Sense::With { pose } else { pose.flipped() }
    }

    /// How far to look before and after `s` for a heading: where an arc begins, a chord that reaches back onto the
    /// straight is no tangent of the arc, and a turn that sets out along it has a kink there. Half of the shorter piece
    /// on either side of the nearest vertex is far enough on an arc, for its chords are even.
    fn even_reach(&self, s: f64) -> f64 {
        const MOST_M: f64 = 0.3;
        const LEAST_M: f64 = 0.05;
        let n = self.points.len();
        let (i, t) = self.locate(s);
        let beside = if t < 0.5 { (i + n - 1) % n } else { (i + 1) % n };
        let piece = |k: usize| self.along[k + 1] - self.along[k];
        (piece(i).min(piece(beside)) / 2.0).clamp(LEAST_M, MOST_M)
    }

    /// The point `s` metres along.
    pub(crate) fn at(&self, s: f64) -> Pt {
        let (i, t) = self.locate(s);
        lerp(self.points[i], self.points[(i + 1) % self.points.len()], t)
    }

    /// Arc length of the place nearest to `p`.
    pub(crate) fn nearest(&self, p: Pt) -> f64 {
        let n = self.points.len();
        let foot = |i: usize| {
            let (a, b) = (self.points[i], self.points[(i + 1) % n]);
            let (span, d) = (distance(a, b), b - a);
            let t = (((p.x - a.x) * d.x + (p.y - a.y) * d.y) / (span * span)).clamp(0.0, 1.0);
            (distance(p, lerp(a, b, t)), self.along[i] + t * span)
        };
        (0..n).map(foot).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |f| f.1)
    }

    /// Where the line bends tighter than `radius`: discs of both sides of a narrow gap may meet in a notch.
    pub(crate) fn corners(&self, radius: f64) -> Vec<f64> {
        /// Sampled chords hide and invent this much of a bend.
        const SHARE: f64 = 0.85;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
        let count = (self.length() / (radius / 4.0)).ceil().max(3.0) as u32;
        let step = self.length() / f64::from(count);
        // Twice as many looks as chords are long, so that no corner hides between two of them.
        let at = |k: u32| self.at(step * f64::from(k) / 2.0);
        let mut found: Vec<f64> = (0..2 * count)
            .filter(|k| {
                let (a, b, c) = (at(*k), at(k + 2), at(k + 4));
                let turn = wrap(direction(b, c) - direction(a, b)).abs();
                turn * SHARE * radius > f64::midpoint(distance(a, b), distance(b, c))
            })
            .map(|k| step * f64::from(k + 2) / 2.0)
            .collect();
        found.extend(self.notches(radius));
        found.sort_by(f64::total_cmp);
        found.dedup_by(|a, b| *a - *b < radius / 8.0);
        found
    }

    /// Small corners between the points themselves, from any first point: what a robot following them would feel.
    fn notches(&self, radius: f64) -> Vec<f64> {
        /// Of the turning radius that points on its circle must show.
        const SHARE: f64 = 0.965;
        const FIRSTS: usize = 4;
        let (n, spacing) = (self.points.len(), radius / 8.0);
        let mut found = Vec::new();
        for first in 0..FIRSTS.min(n) {
            let mut kept = vec![first];
            for k in first + 1..first + n + n.min(40) {
                let last = kept[kept.len() - 1] % n;
                if distance(self.points[last], self.points[k % n]) >= spacing {
                    kept.push(k);
                }
            }
            for three in kept.windows(3) {
                let [a, b, c] = [0, 1, 2].map(|i| self.points[three[i] % n]);
                let turn = wrap(direction(b, c) - direction(a, b)).abs();
                let reach = |d: f64| d.min(radius / 4.0);
                if turn > 0.02
                    && turn * SHARE * radius > f64::midpoint(reach(distance(a, b)), reach(distance(b, c)))
                {
                    found.push(self.along[three[1] % n]);
                }
            }
        }
        found
    }

    /// The points driven from `s` over `run` metres in `sense`, both ends included.
    pub(crate) fn stretch(&self, s: f64, run: f64, sense: Sense) -> Vec<Pt> {
        let mut points = vec![self.at(s)];
        let n = self.points.len();
        let (mut i, t) = self.locate(s);
        let mut left = run;
        let mut here = points[0];
        if sense == Sense::Against && t == 0.0 {
            i = (i + n - 1) % n;
        }
        loop {
            let next = if sense == Sense::With { self.points[(i + 1) % n] } else { self.points[i] };
            let d = distance(here, next);
            if d >= left {
                points.push(if d > 0.0 { lerp(here, next, left / d) } else { next });
                break;
            }
            left -= d;
            points.push(next);
            here = next;
            i = if sense == Sense::With { (i + 1) % n } else { (i + n - 1) % n };
        }
        points.dedup_by(|a, b| distance(*a, *b) < 1e-9);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    #[test]
    fn a_heading_on_a_bend_is_its_tangent_from_the_first_chord_on() {
        // Two straights of 20 m and two half circles of 2 m between them.
        const CHORDS: u32 = 50;
        let arc = |middle: f64, begin: f64| {
            (0..=CHORDS).map(move |k| {
                let angle = begin + PI * f64::from(k) / f64::from(CHORDS);
                Pt { x: middle + 2.0 * angle.cos(), y: 2.0 * angle.sin() }
            })
        };
        let points = arc(20.0, -FRAC_PI_2).chain(arc(0.0, FRAC_PI_2)).collect();
        let lane = Lane::new(&LineString::new(points)).expect("a ring");
        let chord = 4.0 * (FRAC_PI_2 / f64::from(CHORDS)).sin();
        for k in 1..CHORDS {
            let tangent = PI * f64::from(k) / f64::from(CHORDS);
            let off = wrap(lane.pose(f64::from(k) * chord, Sense::With).heading - tangent);
            assert!(off.abs() < 1e-3, "{off} rad off at chord {k}");
        }
    }
}
