//! Shortest curves between two poses for a robot that may also drive backwards (Reeds and Shepp, 1990).
//!
//! All words follow from nine formulas of the paper (8.1 to 8.4 and 8.7 to 8.11) by three symmetries: driving
//! backwards in time, mirroring left and right, and swapping the two ends. Lengths are in units of the radius;
//! a negative span is driven in reverse. A word that does not arrive (a formula at the rim of its domain) is left out.

use super::pose::{Pose, Pt, distance, wrap};
use std::f64::consts::{FRAC_PI_2, PI};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Left,
    Straight,
    Right,
    /// Fills up words of fewer than five pieces.
    Nothing,
}
use Piece::{Left, Nothing, Right, Straight};

/// One word between two poses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Curve {
    from: Pose,
    radius: f64,
    pieces: [Piece; 5],
    /// In units of the radius; below zero in reverse.
    spans: [f64; 5],
}

/// Shorter pieces are rounding.
const NOTHING_M: f64 = 1e-6;

impl Curve {
    /// Driven length in metres, both gears.
    pub(crate) fn length(&self) -> f64 {
        self.spans.iter().map(|s| s.abs()).sum::<f64>() * self.radius
    }

    /// Pieces that are driven, with their spans.
    fn driven(&self) -> impl Iterator<Item = (Piece, f64)> + '_ {
        let long = |(_, span): &(Piece, f64)| span.abs() * self.radius > NOTHING_M;
        self.pieces.into_iter().zip(self.spans).filter(long)
    }

    /// Changes of gear, those at the ends included: the robot comes and leaves forwards.
    pub(crate) fn cusps(&self) -> u32 {
        let mut forward = true;
        let mut count = 0;
        for ahead in self.driven().map(|(_, span)| span > 0.0).chain([true]) {
            count += u32::from(ahead != forward);
            forward = ahead;
        }
        count
    }

    /// Points along the curve, arcs sampled at `step_rad`, cut where the gear changes: whether each stretch is driven
    /// in reverse, and its points with both ends.
    pub(crate) fn stretches(&self, step_rad: f64) -> Vec<(bool, Vec<Pt>)> {
        let mut found: Vec<(bool, Vec<Pt>)> = Vec::new();
        let mut pose = self.from;
        for (piece, span) in self.driven() {
            let reverse = span < 0.0;
            if found.last().is_none_or(|(gear, _)| *gear != reverse) {
                found.push((reverse, vec![pose.at]));
            }
            let steps = if piece == Straight { 1.0 } else { (span.abs() / step_rad).ceil().max(1.0) };
            let start = pose;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dozens at most")]
            for k in 1..=steps as u32 {
                pose = advance(start, piece, span * f64::from(k) / steps, self.radius);
                if let Some((_, points)) = found.last_mut() {
                    points.push(pose.at);
                }
            }
        }
        found
    }

    fn end(&self) -> Pose {
        self.driven().fold(self.from, |pose, (piece, span)| advance(pose, piece, span, self.radius))
    }
}

fn advance(pose: Pose, piece: Piece, span: f64, radius: f64) -> Pose {
    let side = match piece {
        Nothing => return pose,
        Straight => return pose.ahead(span * radius),
        Left => 1.0,
        Right => -1.0,
    };
    let heading = pose.heading + side * span;
    let ((s0, c0), (s1, c1)) = (pose.heading.sin_cos(), heading.sin_cos());
    let at = Pt { x: pose.at.x + side * radius * (s1 - s0), y: pose.at.y - side * radius * (c1 - c0) };
    Pose::new(at, wrap(heading))
}

/// A goal as the formulas want it: the start at the origin looking along x, the radius 1.
#[derive(Clone, Copy)]
struct Goal {
    x: f64,
    y: f64,
    phi: f64,
}

type Spans = [f64; 5];
type Word = ([Piece; 5], Spans);

