//! What can be set about the simulation, and everything that can be wrong with it.

use crate::drivers::FixQuality;
use kompas_field::Findings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

mod findings;

/// The simulator's section of a configuration file. Every key has a default but `seed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimToml {
    /// Same seed, same world, same drive, same pictures.
    pub seed: u64,
    /// What grows.
    #[serde(default)]
    pub sowing: SowingSim,
    /// How the robot drives.
    #[serde(default)]
    pub vehicle: VehicleSim,
    /// What the receiver says.
    #[serde(default)]
    pub gnss: GnssSim,
    /// When the camera looks and how its pictures are.
    #[serde(default)]
    pub camera: CameraSim,
    /// How the valves differ from what the rig says.
    #[serde(default)]
    pub boom: BoomSim,
    /// When a plant counts as treated.
    #[serde(default)]
    pub score: ScoreSim,
    /// Photographs as ground; without it the ground is drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photos: Option<PhotoSim>,
    /// Where along the path the emergency stop is latched.
    #[serde(default)]
    pub estop: Vec<PathSpan>,
}

/// A stretch of the path, measured from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSpan {
    /// Where it begins.
    pub from_m: f64,
    /// Where it ends.
    pub until_m: f64,
}

impl PathSpan {
    /// Whether `distance_m` along the path lies in it.
    pub fn holds(&self, distance_m: f64) -> bool {
        distance_m >= self.from_m && distance_m < self.until_m
    }
}

/// A stretch of the path with another fix than a true one of quality [`FixQuality::Fixed`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixChange {
    /// Where it begins, along the path.
    pub from_m: f64,
    /// Where it ends, along the path.
    pub until_m: f64,
    /// What the receiver has there.
    pub quality: FixQuality,
    /// How far off its position is there, east and north, without its knowing: ambiguities solved wrongly.
    #[serde(default)]
    pub shift_m: [f64; 2],
}

/// The plants of a drawn field. Diameters are of the canopy seen from above, as a mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SowingSim {
    /// From row to row.
    pub row_distance_m: f64,
    /// From plant to plant in a row.
    pub plant_spacing_m: f64,
    /// Standard deviation of a plant's place along the row.
    pub spacing_jitter_m: f64,
    /// Standard deviation of a plant's place across the row.
    pub row_jitter_m: f64,
    /// Share of seeds that did not come up.
    pub gap_share: f64,
    /// Crop canopy.
    pub crop_diameter_m: f64,
    /// Weeds, in clusters.
    pub weeds_per_m2: f64,
    /// Mean number of weeds in a cluster.
    pub weeds_per_cluster: f64,
    /// Standard deviation of a weed's distance from the middle of its cluster, per axis.
    pub cluster_radius_m: f64,
    /// Weed canopy.
    pub weed_diameter_m: f64,
    /// Share of the weeds that are grasses.
    pub grass_share: f64,
    /// Potatoes where the crop is another.
    pub volunteers_per_m2: f64,
    /// Canopy of a volunteer.
    pub volunteer_diameter_m: f64,
    /// Height of the canopy over its diameter: leaves above the ground look displaced. 0 is flat.
    pub height_per_diameter: f64,
}

impl Default for SowingSim {
    fn default() -> Self {
        Self {
            row_distance_m: 0.5,
            plant_spacing_m: 0.2,
            spacing_jitter_m: 0.008,
            row_jitter_m: 0.008,
            gap_share: 0.08,
            crop_diameter_m: 0.11,
            weeds_per_m2: 2.0,
            weeds_per_cluster: 4.0,
            cluster_radius_m: 0.35,
            weed_diameter_m: 0.045,
            grass_share: 0.35,
            volunteers_per_m2: 0.2,
            volunteer_diameter_m: 0.16,
            height_per_diameter: 0.15,
        }
    }
}

/// The drive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VehicleSim {
    /// While treating.
    pub speed_mps: f64,
    /// Elsewhere.
    pub turn_speed_mps: f64,
    /// Between the two.
    pub acceleration_mps2: f64,
    /// Standard deviation of the speed, as a share of it; changes over metres.
    pub speed_sigma_share: f64,
    /// Standard deviation of the distance from the path; changes over metres.
    pub cross_track_sigma_m: f64,
    /// Standard deviation of wheel slip, as a share of the speed; changes over metres.
    pub slip_sigma_share: f64,
}

impl Default for VehicleSim {
    fn default() -> Self {
        Self {
            speed_mps: 1.0,
            turn_speed_mps: 1.0,
            acceleration_mps2: 0.5,
            speed_sigma_share: 0.03,
            cross_track_sigma_m: 0.015,
            slip_sigma_share: 0.01,
        }
    }
}

