//! Why a prescription cannot be read.

use kompas_field::prescription::PrescriptionError;

/// Why a folder of task data gives no prescription.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// Not XML.
    #[error("{file} is not XML: {cause}")]
    NotXml {
        /// Which file.
        file: String,
        /// In the words of the reader.
        cause: String,
    },
    /// No task has a grid.
    #[error("no task has a grid (GRD): a prescription of polygons is not read, export it as a grid")]
    NoGrid,
    /// The grid's file is not there.
    #[error("the grid {name}.BIN is missing: copy the whole task-data folder")]
    NoBinary {
        /// Without the ending.
        name: String,
    },
    /// An attribute without which the grid means nothing.
    #[error("GRD has no usable attribute {attribute} ({meaning}): export it again")]
    Attribute {
        /// Its letter.
        attribute: char,
        /// In words.
        meaning: &'static str,
    },
    /// Rates in another quantity.
    #[error("zone {zone} prescribes {found}, not a volume per area (DDI 0001): choose a liquid product")]
    NoVolume {
        /// Code of the zone.
        zone: u8,
        /// Numbers of the data dictionary that are there.
        found: String,
    },
    /// Two rates for one place.
    #[error(
        "zone {zone} prescribes {count} volumes per area, for products of a mix: export one task for each product, or for the mix"
    )]
    SeveralVolumes {
        /// Code of the zone.
        zone: u8,
        /// How many.
        count: usize,
    },
    /// The grid lies elsewhere, or on so little of the field that it is a neighbour's.
    #[error("the grid lies on {share_pct:.0} % of field {field}: it belongs to another field")]
    Elsewhere {
        /// The field.
        field: String,
        /// Of its cells.
        share_pct: f64,
    },
    /// Never for rates of this module: they are not negative.
    #[error(transparent)]
    Rate(#[from] PrescriptionError),
}
