//! Boundaries from shapefiles.

use super::{ImportError, Rings};
use crate::crs::Crs;
use shapefile::{PolygonRing, Shape, ShapeReader};
use std::path::Path;

/// The rings of the only polygon in the file, in degrees. Without a `.prj` beside it the numbers tell: what can be
/// degrees is taken as degrees.
pub(super) fn read(path: &Path) -> Result<Rings, ImportError> {
    let unreadable = |cause: String| ImportError::Unreadable { format: "shapefile", cause };
    let shapes =
        ShapeReader::from_path(path).and_then(ShapeReader::read).map_err(|e| unreadable(e.to_string()))?;
    let crs = match std::fs::read_to_string(path.with_extension("prj")) {
        Ok(text) => Crs::from_wkt(&text)
            .ok_or_else(|| ImportError::UnknownCrs { name: text.chars().take(80).collect() })?,
        Err(_) => Crs::Degrees, // numbers that are no degrees are refused later
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

fn ring<P>(ring: &PolygonRing<P>, place: impl Fn(&P) -> [f64; 2]) -> (bool, Vec<[f64; 2]>) {
    let outer = matches!(ring, PolygonRing::Outer(_));
    (outer, ring.points().iter().map(place).collect())
}