/// All words that lead from `from` to `to` (no arc of more than half a circle, which no shortest curve has; where changes
/// of gear cost much, compare with [`super::dubins::curves`]), by length and `cusp_cost` metres for every change of gear, cheapest first.
///
/// ```text
/// CSC   C|C|C  CC|C  C|CC   CCu|CuC  C|CuCu|C   C|C½SC  CSC½|C   C|C½SC½|C
/// ```
pub(crate) fn curves(from: Pose, to: Pose, radius: f64, cusp_cost: f64) -> Vec<Curve> {
    let (sin, cos) = from.heading.sin_cos();
    let (dx, dy) = ((to.at.x - from.at.x) / radius, (to.at.y - from.at.y) / radius);
    let goal = Goal { x: dx * cos + dy * sin, y: dy * cos - dx * sin, phi: wrap(to.heading - from.heading) };
    let mut words: Vec<Word> = Vec::new();
    for (timeflip, mirror) in [(false, false), (true, false), (false, true), (true, true)] {
        let seen = symmetric(goal, timeflip, mirror);
        let mut add = |(pieces, spans): Word| {
            let pieces = if mirror { pieces.map(mirrored) } else { pieces };
            words.push((pieces, if timeflip { spans.map(|s| -s) } else { spans }));
        };
        forward_words(seen).into_iter().for_each(&mut add);
        // Seen from the goal backwards the pieces come in the opposite order.
        let (sin, cos) = seen.phi.sin_cos();
        let swapped = Goal { x: seen.x * cos + seen.y * sin, y: seen.x * sin - seen.y * cos, phi: seen.phi };
        swapped_words(swapped).into_iter().map(reversed).for_each(&mut add);
    }
    let arrives = |curve: &Curve| {
        let end = curve.end();
        distance(end.at, to.at) < 1e-6 * radius.max(1.0) && wrap(end.heading - to.heading).abs() < 1e-6
    };
    let mut found: Vec<Curve> = words
        .into_iter()
        .map(|(pieces, spans)| Curve { from, radius, pieces, spans })
        .filter(arrives)
        .collect();
    let cost = |curve: &Curve| curve.length() + cusp_cost * f64::from(curve.cusps());
    found.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    found
}

fn symmetric(goal: Goal, timeflip: bool, mirror: bool) -> Goal {
    let Goal { mut x, mut y, mut phi } = goal;
    if timeflip {
        (x, phi) = (-x, -phi);
    }
    if mirror {
        (y, phi) = (-y, -phi);
    }
    Goal { x, y, phi }
}

const fn mirrored(piece: Piece) -> Piece {
    match piece {
        Left => Right,
        Right => Left,
        other => other,
    }
}

fn reversed((mut pieces, mut spans): Word) -> Word {
    pieces.reverse();
    spans.reverse();
    (pieces, spans)
}

/// Words whose mirror images in the swapped view are other words of this list.
fn forward_words(goal: Goal) -> Vec<Word> {
    let three = |a, b, c| [a, b, c, Nothing, Nothing];
    let four = |a, b, c, d| [a, b, c, d, Nothing];
    let [t, u, v] = lsl(goal);
    let mut words = vec![(three(Left, Straight, Left), [t, u, v, 0.0, 0.0])];
    words.extend(lsr(goal).map(|[t, u, v]| (three(Left, Straight, Right), [t, u, v, 0.0, 0.0])));
    words.extend(lrl(goal).map(|[t, u, v]| (three(Left, Right, Left), [t, u, v, 0.0, 0.0])));
    words.extend(lrlr_inner(goal).map(|[t, u, v]| (four(Left, Right, Left, Right), [t, u, -u, v, 0.0])));
    words.extend(lrlr_outer(goal).map(|[t, u, v]| (four(Left, Right, Left, Right), [t, u, u, v, 0.0])));
    words.extend(lrsl(goal).map(|[t, u, v]| (four(Left, Right, Straight, Left), [t, -FRAC_PI_2, u, v, 0.0])));
    words
        .extend(lrsr(goal).map(|[t, u, v]| (four(Left, Right, Straight, Right), [t, -FRAC_PI_2, u, v, 0.0])));
    words.extend(
        lrslr(goal)
            .map(|[t, u, v]| ([Left, Right, Straight, Left, Right], [t, -FRAC_PI_2, u, -FRAC_PI_2, v])),
    );
    words
}

/// Words that are new in the swapped view.
fn swapped_words(goal: Goal) -> Vec<Word> {
    let mut words = vec![];
    words.extend(lrl(goal).map(|[t, u, v]| ([Left, Right, Left, Nothing, Nothing], [t, u, v, 0.0, 0.0])));
    words.extend(
        lrsl(goal).map(|[t, u, v]| ([Left, Right, Straight, Left, Nothing], [t, -FRAC_PI_2, u, v, 0.0])),
    );
    words.extend(
        lrsr(goal).map(|[t, u, v]| ([Left, Right, Straight, Right, Nothing], [t, -FRAC_PI_2, u, v, 0.0])),
    );
    words
}

