//! Swaths beside a line that was recorded by driving: crop rows that bend.
//!
//! The line is drawn on straight at both ends, sampled evenly and smoothed until the rig can follow it; swaths are its
//! parallels at whole working widths. A parallel on the inside of a bend is tighter by its distance: where that falls
//! below the rig's turning radius on ground that has to be worked, there is no plan and the place is named. The line may
//! bend by less than a right angle from its general direction, so that parallels never cross.

use super::layout::Layout;
use super::swaths::Swath;
use crate::geometry::pose::{Pose, Pt, direction, distance, length, wrap};
use geo::{BoundingRect, CoordsIter, Intersects, LineString, MultiPolygon, Simplify};

/// Why swaths cannot follow a recorded line. Places are in the field's plane, metres.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CurveError {
    /// Fewer than two different points, or a point that is not finite.
    #[error("the recorded line has no direction: record at least {least_m:.0} m")]
    TooShort {
        /// Shortest line that is taken.
        least_m: f64,
    },
    /// It comes back on itself: its parallels would cross.
    #[error(
        "the recorded line turns away from its own direction by {turn_deg:.0}° at ({x_m:.1}, {y_m:.1}) m: record one row, from end to end"
    )]
    TurnsBack {
        /// Where.
        x_m: f64,
        /// Where.
        y_m: f64,
        /// Against the line from its first point to its last.
        turn_deg: f64,
    },
    /// The rig cannot follow the line, or a parallel of it.
    #[error(
        "at ({x_m:.1}, {y_m:.1}) m the swath {offset_m:.1} m beside the recorded line bends with {radius_m:.1} m, the rig turns with {needed_m:.1} m: record a gentler line, or use a rig that turns shorter"
    )]
    TooTight {
        /// Where.
        x_m: f64,
        /// Where.
        y_m: f64,
        /// Of the swath from the recorded line, positive to its left; 0 is the line itself.
        offset_m: f64,
        /// Of the bend.
        radius_m: f64,
        /// The rig's.
        needed_m: f64,
    },
}

/// Swaths, the direction of the line in radians, and how far smoothing moved it at most.
pub(crate) struct Guided {
    pub(crate) swaths: Vec<Swath>,
    pub(crate) heading: f64,
    pub(crate) moved_m: f64,
}

/// Shorter lines say nothing about a direction.
const LEAST_M: f64 = 5.0;
/// Rows are no longer where they were recorded when smoothing moves the line farther.
const MOST_MOVED_M: f64 = 0.5;
/// A line may bend so far from its general direction.
const MOST_TURN_RAD: f64 = 1.4;
/// Kept between two samples, metres.
const STEP_M: f64 = 0.25;

/// Swaths parallel to `recorded` over the mainland, the recorded line itself one of them.
pub(crate) fn along_curve(layout: &Layout, recorded: &[Pt]) -> Result<Guided, CurveError> {
    let Some(bounds) = layout.mainland.bounding_rect() else {
        return Ok(Guided { swaths: vec![], heading: 0.0, moved_m: 0.0 });
    };
    let mut line: Vec<Pt> = recorded.to_vec();
    line.dedup_by(|a, b| distance(*a, *b) < 0.01);
    let too_short = CurveError::TooShort { least_m: LEAST_M };
    if line.len() < 2 || line.iter().any(|p| !p.x.is_finite() || !p.y.is_finite()) {
        return Err(too_short);
    }
    let (first, last) = (line[0], line[line.len() - 1]);
    let heading = direction(first, last);
    if distance(first, last) < LEAST_M {
        return Err(too_short);
    }
    // Beyond every corner of the field, whichever way the ends look.
    let corners = [bounds.min(), bounds.max(), Pt { x: bounds.min().x, y: bounds.max().y }];
    let far = corners.iter().map(|c| distance(*c, first).max(distance(*c, last))).fold(0.0, f64::max)
        + bounds.width()
        + bounds.height();
    let (raw, ends) = evenly(&drawn_on(&line, far));
    let mut refused = None;
    for width in SMOOTHED_M {
        let base = averaged(&raw, width);
        let inner = ends[0]..raw.len().saturating_sub(ends[1]);
        let moved_m = inner.map(|i| distance(raw[i], base[i])).fold(0.0, f64::max);
        if moved_m > MOST_MOVED_M {
            break;
        }
        match swaths_along(layout, base, heading) {
            Ok(swaths) => return Ok(Guided { swaths, heading, moved_m }),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| tight(&averaged(&raw, SMOOTHED_M[0]), layout.dimensions.radius)))
}

/// Standard deviations, along the line, that it is smoothed with: the gentlest that lets the rig follow every parallel.
/// On a parallel the shaking of a receiver counts as many times as the parallel is far.
const SMOOTHED_M: [f64; 9] = [0.5, 0.8, 1.2, 1.8, 2.7, 4.0, 6.0, 9.0, 13.0];

