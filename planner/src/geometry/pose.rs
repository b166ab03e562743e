//! A position with a heading, and the few vector helpers that every module needs.

use geo::Coord;
use std::f64::consts::{PI, TAU};

/// A point of the field plane.
pub(crate) type Pt = Coord<f64>;

/// Where a robot stands and looks: metres, radians counter-clockwise from east.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pose {
    /// Position.
    pub(crate) at: Pt,
    /// Heading of the nose.
    pub(crate) heading: f64,
}

impl Pose {
    pub(crate) const fn new(at: Pt, heading: f64) -> Self {
        Self { at, heading }
    }

    /// The same place, looking the other way.
    pub(crate) fn flipped(self) -> Self {
        Self { at: self.at, heading: wrap(self.heading + PI) }
    }

    /// `forward` metres ahead, same heading.
    pub(crate) fn ahead(self, forward: f64) -> Self {
        let (sin, cos) = self.heading.sin_cos();
        Self { at: Pt { x: self.at.x + forward * cos, y: self.at.y + forward * sin }, ..self }
    }

    /// After `run` metres (below 0: backwards) on a circle of `curvature` 1/m, above 0 to the left.
    pub(crate) fn driven(self, curvature: f64, run: f64) -> Self {
        let half_turn = curvature * run / 2.0;
        // The chord of an arc points half-way between the two headings.
        let chord = if curvature == 0.0 { run } else { 2.0 / curvature * half_turn.sin() };
        let (sin, cos) = (self.heading + half_turn).sin_cos();
        let at = Pt { x: self.at.x + chord * cos, y: self.at.y + chord * sin };
        Self::new(at, wrap(self.heading + 2.0 * half_turn))
    }
}

/// An angle in (-π, π].
pub(crate) fn wrap(angle: f64) -> f64 {
    let a = turned(angle);
    if a > PI { a - TAU } else { a }
}

/// An angle in [0, 2π): the remainder, without its division for the angles that nearly always come.
pub(crate) fn turned(angle: f64) -> f64 {
    if (0.0..TAU).contains(&angle) {
        angle
    } else if angle > -TAU && angle < 0.0 {
        angle + TAU
    } else {
        angle.rem_euclid(TAU)
    }
}

/// The smallest whole number not below a value that is not negative; for others 0. Without a call, where the processor need
/// not have an instruction for it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative becomes 0; places in a raster"
)]
pub(crate) fn whole_above(value: f64) -> usize {
    let whole = value as usize;
    whole.saturating_add(usize::from((whole as f64) < value))
}

pub(crate) fn distance(a: Pt, b: Pt) -> f64 {
    // Not hypot: metres of one field neither overflow nor vanish, and this is asked millions of times.
    ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).sqrt()
}

pub(crate) fn direction(a: Pt, b: Pt) -> f64 {
    (b.y - a.y).atan2(b.x - a.x)
}

pub(crate) fn lerp(a: Pt, b: Pt, t: f64) -> Pt {
    Pt { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t }
}

/// Length of a polyline.
pub(crate) fn length(points: &[Pt]) -> f64 {
    points.windows(2).map(|w| distance(w[0], w[1])).sum()
}

/// Square of the distance from `p` to the segment `a`-`b`.
pub(crate) fn point_segment_sq(p: Pt, a: Pt, b: Pt) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let len_sq = dx * dx + dy * dy;
    let t = if len_sq > 0.0 { (((p.x - a.x) * dx + (p.y - a.y) * dy) / len_sq).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (p.x - a.x - t * dx, p.y - a.y - t * dy);
    ex * ex + ey * ey
}

/// A point turned by `angle` about the origin.
pub(crate) fn rotate(p: Pt, angle: f64) -> Pt {
    rotation(angle)(p)
}

/// [`rotate`] for many points.
pub(crate) fn rotation(angle: f64) -> impl Fn(Pt) -> Pt {
    let (sin, cos) = angle.sin_cos();
    move |p| Pt { x: cos * p.x - sin * p.y, y: sin * p.x + cos * p.y }
}
