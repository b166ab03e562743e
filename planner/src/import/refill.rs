//! Places where a robot is filled or charged: `GeoJSON` points.

use super::ImportError;
use geojson::{GeoJson, GeometryValue as Shape};
use kompas_field::units::Radians;
use kompas_field::{Field, Geodetic, Point2, Pose2};
use std::f64::consts::{FRAC_PI_2, PI};

/// Every `Point` of the text. The property `heading_deg` says how the robot stands there, clockwise from north; without
/// it the robot stands along the nearest edge of the field, either way, and both count as places.
///
/// # Errors
/// [`ImportError::Refill`] names a point off the field or in an exclusion, or says that there is none.
pub fn refills_from_geojson(
    text: &str,
    field: &Field,
) -> Result<Vec<Pose2<kompas_field::FieldFrame>>, ImportError> {
    let doc: GeoJson = text.parse().map_err(|e| ImportError::NotGeoJson(Box::new(e)))?;
    let points: Vec<(Vec<f64>, Option<f64>)> = match &doc {
        GeoJson::Geometry(geometry) => point_of(&geometry.value).map(|p| (p, None)).into_iter().collect(),
        GeoJson::Feature(feature) => of_feature(feature).into_iter().collect(),
        GeoJson::FeatureCollection(all) => all.features.iter().filter_map(of_feature).collect(),
    };
    let mut places = Vec::new();
    for (number, (position, heading_deg)) in points.iter().enumerate() {
        let refused = ImportError::Refill { point: Some(number) };
        let &[lon, lat, ..] = position.as_slice() else { return Err(refused) };
        let geodetic = Geodetic::etrs89(lat, lon);
        if !geodetic.is_valid() {
            return Err(refused);
        }
        let place = field.plane.to_field(geodetic)?;
        if !field.boundary.contains(place) {
            return Err(refused);
        }
        let headings = heading_deg.map_or_else(
            || {
                let along = along_edge(field, place);
                vec![along, along + PI]
            },
            |deg| vec![FRAC_PI_2 - deg.to_radians()],
        );
        places.extend(headings.into_iter().map(|heading| Pose2::new(place, Radians::new(heading))));
    }
    if places.is_empty() { Err(ImportError::Refill { point: None }) } else { Ok(places) }
}

fn of_feature(feature: &geojson::Feature) -> Option<(Vec<f64>, Option<f64>)> {
    let point = point_of(&feature.geometry.as_ref()?.value)?;
    let heading = feature.property("heading_deg").and_then(serde_json::Value::as_f64);
    Some((point, heading.filter(|deg| deg.is_finite())))
}

fn point_of(shape: &Shape) -> Option<Vec<f64>> {
    if let Shape::Point { coordinates } = shape { Some(coordinates.as_slice().to_vec()) } else { None }
}

/// Direction of the edge nearest to a place, radians.
fn along_edge(field: &Field, place: Point2<kompas_field::FieldFrame>) -> f64 {
    let polygon = field.boundary.polygon();
    let p = geo::Coord { x: place.x, y: place.y };
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .flat_map(geo::LineString::lines)
        .min_by(|a, b| {
            let far = |l: &geo::Line<f64>| crate::geometry::pose::point_segment_sq(p, l.start, l.end);
            far(a).total_cmp(&far(b))
        })
        .map_or(0.0, |l| crate::geometry::pose::direction(l.start, l.end))
}
