//! Rate per grid cell, with the three rates that hold where the map does not.

use crate::frame::{FieldFrame, Point2};
use crate::grid::{CellIndex, Grid};
use crate::units::LitresPerHectare;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rates outside the map. All required: ISO 11783-10 and ADAPT leave them open, and then a terminal
/// guesses. The safe value is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallbackRates {
    /// In the field, where no cell says otherwise.
    pub default_l_per_ha: LitresPerHectare,
    /// Off the grid.
    pub out_of_field_l_per_ha: LitresPerHectare,
    /// When the robot does not know where it is.
    pub position_lost_l_per_ha: LitresPerHectare,
}

impl FallbackRates {
    /// Nothing anywhere.
    pub const CLOSED: Self = Self {
        default_l_per_ha: LitresPerHectare::ZERO,
        out_of_field_l_per_ha: LitresPerHectare::ZERO,
        position_lost_l_per_ha: LitresPerHectare::ZERO,
    };
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CellRate {
    #[serde(flatten)]
    cell: CellIndex,
    rate_l_per_ha: LitresPerHectare,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrescriptionDoc {
    grid: Grid,
    fallback: FallbackRates,
    cells: Vec<CellRate>,
}

/// How much goes where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PrescriptionDoc", into = "PrescriptionDoc")]
pub struct Prescription {
    grid: Grid,
    fallback: FallbackRates,
    cells: BTreeMap<CellIndex, LitresPerHectare>,
}

/// Why a rate is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PrescriptionError {
    /// A cell that the grid does not have.
    #[error("cell {cell:?} is not on the grid")]
    OffGrid {
        /// The cell.
        cell: CellIndex,
    },
    /// Below zero.
    #[error("a rate of {rate} in {place} is negative", place = cell.map_or("the fallback rates".to_owned(), |c| format!("{c:?}")))]
    Negative {
        /// The cell; none for a fallback rate.
        cell: Option<CellIndex>,
        /// The rate.
        rate: LitresPerHectare,
    },
}

impl Prescription {
    /// No cell set: `fallback` holds everywhere.
    ///
    /// # Errors
    /// [`PrescriptionError::Negative`].
    pub fn new(grid: Grid, fallback: FallbackRates) -> Result<Self, PrescriptionError> {
        let FallbackRates { default_l_per_ha, out_of_field_l_per_ha, position_lost_l_per_ha } = fallback;
        for rate in [default_l_per_ha, out_of_field_l_per_ha, position_lost_l_per_ha] {
            if rate < LitresPerHectare::ZERO {
                return Err(PrescriptionError::Negative { cell: None, rate });
            }
        }
        Ok(Self { grid, fallback, cells: BTreeMap::new() })
    }

    /// Sets the rate of one cell.
    ///
    /// # Errors
    /// [`PrescriptionError`]; nothing is changed then.
    pub fn set(&mut self, cell: CellIndex, rate: LitresPerHectare) -> Result<(), PrescriptionError> {
        if !self.grid.has(cell) {
            return Err(PrescriptionError::OffGrid { cell });
        }
        if rate < LitresPerHectare::ZERO {
            return Err(PrescriptionError::Negative { cell: Some(cell), rate });
        }
        self.cells.insert(cell, rate);
        Ok(())
    }

    /// The rate at a place; `None` is a robot that does not know its place.
    pub fn rate_at(&self, place: Option<Point2<FieldFrame>>) -> LitresPerHectare {
        let Some(point) = place else { return self.fallback.position_lost_l_per_ha };
        match self.grid.cell_at(point) {
            Some(cell) => self.cells.get(&cell).copied().unwrap_or(self.fallback.default_l_per_ha),
            None => self.fallback.out_of_field_l_per_ha,
        }
    }

    /// The grid it lies on.
    pub const fn grid(&self) -> Grid {
        self.grid
    }

    /// The rates outside the map.
    pub const fn fallback(&self) -> FallbackRates {
        self.fallback
    }

    /// Cells with a rate of their own, in cell order.
    pub fn cells(&self) -> impl Iterator<Item = (CellIndex, LitresPerHectare)> {
        self.cells.iter().map(|(cell, rate)| (*cell, *rate))
    }
}

impl TryFrom<PrescriptionDoc> for Prescription {
    type Error = PrescriptionError;
    fn try_from(doc: PrescriptionDoc) -> Result<Self, PrescriptionError> {
        let mut prescription = Self::new(doc.grid, doc.fallback)?;
        for CellRate { cell, rate_l_per_ha } in doc.cells {
            prescription.set(cell, rate_l_per_ha)?;
        }
        Ok(prescription)
    }
}

impl From<Prescription> for PrescriptionDoc {
    fn from(prescription: Prescription) -> Self {
        let Prescription { grid, fallback, cells } = prescription;
        let cells = cells.into_iter().map(|(cell, rate_l_per_ha)| CellRate { cell, rate_l_per_ha }).collect();
        Self { grid, fallback, cells }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRID: Grid = Grid { west_m: -3, south_m: 2, cols: 20, rows: 20 };

    #[test]
    fn each_fallback_holds_in_its_place() {
        let fallback = FallbackRates {
            default_l_per_ha: LitresPerHectare::new(1.0),
            out_of_field_l_per_ha: LitresPerHectare::new(2.0),
            position_lost_l_per_ha: LitresPerHectare::new(3.0),
        };
        let mut prescription = Prescription::new(GRID, fallback).unwrap();
        prescription.set(CellIndex { col: 4, row: 5 }, LitresPerHectare::new(80.0)).unwrap();
        let rate = |place| prescription.rate_at(place);
        assert_eq!(rate(Some(Point2::new(1.5, 7.5))), LitresPerHectare::new(80.0));
        assert_eq!(rate(Some(Point2::new(2.5, 7.5))), LitresPerHectare::new(1.0));
        assert_eq!(rate(Some(Point2::new(900.0, 7.5))), LitresPerHectare::new(2.0));
        assert_eq!(rate(None), LitresPerHectare::new(3.0));
    }

    #[test]
    fn fallback_rates_are_required_in_json() {
        let text = r#"{"grid":{"west_m":0,"south_m":0,"cols":1,"rows":1},"fallback":{"default_l_per_ha":0},"cells":[]}"#;
        let error = serde_json::from_str::<Prescription>(text).unwrap_err().to_string();
        assert!(error.contains("out_of_field_l_per_ha"), "{error}");
    }

    proptest! {
        #[test]
        fn prescriptions_survive_json(cells in prop::collection::btree_map((0u32..20, 0u32..20), 0.0..500.0f64, 0..50)) {
            let mut prescription = Prescription::new(GRID, FallbackRates::CLOSED).unwrap();
            for ((col, row), rate) in cells {
                prescription.set(CellIndex { col, row }, LitresPerHectare::new(rate)).unwrap();
            }
            let text = serde_json::to_string(&prescription).unwrap();
            prop_assert_eq!(serde_json::from_str::<Prescription>(&text).unwrap(), prescription);
        }
    }
}
