//! What can be set about the simulation, and everything that can be wrong with it.

use super::route::Route;
use crate::drivers::FixQuality;
use kompas_field::units::Metres;
use kompas_field::{Finding, Findings};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;

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

/// A stretch of the path with another fix than [`FixQuality::Fixed`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixChange {
    /// Where it begins, along the path.
    pub from_m: f64,
    /// Where it ends, along the path.
    pub until_m: f64,
    /// What the receiver has there.
    pub quality: FixQuality,
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

/// Collects findings on numbers.
struct Ranges(Vec<Finding>);

impl Ranges {
    fn check(&mut self, key: &str, value: f64, allowed: RangeInclusive<f64>, remedy: &str) {
        if !allowed.contains(&value) {
            let (low, high) = allowed.into_inner();
            let cause = format!("allowed is {low} to {high}");
            self.0.push(Finding::error("sim.out_of_range", format!("sim.{key} = {value}"), cause, remedy));
        }
    }

    fn span(&mut self, key: &str, from_m: f64, until_m: f64) {
        self.check(&format!("{key}.from_m"), from_m, 0.0..=1e6, "metres from the beginning of the path");
        if !(until_m.is_finite() && until_m > from_m) {
            let place = format!("sim.{key}.until_m = {until_m}");
            let cause = format!("not after from_m = {from_m}");
            self.0.push(Finding::error(
                "sim.empty_span",
                place,
                cause,
                "let the stretch end after it begins",
            ));
        }
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

    /// Everything that is wrong, in file order.
    pub fn findings(&self) -> Vec<Finding> {
        let mut ranges = Ranges(Vec::new());
        let Self { seed: _, sowing, vehicle, gnss, camera, boom, score, photos, estop } = self;
        sowing.check(&mut ranges);
        vehicle.check(&mut ranges);
        gnss.check(&mut ranges);
        camera.check(&mut ranges);
        let jitter = "standard deviation of a valve's opening and closing time";
        ranges.check("boom.valve_jitter_ms", boom.valve_jitter_ms, 0.0..=50.0, jitter);
        let share = "the share of a plant's leaf area that must be wetted";
        ranges.check("score.weed_area_share", score.weed_area_share, 0.01..=1.0, share);
        ranges.check("score.crop_area_share", score.crop_area_share, 0.01..=1.0, share);
        if let Some(photos) = photos {
            photos.check(&mut ranges);
        }
        for (i, span) in estop.iter().enumerate() {
            ranges.span(&format!("estop[{i}]"), span.from_m, span.until_m);
        }
        ranges.0
    }

    /// What does not fit `route`: spans that begin after its end never happen.
    pub fn findings_for(&self, route: &Route) -> Vec<Finding> {
        let length: Metres = route.length();
        let spans = self.estop.iter().enumerate().map(|(i, span)| (format!("estop[{i}]"), span.from_m));
        let changes = self
            .gnss
            .changes
            .iter()
            .enumerate()
            .map(|(i, change)| (format!("gnss.changes[{i}]"), change.from_m));
        spans
            .chain(changes)
            .filter(|(_, from_m)| *from_m >= length.get())
            .map(|(key, from_m)| {
                let cause = format!("the path is {length:.1} long");
                let place = format!("sim.{key}.from_m = {from_m}");
                Finding::warning(
                    "sim.beyond_path",
                    place,
                    cause,
                    "it never happens; choose a smaller distance",
                )
            })
            .collect()
    }
}

impl SowingSim {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            row_distance_m,
            plant_spacing_m,
            spacing_jitter_m,
            row_jitter_m,
            gap_share,
            crop_diameter_m,
            weeds_per_m2,
            weeds_per_cluster,
            cluster_radius_m,
            weed_diameter_m,
            grass_share,
            volunteers_per_m2,
            volunteer_diameter_m,
            height_per_diameter,
        } = self;
        ranges.check("sowing.row_distance_m", *row_distance_m, 0.1..=2.0, "beet is sown at 0.45 or 0.5");
        ranges.check("sowing.plant_spacing_m", *plant_spacing_m, 0.03..=2.0, "beet stands at 0.18 to 0.22");
        let jitter = "a standard deviation of centimetres";
        ranges.check("sowing.spacing_jitter_m", *spacing_jitter_m, 0.0..=0.1, jitter);
        ranges.check("sowing.row_jitter_m", *row_jitter_m, 0.0..=0.1, jitter);
        ranges.check("sowing.gap_share", *gap_share, 0.0..=1.0, "a share, 1 is bare ground");
        let canopy = "mean canopy seen from above";
        ranges.check("sowing.crop_diameter_m", *crop_diameter_m, 0.005..=0.6, canopy);
        ranges.check("sowing.weeds_per_m2", *weeds_per_m2, 0.0..=100.0, "plants per square metre");
        ranges.check("sowing.weeds_per_cluster", *weeds_per_cluster, 1.0..=100.0, "1 is no clusters");
        ranges.check("sowing.cluster_radius_m", *cluster_radius_m, 0.01..=20.0, "standard deviation");
        ranges.check("sowing.weed_diameter_m", *weed_diameter_m, 0.005..=0.6, canopy);
        ranges.check("sowing.grass_share", *grass_share, 0.0..=1.0, "a share");
        ranges.check("sowing.volunteers_per_m2", *volunteers_per_m2, 0.0..=100.0, "plants per square metre");
        ranges.check("sowing.volunteer_diameter_m", *volunteer_diameter_m, 0.005..=0.6, canopy);
        ranges.check("sowing.height_per_diameter", *height_per_diameter, 0.0..=1.0, "0 is flat");
    }
}

