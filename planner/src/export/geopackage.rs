//! The prescription as a `GeoPackage` (OGC 12-128): rectangles with a rate, in degrees.

use super::cells::blocks;
use crate::plan::Plan;
use kompas_field::{Datum, Field};
use rusqlite::{Connection, params};
use std::io;
use std::path::Path;

/// Tables that the standard asks for. The application id spells GPKG, the version is 1.3.
const TABLES: &str = "PRAGMA application_id = 0x47504B47; PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT '1970-01-01T00:00:00.000Z', min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name));
INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', NULL), ('Undefined geographic', 0, 'NONE', 0, 'undefined', NULL),
  ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4326\"]]', NULL),
  ('ETRS89', 4258, 'EPSG', 4258, 'GEOGCS[\"ETRS89\",DATUM[\"European_Terrestrial_Reference_System_1989\",SPHEROID[\"GRS 1980\",6378137,298.257222101]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4258\"]]', NULL);
CREATE TABLE prescription (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom BLOB, rate_l_per_ha DOUBLE NOT NULL);";

/// Writes a new file; an old one of that name is replaced.
///
/// # Errors
/// Of the file system or the database.
pub fn write_prescription(path: &Path, plan: &Plan, field: &Field) -> io::Result<()> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let srs = match plan.datum.origin().datum {
        Datum::Etrs89 => 4258,
        Datum::Wgs84 => 4326,
    };
    fill(path, plan, field, srs).map_err(io::Error::other)
}

fn fill(path: &Path, plan: &Plan, field: &Field, srs: i32) -> rusqlite::Result<()> {
    let mut file = Connection::open(path)?;
    file.execute_batch(TABLES)?;
    let all = file.transaction()?;
    let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
    for block in blocks(plan, field) {
        for [x, y] in block.ring {
            (low, high) = ([low[0].min(x), low[1].min(y)], [high[0].max(x), high[1].max(y)]);
        }
        all.execute(
            "INSERT INTO prescription (geom, rate_l_per_ha) VALUES (?1, ?2)",
            params![geometry(&block.ring, srs), block.rate_l_per_ha],
        )?;
    }
    all.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id)
         VALUES ('prescription', 'features', 'prescription', ?1, ?2, ?3, ?4, ?5)",
        params![low[0], low[1], high[0], high[1], srs],
    )?;
    all.execute(
        "INSERT INTO gpkg_geometry_columns VALUES ('prescription', 'geom', 'POLYGON', ?1, 0, 0)",
        [srs],
    )?;
    all.commit()
}

/// Header without an envelope, then well-known binary, little-endian; rings of the standard turn left.
fn geometry(ring: &[[f64; 2]; 5], srs: i32) -> Vec<u8> {
    let mut blob = b"GP\x00\x01".to_vec();
    blob.extend(srs.to_le_bytes());
    blob.push(1);
    for count in [3u32, 1, 5] {
        blob.extend(count.to_le_bytes());
    }
    for value in ring.iter().rev().flatten() {
        blob.extend(value.to_le_bytes());
    }
    blob
}
