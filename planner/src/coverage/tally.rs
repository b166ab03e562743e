//! How much of the field a drive works, counted on sample points.

use super::spurs::Undone;
use super::tour::{Drive, Purpose};
use crate::geometry::pose::{Pt, distance, rotation, whole_above};
use geo::{Area, BoundingRect, LineString, MapCoords, Polygon};
use std::ops::Range;

/// Sample points per field: a share of 0.4 % is then known to about 0.02 %.
const SAMPLES: f64 = 150_000.0;
/// The same where ways to what is left over are looked for: a way over few points is no way over the ground between.
const MANY_SAMPLES: f64 = 600_000.0;
/// Metres between samples, at the least: on little fields fewer samples do.
const APART_M: f64 = 0.2;
const APART_FINELY_M: f64 = 0.1;

/// What of a field a drive works.
pub(crate) struct Tally {
    raster: Raster,
    turn_rad: f64,
    /// Samples inside the field: the row, and from where to where.
    inside: Vec<(usize, Range<usize>)>,
}

impl Tally {
    /// Share of the field, 0 to 1.
    pub(crate) fn worked(&self) -> f64 {
        let all: usize = self.inside.iter().map(|(_, range)| range.len()).sum();
        let open: u32 = self.open().map(|(.., word)| word.count_ones()).sum();
        if all == 0 { 0.0 } else { 1.0 - f64::from(open) / all as f64 }
    }

    /// The samples that are not worked.
    pub(crate) fn undone(&self) -> Undone {
        let back = rotation(-self.turn_rad);
        let Raster { low, size, .. } = self.raster;
        let mut points = Vec::new();
        for (row, word, mut open) in self.open() {
            let y = self.raster.height(row);
            while open != 0 {
                let col = 64 * word as u64 + u64::from(open.trailing_zeros());
                points.push(back(Pt { x: low.x + (col as f64 + 0.5) * size, y }));
                open &= open - 1;
            }
        }
        Undone { points, each: size * size }
    }

    /// Row, word of the row, and the samples of it that lie inside and are not worked.
    fn open(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        self.inside.iter().flat_map(move |(row, range)| {
            let begin = self.raster.row(*row);
            words(range.clone())
                .map(move |(word, mask)| (*row, word, mask & !self.raster.worked[begin + word]))
        })
    }
}

/// The raster is turned against the field: rows of samples along its edges and swaths would count some twice.
const TURN_RAD: f64 = 0.5;

/// Counts what of `field` lies within half of `width` of a worked line, at points on a square raster.
pub(crate) fn tally(field: &Polygon<f64>, drives: &[Drive], width: f64) -> Tally {
    sampled(field, drives, width, (SAMPLES, APART_M, TURN_RAD))
}

/// The same on a finer raster, another one for every `number`: points that ways were chosen for say too much of them.
pub(crate) fn finely(field: &Polygon<f64>, drives: &[Drive], width: f64, number: u32) -> Tally {
    sampled(field, drives, width, (MANY_SAMPLES, APART_FINELY_M, TURN_RAD + 0.2 * f64::from(number + 1)))
}

fn sampled(
    field: &Polygon<f64>,
    drives: &[Drive],
    width: f64,
    (samples, apart_m, turn_rad): (f64, f64, f64),
) -> Tally {
    let turn = rotation(turn_rad);
    let turned = field.map_coords(&turn);
    let (low, high) = turned.bounding_rect().map_or_else(Default::default, |b| (b.min(), b.max()));
    let size = (field.unsigned_area() / samples).sqrt().clamp(apart_m, width / 2.0);
    let mut raster = Raster::new(low, high, size);
    for drive in drives.iter().filter(|d| d.purpose != Purpose::Join) {
        let line: Vec<Pt> = drive.points.iter().map(|p| turn(*p)).collect();
        raster.work(&line, width / 2.0);
    }
    Tally { inside: raster.inside(&turned), raster, turn_rad }
}

struct Raster {
    low: Pt,
    size: f64,
    cols: usize,
    rows: usize,
    /// 64 samples of a row in a word; a row begins with a word of its own.
    worked: Vec<u64>,
}

/// The words of a row that hold its samples in `range`, each with a mask of those.
fn words(range: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let last = if range.is_empty() { 0 } else { range.end.div_ceil(64) };
    (range.start / 64..last).map(move |word| {
        let first = range.start.saturating_sub(64 * word);
        let beyond = (64 * (word + 1)).saturating_sub(range.end);
        (word, (u64::MAX << first) & (u64::MAX >> beyond))
    })
}

impl Raster {
    fn new(low: Pt, high: Pt, size: f64) -> Self {
        let count = |metres: f64| index(metres / size) + 1;
        let (cols, rows) = (count(high.x - low.x), count(high.y - low.y));
        Self { low, size, cols, rows, worked: vec![0; cols.div_ceil(64) * rows] }
    }

    /// Samples of a row whose x lies between `from` and `to`.
    fn between(&self, from: f64, to: f64) -> Range<usize> {
        let at = |x: f64| self.first_beyond(x - self.low.x).min(self.cols);
        let (first, end) = (at(from), at(to));
        first..end.max(first)
    }

    /// Where the row's words begin.
    fn row(&self, row: usize) -> usize {
        row * self.cols.div_ceil(64)
    }

