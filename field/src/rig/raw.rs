//! The rig as a person writes it, and everything that can be wrong with it.

use super::CameraRig;
use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A rig file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RigToml {
    /// For people and records.
    pub name: String,
    /// The vehicle.
    pub robot: RobotToml,
    /// The boom.
    pub boom: BoomToml,
    /// The camera, where one is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraRig>,
}

/// Camera section of a rig file; all of it is required where there is a camera.
pub type CameraToml = CameraRig;

/// Vehicle section of a rig file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RobotToml {
    /// Outside of wheels or body.
    pub width_m: f64,
    /// Smallest circle the point under the antenna can drive.
    pub min_turning_radius_m: f64,
    /// Whether it may drive backwards in the field.
    pub may_reverse: bool,
    /// Fastest while treating.
    pub max_speed_mps: f64,
    /// Largest change of the path's curvature per metre driven, 1/m²: how fast the steering turns. For an articulated or
    /// front-steered robot: largest curvature (1 / `min_turning_radius_m`) divided by the metres driven while the
    /// steering goes from straight to the stop. Without it the steering counts as instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curvature_rate_1_per_m2: Option<f64>,
    /// What a change of gear costs, as metres of driving: time to stop, shift and start, times the speed. 10 where
    /// nothing is stated. Only where the robot may reverse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cusp_cost_m: Option<f64>,
}

/// Boom section of a rig file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoomToml {
    /// Working width.
    pub width_m: f64,
    /// Boom ahead of the antenna; negative behind.
    pub forward_m: f64,
    /// How many nozzles.
    pub nozzle_count: u16,
    /// From nozzle centre to nozzle centre.
    pub nozzle_pitch_m: f64,
    /// What one nozzle wets across the direction of travel.
    pub fan_width_m: f64,
    /// What one nozzle wets along the direction of travel at an instant.
    pub fan_length_m: f64,
    /// How far ahead of the nozzle droplets land.
    pub carry_m: f64,
    /// Ground speed at which `carry_m` was measured: droplets bring the nozzle's speed with them, so they land twice as
    /// far ahead at twice of it. Without it `carry_m` holds at every speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_speed_mps: Option<f64>,
    /// From command to spray.
    pub valve_open_ms: f64,
    /// From command to the last drop.
    pub valve_close_ms: f64,
    /// Of one open nozzle.
    pub flow_l_per_min: f64,
}

/// Collects findings on numbers.
struct Ranges(Vec<Finding>);

impl Ranges {
    fn check(&mut self, key: &str, value: f64, allowed: RangeInclusive<f64>, why: &str) {
        if !allowed.contains(&value) {
            let (low, high) = allowed.into_inner();
            let place = format!("{key} = {value}");
            self.0.push(Finding::error(
                "rig.out_of_range",
                place,
                format!("allowed is {low} to {high}"),
                why,
            ));
        }
    }
}

impl RigToml {
    /// Everything that is wrong, in file order.
    pub fn findings(&self) -> Vec<Finding> {
        let mut ranges = Ranges(Vec::new());
        let Self { name, robot, boom, camera } = self;
        if name.trim().is_empty() {
            let remedy = "give the rig a name that people recognise";
            ranges.0.push(Finding::error("rig.no_name", "name = \"\"", "empty", remedy));
        }
        robot.check(&mut ranges);
        boom.check(&mut ranges);
        if let Some(camera) = camera {
            camera.check(&mut ranges);
        }
        ranges.0
    }
}

impl RobotToml {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            width_m,
            min_turning_radius_m,
            may_reverse: _,
            max_speed_mps,
            curvature_rate_1_per_m2,
            cusp_cost_m,
        } = self;
        ranges.check("robot.width_m", *width_m, 0.1..=10.0, "measure the widest part, wheels included");
        let why = "measure the circle of the antenna at full steering lock; 0 turns on the spot";
        ranges.check("robot.min_turning_radius_m", *min_turning_radius_m, 0.0..=50.0, why);
        ranges.check("robot.max_speed_mps", *max_speed_mps, 0.05..=10.0, "fastest while treating");
        if let Some(rate) = curvature_rate_1_per_m2 {
            let why = "divide 1 / min_turning_radius_m by the metres from straight to full lock; leave it out for instant steering";
            ranges.check("robot.curvature_rate_1_per_m2", *rate, 0.005..=100.0, why);
        }
        if let Some(cost) = cusp_cost_m {
            let why = "seconds to stop, shift and start, times the speed";
            ranges.check("robot.cusp_cost_m", *cost, 0.0..=1000.0, why);
        }
    }
}