fn swaths_along(layout: &Layout, base: Vec<Pt>, heading: f64) -> Result<Vec<Swath>, CurveError> {
    for pair in base.windows(2) {
        let turn = wrap(direction(pair[0], pair[1]) - heading).abs();
        if turn > MOST_TURN_RAD {
            let Pt { x: x_m, y: y_m } = pair[0];
            return Err(CurveError::TurnsBack { x_m, y_m, turn_deg: turn.to_degrees() });
        }
    }
    let radius = layout.dimensions.radius;
    if sharpest(&base).0 * radius > 1.0 {
        return Err(tight(&base, radius));
    }
    parallels(layout, &Line::of(base))
}

fn tight(line: &[Pt], needed_m: f64) -> CurveError {
    let (bend, Pt { x: x_m, y: y_m }) = sharpest(line);
    CurveError::TooTight { x_m, y_m, offset_m: 0.0, radius_m: 1.0 / bend, needed_m }
}

/// The line with straight ends, each along the mean direction of its last metres.
fn drawn_on(line: &[Pt], far: f64) -> Vec<Pt> {
    const LOOK_M: f64 = 5.0;
    let end = |points: &[Pt]| {
        let tip = points[0];
        let back = points.iter().find(|p| distance(**p, tip) >= LOOK_M).unwrap_or(&points[points.len() - 1]);
        Pose::new(tip, direction(*back, tip)).ahead(far).at
    };
    let before = end(line);
    let turned: Vec<Pt> = line.iter().rev().copied().collect();
    let after = end(&turned);
    std::iter::once(before).chain(line.iter().copied()).chain([after]).collect()
}

/// Points about [`STEP_M`] apart, and how many of them at either end lie on the straight that was drawn on.
fn evenly(line: &[Pt]) -> (Vec<Pt>, [usize; 2]) {
    let total = length(line);
    let count = (total / STEP_M).ceil().max(1.0);
    let step = total / count;
    let mut points = vec![line[0]];
    let (mut along, mut next) = (0.0, step);
    for pair in line.windows(2) {
        let span = distance(pair[0], pair[1]);
        while next <= along + span && span > 0.0 {
            let share = (next - along) / span;
            points.push(Pt {
                x: pair[0].x + share * (pair[1].x - pair[0].x),
                y: pair[0].y + share * (pair[1].y - pair[0].y),
            });
            next += step;
        }
        along += span;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let samples = |metres: f64| (metres / step) as usize;
    let ends =
        [samples(distance(line[0], line[1])), samples(distance(line[line.len() - 2], line[line.len() - 1]))];
    (points, ends)
}

/// Every sample the mean of its neighbours, weighted by a Gaussian of so many metres.
fn averaged(raw: &[Pt], width: f64) -> Vec<Pt> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dozens")]
    let reach = (3.0 * width / STEP_M).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|k| (-(k as f64 * STEP_M / width).powi(2) / 2.0).exp()).collect();
    let last = raw.len() - 1;
    (0..raw.len())
        .map(|i| {
            // Fewer neighbours at the ends, as many on both sides: a straight end stays straight.
            let reach = reach.min(i).min(last - i);
            let (mut x, mut y, mut sum) = (raw[i].x * weights[0], raw[i].y * weights[0], weights[0]);
            for (k, weight) in weights.iter().enumerate().take(reach + 1).skip(1) {
                x += weight * (raw[i - k].x + raw[i + k].x);
                y += weight * (raw[i - k].y + raw[i + k].y);
                sum += 2.0 * weight;
            }
            Pt { x: x / sum, y: y / sum }
        })
        .collect()
}

/// Curvature at every inner point, positive to the left, from the headings of the chords that meet there.
fn bends(line: &[Pt]) -> impl Iterator<Item = f64> + '_ {
    line.windows(3).map(|w| {
        let turn = wrap(direction(w[1], w[2]) - direction(w[0], w[1]));
        turn / f64::midpoint(distance(w[0], w[1]), distance(w[1], w[2]))
    })
}

fn sharpest(line: &[Pt]) -> (f64, Pt) {
    let all = bends(line).map(f64::abs).zip(&line[1..]);
    all.max_by(|a, b| a.0.total_cmp(&b.0)).map_or((0.0, line[0]), |(bend, at)| (bend, *at))
}

/// A line with its normals and bends.
struct Line {
    points: Vec<Pt>,
    /// Unit vectors to the left.
    left: Vec<Pt>,
    bends: Vec<f64>,
}

impl Line {
    fn of(points: Vec<Pt>) -> Self {
        let last = points.len() - 1;
        let left = (0..=last)
            .map(|i| {
                let heading = direction(points[i.saturating_sub(1)], points[(i + 1).min(last)]);
                Pt { x: -heading.sin(), y: heading.cos() }
            })
            .collect();
        let inner: Vec<f64> = bends(&points).collect();
        let bends = std::iter::once(0.0).chain(inner).chain([0.0]).collect();
        Self { points, left, bends }
    }

