//! A rectangle in degrees on a field's grid.

use super::respond::ApiError;
use crate::store::{CellRange, StoreError};
use kompas_field::{CellIndex, Field, Geodetic};

/// How much of a field a rectangle shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It lies beside the grid.
    Nothing,
    /// The whole grid, and with it what lies off the grid.
    All,
    Part(CellRange),
}

impl Sight {
    /// Of `west,south,east,north` in degrees; no rectangle: all.
    pub(super) fn of(field: &Field, rectangle: Option<&str>) -> Result<Self, ApiError> {
        rectangle.map_or(Ok(Self::All), |text| Ok(Self::within(field, rectangle_of(text)?)))
    }

    /// What `find` finds there, asked for a part or, with none, for all.
    pub(super) fn look<T>(
        self,
        find: impl FnOnce(Option<CellRange>) -> Result<Vec<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::All => find(None),
            Self::Part(cells) => find(Some(cells)),
        }
    }

    fn within(field: &Field, [west, south, east, north]: [f64; 4]) -> Self {
        let origin = field.plane.origin();
        let at = |lat_deg: f64, lon_deg: f64| {
            // A rectangle may reach beyond the plane: its part near the field is what counts.
            let lat_deg = lat_deg.clamp(origin.lat_deg - 0.04, origin.lat_deg + 0.04);
            let lon_deg = lon_deg.clamp(origin.lon_deg - 0.04, origin.lon_deg + 0.04);
            field.plane.to_field(Geodetic { lat_deg, lon_deg, datum: origin.datum }).ok()
        };
        let (Some(from), Some(to)) = (at(south, west), at(north, east)) else { return Self::Nothing };
        let grid = field.grid();
        // The plane's east is not exactly the map's: one grid cell more on each side.
        let cols = along(from.x - f64::from(grid.west_m), to.x - f64::from(grid.west_m), grid.cols);
        let rows = along(from.y - f64::from(grid.south_m), to.y - f64::from(grid.south_m), grid.rows);
        let (Some((west, east)), Some((south, north))) = (cols, rows) else { return Self::Nothing };
        if (west, south) == (0, 0) && east + 1 == grid.cols && north + 1 == grid.rows {
            return Self::All;
        }
        Self::Part(CellRange {
            from: CellIndex { col: west, row: south },
            to: CellIndex { col: east, row: north },
        })
    }
}

/// The first and last of `count` grid cells between two places along an axis, and one more on each side.
fn along(from: f64, to: f64, count: u32) -> Option<(u32, u32)> {
    let (first, last) = ((from - 1.0).floor().max(0.0), (to + 1.0).floor().min(f64::from(count) - 1.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the grid")]
    (first <= last).then_some((first as u32, last as u32))
}

fn rectangle_of(text: &str) -> Result<[f64; 4], ApiError> {
    let wrong = |why: &str| {
        let why = format!("{text:?} {why}: give WEST,SOUTH,EAST,NORTH in degrees");
        ApiError::Wrong { key: "within", why }
    };
    let sides: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
    let sides = sides.map_err(|_not_a_number| wrong("is not four numbers"))?;
    let [west, south, east, north] = sides[..] else { return Err(wrong("is not four numbers")) };
    if !sides.iter().all(|side| side.is_finite()) {
        return Err(wrong("has a side without end"));
    }
    if west > east || south > north {
        return Err(wrong("has its corners swapped"));
    }
    Ok([west, south, east, north])
}
