//! Robot, boom and camera as mounted. `RigToml` is what a person writes; `Rig` is what holds.
//!
//! All offsets are in [`crate::frame::RobotFrame`]: x forward, y left of the point under the antenna.

use crate::finding::Findings;
use crate::frame::{Point2, RobotFrame};
use crate::units::{LitresPerHectare, LitresPerMinute, Metres, MetresPerSecond, Seconds};
use serde::{Deserialize, Serialize};

mod raw;
pub use raw::{BoomToml, CameraToml, RigToml, RobotToml};

/// The vehicle.
#[derive(Debug, Clone, PartialEq)]
pub struct RobotBody {
    /// Outside of the wheels or body, whichever is wider.
    pub width: Metres,
    /// Smallest circle the point under the antenna can drive.
    pub min_turning_radius: Metres,
    /// Whether it may drive backwards in the field.
    pub may_reverse: bool,
    /// Fastest while treating.
    pub max_speed: MetresPerSecond,
    /// Largest change of the path's curvature per metre driven, 1/m²; none where steering counts as instant.
    pub curvature_rate: Option<f64>,
    /// What a change of gear costs, as metres of driving.
    pub cusp_cost: Metres,
}

/// Five seconds at 2 m/s to stop, shift and start again.
const CUSP_COST_M: f64 = 10.0;

/// One nozzle as mounted and measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nozzle {
    /// Where it hangs.
    pub place: Point2<RobotFrame>,
    /// From the command to full pressure on the ground.
    pub valve_open: Seconds,
    /// From the command to the last drop.
    pub valve_close: Seconds,
}

/// The boom: nozzles from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct Boom {
    /// Working width, the swath of one pass.
    pub width: Metres,
    /// Left to right, numbered from 0.
    pub nozzles: Vec<Nozzle>,
    /// Across the direction of travel, what one nozzle wets.
    pub fan_width: Metres,
    /// Along the direction of travel, what one nozzle wets at an instant.
    pub fan_length: Metres,
    /// How far ahead of the nozzle droplets land, at [`Self::carry_speed`] where that is known. [`Self::carry_at`]
    /// gives it at another.
    pub carry: Metres,
    /// Ground speed at which [`Self::carry`] was measured, above zero; none takes it as it is at every speed.
    pub carry_speed: Option<MetresPerSecond>,
    /// Of one open nozzle.
    pub flow: LitresPerMinute,
}

/// The camera: pinhole with Brown–Conrady distortion, and how it hangs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraRig {
    /// Picture width in pixels.
    pub width_px: u32,
    /// Picture height in pixels.
    pub height_px: u32,
    /// Focal length along columns, pixels.
    pub focal_x_px: f64,
    /// Focal length along rows, pixels.
    pub focal_y_px: f64,
    /// Principal point column, pixels; the middle of the first pixel is 0.5.
    pub centre_x_px: f64,
    /// Principal point row, pixels.
    pub centre_y_px: f64,
    /// k1, k2, p1, p2, k3 in `OpenCV`'s order and meaning.
    pub distortion: [f64; 5],
    /// Lens above the ground, metres.
    pub height_m: f64,
    /// Lens ahead of the antenna, metres.
    pub forward_m: f64,
    /// Lens left of the antenna, metres.
    pub left_m: f64,
    /// Tilt of the optical axis forward from straight down, degrees.
    pub pitch_deg: f64,
    /// Tilt of the optical axis to the left from straight down, degrees.
    pub roll_deg: f64,
    /// Turn of the picture about the optical axis, counter-clockwise seen from above, degrees; at 0 the top
    /// of the picture looks forward.
    pub yaw_deg: f64,
}

/// Robot, boom and camera as mounted; everything in it is positive, finite and fits together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RigToml", into = "RigToml")]
pub struct Rig {
    toml: RigToml,
    /// The vehicle.
    #[serde(skip)]
    pub robot: RobotBody,
    /// The boom.
    #[serde(skip)]
    pub boom: Boom,
    /// The camera, where one is mounted.
    #[serde(skip)]
    pub camera: Option<CameraRig>,
}

