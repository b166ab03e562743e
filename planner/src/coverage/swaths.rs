//! Parallel strips of working width over a polygon, as long as the whole width needs.

use super::ahead::{Ahead, trim_closely};
use crate::geometry::lane::{Lane, Sense};
use crate::geometry::pose::{Pose, Pt, direction, distance, length, rotation};
use geo::{Area, MultiPolygon, Polygon};

/// One straight piece of a strip, driven from `a` to `b` or back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Swath {
    /// Strips are counted across; several swaths may lie on one strip.
    pub(crate) row: u32,
    /// Ends: here the last corner of the strip is worked.
    pub(crate) a: Pt,
    pub(crate) b: Pt,
    /// Points between the ends; none on a straight swath.
    pub(crate) bend: Vec<Pt>,
    /// How much earlier the middle of the strip is done: the most a tight turn may take away.
    pub(crate) slack: [f64; 2],
    /// Area of polygon in the strip, m².
    pub(crate) area: f64,
}

impl Swath {
    pub(crate) fn length(&self) -> f64 {
        if self.bend.is_empty() { distance(self.a, self.b) } else { length(&self.line(0)) }
    }

    /// From end `from` (0 = a, 1 = b) to the other.
    pub(crate) fn line(&self, from: usize) -> Vec<Pt> {
        let mut points = vec![self.a];
        points.extend(&self.bend);
        points.push(self.b);
        if from == 1 {
            points.reverse();
        }
        points
    }

    /// Leaving pose at end `end` (0 = a, 1 = b), looking outward.
    pub(crate) fn leaving(&self, end: usize) -> Pose {
        let (tip, before) = if end == 0 {
            (self.a, self.bend.first().unwrap_or(&self.b))
        } else {
            (self.b, self.bend.last().unwrap_or(&self.a))
        };
        Pose::new(tip, direction(*before, tip))
    }
}

/// A stretch of lane as a line between two ends that look along the lane's tangent.
pub(crate) fn stretch(lane: &Lane, from: f64, run: f64, width: f64) -> Swath {
    /// Too short to drive, long enough to look along.
    const TIP_M: f64 = 0.01;
    let points = lane.stretch(from, run, Sense::With);
    let (begin, end) = (lane.pose(from, Sense::With), lane.pose(from + run, Sense::With));
    let mut bend = vec![begin.ahead(TIP_M).at];
    // A point of the lane closer to an end than the tip would have the line double back.
    let clear = |p: &&Pt| distance(**p, begin.at) > 2.0 * TIP_M && distance(**p, end.at) > 2.0 * TIP_M;
    bend.extend(points.get(1..points.len() - 1).unwrap_or_default().iter().filter(clear));
    bend.push(end.ahead(-TIP_M).at);
    Swath { row: u32::MAX, a: begin.at, b: end.at, bend, slack: [0.0, 0.0], area: run * width }
}

/// How strips lie across a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Spacing {
    /// Squeezed so that a whole number fits: the overlap is shared.
    Even,
    /// Full width, the first strip this share of a width outside the part: the overlap is at the two sides, which is
    /// less where the part tapers.
    Full(f64),
    /// Full width, one strip (drawn on if need be) with its middle at this distance left of the origin, seen along the
    /// strips: crop rows lie where they lie.
    Through(f64),
}

/// Strips at `heading` (radians) over every part of `mainland`; corners that together make up to `undone` of its area
/// are left out where strips meet a slanting headland.
pub(crate) fn swaths(
    mainland: &MultiPolygon<f64>,
    width: f64,
    (heading, spacing): (f64, Spacing),
    undone: f64,
) -> Vec<Swath> {
    let mut found = Vec::new();
    strips(mainland, width, (heading, spacing), |strip, _| found.push(strip));
    trim(&mut found, width, undone * mainland.unsigned_area());
    found
}

/// The same, with a closer look at what every end has ahead: for tours, where [`swaths`] is for estimates.
pub(crate) fn swaths_closely(
    mainland: &MultiPolygon<f64>,
    width: f64,
    (heading, spacing): (f64, Spacing),
    undone: f64,
) -> Vec<Swath> {
    let mut found = Vec::new();
    strips(mainland, width, (heading, spacing), |strip, piece| {
        let ends = [Ahead::of_beginning(piece), Ahead::of_end(piece)];
        found.push((strip, ends));
    });
    trim_closely(found, width, undone * mainland.unsigned_area())
}

