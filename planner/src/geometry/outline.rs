//! Where a rig fits by its true outline: the boom across, the body around the antenna.

use super::pose::{Pose, Pt, direction, distance, point_segment_sq};
use crate::coverage::layout::Dimensions;
use geo::Polygon;

/// Kept beside: a headland lane runs only millimetres farther from its edge.
const BESIDE_M: f64 = 0.001;
/// A turn is looked at in pieces of this angle: the ends of the boom then leave their chords by centimetres.
const TURN_RAD: f64 = 0.13;

/// The edges of a field in buckets, for a rig.
pub(crate) struct Outline {
    edges: Vec<(Pt, Pt)>,
    low: Pt,
    size: f64,
    cols: usize,
    rows: usize,
    buckets: Vec<Vec<u32>>,
    half: f64,
    body: f64,
}

impl Outline {
    pub(crate) fn new(field: &Polygon<f64>, dimensions: Dimensions) -> Self {
        let edges: Vec<(Pt, Pt)> = std::iter::once(field.exterior())
            .chain(field.interiors())
            .flat_map(|ring| ring.lines().map(|l| (l.start, l.end)))
            .collect();
        let corners = || field.exterior().coords();
        let low = Pt {
            x: corners().fold(f64::MAX, |m, p| m.min(p.x)),
            y: corners().fold(f64::MAX, |m, p| m.min(p.y)),
        };
        let (width, height) =
            corners().fold((0.0, 0.0), |(w, h): (f64, f64), p| (w.max(p.x - low.x), h.max(p.y - low.y)));
        let size = (dimensions.half / 2.0).max(width.max(height) / 300.0).max(1.0);
        let (cols, rows) = (index(width / size) + 1, index(height / size) + 1);
        let (half, body) = (dimensions.half, dimensions.body);
        let mut outline =
            Self { edges, low, size, cols, rows, buckets: vec![vec![]; cols * rows], half, body };
        outline.fill();
        outline
    }

    fn fill(&mut self) {
        let reach = self.size * std::f64::consts::FRAC_1_SQRT_2 + 1e-6;
        for (id, (a, b)) in (0u32..).zip(&self.edges) {
            let (c0, c1) = self.cols_of(a.x.min(b.x), a.x.max(b.x));
            let (r0, r1) = self.rows_of(a.y.min(b.y), a.y.max(b.y));
            for r in r0..=r1 {
                for c in c0..=c1 {
                    let middle =
                        self.low + Pt { x: (c as f64 + 0.5) * self.size, y: (r as f64 + 0.5) * self.size };
                    if point_segment_sq(middle, *a, *b) <= reach * reach {
                        self.buckets[r * self.cols + c].push(id);
                    }
                }
            }
        }
    }

    fn cols_of(&self, from: f64, to: f64) -> (usize, usize) {
        let at = |x: f64| index((x - self.low.x) / self.size).min(self.cols - 1);
        (at(from), at(to))
    }

    fn rows_of(&self, from: f64, to: f64) -> (usize, usize) {
        let at = |y: f64| index((y - self.low.y) / self.size).min(self.rows - 1);
        (at(from), at(to))
    }

