//! Everything that can be wrong with the simulator's settings.

use super::super::route::Route;
use super::{CameraSim, GnssSim, PhotoSim, SimToml, SowingSim, VehicleSim};
use kompas_field::Finding;
use std::ops::RangeInclusive;

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
        let length = route.length();
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
    use super::super::SimConfig;
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
