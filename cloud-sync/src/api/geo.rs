//! GeoJSON of the field's plane.

use kompas_field::{CellIndex, Datum, Field, FieldFrame, FieldPlane, Grid, Point2};
use serde::Serialize;

/// Longitude, latitude.
pub(super) type Position = [f64; 2];

#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "coordinates")]
pub(super) enum Geometry {
    Point(Position),
    LineString(Vec<Position>),
    Polygon(Vec<Vec<Position>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum GeoJson<P> {
    Feature { geometry: Geometry, properties: P },
    FeatureCollection { features: Vec<GeoJson<P>> },
}

/// An answer with positions, and what they refer to.
#[derive(Debug, Serialize)]
pub(super) struct OnEarth<T> {
    datum: Datum,
    #[serde(flatten)]
    what: T,
}

impl<T> OnEarth<T> {
    pub(super) fn new(field: &Field, what: T) -> Self {
        Self { datum: field.plane.origin().datum, what }
    }
}

/// A tenth of a millimetre in degrees: what lies below is noise that costs bytes.
const DIGITS: f64 = 1e9;

pub(super) fn position(plane: &FieldPlane, point: Point2<FieldFrame>) -> Position {
    let at = plane.to_geodetic(point);
    [(at.lon_deg * DIGITS).round() / DIGITS, (at.lat_deg * DIGITS).round() / DIGITS]
}

pub(super) fn ring(
    plane: &FieldPlane,
    points: impl IntoIterator<Item = Point2<FieldFrame>>,
) -> Vec<Position> {
    points.into_iter().map(|point| position(plane, point)).collect()
}

/// A grid cell as a closed ring.
pub(super) fn cell(plane: &FieldPlane, grid: &Grid, cell: CellIndex) -> Geometry {
    let corners = grid.corners(cell);
    Geometry::Polygon(vec![ring(plane, corners.into_iter().chain([corners[0]]))])
}