    /// Rows that begin at or above a height.
    fn row_of(&self, y: f64) -> usize {
        self.first_beyond(y - self.low.y).min(self.rows)
    }

    /// The first sample, counted from 0, whose middle is not before so many metres.
    fn first_beyond(&self, metres: f64) -> usize {
        whole_above(metres / self.size + 0.5).saturating_sub(1)
    }

    fn height(&self, row: usize) -> f64 {
        self.low.y + (row as f64 + 0.5) * self.size
    }

    /// Marks the band along the line, and the wedge on the outside of every bend.
    fn work(&mut self, line: &[Pt], half: f64) {
        let mut before: Option<(Pt, f64)> = None;
        for pair in line.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let span = distance(a, b);
            if span < 1e-9 {
                continue;
            }
            let side = Pt { x: -(b.y - a.y) / span * half, y: (b.x - a.x) / span * half };
            self.fill([a + side, b + side, b - side, a - side]);
            if let Some((before, run)) = before {
                // On the inside of a slight bend the wedge lies in the band before.
                let bend = before.x * side.y - before.y * side.x;
                let slight = bend.abs() <= half * run;
                if bend < 0.0 || !slight {
                    self.fill([a, a + before, a + side]);
                }
                if bend >= 0.0 || !slight {
                    self.fill([a, a - before, a - side]);
                }
            }
            before = Some((side, span));
        }
    }

    /// Marks a convex shape.
    fn fill<const N: usize>(&mut self, corners: [Pt; N]) {
        let (low, high) =
            corners.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.y), high.max(p.y)));
        let edges: [Edge; N] = std::array::from_fn(|k| Edge::new(corners[k], corners[(k + 1) % N]));
        for row in self.row_of(low)..self.row_of(high) {
            let y = self.height(row);
            let (mut from, mut to) = (f64::MAX, f64::MIN);
            for x in edges.iter().filter_map(|edge| edge.crossing(y)) {
                (from, to) = (from.min(x), to.max(x));
            }
            if from <= to {
                let begin = self.row(row);
                for (word, mask) in words(self.between(from, to)) {
                    self.worked[begin + word] |= mask;
                }
            }
        }
    }

    /// Samples of a field, row by row.
    fn inside(&self, field: &Polygon<f64>) -> Vec<(usize, Range<usize>)> {
        let mut crossings: Vec<Vec<f64>> = vec![vec![]; self.rows];
        for line in std::iter::once(field.exterior()).chain(field.interiors()).flat_map(LineString::lines) {
            let edge = Edge::new(line.start, line.end);
            let (first, end) = (self.row_of(edge.low.y), self.row_of(edge.top));
            for (row, found) in crossings.iter_mut().enumerate().take(end).skip(first) {
                found.extend(edge.crossing(self.height(row)));
            }
        }
        let mut inside = Vec::new();
        for (row, mut found) in crossings.into_iter().enumerate() {
            found.sort_by(f64::total_cmp);
            inside.extend(found.chunks_exact(2).map(|pair| (row, self.between(pair[0], pair[1]))));
        }
        inside
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

/// An edge from its lower end up.
struct Edge {
    low: Pt,
    top: f64,
    /// Metres to the right for every metre up.
    lean: f64,
}

impl Edge {
    fn new(a: Pt, b: Pt) -> Self {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        Self { low, top: high.y, lean: (high.x - low.x) / (high.y - low.y) }
    }

    /// Where it meets the height; the lower end counts, the upper one does not.
    fn crossing(&self, y: f64) -> Option<f64> {
        (self.low.y <= y && y < self.top).then_some(self.low.x + self.lean * (y - self.low.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Gear;
    use geo::polygon;

    #[test]
    fn a_band_through_the_middle_is_its_share() {
        let field = polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 30.0), (x: 0.0, y: 30.0)];
        let drive = |purpose, y| Drive {
            purpose,
            points: vec![Pt { x: 0.0, y }, Pt { x: 100.0, y }],
            gear: Gear::Forward,
        };
        let share = tally(&field, &[drive(Purpose::Swath(0), 15.0), drive(Purpose::Join, 3.0)], 3.0).worked();
        assert!((share - 0.1).abs() < 1e-3, "{share}");
    }

    #[test]
    fn a_slanting_band_is_its_share_and_a_hole_does_not_count() {
        let outer = geo::LineString::from(vec![(0.0, 0.0), (60.0, 0.0), (60.0, 60.0), (0.0, 60.0)]);
        let hole = geo::LineString::from(vec![(0.5, 40.0), (0.5, 59.5), (20.0, 59.5), (20.0, 40.0)]);
        let field = Polygon::new(outer, vec![hole]);
        let diagonal = Drive {
            purpose: Purpose::Headland(0),
            points: vec![Pt { x: 10.0, y: 10.0 }, Pt { x: 50.0, y: 50.0 }],
            gear: Gear::Forward,
        };
        let share = tally(&field, &[diagonal], 4.0).worked();
        let exact = 4.0 * 40.0 * std::f64::consts::SQRT_2 / (3600.0 - 19.5 * 19.5);
        assert!((share - exact).abs() < 1e-3, "{share} against {exact}");
    }
}
