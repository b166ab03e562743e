//! Missions for ground stations: `QGroundControl`'s `.plan` and the text list that Mission Planner and `ArduPilot` read.
//!
//! Waypoints of our own, never a survey item: `QGroundControl` ignores holes in surveys.

use crate::plan::{Gear, Plan};
use kompas_field::{Boundary, Field, FieldFrame, FieldPlane, Geodetic, Point2};
use serde_json::{Value, json};
use std::fmt::Write;

/// One thing the vehicle is told, in numbers of `MAVLink` (`MAV_CMD`).
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `NAV_TAKEOFF` (22).
    TakeOff {
        /// Where.
        at: Geodetic,
        /// Above the start, metres.
        altitude_m: f64,
    },
    /// `NAV_WAYPOINT` (16).
    Waypoint {
        /// Where.
        at: Geodetic,
        /// Above the start, metres.
        altitude_m: f64,
    },
    /// `DO_SET_CAM_TRIGG_DIST` (206): a picture every so many metres; 0 stops.
    Trigger {
        /// Distance between pictures.
        every_m: f64,
    },
    /// `DO_CHANGE_SPEED` (178), ground speed.
    Speed {
        /// Metres per second.
        mps: f64,
    },
    /// `DO_SET_REVERSE` (194): a rover drives backwards from here on, or forwards again.
    Gear(Gear),
    /// `NAV_RETURN_TO_LAUNCH` (20).
    Return,
}

/// A mission with its fence.
#[derive(Debug, Clone, PartialEq)]
pub struct Mission {
    /// In order.
    pub items: Vec<Item>,
    /// Rings: the first must not be left, the others must not be entered.
    pub fence: Vec<Vec<Geodetic>>,
    /// Start.
    pub home: Geodetic,
    /// `MAV_TYPE`: 2 quadrotor, 10 ground rover.
    pub vehicle_type: u8,
    /// Metres per second.
    pub speed_mps: f64,
}

/// The path of a plan for a ground rover: its points as waypoints, on bends a chord of at most an eighth of the turning
/// radius apart, and its gears. It begins forwards and is left in that gear.
pub fn rover(plan: &Plan, field: &Field) -> Mission {
    let mut items = Vec::new();
    let mut gear = Gear::Forward;
    let mut last: Option<Point2<FieldFrame>> = None;
    for leg in &plan.path {
        items.extend((leg.gear != gear).then_some(Item::Gear(leg.gear)));
        gear = leg.gear;
        for point in &leg.points {
            // A leg begins where the one before ends; a waypoint that is reached at once may stop a vehicle.
            if last.is_none_or(|last| last.distance(*point).get() >= RESOLUTION_M) {
                items.push(Item::Waypoint { at: plan.datum.to_geodetic(*point), altitude_m: 0.0 });
                last = Some(*point);
            }
        }
    }
    items.extend((gear == Gear::Reverse).then_some(Item::Gear(Gear::Forward)));
    let first = plan.path.first().and_then(|leg| leg.points.first());
    let home = first.map_or(plan.datum.origin(), |p| plan.datum.to_geodetic(*p));
    let seconds = plan.summary.drive_time_s;
    let speed_mps = if seconds > 0.0 { plan.summary.path_m / seconds } else { 1.0 };
    Mission { items, fence: fence(&field.boundary, &field.plane), home, vehicle_type: 10, speed_mps }
}

/// A boundary as fence rings, without the closing point.
pub fn fence(boundary: &Boundary, plane: &FieldPlane) -> Vec<Vec<Geodetic>> {
    let polygon = boundary.polygon();
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .map(|ring| ring.0[..ring.0.len() - 1].iter().map(|c| plane.to_geodetic((*c).into())).collect())
        .collect()
}

/// Nearer places are one in a mission.
const RESOLUTION_M: f64 = 0.01;

/// 1e-7 degrees is what `MAVLink` carries: about 1 cm.
fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

impl Item {
    /// Command, frame and the seven parameters; NaN means "leave as it is".
    fn numbers(&self) -> (u16, u8, [f64; 7]) {
        let place = |at: &Geodetic, altitude_m: f64| {
            [0.0, 0.0, 0.0, f64::NAN, degrees(at.lat_deg), degrees(at.lon_deg), altitude_m]
        };
        match self {
            Self::TakeOff { at, altitude_m } => (22, 3, place(at, *altitude_m)),
            Self::Waypoint { at, altitude_m } => (16, 3, place(at, *altitude_m)),
            Self::Trigger { every_m } => (206, 2, [*every_m, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
            Self::Speed { mps } => (178, 2, [1.0, *mps, -1.0, 0.0, 0.0, 0.0, 0.0]),
            Self::Gear(gear) => {
                let reverse = f64::from(u8::from(*gear == Gear::Reverse));
                (194, 2, [reverse, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
            }
            Self::Return => (20, 2, [0.0; 7]),
        }
    }
}

/// The `.plan` JSON of `QGroundControl`, geofence included.
pub fn plan_file(mission: &Mission) -> Value {
    let Mission { items, fence, home, vehicle_type, speed_mps } = mission;
    let items: Vec<Value> = items
        .iter()
        .zip(1u32..)
        .map(|(item, number)| {
            let (command, frame, params) = item.numbers();
            let params: Vec<Value> = params.iter().map(|p| if p.is_nan() { Value::Null } else { json!(p) }).collect();
            json!({ "type": "SimpleItem", "autoContinue": true, "command": command, "doJumpId": number, "frame": frame,
                "params": params, "AMSLAltAboveTerrain": null, "Altitude": params[6], "AltitudeMode": 1 })
        })
        .collect();
    let polygons: Vec<Value> = fence
        .iter()
        .enumerate()
        .map(|(i, ring)| {
            let ring: Vec<_> = ring.iter().map(|g| [degrees(g.lat_deg), degrees(g.lon_deg)]).collect();
            json!({ "version": 1, "inclusion": i == 0, "polygon": ring })
        })
        .collect();
    json!({
        "fileType": "Plan", "version": 1, "groundStation": "QGroundControl",
        "mission": { "version": 2, "firmwareType": 3, "vehicleType": vehicle_type, "cruiseSpeed": speed_mps, "hoverSpeed": speed_mps,
            "globalPlanAltitudeMode": 1, "plannedHomePosition": [degrees(home.lat_deg), degrees(home.lon_deg), 0.0], "items": items },
        "geoFence": { "version": 2, "circles": [], "polygons": polygons },
        "rallyPoints": { "version": 2, "points": [] },
    })
}

/// The `QGC WPL 110` list; it carries no fence.
pub fn waypoint_list(mission: &Mission) -> String {
    let mut text = String::from("QGC WPL 110\n");
    let home = Item::Waypoint { at: mission.home, altitude_m: 0.0 };
    for (i, item) in std::iter::once(&home).chain(&mission.items).enumerate() {
        let (command, frame, params) = item.numbers();
        let numbers: Vec<String> =
            params.iter().map(|p| if p.is_nan() { "0".to_owned() } else { format!("{p:.8}") }).collect();
        let frame = if i == 0 { 0 } else { frame };
        writeln!(text, "{i}\t{}\t{frame}\t{command}\t{}\t1", u8::from(i == 0), numbers.join("\t"))
            .expect("a string takes every line");
    }
    text
}
