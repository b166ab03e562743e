//! A small field with a route and a rig, for tests.

use super::config::{SimConfig, SimToml};
use super::route::{Route, RouteLeg};
use kompas_field::ids::FieldId;
use kompas_field::rig::{BoomToml, CameraRig, RigToml, RobotToml};
use kompas_field::{Boundary, Field, FieldCrop, FieldPlane, Geodetic, Point2, RawBoundary, Rig, WallTime};

pub(super) const WALL: WallTime = WallTime::from_unix_ms(1_780_000_000_000);

/// 30 m × 12 m with two swaths of 1.5 m to the east and back, 3 m apart.
pub(super) fn small_field() -> (Field, Route, SimToml) {
    let ring = [[0.0, 0.0], [30.0, 0.0], [30.0, 12.0], [0.0, 12.0], [0.0, 0.0]].map(Point2::from).to_vec();
    let boundary = Boundary::new(&RawBoundary { outer: ring, exclusions: vec![] }).unwrap();
    let field = Field {
        id: FieldId::new("test-field").unwrap(),
        crop: FieldCrop::SugarBeet,
        plane: FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap(),
        boundary,
    };
    let leg = |points: &[[f64; 2]], treating| RouteLeg {
        points: points.iter().map(|&p| p.into()).collect(),
        treating,
        reverse: false,
    };
    let route = Route::new(&[
        leg(&[[1.0, 4.0], [3.0, 4.0]], false),
        leg(&[[3.0, 4.0], [26.0, 4.0]], true),
        leg(&[[26.0, 4.0], [27.4, 4.6], [28.0, 5.5], [27.4, 6.4], [26.0, 7.0]], false),
        leg(&[[26.0, 7.0], [3.0, 7.0]], true),
        leg(&[[3.0, 7.0], [1.0, 7.0]], false),
    ])
    .unwrap();
    (field, route, SimToml::with_seed(42))
}

/// A boom of 30 nozzles at 5 cm, 1 m behind the middle of a picture of `width_px` columns over 1.6 m.
pub(super) fn rig(width_px: u32) -> Rig {
    let camera = CameraRig {
        width_px,
        height_px: width_px * 3 / 4,
        focal_x_px: f64::from(width_px),
        focal_y_px: f64::from(width_px),
        centre_x_px: f64::from(width_px) * 0.5 + 3.0,
        centre_y_px: f64::from(width_px) * 0.375 - 2.0,
        distortion: [-0.12, 0.03, 0.0005, -0.0004, 0.0],
        height_m: 1.6,
        forward_m: 1.2,
        left_m: 0.02,
        pitch_deg: 4.0,
        roll_deg: -0.8,
        yaw_deg: 0.6,
    };
    let boom = BoomToml {
        width_m: 1.5,
        forward_m: -0.2,
        nozzle_count: 30,
        nozzle_pitch_m: 0.05,
        fan_width_m: 0.06,
        fan_length_m: 0.04,
        carry_m: 0.05,
        carry_speed_mps: None,
        valve_open_ms: 20.0,
        valve_close_ms: 12.0,
        flow_l_per_min: 0.2,
    };
    let robot = RobotToml {
        width_m: 1.4,
        min_turning_radius_m: 0.0,
        may_reverse: false,
        max_speed_mps: 2.0,
        curvature_rate_1_per_m2: None,
        cusp_cost_m: None,
    };
    Rig::new(RigToml { name: "test rig".into(), robot, boom, camera: Some(camera) }).unwrap()
}

pub(super) fn config(settings: &SimToml) -> SimConfig {
    SimConfig::new(settings.clone()).unwrap()
}
