//! The field's 1 m² grid: the unit of accounting, law, map and fallback.

use crate::boundary::Boundary;
use crate::frame::{FieldFrame, Point2};
use serde::{Deserialize, Serialize};

/// A grid cell: column counted east, row counted north, from the grid's south-west corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellIndex {
    /// Metres east of the grid's west edge, whole.
    pub col: u32,
    /// Metres north of the grid's south edge, whole.
    pub row: u32,
}

/// North-aligned cells of 1.000 m over a field; corners stand on whole metres of the [`FieldFrame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// West edge in `FieldFrame`, whole metres.
    pub west_m: i32,
    /// South edge in `FieldFrame`, whole metres.
    pub south_m: i32,
    /// Cells from west to east.
    pub cols: u32,
    /// Cells from south to north.
    pub rows: u32,
}

impl Grid {
    /// The smallest grid that covers `boundary`.
    pub fn covering(boundary: &Boundary) -> Self {
        let (south_west, north_east) = boundary.extent();
        #[expect(clippy::cast_possible_truncation, reason = "a field lies within 10 km of its datum")]
        let (west_m, south_m, east_m, north_m) = (
            south_west.x.floor() as i32,
            south_west.y.floor() as i32,
            north_east.x.ceil() as i32,
            north_east.y.ceil() as i32,
        );
        Self { west_m, south_m, cols: east_m.abs_diff(west_m), rows: north_m.abs_diff(south_m) }
    }

    /// The cell that holds `point`; a cell owns its south and west edge. `None` off the grid.
    pub fn cell_at(&self, point: Point2<FieldFrame>) -> Option<CellIndex> {
        let (east, north) = (point.x - f64::from(self.west_m), point.y - f64::from(self.south_m));
        let on_grid =
            east >= 0.0 && north >= 0.0 && east < f64::from(self.cols) && north < f64::from(self.rows);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by on_grid")]
        on_grid.then_some(CellIndex { col: east as u32, row: north as u32 })
    }

    /// The middle of a cell.
    pub fn centre(&self, cell: CellIndex) -> Point2<FieldFrame> {
        Point2::new(
            f64::from(self.west_m) + f64::from(cell.col) + 0.5,
            f64::from(self.south_m) + f64::from(cell.row) + 0.5,
        )
    }

    /// The corners of a cell, counter-clockwise from the south-west.
    pub fn corners(&self, cell: CellIndex) -> [Point2<FieldFrame>; 4] {
        let centre = self.centre(cell);
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
            .map(|(x, y)| Point2::new(centre.x + x, centre.y + y))
    }

    /// Whether the cell is part of the grid.
    pub const fn has(&self, cell: CellIndex) -> bool {
        cell.col < self.cols && cell.row < self.rows
    }

    /// Every cell, row by row from the south-west.
    pub fn cells(&self) -> impl Iterator<Item = CellIndex> + use<> {
        let cols = self.cols;
        (0..self.rows).flat_map(move |row| (0..cols).map(move |col| CellIndex { col, row }))
    }

    /// Place of a cell in [`Grid::cells`].
    pub const fn position(&self, cell: CellIndex) -> usize {
        cell.row as usize * self.cols as usize + cell.col as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRID: Grid = Grid { west_m: -7, south_m: 3, cols: 40, rows: 30 };

    #[test]
    fn a_cell_owns_its_south_west_corner_only() {
        assert_eq!(GRID.cell_at(Point2::new(-7.0, 3.0)), Some(CellIndex { col: 0, row: 0 }));
        assert_eq!(GRID.cell_at(Point2::new(33.0, 3.0)), None);
        assert_eq!(GRID.cell_at(Point2::new(-7.000_001, 3.0)), None);
        assert_eq!(GRID.cell_at(Point2::new(f64::NAN, 3.0)), None);
    }

    proptest! {
        #[test]
        fn centres_round_trip(col in 0u32..40, row in 0u32..30, dx in -0.4999..0.4999, dy in -0.4999..0.4999) {
            let cell = CellIndex { col, row };
            let centre = GRID.centre(cell);
            prop_assert_eq!(GRID.cell_at(Point2::new(centre.x + dx, centre.y + dy)), Some(cell));
            prop_assert_eq!(GRID.cells().nth(GRID.position(cell)), Some(cell));
        }
    }
}
