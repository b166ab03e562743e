//! Boundaries from `GeoPackage` files (OGC 12-128), which are `SQLite` databases.

use super::{ImportError, Rings};
use crate::crs::Crs;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// The rings of the only polygon in the first feature table, in degrees.
pub(super) fn read(path: &Path) -> Result<Rings, ImportError> {
    let unreadable =
        |e: rusqlite::Error| ImportError::Unreadable { format: "GeoPackage", cause: e.to_string() };
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unreadable)?;
    let (table, column, srs): (String, String, i64) = file
        .query_row(
            "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns ORDER BY table_name LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(unreadable)?;
    let code: i64 = file
        .query_row(
            "SELECT organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?1",
            [srs],
            |row| row.get(0),
        )
        .map_err(unreadable)?;
    let crs = u32::try_from(code)
        .ok()
        .and_then(Crs::from_epsg)
        .ok_or_else(|| ImportError::UnknownCrs { name: format!("EPSG:{code}") })?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (column, table) = (quoted(&column), quoted(&table));
    let query = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 2");
    let mut statement = file.prepare(&query).map_err(unreadable)?;
    let blobs: Vec<Vec<u8>> =
        statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(unreadable)?;
    if blobs.len() > 1 {
        return Err(ImportError::SeveralParts { parts: blobs.len() });
    }
    let Some(blob) = blobs.first() else {
        return Err(ImportError::NoPolygon { found: "an empty table".to_owned() });
    };
    let rings =
        polygon(blob).ok_or_else(|| ImportError::NoPolygon { found: "another geometry".to_owned() })?;
    rings.into_iter().map(|ring| ring.into_iter().map(|p| Ok(crs.to_degrees(p)?)).collect()).collect()
}

/// Header of a `GeoPackage` geometry, then well-known binary: a polygon, or a multi-polygon with one part.
fn polygon(blob: &[u8]) -> Option<Rings> {
    let envelope = match (blob.get(3)? >> 1) & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    let mut bytes = Bytes { rest: blob.get(8 + envelope..)?, little: true };
    let mut kind = bytes.head()?;
    if kind % 1000 == 6 {
        if bytes.count()? != 1 {
            return None;
        }
        kind = bytes.head()?;
    }
    if kind % 1000 != 3 {
        return None;
    }
    let extra = match kind / 1000 {
        0 => 0,
        1 | 2 => 1,
        3 => 2,
        _ => return None,
    };
    let rings = bytes.count()?;
    (0..rings)
        .map(|_| {
            let points = bytes.count()?;
            (0..points)
                .map(|_| {
                    let place = [bytes.number()?, bytes.number()?];
                    for _ in 0..extra {
                        bytes.number()?;
                    }
                    Some(place)
                })
                .collect()
        })
        .collect()
}

struct Bytes<'a> {
    rest: &'a [u8],
    little: bool,
}

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_at_checked(N)?;
        self.rest = rest;
        head.try_into().ok()
    }

    fn head(&mut self) -> Option<u32> {
        self.little = self.take::<1>()? == [1];
        self.count()
    }

    fn count(&mut self) -> Option<u32> {
        let bytes = self.take()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn number(&mut self) -> Option<f64> {
        let bytes = self.take()?;
        Some(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }
}