    /// Edges in the buckets of a box; some come more than once.
    fn near(&self, low: Pt, high: Pt) -> impl Iterator<Item = (Pt, Pt)> + '_ {
        self.ids_near(low, high).map(|id| self.edges[id as usize])
    }

    fn ids_near(&self, low: Pt, high: Pt) -> impl Iterator<Item = u32> + '_ {
        let ((c0, c1), (r0, r1)) = (self.cols_of(low.x, high.x), self.rows_of(low.y, high.y));
        (r0..=r1).flat_map(move |r| &self.buckets[r * self.cols + c0..=r * self.cols + c1]).flatten().copied()
    }

    fn beside(&self, p: Pt, q: Pt) -> impl Iterator<Item = (Pt, Pt)> + '_ {
        let (low, high) = (Pt { x: p.x.min(q.x), y: p.y.min(q.y) }, Pt { x: p.x.max(q.x), y: p.y.max(q.y) });
        self.near(low, high)
    }

    fn meets(&self, p: Pt, q: Pt) -> bool {
        self.beside(p, q).any(|(a, b)| crosses(p, q, a, b))
    }

    /// The edge nearest to either end of the boom, and its number; none where neither end is near one.
    pub(crate) fn edge_beside(&self, pose: Pose) -> Option<(u32, (Pt, Pt))> {
        let mut best: Option<(f64, u32)> = None;
        let off = Pt { x: self.size, y: self.size };
        let (left, right) = self.boom(pose);
        for end in [left, right] {
            for id in self.ids_near(end - off, end + off) {
                let (a, b) = self.edges[id as usize];
                let apart = point_segment_sq(end, a, b);
                if distance(a, b) > self.body && best.is_none_or(|(least, _)| apart < least) {
                    best = Some((apart, id));
                }
            }
        }
        best.map(|(_, id)| (id, self.edges[id as usize]))
    }

    /// The ends of an edge.
    pub(crate) fn edge(&self, id: u32) -> (Pt, Pt) {
        self.edges[id as usize]
    }

    /// How far the antenna is from an edge that an end of the boom runs along.
    pub(crate) fn flush(&self) -> f64 {
        self.half + 2.0 * BESIDE_M
    }

    /// Ends of the boom, left and right, with what is kept beside them.
    fn boom(&self, pose: Pose) -> (Pt, Pt) {
        self.boom_across(pose.at, pose.heading.sin_cos())
    }

    fn boom_across(&self, at: Pt, (sin, cos): (f64, f64)) -> (Pt, Pt) {
        let reach = self.half + BESIDE_M;
        let side = Pt { x: -sin * reach, y: cos * reach };
        (at + side, at - side)
    }

    fn body_fits(&self, at: Pt) -> bool {
        let reach = self.body + BESIDE_M;
        let off = Pt { x: reach, y: reach };
        self.near(at - off, at + off).all(|(a, b)| point_segment_sq(at, a, b) >= reach * reach)
    }

    /// Whether neither boom nor body meets an edge on `run` metres (below 0: backwards) of a circle of `curvature`. Good
    /// to a few centimetres in turns; [`Outline::sweeps`] is exact.
    pub(crate) fn drives(&self, from: Pose, curvature: f64, run: f64) -> bool {
        let pieces = ((curvature * run).abs() / TURN_RAD).ceil().max(1.0);
        let half_turn = curvature * run / pieces / 2.0;
        let chord = if curvature == 0.0 { run } else { 2.0 / curvature * half_turn.sin() };
        let halfway = half_turn.sin_cos();
        // Sine and cosine of the heading: turned piece by piece, which costs less than asking for them again.
        let mut ahead = from.heading.sin_cos();
        let mut at = from.at;
        let mut ends = self.boom_across(at, ahead);
        (0..index(pieces)).all(|_| {
            let along = turned_by(ahead, halfway);
            let next = Pt { x: at.x + chord * along.1, y: at.y + chord * along.0 };
            ahead = turned_by(along, halfway);
            let (left, right) = self.boom_across(next, ahead);
            let clear = self.body_fits(next)
                && !self.meets(left, right)
                && !self.meets(ends.0, left)
                && !self.meets(ends.1, right)
                && !self.meets(at, next);
            (ends, at) = ((left, right), next);
            clear
        })
    }

    /// Whether boom and body stay clear of every edge all along a line: no edge in the band of a chord, in the wedge
    /// from one chord's boom to the next one's, or nearer to a chord than the body.
    pub(crate) fn sweeps(&self, line: &[Pt]) -> bool {
        let mut before: Option<Pose> = None;
        line.windows(2).all(|pair| {
            let (a, b) = (pair[0], pair[1]);
            let span = distance(a, b);
            if span < 1e-9 {
                return true;
            }
            let here = Pose::new(a, direction(a, b));
            let (left, right) = self.boom(here);
            let wedge = before.map(|p| self.boom(Pose::new(a, p.heading)));
            before = Some(here);
            let reach = self.half.max(self.body) + BESIDE_M;
            let off = Pt { x: reach, y: reach };
            let band =
                self.beside(a, b).chain(self.near(a - off, a + off)).chain(self.near(b - off, b + off));
            let (sin, cos) = here.heading.sin_cos();
            let local = |p: Pt| {
                let d = p - a;
                Pt { x: d.x * cos + d.y * sin, y: d.y * cos - d.x * sin }
            };
            let body = self.body + BESIDE_M;
            let mut band = band;
            band.all(|(c, d)| {
                let clear = !in_box(local(c), local(d), span, self.half + BESIDE_M)
                    && [c, d].iter().all(|p| point_segment_sq(*p, a, b) >= body * body)
                    && [a, b].iter().all(|p| point_segment_sq(*p, c, d) >= body * body);
                let turned = wedge.is_none_or(|(l, r)| {
                    [(l, left), (r, right)]
                        .iter()
                        .all(|(p, q)| !crosses(*p, *q, c, d) && !within(a, *p, *q, c))
                });
                clear && turned
            })
        })
    }

    /// Metres straight ahead of `pose` until boom or body are `margin` from an edge, at most `limit`; 0 where something is
    /// beside the boom already.
    pub(crate) fn room_ahead(&self, pose: Pose, limit: f64, margin: f64) -> f64 {
        let (sin, cos) = pose.heading.sin_cos();
        let local = |p: Pt| {
            let (dx, dy) = (p.x - pose.at.x, p.y - pose.at.y);
            Pt { x: dx * cos + dy * sin, y: dy * cos - dx * sin }
        };
        let (l0, r0) = self.boom(pose);
        let (l1, r1) = self.boom(pose.ahead(limit + self.body));
        let low = [l0, r0, l1, r1].into_iter().reduce(|m, p| Pt { x: m.x.min(p.x), y: m.y.min(p.y) });
        let high = [l0, r0, l1, r1].into_iter().reduce(|m, p| Pt { x: m.x.max(p.x), y: m.y.max(p.y) });
        let mut room = limit;
        for (a, b) in low.zip(high).into_iter().flat_map(|(low, high)| self.near(low, high)) {
            let (a, b) = (local(a), local(b));
            if let Some(x) = first_in_band(a, b, self.half + BESIDE_M) {
                room = room.min(x - margin);
            }
            if let Some(x) = first_in_band(a, b, self.body + BESIDE_M) {
                room = room.min(x - self.body - margin);
            }
        }
        room.max(0.0)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative becomes 0; a raster is small"
)]
fn index(value: f64) -> usize {
    value.max(0.0) as usize
}