/// Ends strips where only `narrow` metres of their width still have ground ahead, the same at every end: the least
/// driving for the area given up. A corner `slack` long per half width loses `narrow`² · `slack` / `width`.
fn trim(strips: &mut [Swath], width: f64, undone_m2: f64) {
    let slack: f64 = strips.iter().flat_map(|s| s.slack).sum();
    if slack <= 0.0 {
        return;
    }
    let narrow = (undone_m2 * width / slack).sqrt().min(width / 2.0);
    for strip in strips {
        let cut = strip.slack.map(|s| narrow * s / (width / 2.0));
        strip.a = strip.leaving(0).ahead(-cut[0]).at;
        strip.b = strip.leaving(1).ahead(-cut[1]).at;
        strip.slack = [strip.slack[0] - cut[0], strip.slack[1] - cut[1]];
    }
}

/// Every strip of every part, and what it covers; rows are counted on from part to part.
fn strips(
    mainland: &MultiPolygon<f64>,
    width: f64,
    along: (f64, Spacing),
    mut found: impl FnMut(Swath, &Piece),
) {
    let mut row = 0;
    for part in mainland {
        row = strips_of(part, width, along, row, &mut found);
    }
}

fn strips_of(
    part: &Polygon<f64>,
    width: f64,
    (heading, spacing): (f64, Spacing),
    first_row: u32,
    mut found: impl FnMut(Swath, &Piece),
) -> u32 {
    let (aligned, back) = (rotation(-heading), rotation(heading));
    let mut edges: Vec<(Pt, Pt)> = std::iter::once(part.exterior())
        .chain(part.interiors())
        .flat_map(|ring| ring.lines().map(|l| (aligned(l.start), aligned(l.end))))
        .map(|(p, q)| if p.y <= q.y { (p, q) } else { (q, p) })
        .collect();
    edges.sort_by(|e, f| e.0.y.total_cmp(&f.0.y));
    let low = edges.first().map_or(0.0, |e| e.0.y);
    let high = edges.iter().fold(low, |high, e| high.max(e.1.y));
    let outside = match spacing {
        Spacing::Even => 0.0,
        Spacing::Full(share) => share * width,
        Spacing::Through(middle) => ((low - middle) / width + 0.5).rem_euclid(1.0) * width,
    };
    // 1 mm of the last strip is not worth another one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand at most")]
    let count = (((high - low + outside - 0.001) / width).ceil().max(1.0)) as u32;
    let pitch = if spacing == Spacing::Even { (high - low) / f64::from(count) } else { width };
    let mut active: Vec<(Pt, Pt)> = Vec::new();
    let mut scratch = Scratch::default();
    let mut next = 0;
    for k in 0..count {
        let middle = low - outside + (f64::from(k) + 0.5) * pitch;
        let (bottom, top) = ((middle - width / 2.0).max(low), (middle + width / 2.0).min(high));
        active.retain(|e| e.1.y > bottom);
        while next < edges.len() && edges[next].0.y < top {
            active.push(edges[next]);
            next += 1;
        }
        for piece in scratch.pieces(&active, bottom, top, middle) {
            let at = |x: f64| back(Pt { x, y: middle });
            let [c0, c1] = piece.middle.unwrap_or([piece.from, piece.to]);
            let half = (piece.to - piece.from) / 2.0;
            let slack = [(c0 - piece.from).clamp(0.0, half), (piece.to - c1).clamp(0.0, half)];
            let (a, b) = (at(piece.from), at(piece.to));
            let strip = Swath { row: first_row + k, a, b, bend: vec![], slack, area: piece.area };
            found(strip, &piece);
        }
    }
    first_row + count
}

pub(super) struct Piece {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Extent on the middle line.
    middle: Option<[f64; 2]>,
    area: f64,
    pub(super) slices: Vec<Slice>,
}

/// Ground between two levels, as far as edges go straight there.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    pub(super) height: f64,
    /// Where it begins and ends, at either level.
    pub(super) left: (f64, f64),
    pub(super) right: (f64, f64),
}

impl Slice {
    fn area(&self) -> f64 {
        let middle = |(a, b)| f64::midpoint(a, b);
        (middle(self.right) - middle(self.left)) * self.height
    }
}

/// Lists that every strip fills again: there are tens of thousands of strips in the choice of a direction.
#[derive(Default)]
struct Scratch {
    levels: Vec<f64>,
    crossing: Vec<(f64, f64, f64)>,
    shadows: Vec<(f64, f64, Slice)>,
    on_middle: Vec<f64>,
}

