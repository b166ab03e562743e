//! Boundaries from shapefiles.

use super::{ImportError, Rings};
use crate::crs::Crs;
use shapefile::{PolygonRing, Shape, ShapeReader};
use std::path::Path;

/// The rings of the only polygon in the file, in degrees. Without a `.prj` beside it, in capitals or not, the numbers
/// tell: what can be degrees is taken as degrees.
pub(super) fn read(path: &Path) -> Result<Rings, ImportError> {
    let unreadable = |cause: String| ImportError::Unreadable { format: "shapefile", cause };
    let shapes =
        ShapeReader::from_path(path).and_then(ShapeReader::read).map_err(|e| unreadable(e.to_string()))?;
    let crs = match system(path).map_err(|e| unreadable(format!("its .prj: {e}")))? {
        Some(text) => Crs::from_wkt(&text)
            .ok_or_else(|| ImportError::UnknownCrs { name: text.chars().take(80).collect() })?,
        None => Crs::Degrees, // numbers that are no degrees are refused later
    };
    let mut found: Vec<Vec<(bool, Vec<[f64; 2]>)>> = Vec::new();
    for shape in shapes {
        match shape {
            Shape::Polygon(p) => found.push(p.rings().iter().map(|r| ring(r, |q| [q.x, q.y])).collect()),
            Shape::PolygonM(p) => found.push(p.rings().iter().map(|r| ring(r, |q| [q.x, q.y])).collect()),
            Shape::PolygonZ(p) => found.push(p.rings().iter().map(|r| ring(r, |q| [q.x, q.y])).collect()),
            _ => {}
        }
    }
    if found.len() > 1 {
        return Err(ImportError::SeveralParts { parts: found.len() });
    }
    let Some(mut rings) = found.pop() else {
        return Err(ImportError::NoPolygon { found: "no polygon shape".to_owned() });
    };
    let parts = rings.iter().filter(|r| r.0).count();
    if parts > 1 {
        return Err(ImportError::SeveralParts { parts });
    }
    // The outer ring first.
    rings.sort_by_key(|r| !r.0);
    rings
        .into_iter()
        .map(|(_, points)| points.into_iter().map(|p| Ok(crs.to_degrees(p)?)).collect())
        .collect()
}

/// What stands in the `.prj` beside `path`. Degrees of one system lie a hundred metres from those of another, so one that is
/// there and cannot be read is no reason to do without.
fn system(path: &Path) -> std::io::Result<Option<String>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in std::fs::read_dir(folder)? {
        let beside = entry?.path();
        if beside.file_stem() == path.file_stem()
            && beside.extension().is_some_and(|e| e.eq_ignore_ascii_case("prj"))
        {
            return Ok(Some(String::from_utf8_lossy(&std::fs::read(beside)?).into_owned()));
        }
    }
    Ok(None)
}

fn ring<P>(ring: &PolygonRing<P>, place: impl Fn(&P) -> [f64; 2]) -> (bool, Vec<[f64; 2]>) {
    let outer = matches!(ring, PolygonRing::Outer(_));
    (outer, ring.points().iter().map(place).collect())
}
