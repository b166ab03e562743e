//! The prescription as a shapefile: rectangles with a rate, in degrees.

use super::cells::blocks;
use crate::plan::Plan;
use kompas_field::{Datum, Field};
use shapefile::dbase::{FieldValue, Record, TableWriterBuilder};
use shapefile::{Point, Polygon, PolygonRing, Writer};
use std::io;
use std::path::Path;

/// Name of the column with litres per hectare.
const RATE: &str = "RATE_L_HA";

/// Writes `path` (`.shp`) with its `.shx`, `.dbf` and `.prj`.
///
/// # Errors
/// Of the file system.
pub fn write_prescription(path: &Path, plan: &Plan, field: &Field) -> io::Result<()> {
    let name = RATE.try_into().map_err(|e| io::Error::other(format!("the column's name: {e:?}")))?;
    let table = TableWriterBuilder::new().add_numeric_field(name, 12, 2);
    let mut writer = Writer::from_path(path, table).map_err(io::Error::other)?;
    for block in blocks(plan, field) {
        let ring = block.ring.map(|[x, y]| Point::new(x, y)).to_vec();
        let mut record = Record::default();
        record.insert(RATE.to_owned(), FieldValue::Numeric(Some(block.rate_l_per_ha)));
        writer
            .write_shape_and_record(&Polygon::new(PolygonRing::Outer(ring)), &record)
            .map_err(io::Error::other)?;
    }
    drop(writer);
    std::fs::write(path.with_extension("prj"), well_known_text(plan.datum.origin().datum))
}

fn well_known_text(datum: Datum) -> &'static str {
    match datum {
        Datum::Etrs89 => {
            "GEOGCS[\"GCS_ETRS_1989\",DATUM[\"D_ETRS_1989\",SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]]"
        }
        Datum::Wgs84 => {
            "GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]]"
        }
    }
}