fn polar(x: f64, y: f64) -> (f64, f64) {
    (x.hypot(y), y.atan2(x))
}

/// What of a goal the words with unlike and like ends start from.
fn like(Goal { x, y, phi }: Goal) -> (f64, f64) {
    (x - phi.sin(), y - 1.0 + phi.cos())
}

fn unlike(Goal { x, y, phi }: Goal) -> (f64, f64) {
    (x + phi.sin(), y - 1.0 - phi.cos())
}

/// (8.1)
fn lsl(goal: Goal) -> [f64; 3] {
    let (xi, eta) = like(goal);
    let (u, t) = polar(xi, eta);
    [t, u, wrap(goal.phi - t)]
}

/// (8.2)
fn lsr(goal: Goal) -> Option<[f64; 3]> {
    let (xi, eta) = unlike(goal);
    let (far, bearing) = polar(xi, eta);
    let u = (far * far >= 4.0).then(|| (far * far - 4.0).sqrt())?;
    let t = wrap(bearing + 2.0f64.atan2(u));
    Some([t, u, wrap(t - goal.phi)])
}

/// (8.3) and (8.4)
fn lrl(goal: Goal) -> Option<[f64; 3]> {
    let (xi, eta) = like(goal);
    let (far, bearing) = polar(xi, eta);
    let u = (far <= 4.0).then(|| -2.0 * (far / 4.0).asin())?;
    let t = wrap(bearing + u / 2.0 + PI);
    Some([t, u, wrap(goal.phi - t + u)])
}

/// First and last span of a word of four arcs.
fn outer_spans(u: f64, v: f64, (xi, eta): (f64, f64), phi: f64) -> (f64, f64) {
    let delta = wrap(u - v);
    let (a, b) = (u.sin() - delta.sin(), u.cos() - delta.cos() - 1.0);
    let t1 = (eta * a - xi * b).atan2(xi * a + eta * b);
    let t2 = 2.0 * (delta.cos() - v.cos() - u.cos()) + 3.0;
    let tau = if t2 < 0.0 { wrap(t1 + PI) } else { wrap(t1) };
    (tau, wrap(tau - u + v - phi))
}

/// (8.7)
fn lrlr_inner(goal: Goal) -> Option<[f64; 3]> {
    let at = unlike(goal);
    let rho = (2.0 + at.0.hypot(at.1)) / 4.0;
    let u = (rho <= 1.0).then(|| rho.acos())?;
    let (t, v) = outer_spans(u, -u, at, goal.phi);
    Some([t, u, v])
}

/// (8.8)
fn lrlr_outer(goal: Goal) -> Option<[f64; 3]> {
    let at = unlike(goal);
    let rho = (20.0 - at.0 * at.0 - at.1 * at.1) / 16.0;
    let u = (0.0..=1.0).contains(&rho).then(|| -rho.acos())?;
    let (t, v) = outer_spans(u, u, at, goal.phi);
    Some([t, u, v])
}

/// (8.9)
fn lrsl(goal: Goal) -> Option<[f64; 3]> {
    let (xi, eta) = like(goal);
    let (rho, bearing) = polar(xi, eta);
    let r = (rho >= 2.0).then(|| (rho * rho - 4.0).sqrt())?;
    let t = wrap(bearing + r.atan2(-2.0));
    Some([t, 2.0 - r, wrap(goal.phi - FRAC_PI_2 - t)])
}

/// (8.10)
fn lrsr(goal: Goal) -> Option<[f64; 3]> {
    let (xi, eta) = unlike(goal);
    let (rho, t) = polar(-eta, xi);
    (rho >= 2.0).then(|| [t, 2.0 - rho, wrap(t + FRAC_PI_2 - goal.phi)])
}

/// (8.11)
fn lrslr(goal: Goal) -> Option<[f64; 3]> {
    let (xi, eta) = unlike(goal);
    let rho = xi.hypot(eta);
    let u = (rho >= 2.0).then(|| 4.0 - (rho * rho - 4.0).sqrt())?;
    let t = wrap(((4.0 - u) * xi - 2.0 * eta).atan2(-2.0 * xi + (u - 4.0) * eta));
    Some([t, u, wrap(t - goal.phi)])
}

#[cfg(test)]
mod tests;