/// The receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GnssSim {
    /// Fixes per second.
    pub rate_hz: f64,
    /// White noise per axis with a fixed solution.
    pub white_sigma_m: f64,
    /// Slow noise per axis with a fixed solution.
    pub slow_sigma_m: f64,
    /// How long the slow noise remembers.
    pub slow_time_s: f64,
    /// Slow noise per axis with a float solution.
    pub float_sigma_m: f64,
    /// White noise of the heading.
    pub heading_sigma_deg: f64,
    /// White noise of the odometry's speed.
    pub speed_sigma_mps: f64,
    /// White noise of the turn rate.
    pub turn_rate_sigma_degps: f64,
    /// Where the solution is not fixed.
    pub changes: Vec<FixChange>,
}

impl Default for GnssSim {
    fn default() -> Self {
        Self {
            rate_hz: 20.0,
            white_sigma_m: 0.004,
            slow_sigma_m: 0.008,
            slow_time_s: 30.0,
            float_sigma_m: 0.25,
            heading_sigma_deg: 0.15,
            speed_sigma_mps: 0.005,
            turn_rate_sigma_degps: 0.1,
            changes: Vec::new(),
        }
    }
}

/// The camera, beyond what the rig says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraSim {
    /// Share of a picture's ground that the next one shows again.
    pub overlap_share: f64,
    /// Noise of a drawn picture, grey levels. Photographs bring their own.
    pub noise_sigma: f64,
    /// Standard deviation of the brightness of drawn pictures, as a share; changes over seconds.
    pub exposure_sigma_share: f64,
    /// Pictures drawn ahead on a thread of their own; 0 draws each when it is asked for. The pictures are the
    /// same.
    pub render_ahead: u8,
}

impl Default for CameraSim {
    fn default() -> Self {
        Self { overlap_share: 0.6, noise_sigma: 2.5, exposure_sigma_share: 0.08, render_ahead: 2 }
    }
}

/// The valves, beyond what the rig says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoomSim {
    /// Standard deviation of each opening and closing time.
    pub valve_jitter_ms: f64,
}

impl Default for BoomSim {
    fn default() -> Self {
        Self { valve_jitter_ms: 1.0 }
    }
}

/// When a plant counts as treated: its stem was wetted, or at least this share of its leaf area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreSim {
    /// Of a weed or volunteer.
    pub weed_area_share: f64,
    /// Of a crop plant; smaller, because less spray kills what should live.
    pub crop_area_share: f64,
}

impl Default for ScoreSim {
    fn default() -> Self {
        Self { weed_area_share: 0.5, crop_area_share: 0.1 }
    }
}

/// Photographs as ground.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoSim {
    /// Holds `images/*.jpg` and, as truth, `masks/*.png` of the same names with class ids 0 to 4 and 255.
    pub folder: PathBuf,
    /// Ground under one pixel of a photograph.
    #[serde(default = "PhotoSim::default_gsd_mm")]
    pub gsd_mm: f64,
    /// Smaller patches of a mask are no plant.
    #[serde(default = "PhotoSim::default_min_plant_cm2")]
    pub min_plant_cm2: f64,
    /// Decoded photographs kept in memory.
    #[serde(default = "PhotoSim::default_cache_mb")]
    pub cache_mb: u32,
}

impl PhotoSim {
    const fn default_gsd_mm() -> f64 {
        1.0
    }
    const fn default_min_plant_cm2() -> f64 {
        1.0
    }
    const fn default_cache_mb() -> u32 {
        256
    }
}

/// A simulation whose settings hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SimToml", into = "SimToml")]
pub struct SimConfig(SimToml);

impl SimConfig {
    /// Checks what a person wrote.
    ///
    /// # Errors
    /// Every finding at once, with key, value and allowed range.
    pub fn new(toml: SimToml) -> Result<Self, Findings> {
        Findings(toml.findings()).into_result(Self(toml))
    }

    /// The settings.
    pub const fn get(&self) -> &SimToml {
        &self.0
    }
}

impl TryFrom<SimToml> for SimConfig {
    type Error = Findings;
    fn try_from(toml: SimToml) -> Result<Self, Findings> {
        Self::new(toml)
    }
}

impl From<SimConfig> for SimToml {
    fn from(config: SimConfig) -> Self {
        config.0
    }
}

impl SimToml {
    /// The defaults with `seed`.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            seed,
            sowing: SowingSim::default(),
            vehicle: VehicleSim::default(),
            gnss: GnssSim::default(),
            camera: CameraSim::default(),
            boom: BoomSim::default(),
            score: ScoreSim::default(),
            photos: None,
            estop: Vec::new(),
        }
    }
}
