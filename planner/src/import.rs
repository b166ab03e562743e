//! A field's boundary from files people have: GeoJSON, shapefile, `GeoPackage`, ISOXML.
//!
//! Degrees are taken as ETRS89, which European parcel registers deliver.

use crate::crs::{Crs, CrsError};
use crate::zones::SprayFreeZone;
use geo::algorithm::bool_ops::FillRule;
use geo::{Area, BooleanOps, Euclidean, Length, LineString, MultiPolygon, Polygon};
use geojson::{GeoJson, GeometryValue as Shape, Position};
use kompas_field::geodetic::PlaneError;
use kompas_field::ids::FieldId;
use kompas_field::units::Metres;
use kompas_field::{Boundary, Field, FieldCrop, FieldPlane, Findings, Geodetic, Point2, RawBoundary};
use std::collections::BTreeMap;
use std::path::Path;

pub mod curve;
mod geopackage;
pub mod isoxml;
pub mod refill;
mod shapefile;

/// The outer ring, then exclusions; pairs of longitude and latitude in degrees.
pub type Rings = Vec<Vec<[f64; 2]>>;

/// Why a file gives no field.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not GeoJSON.
    #[error("the text is not GeoJSON")]
    NotGeoJson(#[source] Box<geojson::Error>),
    /// The file cannot be opened, or is not what its name says.
    #[error("the {format} cannot be read: {cause}")]
    Unreadable {
        /// Of the file.
        format: &'static str,
        /// In the words of its reader.
        cause: String,
    },
    /// Coordinates in a system that is not known here.
    #[error("coordinates are in {name:?}: known are degrees (EPSG:4326, 4258), RD New (28992) and UTM")]
    UnknownCrs {
        /// As the file names it.
        name: String,
    },
    /// A coordinate that its system does not have.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// Nothing with an area.
    #[error("there is no polygon in the file (found: {found}): export the parcel as a Polygon")]
    NoPolygon {
        /// What is there.
        found: String,
    },
    /// Several parcels in one file.
    #[error("the file holds {parts} polygons and a field is one: save each part as a field of its own")]
    SeveralParts {
        /// How many.
        parts: usize,
    },
    /// Several tables with parcels in one `GeoPackage`.
    #[error("the tables {} all hold polygons and a field is one: export its table alone", tables.join(", "))]
    SeveralTables {
        /// Their names.
        tables: Vec<String>,
    },
    /// Obstacles leave more than one part.
    #[error(
        "obstacles cut the parcel into {parts} parts and a field is one: save each part as a field of its own"
    )]
    CutApart {
        /// How many.
        parts: usize,
    },
    /// A coordinate that cannot be degrees.
    #[error(
        "ring {ring}, point {point}: ({x}, {y}) is no longitude and latitude: GeoJSON is in degrees, WGS 84, and a shapefile in metres needs its .prj beside it; convert metres first"
    )]
    NotDegrees {
        /// 0 is the outer ring.
        ring: usize,
        /// From 0.
        point: usize,
        /// First number.
        x: f64,
        /// Second number.
        y: f64,
    },
    /// A position with fewer than two numbers.
    #[error("ring {ring}, point {point}: a position needs longitude and latitude")]
    ShortPosition {
        /// 0 is the outer ring.
        ring: usize,
        /// From 0.
        point: usize,
    },
    /// A zone without one of its properties.
    #[error(
        "zone {zone}: a LineString with the properties width_m (a number above 0), rule, source and checked is needed"
    )]
    Zone {
        /// From 0.
        zone: usize,
    },
    /// A file of zones without any.
    #[error("there is no zone in the file: give one with the zones of this field, or none at all")]
    NoZones,
    /// A recorded line without points.
    #[error(
        "line {line}: a recorded line is a GeoJSON LineString, or rows of longitude and latitude in degrees"
    )]
    Curve {
        /// Of the text, from 1; 0 for GeoJSON.
        line: usize,
    },
    /// A refill place that cannot be used.
    #[error(
        "{}: a GeoJSON Point on the field is needed, longitude and latitude in degrees",
        point.map_or("there is no refill place in the file".to_owned(), |n| format!("refill place {n} is not on the field"))
    )]
    Refill {
        /// From 0; none where the file has no point.
        point: Option<usize>,
    },
    /// Too far from its own middle to be one field.
    #[error("the parcel does not fit on a plane")]
    Plane(#[from] PlaneError),
    /// The polygon is not valid.
    #[error(transparent)]
    Boundary(#[from] Findings),
}

/// A field from a file: GeoJSON, or by the ending of its name a shapefile (`.shp`), a `GeoPackage` (`.gpkg`) or task
/// data (`.xml`). Says in words what of the file was left aside.
///
/// # Errors
/// [`ImportError`].
pub fn field_from_file(
    path: &Path,
    id: FieldId,
    crop: FieldCrop,
) -> Result<(Field, Vec<String>), ImportError> {
    let text = || {
        std::fs::read_to_string(path)
            .map_err(|e| ImportError::Unreadable { format: "file", cause: e.to_string() })
    };
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (rings, warnings) = match ending.as_str() {
        "shp" => (shapefile::read(path)?, vec![]),
        "gpkg" => geopackage::read(path)?,
        "xml" => {
            let read = isoxml::boundary_from_task_data(&text()?)?;
            let field = without(field_from_rings(&read.rings, id, crop)?, &read.obstacles)?;
            return Ok((field, read.warnings));
        }
        _ => return field_and_rest(&text()?, id, crop),
    };
    Ok((field_from_rings(&rings, id, crop)?, warnings))
}

/// A field from GeoJSON (RFC 7946) that holds one polygon; a `MultiPolygon` with one part is a polygon. Geometries that are
/// none are left aside. A `crs` member, as older writers leave it, is obeyed when it names a known system.
///
/// # Errors
/// [`ImportError`], with ring and point.
pub fn field_from_geojson(text: &str, id: FieldId, crop: FieldCrop) -> Result<Field, ImportError> {
    field_and_rest(text, id, crop).map(|(field, _)| field)
}

/// The field, and in words what was left aside.
fn field_and_rest(text: &str, id: FieldId, crop: FieldCrop) -> Result<(Field, Vec<String>), ImportError> {
    let doc: GeoJson = text.parse().map_err(|e| ImportError::NotGeoJson(Box::new(e)))?;
    let crs = crs_of(&doc)?;
    let (polygon, warnings) = polygon_of(&doc)?;
    let mut places: Rings = Vec::new();
    for (ring, line) in polygon.iter().enumerate() {
        let mut points = Vec::new();
        for (point, position) in line.iter().enumerate() {
            let &[x, y, ..] = position.as_slice() else {
                return Err(ImportError::ShortPosition { ring, point });
            };
            points.push(crs.to_degrees([x, y])?);
        }
        places.push(points);
    }
    Ok((field_from_rings(&places, id, crop)?, warnings))
}

fn crs_of(doc: &GeoJson) -> Result<Crs, ImportError> {
    let foreign = match doc {
        GeoJson::Geometry(g) => g.foreign_members.as_ref(),
        GeoJson::Feature(f) => f.foreign_members.as_ref(),
        GeoJson::FeatureCollection(c) => c.foreign_members.as_ref(),
    };
    let Some(name) = foreign.and_then(|m| m.get("crs")?.get("properties")?.get("name")?.as_str()) else {
        return Ok(Crs::Degrees);
    };
    let digits = name.rsplit(':').next().unwrap_or_default();
    match digits {
        "CRS84" => Some(Crs::Degrees),
        digits => digits.parse().ok().and_then(Crs::from_epsg),
    }
    .ok_or_else(|| ImportError::UnknownCrs { name: name.to_owned() })
}

/// A field from rings in degrees. The datum is the middle of their box, rounded to 1e-6 degrees, so that the same file
/// gives the same field everywhere.
///
/// # Errors
/// [`ImportError`], with ring and point.
pub fn field_from_rings(places: &Rings, id: FieldId, crop: FieldCrop) -> Result<Field, ImportError> {
    for (ring, points) in places.iter().enumerate() {
        for (point, [x, y]) in points.iter().enumerate() {
            if !Geodetic::etrs89(*y, *x).is_valid() {
                return Err(ImportError::NotDegrees { ring, point, x: *x, y: *y });
            }
        }
    }
    let middle = |axis: usize| {
        let all = || places.iter().flatten().map(|p| p[axis]);
        let mean = f64::midpoint(all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
        (mean * 1e6).round() / 1e6
    };
    let plane = FieldPlane::at(Geodetic::etrs89(middle(1), middle(0)))?;
    let local = |ring: &Vec<[f64; 2]>| {
        ring.iter()
            .map(|[x, y]| plane.to_field(Geodetic::etrs89(*y, *x)))
            .collect::<Result<Vec<Point2<_>>, _>>()
    };
    let mut rings = places.iter().map(local).collect::<Result<Vec<_>, _>>()?;
    let outer = if rings.is_empty() { vec![] } else { rings.remove(0) };
    let boundary = Boundary::new(&RawBoundary { outer, exclusions: rings })?;
    Ok(Field { id, crop, plane, boundary })
}

/// A part of the field that is narrower than this on the whole is none.
const SLIVER_M: f64 = 0.5;

/// The field without its obstacles: holes where they lie inside, a smaller boundary where they reach over it.
fn without(field: Field, obstacles: &Rings) -> Result<Field, ImportError> {
    if obstacles.is_empty() {
        return Ok(field);
    }
    let mut left = MultiPolygon::from(field.boundary.polygon().clone());
    for obstacle in obstacles {
        let corner = |[x, y]: &[f64; 2]| field.plane.to_field(Geodetic::etrs89(*y, *x)).map(geo::Coord::from);
        let ring = obstacle.iter().map(corner).collect::<Result<Vec<_>, _>>()?;
        // By winding: a pond around which somebody drove twice is a pond.
        let obstacle = Polygon::new(LineString::new(ring), vec![]);
        left = left.difference_with_fill_rule(&obstacle, FillRule::NonZero);
    }
    // Where an obstacle runs along the boundary, slivers remain beside it, on which nobody can work.
    left.0.retain(|part| {
        let (area, around) = (part.unsigned_area(), Euclidean.length(part.exterior()));
        area >= Boundary::MIN_AREA.get() && 2.0 * area / around >= SLIVER_M
    });
    let parts = left.0.len();
    let Some(polygon) = left.0.pop().filter(|_| parts == 1) else {
        return match parts {
            0 => Err(ImportError::NoPolygon { found: "a parcel covered by its obstacles".to_owned() }),
            parts => Err(ImportError::CutApart { parts }),
        };
    };
    let points = |ring: &LineString<f64>| ring.coords().map(|c| Point2::from(*c)).collect();
    let exclusions = polygon.interiors().iter().map(points).collect();
    let boundary = Boundary::new(&RawBoundary { outer: points(polygon.exterior()), exclusions })?;
    Ok(Field { boundary, ..field })
}

/// The only polygon of the document, and in words what else is there.
fn polygon_of(doc: &GeoJson) -> Result<(&[Vec<Position>], Vec<String>), ImportError> {
    let mut found = Shapes::default();
    match doc {
        GeoJson::Geometry(geometry) => found.add(&geometry.value),
        GeoJson::Feature(feature) => feature.geometry.iter().for_each(|g| found.add(&g.value)),
        GeoJson::FeatureCollection(all) => {
            all.features.iter().filter_map(|f| f.geometry.as_ref()).for_each(|g| found.add(&g.value));
        }
    }
    let Shapes { polygons, others } = found;
    match polygons[..] {
        [polygon] => {
            let aside =
                |(name, count)| format!("{count} × {name} in the file was left aside: a field is a polygon");
            Ok((polygon, others.into_iter().map(aside).collect()))
        }
        [] => {
            let names: Vec<&str> = others.into_keys().collect();
            let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            Err(ImportError::NoPolygon { found })
        }
        _ => Err(ImportError::SeveralParts { parts: polygons.len() }),
    }
}

/// What a document holds, collections opened.
#[derive(Default)]
struct Shapes<'a> {
    polygons: Vec<&'a [Vec<Position>]>,
    /// Anything else by its name, counted.
    others: BTreeMap<&'static str, usize>,
}

impl<'a> Shapes<'a> {
    fn add(&mut self, shape: &'a Shape) {
        match shape {
            Shape::Polygon { coordinates } => self.polygons.push(coordinates),
            Shape::MultiPolygon { coordinates } => {
                self.polygons.extend(coordinates.iter().map(Vec::as_slice));
            }
            Shape::GeometryCollection { geometries } => geometries.iter().for_each(|g| self.add(&g.value)),
            other => *self.others.entry(other.type_name()).or_default() += 1,
        }
    }
}

/// Spray-free zones from GeoJSON: `LineString`s with the properties `width_m`, `rule`, `source` and `checked`. A file
/// without zones is an error: who gives one believes that there are some.
///
/// # Errors
/// [`ImportError`], with the number of the zone.
pub fn zones_from_geojson(text: &str, plane: &FieldPlane) -> Result<Vec<SprayFreeZone>, ImportError> {
    let doc: GeoJson = text.parse().map_err(|e| ImportError::NotGeoJson(Box::new(e)))?;
    let GeoJson::FeatureCollection(all) = doc else {
        return Err(ImportError::NoPolygon { found: "no FeatureCollection".to_owned() });
    };
    let mut zones = Vec::new();
    for (zone, feature) in all.features.iter().enumerate() {
        let text = |key: &str| feature.property(key).and_then(|v| v.as_str()).map(str::to_owned);
        let width = feature.property("width_m").and_then(serde_json::Value::as_f64).filter(|w| *w > 0.0);
        let line = match feature.geometry.as_ref().map(|g| &g.value) {
            Some(Shape::LineString { coordinates }) if coordinates.len() > 1 => Some(coordinates),
            _ => None,
        };
        let (Some(width), Some(rule), Some(source), Some(checked), Some(line)) =
            (width, text("rule"), text("source"), text("checked"), line)
        else {
            return Err(ImportError::Zone { zone });
        };
        let mut points = Vec::new();
        for position in line {
            let &[x, y, ..] = position.as_slice() else { return Err(ImportError::Zone { zone }) };
            points.push(plane.to_field(Geodetic::etrs89(y, x))?);
        }
        zones.push(SprayFreeZone { line: points, width_m: Metres::new(width), rule, source, checked });
    }
    if zones.is_empty() { Err(ImportError::NoZones) } else { Ok(zones) }
}
