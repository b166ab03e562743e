//! The plants of a survey as GeoJSON points, and ground as GeoJSON polygons, for a map on a screen.

use super::SurveyedPlant;
use super::summary::name;
use geo::orient::{Direction, Orient};
use geo::{Area, LineString, Polygon, unary_union};
use kompas_field::{CellIndex, Field, FieldFrame, FieldPlane, Geodetic, Point2};
use serde_json::json;

/// RFC 7946 points in degrees, longitude first, with the properties `class`, `confidence`, `area_cm2`,
/// `sigma_m` (one standard deviation of the place per axis) and `image` (the photograph that counts it).
pub fn plants_geojson(plants: &[SurveyedPlant], plane: &FieldPlane) -> String {
    let features: Vec<_> = plants
        .iter()
        .map(|SurveyedPlant { sighting, image }| {
            json!({
                "type": "Feature",
                "geometry": { "type": "Point", "coordinates": degrees(sighting.position, plane) },
                "properties": {
                    "class": name(sighting.class),
                    "confidence": rounded(sighting.confidence.get(), 1e3),
                    "area_cm2": rounded(sighting.area_cm2, 1e2),
                    "sigma_m": rounded(sighting.sigma.get(), 1e3),
                    "image": image,
                },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// RFC 7946 polygons in degrees around grid cells, those that share a side in one, with the property `area_m2`.
pub fn cells_geojson(cells: &[CellIndex], field: &Field) -> String {
    let grid = field.grid();
    let squares: Vec<Polygon> = cells
        .iter()
        .map(|&cell| Polygon::new(LineString::new(grid.corners(cell).map(Into::into).to_vec()), vec![]))
        .collect();
    let ring = |ring: &LineString| -> Vec<[f64; 2]> {
        ring.coords().map(|&corner| degrees(corner.into(), &field.plane)).collect()
    };
    let features: Vec<_> = unary_union(&squares)
        .orient(Direction::Default)
        .iter()
        .map(|part| {
            let rings: Vec<_> = std::iter::once(part.exterior()).chain(part.interiors()).map(ring).collect();
            json!({
                "type": "Feature",
                "geometry": { "type": "Polygon", "coordinates": rings },
                "properties": { "area_m2": rounded(part.unsigned_area(), 1.0) },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// Longitude and latitude; 1e-8 degrees are 1 mm.
fn degrees(at: Point2<FieldFrame>, plane: &FieldPlane) -> [f64; 2] {
    let Geodetic { lat_deg, lon_deg, .. } = plane.to_geodetic(at);
    [rounded(lon_deg, 1e8), rounded(lat_deg, 1e8)]
}

fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}
