//! Boundaries from `GeoPackage` files (OGC 12-128), which are `SQLite` databases.

use super::{ImportError, Rings};
use crate::crs::Crs;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// The rings of the only polygon of the only table that holds any, in degrees, and in words what was left aside.
pub(super) fn read(path: &Path) -> Result<(Rings, Vec<String>), ImportError> {
    let file =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| unreadable(&e))?;
    let tables = tables(&file).map_err(|e| unreadable(&e))?;
    let (mut fields, others): (Vec<&Table>, Vec<&Table>) = tables.iter().partition(|table| table.parts > 0);
    let Some(table) = fields.pop() else {
        let names: Vec<&str> = others.iter().map(|table| table.name.as_str()).collect();
        return Err(ImportError::NoPolygon { found: format!("tables without one: {}", names.join(", ")) });
    };
    if !fields.is_empty() {
        let tables = fields.into_iter().chain([table]).map(|table| table.name.clone()).collect();
        return Err(ImportError::SeveralTables { tables });
    }
    if table.parts > 1 {
        return Err(ImportError::SeveralParts { parts: table.parts });
    }
    let crs = crs(&file, table.srs)?;
    let rings = table.polygon.as_deref().and_then(polygon).ok_or_else(|| ImportError::NoPolygon {
        found: format!("a damaged geometry in table {}", table.name),
    })?;
    let rings = rings.into_iter().map(|ring| ring.into_iter().map(|p| Ok(crs.to_degrees(p)?)).collect());
    let aside = |table: &&Table| table.others > 0;
    let warnings = tables.iter().filter(aside).map(|Table { name, others, .. }| {
        format!("{others} features of table {name} were left aside: they are no polygons")
    });
    Ok((rings.collect::<Result<_, ImportError>>()?, warnings.collect()))
}

fn unreadable(e: &rusqlite::Error) -> ImportError {
    ImportError::Unreadable { format: "GeoPackage", cause: e.to_string() }
}

/// A feature table.
struct Table {
    name: String,
    srs: i64,
    /// Polygons in it; those of multi-polygons counted each.
    parts: usize,
    /// The geometry of the first of them.
    polygon: Option<Vec<u8>>,
    /// Features that are no polygons.
    others: usize,
}

fn tables(file: &Connection) -> Result<Vec<Table>, rusqlite::Error> {
    let mut listed = file
        .prepare("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns ORDER BY table_name")?;
    let names = listed.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    names
        .map(|row| {
            let (name, column, srs): (String, String, i64) = row?;
            let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let (column, from) = (quoted(&column), quoted(&name));
            let query = format!("SELECT {column} FROM {from} WHERE {column} IS NOT NULL");
            let mut statement = file.prepare(&query)?;
            let mut table = Table { name, srs, parts: 0, polygon: None, others: 0 };
            for blob in statement.query_map([], |row| row.get::<_, Vec<u8>>(0))? {
                let blob = blob?;
                match parts(&blob) {
                    None | Some(0) => table.others += 1,
                    Some(parts) => {
                        table.parts += parts;
                        table.polygon.get_or_insert(blob);
                    }
                }
            }
            Ok(table)
        })
        .collect()
}

fn crs(file: &Connection, srs: i64) -> Result<Crs, ImportError> {
    let query = "SELECT organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?1";
    let code: i64 = file.query_row(query, [srs], |row| row.get(0)).map_err(|e| unreadable(&e))?;
    u32::try_from(code)
        .ok()
        .and_then(Crs::from_epsg)
        .ok_or_else(|| ImportError::UnknownCrs { name: format!("EPSG:{code}") })
}

/// Well-known binary behind the header of a `GeoPackage` geometry.
fn geometry(blob: &[u8]) -> Option<Bytes<'_>> {
    let envelope = match (blob.get(3)? >> 1) & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    Some(Bytes { rest: blob.get(8 + envelope..)?, little: true })
}

/// How many polygons a geometry has; none for another kind.
fn parts(blob: &[u8]) -> Option<usize> {
    let mut bytes = geometry(blob)?;
    match bytes.head()? % 1000 {
        3 => Some(1),
        6 => usize::try_from(bytes.count()?).ok(),
        _ => None,
    }
}

/// A polygon, or a multi-polygon with one part.
fn polygon(blob: &[u8]) -> Option<Rings> {
    let mut bytes = geometry(blob)?;
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
