//! The path as GeoJSON lines in driving order.

use crate::plan::{Gear, Plan};
use serde_json::{Value, json};

/// A `FeatureCollection` of `LineString`s in WGS 84 degrees (9 decimals, 0.1 mm), in driving order, with the
/// properties `implement` (bool), `gear` (`forward` or `reverse`) and `kind`.
pub fn path_geojson(plan: &Plan) -> Value {
    let degrees = |v: f64| (v * 1e9).round() / 1e9;
    let features: Vec<Value> = plan
        .path
        .iter()
        .map(|leg| {
            let line: Vec<Value> = leg
                .points
                .iter()
                .map(|p| plan.datum.to_geodetic(*p))
                .map(|g| json!([degrees(g.lon_deg), degrees(g.lat_deg)]))
                .collect();
            let gear = if leg.gear == Gear::Forward { "forward" } else { "reverse" };
            json!({
                "type": "Feature",
                "properties": { "implement": leg.implement, "gear": gear, "kind": leg.kind },
                "geometry": { "type": "LineString", "coordinates": line },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features })
}
