//! Plants per grid cell of one field. Accumulation does not depend on the order of sightings: tallies are integers.
//!
//! A map belongs to a place on earth: the datum is the middle of the field, so plots of one size have equal grids, and
//! only the datum tells whose weeds these are. The id does not decide: a robot's books and a planner that names a field
//! after its file call one parcel by two names.

use crate::geodetic::{Datum, FieldPlane};
use crate::grid::{CellIndex, Grid};
use crate::ids::FieldId;
use crate::parcel::Field;
use crate::plant::PlantClass;
use crate::sighting::Sighting;
use crate::units::Metres;
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

/// Read before anything else is missed: what an older map lacks is not its fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Schema;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct WeedMapDoc {
    schema: Schema,
    field_id: FieldId,
    datum: FieldPlane,
    grid: Grid,
    cells: Vec<CellRow>,
}

/// Plants counted per grid cell of a field. A plant is added once: tracking over frames comes before the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WeedMapDoc", into = "WeedMapDoc")]
pub struct WeedMap {
    field_id: FieldId,
    plane: FieldPlane,
    grid: Grid,
    cells: BTreeMap<CellIndex, CellTally>,
}

/// Middles of one parcel out of two files (another projection, fewer decimals) lie centimetres apart, and every plant
/// is still counted where it stands or at the edge of the cell beside; no two fields lie so near.
const SAME_PLACE_M: f64 = 0.25;

/// Why a document does not fit, or a map not to a field or to another map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeedMapError {
    /// Of a field elsewhere.
    #[error(
        "the weed map is of field {map_field}, whose middle lies {apart:.2} from that of field {field}: give the map of this field, or make one"
    )]
    OtherField {
        /// Where it does not belong.
        field: FieldId,
        /// Whose it is.
        map_field: FieldId,
        /// From middle to middle.
        apart: Metres,
    },
    /// Of a boundary that was another one.
    #[error(
        "the weed map of field {map_field} has {}, field {field} has {}: give the map of this field, or make one with its boundary of now",
        size(*theirs), size(*ours)
    )]
    OtherGrid {
        /// Where it does not belong.
        field: FieldId,
        /// Whose it is.
        map_field: FieldId,
        /// Of the field.
        ours: Grid,
        /// Of the map.
        theirs: Grid,
    },
    /// The datums refer to two realisations of the earth.
    #[error(
        "the weed map of field {map_field} is {theirs:?}, field {field} is {ours:?}: make the map again with this field"
    )]
    OtherDatum {
        /// Where it does not belong.
        field: FieldId,
        /// Whose it is.
        map_field: FieldId,
        /// Of the field.
        ours: Datum,
        /// Of the map.
        theirs: Datum,
    },
    /// A cell that the grid does not have.
    #[error("cell {cell:?} is not on the grid of {cols} × {rows} cells", cols = grid.cols, rows = grid.rows)]
    OffGrid {
        /// The cell.
        cell: CellIndex,
        /// The grid.
        grid: Grid,
    },
    /// Made before maps said whose they are. A wrong guess would spray one field by another's weeds.
    #[error(
        "the schema is {:?}, which does not say of which field the map is: make it again, with kompas-robot survey or kompas-robot run --weed-map-out",
        WeedMap::NAMELESS
    )]
    Nameless,
    /// Not a weed map that this program reads.
    #[error("the schema is {given:?}: this program reads {}", WeedMap::SCHEMA)]
    Schema {
        /// As given.
        given: String,
    },
}

fn size(Grid { west_m, south_m, cols, rows }: Grid) -> String {
    format!("{cols} × {rows} grid cells from ({west_m}, {south_m}) m")
}

impl WeedMap {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "kompas.weed-map/2";
    /// The version that named no field.
    const NAMELESS: &'static str = "kompas.weed-map/1";

    /// An empty map of `field`.
    pub fn of(field: &Field) -> Self {
        let Field { id, plane, .. } = field;
        Self { field_id: id.clone(), plane: *plane, grid: field.grid(), cells: BTreeMap::new() }
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

    /// Whether these are the plants of `field`: its grid, at its place on earth.
    ///
    /// # Errors
    /// [`WeedMapError::OtherField`], [`WeedMapError::OtherDatum`], [`WeedMapError::OtherGrid`].
    pub fn lies_on(&self, field: &Field) -> Result<(), WeedMapError> {
        self.fits(&Self::of(field))
    }

    /// Whether the cells of both are the same ground.
    fn fits(&self, field: &Self) -> Result<(), WeedMapError> {
        let (apart, [ours, theirs]) =
            (field.plane.apart(&self.plane), [field, self].map(|map| map.plane.origin().datum));
        let (map_field, field_id) = (self.field_id.clone(), field.field_id.clone());
        if apart > Metres::new(SAME_PLACE_M) {
            return Err(WeedMapError::OtherField { field: field_id, map_field, apart });
        }
        if ours != theirs {
            return Err(WeedMapError::OtherDatum { field: field_id, map_field, ours, theirs });
        }
        if self.grid != field.grid {
            let (ours, theirs) = (field.grid, self.grid);
            return Err(WeedMapError::OtherGrid { field: field_id, map_field, ours, theirs });
        }
        Ok(())
    }

    /// Adds everything another robot counted on the same field.
    ///
    /// # Errors
    /// As [`WeedMap::lies_on`]; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), WeedMapError> {
        other.fits(self)?;
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

impl TryFrom<String> for Schema {
    type Error = WeedMapError;
    fn try_from(given: String) -> Result<Self, WeedMapError> {
        match given.as_str() {
            WeedMap::SCHEMA => Ok(Self),
            WeedMap::NAMELESS => Err(WeedMapError::Nameless),
            _ => Err(WeedMapError::Schema { given }),
        }
    }
}

impl From<Schema> for String {
    fn from(Schema: Schema) -> Self {
        WeedMap::SCHEMA.to_owned()
    }
}

impl TryFrom<WeedMapDoc> for WeedMap {
    type Error = WeedMapError;
    fn try_from(doc: WeedMapDoc) -> Result<Self, WeedMapError> {
        let WeedMapDoc { schema: Schema, field_id, datum: plane, grid, cells } = doc;
        let mut map = Self { field_id, plane, grid, cells: BTreeMap::new() };
        for CellRow { cell, tally } in cells {
            map.add_tally(cell, &tally)?;
        }
        Ok(map)
    }
}

impl From<WeedMap> for WeedMapDoc {
    fn from(map: WeedMap) -> Self {
        let WeedMap { field_id, plane, grid, cells } = map;
        let cells = cells.into_iter().map(|(cell, tally)| CellRow { cell, tally }).collect();
        Self { schema: Schema, field_id, datum: plane, grid, cells }
    }
}

#[cfg(test)]
mod tests;