impl Rig {
    /// Checks what a person wrote.
    ///
    /// # Errors
    /// Every finding at once, each with the key, the value and the allowed range.
    pub fn new(toml: RigToml) -> Result<Self, Findings> {
        let findings = toml.findings();
        if !findings.is_empty() {
            return Err(Findings(findings));
        }
        let RigToml { robot, boom, camera, .. } = toml.clone();
        let robot = RobotBody {
            width: Metres::new(robot.width_m),
            min_turning_radius: Metres::new(robot.min_turning_radius_m),
            may_reverse: robot.may_reverse,
            max_speed: MetresPerSecond::new(robot.max_speed_mps),
            curvature_rate: robot.curvature_rate_1_per_m2,
            cusp_cost: Metres::new(robot.cusp_cost_m.unwrap_or(CUSP_COST_M)),
        };
        Ok(Self { toml, robot, boom: Boom::of(&boom), camera })
    }

    /// The rig's name.
    pub fn name(&self) -> &str {
        &self.toml.name
    }

    /// Half of the widest of robot, unfolded boom and what its nozzles wet: fans may reach beyond the last nozzle's share.
    pub fn half_width(&self) -> Metres {
        let outermost = self.boom.nozzles.iter().map(|nozzle| nozzle.place.y.abs()).fold(0.0, f64::max);
        let wetted = Metres::new(outermost) + self.boom.fan_width / 2.0;
        (self.robot.width.max(self.boom.width) / 2.0).max(wetted)
    }
}

impl Boom {
    fn of(toml: &BoomToml) -> Self {
        let middle = (f64::from(toml.nozzle_count) - 1.0) / 2.0;
        let nozzles = (0..toml.nozzle_count)
            .map(|number| Nozzle {
                place: Point2::new(toml.forward_m, (middle - f64::from(number)) * toml.nozzle_pitch_m),
                valve_open: Seconds::new(toml.valve_open_ms / 1e3),
                valve_close: Seconds::new(toml.valve_close_ms / 1e3),
            })
            .collect();
        Self {
            width: Metres::new(toml.width_m),
            nozzles,
            fan_width: Metres::new(toml.fan_width_m),
            fan_length: Metres::new(toml.fan_length_m),
            carry: Metres::new(toml.carry_m),
            carry_speed: toml.carry_speed_mps.map(MetresPerSecond::new),
            flow: LitresPerMinute::new(toml.flow_l_per_min),
        }
    }

    /// How far ahead of a nozzle that moves at `speed` over ground its droplets land: they bring its speed with them.
    pub fn carry_at(&self, speed: MetresPerSecond) -> Metres {
        self.carry_speed.map_or(self.carry, |measured| self.carry * (speed / measured))
    }

    /// What lands on wetted ground at this speed: flow over speed and width of the fan. The speed is above zero.
    pub fn rate_at(&self, speed: MetresPerSecond) -> LitresPerHectare {
        LitresPerHectare::new(self.rate_times_speed() / speed.get())
    }

    /// At which speed so much lands on wetted ground: [`Self::rate_at`] the other way round. The rate is above zero.
    pub fn speed_for(&self, rate: LitresPerHectare) -> MetresPerSecond {
        MetresPerSecond::new(self.rate_times_speed() / rate.get())
    }

    /// In l/ha at 1 m/s.
    fn rate_times_speed(&self) -> f64 {
        const SQUARE_METRES_PER_HECTARE: f64 = 1e4;
        let litres_per_s = self.flow.get() / 60.0;
        litres_per_s / self.fan_width.get() * SQUARE_METRES_PER_HECTARE
    }

    /// What one nozzle gives that is open so long, in litres.
    pub fn litres_in(&self, open: Seconds) -> f64 {
        self.flow.get() / 60.0 * open.get()
    }
}

impl TryFrom<RigToml> for Rig {
    type Error = Findings;
    fn try_from(toml: RigToml) -> Result<Self, Findings> {
        Self::new(toml)
    }
}

impl From<Rig> for RigToml {
    fn from(rig: Rig) -> RigToml {
        rig.toml
    }
}