    /// The point `aside` metres left of point `i`.
    fn beside(&self, i: usize, aside: f64) -> Pt {
        Pt { x: self.points[i].x + aside * self.left[i].x, y: self.points[i].y + aside * self.left[i].y }
    }
}

fn parallels(layout: &Layout, line: &Line) -> Result<Vec<Swath>, CurveError> {
    let width = layout.dimensions.width;
    // Left of the line, metres: what of the mainland lies farthest to either side.
    let aside = |p: Pt| {
        let nearest = (0..line.points.len())
            .min_by(|a, b| distance(line.points[*a], p).total_cmp(&distance(line.points[*b], p)))
            .unwrap_or(0);
        let (q, n) = (line.points[nearest], line.left[nearest]);
        (p.x - q.x) * n.x + (p.y - q.y) * n.y
    };
    // Between two vertices of the mainland the line may bulge by no more than it is long.
    let sides: Vec<f64> = layout.sketch.coords_iter().map(aside).collect();
    let low = sides.iter().copied().fold(f64::MAX, f64::min);
    let high = sides.iter().copied().fold(f64::MIN, f64::max);
    let bulge = line.points.iter().map(|p| aside_of_chord(line, *p)).fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
    let (first, last) =
        (((low - bulge) / width).floor() as i32 - 1, ((high + bulge) / width).ceil() as i32 + 1);
    let mut found = Vec::new();
    for (row, k) in (0u32..).zip(first..=last) {
        one_parallel(layout, line, (row, f64::from(k) * width), &mut found)?;
    }
    Ok(found)
}

/// How far a point of the line lies from the straight between its ends.
fn aside_of_chord(line: &Line, p: Pt) -> f64 {
    let (a, b) = (line.points[0], line.points[line.points.len() - 1]);
    ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)).abs() / distance(a, b)
}

/// Stretches of one parallel whose strip holds ground of the mainland.
fn one_parallel(
    layout: &Layout,
    line: &Line,
    (row, aside): (u32, f64),
    found: &mut Vec<Swath>,
) -> Result<(), CurveError> {
    let width = layout.dimensions.width;
    let radius = layout.dimensions.radius;
    let worked: Vec<bool> =
        (0..line.points.len()).map(|i| strip_holds(&layout.mainland, line, i, aside, width)).collect();
    let mut from = 0;
    while from < worked.len() {
        if !worked[from] {
            from += 1;
            continue;
        }
        let to = (from..worked.len()).find(|i| !worked[*i]).unwrap_or(worked.len()) - 1;
        // Ground before the first sample and behind the last counts too.
        let (begin, end) = (from.saturating_sub(1), (to + 1).min(worked.len() - 1));
        for i in begin..=end {
            // 1/r of the parallel, signed: at or beyond the middle of the bend there is none.
            let left_of_middle = 1.0 - line.bends[i] * aside;
            let radius_m = left_of_middle / line.bends[i].abs().max(1e-9);
            if radius_m < radius {
                let Pt { x: x_m, y: y_m } = line.beside(i, aside);
                let radius_m = radius_m.max(0.0);
                return Err(CurveError::TooTight { x_m, y_m, offset_m: aside, radius_m, needed_m: radius });
            }
        }
        let points: Vec<Pt> = (begin..=end).map(|i| line.beside(i, aside)).collect();
        let run = length(&points);
        if run > 0.5 {
            found.push(swath(row, &points, run * width));
        }
        from = to + 1;
    }
    Ok(())
}

/// Whether the bar across the strip at point `i` meets the mainland.
fn strip_holds(mainland: &MultiPolygon<f64>, line: &Line, i: usize, aside: f64, width: f64) -> bool {
    let bar = [line.beside(i, aside - width / 2.0 + 0.001), line.beside(i, aside + width / 2.0 - 0.001)];
    mainland.intersects(&LineString::from(bar.to_vec()))
}

/// A bent swath; a centimetre from its ends it looks along the line's tangent.
fn swath(row: u32, points: &[Pt], area: f64) -> Swath {
    const TIP_M: f64 = 0.01;
    /// What chords may stand off the line.
    const CHORD_M: f64 = 0.002;
    let n = points.len();
    let tangent = |tip: usize, next: usize, beyond: usize| {
        // From three even samples: the first chord, turned back by half of the bend that follows.
        let chord = direction(points[tip], points[next]);
        let bend = if n > 2 { wrap(direction(points[next], points[beyond]) - chord) / 2.0 } else { 0.0 };
        Pose::new(points[tip], chord - bend)
    };
    let begin = tangent(0, 1, 2.min(n - 1));
    let end = tangent(n - 1, n - 2, n.saturating_sub(3));
    let simple = LineString::from(points.to_vec()).simplify(CHORD_M).0;
    let mut bend = vec![begin.ahead(TIP_M).at];
    bend.extend(&simple[1..simple.len() - 1]);
    bend.push(end.ahead(TIP_M).at);
    Swath { row, a: points[0], b: points[n - 1], bend, slack: [0.0, 0.0], area }
}

#[cfg(test)]
mod tests;
