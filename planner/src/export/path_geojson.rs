//! The path as GeoJSON lines in driving order.

use crate::plan::{Gear, LegKind, Plan};
use serde::Serialize;

#[derive(Serialize)]
struct Collection {
    features: Vec<Feature>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Feature {
    geometry: Line,
    properties: Properties,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Line {
    coordinates: Vec<[f64; 2]>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Properties {
    gear: Gear,
    implement: bool,
    kind: LegKind,
}

/// The text of a `FeatureCollection` of `LineString`s in WGS 84 degrees (9 decimals, 0.1 mm), in driving order, with the
/// properties `implement` (bool), `gear` (`forward` or `reverse`) and `kind`.
///
/// # Panics
/// Never: all keys are text.
pub fn path_geojson(plan: &Plan) -> String {
    let degrees = |v: f64| (v * 1e9).round() / 1e9;
    let features = plan
        .path
        .iter()
        .map(|leg| {
            let places = leg.points.iter().map(|p| plan.datum.to_geodetic(*p));
            let coordinates = places.map(|g| [degrees(g.lon_deg), degrees(g.lat_deg)]).collect();
            Feature {
                geometry: Line { coordinates, r#type: "LineString" },
                properties: Properties { gear: leg.gear, implement: leg.implement, kind: leg.kind },
                r#type: "Feature",
            }
        })
        .collect();
    serde_json::to_string(&Collection { features, r#type: "FeatureCollection" })
        .expect("a path has a JSON form")
}
