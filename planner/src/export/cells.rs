//! The prescription as rectangles of one rate, for formats of geographic information systems.

use crate::plan::Plan;
use kompas_field::units::LitresPerHectare;
use kompas_field::{CellIndex, Field, Point2};

/// Neighbouring grid cells of one row with one rate.
pub(super) struct Block {
    /// Closed, clockwise; longitude and latitude in degrees.
    pub(super) ring: [[f64; 2]; 5],
    pub(super) rate_l_per_ha: f64,
}

/// All cells with their middle in the field and a rate above zero, row by row. The corners follow the field's own grid,
/// which is not quite north-aligned in other systems.
pub(super) fn blocks(plan: &Plan, field: &Field) -> Vec<Block> {
    let grid = plan.prescription.grid();
    let rate = |cell: CellIndex| {
        let middle = grid.centre(cell);
        let inside = field.boundary.contains(middle);
        if inside { plan.prescription.rate_at(Some(middle)) } else { LitresPerHectare::ZERO }
    };
    let degrees = |col: u32, row: u32| {
        let place =
            Point2::new(f64::from(grid.west_m) + f64::from(col), f64::from(grid.south_m) + f64::from(row));
        let g = plan.datum.to_geodetic(place);
        [g.lon_deg, g.lat_deg]
    };
    let mut found = Vec::new();
    for row in 0..grid.rows {
        let mut col = 0;
        while col < grid.cols {
            let here = rate(CellIndex { col, row });
            let begin = col;
            while col < grid.cols && rate(CellIndex { col, row }) == here {
                col += 1;
            }
            if here > LitresPerHectare::ZERO {
                let corner = degrees(begin, row);
                let ring =
                    [corner, degrees(begin, row + 1), degrees(col, row + 1), degrees(col, row), corner];
                found.push(Block { ring, rate_l_per_ha: here.get() });
            }
        }
    }
    found
}
