//! A rig on which everything is well, for the tests of guard, nozzles and sprayer.

use crate::drivers::FixQuality;
use crate::guard::{GuardRules, Inputs};
use crate::nozzles::NozzleRules;
use crate::pose::{LastFix, Motion};
use kompas_field::rig::{Boom, BoomToml, RigToml, RobotToml};
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{FieldFrame, Point2, Pose2, Rig, RobotInstant};

pub(crate) fn at(seconds: f64) -> RobotInstant {
    RobotInstant::START.after(Seconds::new(seconds))
}

/// Ten nozzles 10 cm apart under the antenna, but for what `change` says.
pub(crate) fn boom(change: impl FnOnce(&mut BoomToml)) -> Boom {
    let robot = RobotToml {
        width_m: 1.2,
        min_turning_radius_m: 1.0,
        may_reverse: false,
        max_speed_mps: 2.0,
        curvature_rate_1_per_m2: None,
        cusp_cost_m: None,
    };
    let mut boom = BoomToml {
        width_m: 1.0,
        forward_m: 0.0,
        nozzle_count: 10,
        nozzle_pitch_m: 0.1,
        fan_width_m: 0.1,
        fan_length_m: 0.02,
        carry_m: 0.0,
        carry_speed_mps: None,
        valve_open_ms: 20.0,
        valve_close_ms: 10.0,
        flow_l_per_min: 0.5,
    };
    change(&mut boom);
    Rig::new(RigToml { name: "test".to_owned(), robot, boom, camera: None }).unwrap().boom
}

pub(crate) fn guard_rules() -> GuardRules {
    GuardRules {
        min_quality: FixQuality::Fixed,
        max_sigma: Metres::new(0.03),
        max_fix_age: Seconds::new(0.3),
        max_correction_age: Seconds::new(2.0),
        max_frame_age: Seconds::new(1.0),
        max_speed: MetresPerSecond::new(2.0),
        geofence_sigmas: 2.0,
        geofence_margin: Metres::new(0.05),
    }
}

pub(crate) fn nozzle_rules() -> NozzleRules {
    NozzleRules {
        margin: Metres::new(0.02),
        max_radius: Metres::new(0.2),
        horizon: Seconds::new(0.15),
        min_pause: Seconds::new(0.03),
        crop_distance: Metres::new(0.03),
        crop_leaf_margin: Metres::new(0.005),
        min_speed: MetresPerSecond::new(0.1),
    }
}

/// Eastward over `position` at 1 m/s; every sensor has just answered.
pub(crate) fn well(now_s: f64, position: Point2<FieldFrame>) -> Inputs {
    let motion = Motion {
        pose: Pose2::new(position, Radians::ZERO),
        speed: MetresPerSecond::new(1.0),
        turn_rate: RadiansPerSecond::ZERO,
        sigma: Metres::new(0.01),
    };
    let fix = LastFix {
        true_at: at(now_s - 0.05),
        quality: FixQuality::Fixed,
        sigma: Metres::new(0.01),
        correction_age: Seconds::new(1.0),
    };
    Inputs {
        now: at(now_s),
        stopped: false,
        treating: true,
        recording: true,
        boom_answers: true,
        motion: Ok(motion),
        fix: Some(fix),
        last_frame: Some(at(now_s - 0.2)),
        implement: true,
    }
}