impl Scratch {
    /// The shadows, on the strip's axis, of the polygon between `bottom` and `top`.
    fn pieces(&mut self, edges: &[(Pt, Pt)], bottom: f64, top: f64, middle: f64) -> Vec<Piece> {
        let Self { levels, crossing, shadows, on_middle } = self;
        levels.clear();
        levels.extend(edges.iter().flat_map(|e| [e.0.y, e.1.y]).filter(|y| *y > bottom && *y < top));
        levels.extend([bottom, top]);
        levels.sort_by(f64::total_cmp);
        levels.dedup_by(|a, b| *a - *b < 1e-9);
        shadows.clear();
        for pair in levels.windows(2) {
            let mid = f64::midpoint(pair[0], pair[1]);
            let met = edges.iter().filter(|e| e.0.y <= mid && e.1.y > mid);
            crossing.clear();
            crossing.extend(met.map(|e| (x_at(e, mid), x_at(e, pair[0]), x_at(e, pair[1]))));
            crossing.sort_by(|p, q| p.0.total_cmp(&q.0));
            for (enter, leave) in crossing.iter().zip(crossing.iter().skip(1)).step_by(2) {
                let (left, right) = ((enter.1, enter.2), (leave.1, leave.2));
                let slice = Slice { height: pair[1] - pair[0], left, right };
                shadows.push((left.0.min(left.1), right.0.max(right.1), slice));
            }
        }
        shadows.sort_by(|p, q| p.0.total_cmp(&q.0));
        let mut merged: Vec<Piece> = Vec::new();
        for (from, to, slice) in shadows.drain(..) {
            let area = slice.area();
            match merged.last_mut() {
                Some(last) if from <= last.to + 1e-6 => {
                    last.to = last.to.max(to);
                    last.area += area;
                    last.slices.push(slice);
                }
                _ => merged.push(Piece { from, to, middle: None, area, slices: vec![slice] }),
            }
        }
        on_middle.clear();
        on_middle.extend(edges.iter().filter(|e| e.0.y <= middle && e.1.y > middle).map(|e| x_at(e, middle)));
        on_middle.sort_by(f64::total_cmp);
        for piece in &mut merged {
            let mut inside = on_middle.iter().filter(|x| **x >= piece.from - 1e-6 && **x <= piece.to + 1e-6);
            if let Some(first) = inside.next() {
                piece.middle = Some([*first, *inside.next_back().unwrap_or(first)]);
            }
        }
        merged
    }
}

fn x_at(edge: &(Pt, Pt), y: f64) -> f64 {
    let (p, q) = edge;
    let t = ((y - p.y) / (q.y - p.y)).clamp(0.0, 1.0);
    p.x + t * (q.x - p.x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{LineString, polygon};

    #[test]
    fn a_rectangle_gets_whole_strips_without_a_gap() {
        let field = MultiPolygon::new(vec![
            polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 10.0), (x: 0.0, y: 10.0)],
        ]);
        let found = swaths(&field, 3.0, (0.0, Spacing::Even), 0.0);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|s| (s.length() - 100.0).abs() < 1e-9 && (s.area - 250.0).abs() < 51.0));
    }

    #[test]
    fn strips_keep_to_given_rows() {
        let field = MultiPolygon::new(vec![
            polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 10.0), (x: 0.0, y: 10.0)],
        ]);
        let middles: Vec<f64> =
            swaths(&field, 3.0, (0.0, Spacing::Through(-38.0)), 0.0).iter().map(|s| s.a.y).collect();
        assert_eq!(middles.len(), 4);
        assert!(
            middles.iter().zip([1.0, 4.0, 7.0, 10.0]).all(|(m, row)| (m - row).abs() < 1e-9),
            "{middles:?}"
        );
    }

    #[test]
    fn a_hole_cuts_only_the_strips_it_touches() {
        let outer = LineString::from(vec![(0.0, 0.0), (60.0, 0.0), (60.0, 12.0), (0.0, 12.0)]);
        let hole = LineString::from(vec![(20.0, 4.0), (20.0, 5.0), (30.0, 5.0), (30.0, 4.0)]);
        let found =
            swaths(&MultiPolygon::new(vec![Polygon::new(outer, vec![hole])]), 3.0, (0.0, Spacing::Even), 0.0);
        // The strip from 3 to 6 m still has field on both sides of the hole: it stays whole.
        assert_eq!(found.iter().map(|s| s.row).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