impl VehicleSim {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            speed_mps,
            turn_speed_mps,
            acceleration_mps2,
            speed_sigma_share,
            cross_track_sigma_m,
            slip_sigma_share,
        } = self;
        ranges.check("vehicle.speed_mps", *speed_mps, 0.05..=10.0, "while treating");
        ranges.check("vehicle.turn_speed_mps", *turn_speed_mps, 0.05..=10.0, "elsewhere");
        ranges.check("vehicle.acceleration_mps2", *acceleration_mps2, 0.01..=5.0, "between the two speeds");
        let share = "a standard deviation as a share of the speed";
        ranges.check("vehicle.speed_sigma_share", *speed_sigma_share, 0.0..=0.2, share);
        ranges.check("vehicle.slip_sigma_share", *slip_sigma_share, 0.0..=0.2, share);
        ranges.check("vehicle.cross_track_sigma_m", *cross_track_sigma_m, 0.0..=0.2, "steering error");
    }
}

impl GnssSim {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            rate_hz,
            white_sigma_m,
            slow_sigma_m,
            slow_time_s,
            float_sigma_m,
            heading_sigma_deg,
            speed_sigma_mps,
            turn_rate_sigma_degps,
            changes,
        } = self;
        ranges.check("gnss.rate_hz", *rate_hz, 1.0..=100.0, "receivers give 10 to 20");
        ranges.check("gnss.white_sigma_m", *white_sigma_m, 0.0..=1.0, "per axis, fixed solution");
        ranges.check("gnss.slow_sigma_m", *slow_sigma_m, 0.0..=1.0, "per axis, fixed solution");
        ranges.check("gnss.slow_time_s", *slow_time_s, 0.1..=3600.0, "how long the slow noise remembers");
        ranges.check("gnss.float_sigma_m", *float_sigma_m, 0.0..=10.0, "per axis, float solution");
        ranges.check("gnss.heading_sigma_deg", *heading_sigma_deg, 0.0..=10.0, "standard deviation");
        ranges.check("gnss.speed_sigma_mps", *speed_sigma_mps, 0.0..=1.0, "standard deviation");
        ranges.check("gnss.turn_rate_sigma_degps", *turn_rate_sigma_degps, 0.0..=10.0, "standard deviation");
        for (i, change) in changes.iter().enumerate() {
            ranges.span(&format!("gnss.changes[{i}]"), change.from_m, change.until_m);
        }
    }
}

impl CameraSim {
    fn check(&self, ranges: &mut Ranges) {
        let Self { overlap_share, noise_sigma, exposure_sigma_share, render_ahead: _ } = self;
        ranges.check("camera.overlap_share", *overlap_share, 0.0..=0.98, "at least 0.5 shows a plant twice");
        ranges.check("camera.noise_sigma", *noise_sigma, 0.0..=40.0, "grey levels of 255");
        ranges.check("camera.exposure_sigma_share", *exposure_sigma_share, 0.0..=0.5, "a share");
    }
}

impl PhotoSim {
    fn check(&self, ranges: &mut Ranges) {
        let Self { folder: _, gsd_mm, min_plant_cm2, cache_mb } = self;
        ranges.check("photos.gsd_mm", *gsd_mm, 0.05..=50.0, "ground under one pixel of a photograph");
        ranges.check("photos.min_plant_cm2", *min_plant_cm2, 0.0..=1000.0, "leaf area seen from above");
        ranges.check("photos.cache_mb", f64::from(*cache_mb), 16.0..=65_536.0, "memory for photographs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_and_survive_toml() {
        let toml: SimToml = toml::from_str("seed = 7").unwrap();
        assert_eq!(toml, SimToml::with_seed(7));
        assert_eq!(toml.findings(), []);
        assert_eq!(toml::from_str::<SimToml>(&toml::to_string(&toml).unwrap()).unwrap(), toml);
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let text = "seed = 1\nestop = [{ from_m = 9.0, until_m = 3.0 }]\n[sowing]\nrow_distance_m = -1.0\n\
                    [camera]\noverlap_share = 1.5\n[photos]\nfolder = \"x\"\ngsd_mm = nan\n";
        let findings = SimConfig::new(toml::from_str(text).unwrap()).unwrap_err().to_string();
        for key in
            ["sowing.row_distance_m = -1", "camera.overlap_share = 1.5", "photos.gsd_mm = NaN", "estop[0]"]
        {
            assert!(findings.contains(key), "{key} in {findings}");
        }
    }
}