/// Sine and cosine of the sum of two angles.
fn turned_by((sin, cos): (f64, f64), (more_sin, more_cos): (f64, f64)) -> (f64, f64) {
    (sin * more_cos + cos * more_sin, cos * more_cos - sin * more_sin)
}

fn side(o: Pt, d: Pt, p: Pt) -> f64 {
    (d.x - o.x) * (p.y - o.y) - (d.y - o.y) * (p.x - o.x)
}

fn crosses(p: Pt, q: Pt, a: Pt, b: Pt) -> bool {
    (side(p, q, a) > 0.0) != (side(p, q, b) > 0.0) && (side(a, b, p) > 0.0) != (side(a, b, q) > 0.0)
}

/// Whether `p` lies in the triangle.
fn within(a: Pt, b: Pt, c: Pt, p: Pt) -> bool {
    let turns = [side(a, b, p), side(b, c, p), side(c, a, p)];
    turns.iter().all(|t| *t > 0.0) || turns.iter().all(|t| *t < 0.0)
}

/// Whether a line comes into the box 0 ≤ x ≤ `length`, |y| ≤ `half`. Liang and Barsky (1984).
fn in_box(a: Pt, b: Pt, length: f64, half: f64) -> bool {
    let d = b - a;
    let (mut from, mut to) = (0.0f64, 1.0f64);
    for (slope, room) in [(-d.x, a.x), (d.x, length - a.x), (-d.y, a.y + half), (d.y, half - a.y)] {
        if slope == 0.0 {
            if room < 0.0 {
                return false;
            }
        } else if slope < 0.0 {
            from = from.max(room / slope);
        } else {
            to = to.min(room / slope);
        }
    }
    from < to
}
/// The smallest x ≥ 0 of a line within `half` of the x axis.
fn first_in_band(a: Pt, b: Pt, half: f64) -> Option<f64> {
    let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
    if low.y > half || high.y < -half {
        return None;
    }
    let at = |y: f64| {
        let share = if high.y > low.y { ((y - low.y) / (high.y - low.y)).clamp(0.0, 1.0) } else { 0.0 };
        low.x + share * (high.x - low.x)
    };
    let ends = if high.y > low.y { [at(-half), at(half)] } else { [a.x, b.x] };
    let (near, far) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    (far >= 0.0).then_some(near.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn a_boom_reaches_the_edge_and_the_body_stops_before_it() {
        let field = polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 40.0), (x: 0.0, y: 40.0)];
        let dimensions = |half| Dimensions {
            width: 2.0 * half,
            half,
            body: 1.0,
            margin: 0.0,
            radius: 6.0,
            may_reverse: true,
            steering: None,
            cusp_cost: 10.0,
        };
        let pose = Pose::new(Pt { x: 50.0, y: 20.0 }, 0.0);
        let room = Outline::new(&field, dimensions(13.5)).room_ahead(pose, 1e3, 0.03);
        assert!((room - 48.97).abs() < 1e-9, "{room}");
        // Too near the side for this boom: no way ahead at all.
        assert!(Outline::new(&field, dimensions(20.5)).room_ahead(pose, 1e3, 0.03) < 1e-9);
    }
}
