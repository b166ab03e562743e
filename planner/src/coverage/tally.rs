//! How much of the field a drive works, counted on sample points.

use super::spurs::Undone;
use super::tour::{Drive, Purpose};
use crate::geometry::pose::{Pt, distance, rotation, whole_above};
use geo::{Area, BoundingRect, LineString, MapCoords, Polygon};

/// Sample points per field: a share of 0.4 % is then known to about 0.02 %.
const SAMPLES: f64 = 150_000.0;
/// The same where ways to what is left over are looked for: a way over few points is no way over the ground between.
const MANY_SAMPLES: f64 = 2_000_000.0;

/// What of a field a drive works.
pub(crate) struct Tally {
    /// Share of the field, 0 to 1.
    pub(crate) worked: f64,
    pub(crate) undone: Undone,
}

/// The raster is turned against the field: rows of samples along its edges and swaths would count some twice.
const TURN_RAD: f64 = 0.5;

/// Counts what of `field` lies within half of `width` of a worked line, at points on a square raster.
pub(crate) fn tally(field: &Polygon<f64>, drives: &[Drive], width: f64) -> Tally {
    sampled(field, drives, width, (SAMPLES, TURN_RAD))
}

/// The same on a finer raster, another one for every `number`: points that ways were chosen for say too much of them.
pub(crate) fn finely(field: &Polygon<f64>, drives: &[Drive], width: f64, number: u32) -> Tally {
    sampled(field, drives, width, (MANY_SAMPLES, TURN_RAD + 0.2 * f64::from(number + 1)))
}

fn sampled(field: &Polygon<f64>, drives: &[Drive], width: f64, (samples, turn_rad): (f64, f64)) -> Tally {
    let turn = rotation(turn_rad);
    let turned = field.map_coords(&turn);
    let Some(bounds) = turned.bounding_rect() else {
        return Tally { worked: 0.0, undone: Undone { points: vec![], each: 0.0 } };
    };
    let size = (field.unsigned_area() / samples).sqrt().clamp(0.05, width / 2.0);
    let mut raster = Raster::new(bounds.min(), bounds.max(), size);
    for drive in drives.iter().filter(|d| d.purpose != Purpose::Join) {
        let line: Vec<Pt> = drive.points.iter().map(|p| turn(*p)).collect();
        raster.work(&line, width / 2.0);
    }
    raster.tally(&turned, turn_rad)
}

struct Raster {
    low: Pt,
    size: f64,
    cols: usize,
    rows: usize,
    worked: Vec<bool>,
}

impl Raster {
    fn new(low: Pt, high: Pt, size: f64) -> Self {
        let count = |metres: f64| index(metres / size) + 1;
        let (cols, rows) = (count(high.x - low.x), count(high.y - low.y));
        Self { low, size, cols, rows, worked: vec![false; cols * rows] }
    }

    /// Samples of the row whose x lies between `from` and `to`.
    fn between(&self, row: usize, from: f64, to: f64) -> std::ops::Range<usize> {
        let at = |x: f64| self.first_beyond(x - self.low.x).min(self.cols);
        let (first, end) = (at(from), at(to));
        row * self.cols + first..row * self.cols + end.max(first)
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
        let mut before: Option<Pt> = None;
        for pair in line.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let span = distance(a, b);
            if span < 1e-9 {
                continue;
            }
            let side = Pt { x: -(b.y - a.y) / span * half, y: (b.x - a.x) / span * half };
            self.fill([a + side, b + side, b - side, a - side]);
            if let Some(before) = before {
                self.fill([a, a + before, a + side]);
                self.fill([a, a - before, a - side]);
            }
            before = Some(side);
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
                let range = self.between(row, from, to);
                self.worked[range].fill(true);
            }
        }
    }

    fn tally(&self, field: &Polygon<f64>, turn_rad: f64) -> Tally {
        let mut crossings: Vec<Vec<f64>> = vec![vec![]; self.rows];
        for line in std::iter::once(field.exterior()).chain(field.interiors()).flat_map(LineString::lines) {
            let edge = Edge::new(line.start, line.end);
            let (first, end) = (self.row_of(edge.low.y), self.row_of(edge.top));
            for (row, found) in crossings.iter_mut().enumerate().take(end).skip(first) {
                found.extend(edge.crossing(self.height(row)));
            }
        }
        let mut inside = 0usize;
        let mut points = Vec::new();
        let back = rotation(-turn_rad);
        for (row, found) in crossings.iter_mut().enumerate() {
            found.sort_by(f64::total_cmp);
            for pair in found.chunks_exact(2) {
                let range = self.between(row, pair[0], pair[1]);
                inside += range.len();
                points.extend(range.filter(|k| !self.worked[*k]).map(|k| {
                    let x = self.low.x + ((k % self.cols) as f64 + 0.5) * self.size;
                    let y = self.height(row);
                    back(Pt { x, y })
                }));
            }
        }
        let worked = if inside == 0 { 0.0 } else { 1.0 - points.len() as f64 / inside as f64 };
        Tally { worked, undone: Undone { points, each: self.size * self.size } }
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
    rise: Pt,
}

impl Edge {
    fn new(a: Pt, b: Pt) -> Self {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        Self { low, top: high.y, rise: high - low }
    }

    /// Where it meets the height; the lower end counts, the upper one does not.
    fn crossing(&self, y: f64) -> Option<f64> {
        (self.low.y <= y && y < self.top).then(|| self.low.x + self.rise.x * (y - self.low.y) / self.rise.y)
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
        let share = tally(&field, &[drive(Purpose::Swath(0), 15.0), drive(Purpose::Join, 3.0)], 3.0).worked;
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
        let share = tally(&field, &[diagonal], 4.0).worked;
        let exact = 4.0 * 40.0 * std::f64::consts::SQRT_2 / (3600.0 - 19.5 * 19.5);
        assert!((share - exact).abs() < 1e-3, "{share} against {exact}");
    }
}
