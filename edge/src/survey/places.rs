//! The plants of a survey as GeoJSON points, for a map on a screen.

use super::SurveyedPlant;
use super::summary::name;
use kompas_field::{FieldPlane, Geodetic};
use serde_json::json;

/// RFC 7946 points in degrees, longitude first, with the properties `class`, `confidence`, `area_cm2`,
/// `sigma_m` (one standard deviation of the place per axis) and `image` (the photograph that counts it).
pub fn plants_geojson(plants: &[SurveyedPlant], plane: &FieldPlane) -> String {
    let features: Vec<_> = plants
        .iter()
        .map(|SurveyedPlant { sighting, image }| {
            let Geodetic { lat_deg, lon_deg, .. } = plane.to_geodetic(sighting.position);
            json!({
                "type": "Feature",
                // 1e-8 degrees are 1 mm.
                "geometry": { "type": "Point", "coordinates": [rounded(lon_deg, 1e8), rounded(lat_deg, 1e8)] },
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

fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}
