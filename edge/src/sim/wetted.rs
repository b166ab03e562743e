//! Ground that was sprayed, as a raster of 5 mm over the places touched.

use kompas_field::units::SquareMetres;
use kompas_field::{FieldFrame, Point2};
use std::collections::BTreeMap;

/// Side of a raster cell: a tenth of a usual fan.
const CELL_M: f64 = 0.005;
/// Cells per metre, and so per side of a tile.
const PER_TILE: i64 = 200;
const WORDS: usize = 200 * 200 / 64;

/// Wetted ground; memory grows with the square metres touched (5 kB each), not with the field.
#[derive(Debug, Clone, Default)]
pub(super) struct WettedGround {
    tiles: BTreeMap<(i64, i64), Box<[u64]>>,
}

impl WettedGround {
    /// Wets every cell whose middle lies in the convex hull of `corners`.
    pub(super) fn wet_hull(&mut self, corners: &[Point2<FieldFrame>]) {
        let hull = convex_hull(corners);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for corner in &hull {
            (low, high) = (low.min(corner.y), high.max(corner.y));
        }
        if !(low.is_finite() && high.is_finite()) {
            return;
        }
        for row in first_middle_after(low)..=last_middle_before(high) {
            if let Some((from, until)) = span_at(&hull, (row as f64 + 0.5) * CELL_M) {
                for col in first_middle_after(from)..=last_middle_before(until) {
                    self.wet(col, row);
                }
            }
        }
    }

    fn wet(&mut self, col: i64, row: i64) {
        let tile = (col.div_euclid(PER_TILE), row.div_euclid(PER_TILE));
        let (word, bit) = place(col, row);
        self.tiles.entry(tile).or_insert_with(|| vec![0; WORDS].into_boxed_slice())[word] |= bit;
    }

    /// Whether the ground at `point` was wetted.
    pub(super) fn is_wet(&self, point: Point2<FieldFrame>) -> bool {
        let (col, row) = (cell(point.x), cell(point.y));
        let (word, bit) = place(col, row);
        self.tiles
            .get(&(col.div_euclid(PER_TILE), row.div_euclid(PER_TILE)))
            .is_some_and(|tile| tile[word] & bit != 0)
    }

    /// All of it, each place once.
    pub(super) fn area(&self) -> SquareMetres {
        let cells: u64 =
            self.tiles.values().flat_map(|tile| tile.iter()).map(|word| u64::from(word.count_ones())).sum();
        SquareMetres::new(cells as f64 * CELL_M * CELL_M)
    }
}

fn place(col: i64, row: i64) -> (usize, u64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a tile")]
    let at = (row.rem_euclid(PER_TILE) * PER_TILE + col.rem_euclid(PER_TILE)) as usize;
    (at / 64, 1 << (at % 64))
}

#[expect(clippy::cast_possible_truncation, reason = "a field is kilometres")]
fn cell(metres: f64) -> i64 {
    (metres / CELL_M).floor() as i64
}

fn first_middle_after(metres: f64) -> i64 {
    cell(metres + CELL_M / 2.0)
}

fn last_middle_before(metres: f64) -> i64 {
    cell(metres - CELL_M / 2.0)
}

/// Counter-clockwise, by Andrew's monotone chain.
pub(super) fn convex_hull(points: &[Point2<FieldFrame>]) -> Vec<Point2<FieldFrame>> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let chain = |points: &mut dyn Iterator<Item = Point2<FieldFrame>>| {
        let mut chain: Vec<Point2<FieldFrame>> = Vec::new();
        for point in points {
            while chain.len() >= 2 && turn(chain[chain.len() - 2], chain[chain.len() - 1], point) <= 0.0 {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut hull = chain(&mut sorted.iter().copied());
    hull.extend(chain(&mut sorted.iter().rev().copied()));
    hull
}

/// Positive when `c` lies left of the line from `a` to `b`.
fn turn(a: Point2<FieldFrame>, b: Point2<FieldFrame>, c: Point2<FieldFrame>) -> f64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Whether `point` lies in the counter-clockwise convex `hull` or on its rim.
pub(super) fn in_hull(hull: &[Point2<FieldFrame>], point: Point2<FieldFrame>) -> bool {
    hull.len() >= 3 && (0..hull.len()).all(|i| turn(hull[i], hull[(i + 1) % hull.len()], point) >= 0.0)
}

/// Where the line at `y` crosses the convex hull.
fn span_at(hull: &[Point2<FieldFrame>], y: f64) -> Option<(f64, f64)> {
    let (mut from, mut until) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..hull.len() {
        let (a, b) = (hull[i], hull[(i + 1) % hull.len()]);
        if (a.y <= y) != (b.y <= y) {
            let x = a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y);
            (from, until) = (from.min(x), until.max(x));
        }
    }
    (from <= until).then_some((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::units::{Metres, Radians};

    fn rectangle(x: f64, y: f64, heading: f64, length: f64, width: f64) -> Vec<Point2<FieldFrame>> {
        [(0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5)]
            .map(|(a, b)| {
                Point2::new(x, y).moved(
                    Radians::new(heading),
                    Metres::new(a * length),
                    Metres::new(b * width),
                )
            })
            .to_vec()
    }

    #[test]
    fn area_is_that_of_the_union() {
        for heading in [0.0, 0.4, 1.2, 3.0] {
            let mut ground = WettedGround::default();
            ground.wet_hull(&rectangle(-12.3, 4.56, heading, 1.0, 0.4));
            let once = ground.area().get();
            assert!((once - 0.4).abs() < 0.005, "{once}");
            ground.wet_hull(&rectangle(-12.3, 4.56, heading, 1.0, 0.4));
            assert!((ground.area().get() - once).abs() < 1e-12);
            assert!(ground.is_wet(Point2::new(-12.3, 4.56)));
            assert!(!ground.is_wet(Point2::new(-12.3, 5.56)));
        }
    }

    #[test]
    fn every_wet_middle_lies_in_the_hull() {
        let corners = rectangle(0.2, -0.1, 0.7, 0.31, 0.13);
        let (mut ground, hull) = (WettedGround::default(), convex_hull(&corners));
        ground.wet_hull(&corners);
        for row in -60..60 {
            for col in -60..100 {
                let middle = Point2::new((f64::from(col) + 0.5) * CELL_M, (f64::from(row) + 0.5) * CELL_M);
                assert_eq!(ground.is_wet(middle), in_hull(&hull, middle), "{middle:?}");
            }
        }
    }

    #[test]
    fn nothing_is_wetted_by_nothing() {
        let mut ground = WettedGround::default();
        ground.wet_hull(&[]);
        ground.wet_hull(&[Point2::new(f64::NAN, 1.0)]);
        assert_eq!(ground.area(), SquareMetres::ZERO);
    }
}
