//! Plants per grid cell. Accumulation does not depend on the order of sightings: tallies are integers.

use crate::grid::{CellIndex, Grid};
use crate::plant::PlantClass;
use crate::sighting::Sighting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was counted in one grid cell, by class id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellTally {
    /// Plants of each class, index = class id.
    pub plants: [u32; 5],
    /// Leaf area of each class in square millimetres, index = class id.
    pub area_mm2: [u64; 5],
}

impl CellTally {
    /// Plants of `class`.
    pub const fn count(&self, class: PlantClass) -> u32 {
        self.plants[class.id() as usize]
    }

    fn merge(&mut self, other: &Self) {
        let Self { plants, area_mm2 } = other;
        for id in 0..5 {
            self.plants[id] = self.plants[id].saturating_add(plants[id]);
            self.area_mm2[id] = self.area_mm2[id].saturating_add(area_mm2[id]);
        }
    }
}

/// One line of a weed map as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CellRow {
    #[serde(flatten)]
    cell: CellIndex,
    #[serde(flatten)]
    tally: CellTally,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct WeedMapDoc {
    schema: String,
    grid: Grid,
    cells: Vec<CellRow>,
}

/// Plants counted per grid cell. A plant is added once: tracking over frames comes before the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WeedMapDoc", into = "WeedMapDoc")]
pub struct WeedMap {
    grid: Grid,
    cells: BTreeMap<CellIndex, CellTally>,
}

/// Why a document or another map does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeedMapError {
    /// Two maps of different grids.
    #[error("the maps lie on different grids: {ours:?} and {theirs:?}")]
    OtherGrid {
        /// Of this map.
        ours: Grid,
        /// Of the other.
        theirs: Grid,
    },
    /// A cell that the grid does not have.
    #[error("cell {cell:?} is not on the grid of {cols} × {rows} cells", cols = grid.cols, rows = grid.rows)]
    OffGrid {
        /// The cell.
        cell: CellIndex,
        /// The grid.
        grid: Grid,
    },
    /// Not a weed map that this program reads.
    #[error("the schema is {given:?}: this program reads {}", WeedMap::SCHEMA)]
    Schema {
        /// As given.
        given: String,
    },
}

impl WeedMap {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "kompas.weed-map/1";

    /// An empty map.
    pub const fn new(grid: Grid) -> Self {
        Self { grid, cells: BTreeMap::new() }
    }

    /// The grid it lies on.
    pub const fn grid(&self) -> Grid {
        self.grid
    }

    /// Counts one plant. `false` when it stands off the grid and was not counted.
    #[must_use = "a plant off the grid is not counted"]
    pub fn add(&mut self, sighting: &Sighting) -> bool {
        let Some(cell) = self.grid.cell_at(sighting.position) else { return false };
        let tally = self.cells.entry(cell).or_default();
        let id = usize::from(sighting.class.id());
        tally.plants[id] = tally.plants[id].saturating_add(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating, areas are positive"
        )]
        let area_mm2 = (sighting.area_cm2 * 100.0).round() as u64;
        tally.area_mm2[id] = tally.area_mm2[id].saturating_add(area_mm2);
        true
    }

    /// Adds the tally of one cell, for maps made elsewhere.
    ///
    /// # Errors
    /// [`WeedMapError::OffGrid`].
    pub fn add_tally(&mut self, cell: CellIndex, tally: &CellTally) -> Result<(), WeedMapError> {
        if !self.grid.has(cell) {
            return Err(WeedMapError::OffGrid { cell, grid: self.grid });
        }
        self.cells.entry(cell).or_default().merge(tally);
        Ok(())
    }

    /// Adds everything another robot counted on the same grid.
    ///
    /// # Errors
    /// [`WeedMapError::OtherGrid`]; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), WeedMapError> {
        if self.grid != other.grid {
            return Err(WeedMapError::OtherGrid { ours: self.grid, theirs: other.grid });
        }
        for (cell, tally) in &other.cells {
            self.cells.entry(*cell).or_default().merge(tally);
        }
        Ok(())
    }

    /// What was counted in `cell`; nothing counted is all zeros.
    pub fn tally(&self, cell: CellIndex) -> CellTally {
        self.cells.get(&cell).copied().unwrap_or_default()
    }

    /// Cells with at least one plant, in cell order.
    pub fn cells(&self) -> impl Iterator<Item = (CellIndex, &CellTally)> {
        self.cells.iter().map(|(cell, tally)| (*cell, tally))
    }
}

impl TryFrom<WeedMapDoc> for WeedMap {
    type Error = WeedMapError;
    fn try_from(doc: WeedMapDoc) -> Result<Self, WeedMapError> {
        if doc.schema != Self::SCHEMA {
            return Err(WeedMapError::Schema { given: doc.schema });
        }
        let mut map = Self::new(doc.grid);
        for CellRow { cell, tally } in doc.cells {
            map.add_tally(cell, &tally)?;
        }
        Ok(map)
    }
}

impl From<WeedMap> for WeedMapDoc {
    fn from(map: WeedMap) -> Self {
        let WeedMap { grid, cells } = map;
        let cells = cells.into_iter().map(|(cell, tally)| CellRow { cell, tally }).collect();
        Self { schema: WeedMap::SCHEMA.to_owned(), grid, cells }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Point2;
    use crate::sighting::Confidence;
    use crate::units::Metres;
    use proptest::prelude::*;

    const GRID: Grid = Grid { west_m: 0, south_m: 0, cols: 12, rows: 9 };

    fn any_sighting() -> impl Strategy<Value = Sighting> {
        (-1.0..13.0f64, -1.0..10.0f64, 1u8..5, 0.0..500.0f64).prop_map(|(x, y, id, area_cm2)| Sighting {
            position: Point2::new(x, y),
            sigma: Metres::new(0.02),
            class: PlantClass::from_id(id).unwrap(),
            confidence: Confidence::clamped(0.9),
            area_cm2,
        })
    }

    fn map_of(sightings: &[Sighting]) -> WeedMap {
        let mut map = WeedMap::new(GRID);
        let counted = sightings.iter().filter(|sighting| map.add(sighting)).count();
        assert!(counted <= sightings.len());
        map
    }

    proptest! {
        #[test]
        fn order_and_split_do_not_matter(
            sightings in prop::collection::vec(any_sighting(), 0..60), cut in 0usize..60, seed in any::<u64>(),
        ) {
            let whole = map_of(&sightings);
            let cut = cut.min(sightings.len());
            let mut halves = map_of(&sightings[cut..]);
            halves.merge(&map_of(&sightings[..cut])).unwrap();
            prop_assert_eq!(&halves, &whole);
            let mut shuffled = sightings.clone();
            shuffled.sort_by_key(|s| (s.position.x.to_bits() ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            prop_assert_eq!(map_of(&shuffled), whole);
        }

        #[test]
        fn maps_survive_json(sightings in prop::collection::vec(any_sighting(), 0..40)) {
            let map = map_of(&sightings);
            let text = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::from_str::<WeedMap>(&text).unwrap(), map);
        }
    }

    #[test]
    fn a_foreign_map_is_refused() {
        let text =
            r#"{"schema":"kompas.weed-map/9","grid":{"west_m":0,"south_m":0,"cols":1,"rows":1},"cells":[]}"#;
        assert!(serde_json::from_str::<WeedMap>(text).unwrap_err().to_string().contains("kompas.weed-map/1"));
        let off = WeedMap::new(GRID).add_tally(CellIndex { col: 12, row: 0 }, &CellTally::default());
        assert!(matches!(off, Err(WeedMapError::OffGrid { .. })));
    }
}