impl BoomToml {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            width_m,
            forward_m,
            nozzle_count,
            nozzle_pitch_m,
            fan_width_m,
            fan_length_m,
            carry_m,
            carry_speed_mps,
            valve_open_ms,
            valve_close_ms,
            flow_l_per_min,
        } = self;
        ranges.check("boom.width_m", *width_m, 0.1..=60.0, "working width of one pass");
        ranges.check(
            "boom.forward_m",
            *forward_m,
            -15.0..=15.0,
            "boom ahead of the antenna, negative behind",
        );
        ranges.check("boom.nozzle_count", f64::from(*nozzle_count), 1.0..=1000.0, "count the nozzles");
        let why = "a pitch is positive: measure from nozzle centre to nozzle centre";
        ranges.check("boom.nozzle_pitch_m", *nozzle_pitch_m, 0.005..=3.0, why);
        ranges.check(
            "boom.fan_width_m",
            *fan_width_m,
            0.005..=5.0,
            "width wetted by one nozzle on the ground",
        );
        ranges.check(
            "boom.fan_length_m",
            *fan_length_m,
            0.001..=1.0,
            "length wetted by one nozzle at an instant",
        );
        ranges.check("boom.carry_m", *carry_m, 0.0..=2.0, "measure how far ahead droplets land");
        if let Some(speed) = carry_speed_mps {
            let why = "ground speed at which boom.carry_m was measured; leave it out where nobody knows";
            ranges.check("boom.carry_speed_mps", *speed, 0.05..=10.0, why);
        }
        ranges.check("boom.valve_open_ms", *valve_open_ms, 0.0..=2000.0, "measure per valve and pressure");
        ranges.check("boom.valve_close_ms", *valve_close_ms, 0.0..=2000.0, "measure per valve and pressure");
        ranges.check("boom.flow_l_per_min", *flow_l_per_min, 0.001..=20.0, "flow of one open nozzle");
        let reach_m = f64::from(*nozzle_count) * nozzle_pitch_m;
        if (reach_m - width_m).abs() > nozzle_pitch_m + 1e-9 {
            let place = format!("boom.nozzle_count × boom.nozzle_pitch_m = {reach_m}");
            let cause = format!("does not give boom.width_m = {width_m}");
            ranges.0.push(Finding::error("rig.boom_does_not_fit", place, cause, "correct one of the three"));
        }
    }
}

impl CameraRig {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            width_px,
            height_px,
            focal_x_px,
            focal_y_px,
            centre_x_px,
            centre_y_px,
            distortion,
            height_m,
            forward_m,
            left_m,
            pitch_deg,
            roll_deg,
            yaw_deg,
        } = self;
        let size = "the picture's size in pixels";
        ranges.check("camera.width_px", f64::from(*width_px), 16.0..=20_000.0, size);
        ranges.check("camera.height_px", f64::from(*height_px), 16.0..=20_000.0, size);
        let focal = "focal length from the calibration, in pixels";
        ranges.check("camera.focal_x_px", *focal_x_px, 16.0..=100_000.0, focal);
        ranges.check("camera.focal_y_px", *focal_y_px, 16.0..=100_000.0, focal);
        let inside = "the principal point lies in the picture";
        ranges.check("camera.centre_x_px", *centre_x_px, 0.0..=f64::from(*width_px), inside);
        ranges.check("camera.centre_y_px", *centre_y_px, 0.0..=f64::from(*height_px), inside);
        for (i, coefficient) in distortion.iter().enumerate() {
            let key = format!("camera.distortion[{i}]");
            ranges.check(&key, *coefficient, -2.0..=2.0, "k1, k2, p1, p2, k3 from the calibration");
        }
        ranges.check("camera.height_m", *height_m, 0.1..=150.0, "measure from ground to lens");
        ranges.check("camera.forward_m", *forward_m, -15.0..=15.0, "lens ahead of the antenna");
        ranges.check("camera.left_m", *left_m, -30.0..=30.0, "lens left of the antenna");
        let tilt = "beyond 60° the picture holds the horizon, and the ground behind it is kilometres away";
        ranges.check("camera.pitch_deg", *pitch_deg, -60.0..=60.0, tilt);
        ranges.check("camera.roll_deg", *roll_deg, -60.0..=60.0, tilt);
        ranges.check("camera.yaw_deg", *yaw_deg, -180.0..=180.0, "turn about the optical axis");
    }
}
