//! Limits and margins: what must hold before a nozzle opens, and by what a plant is judged.

use super::{
    Confidence, DecisionRules, FieldCrop, FixQuality, GuardRules, LitresPerHectare, Metres, MetresPerSecond,
    NozzleRules, PoseRules, Reader, Seconds,
};
use kompas_field::rig::Boom;
use std::ops::RangeInclusive;

/// The `[policy]` section. Defaults suit a robot with RTK: two centimetres at one standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// As entered by a person; none is plain water.
    pub product: Option<String>,
    /// What must hold; the rig's top speed is filled in later.
    pub guard: GuardRules,
    /// How positions are joined.
    pub pose: PoseRules,
    /// How valves are timed.
    pub nozzles: NozzleRules,
    /// Less sure is left.
    pub min_confidence: Confidence,
    /// Smaller is left.
    pub min_area_cm2: f64,
    /// Around a crop's stem.
    pub crop_distance: Metres,
    /// Most on wetted ground.
    pub max_rate: LitresPerHectare,
}

/// From just above the loop's step.
const COMMIT_AHEAD_MS: RangeInclusive<f64> = 51.0..=2000.0;

impl Policy {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mut seconds = |key: &str, default, most, remedy: &str| {
            Seconds::new(r.number(&format!("policy.{key}"), Some(default), 0.001..=most, remedy))
        };
        let max_fix_age = seconds("max_fix_age_s", 0.3, 10.0, "a receiver gives 5 to 20 fixes a second");
        let max_correction_age =
            seconds("max_correction_age_s", 2.0, 60.0, "RTK is centimetres for about 2 s");
        let max_frame_age = seconds("max_frame_age_s", 2.0, 30.0, "a few times the camera's interval");
        let max_gap = seconds("max_gap_s", 0.5, 10.0, "what odometry may bridge");
        let min_pause =
            seconds("min_pause_ms", 30.0, 500.0, "a valve's opening and closing time together") / 1e3;
        // What must move before the next look, and is not told at this one, is late.
        let horizon = r.number(
            "policy.commit_ahead_ms",
            Some(150.0),
            COMMIT_AHEAD_MS,
            "longer than the loop's 50 ms, or every opening comes too late",
        );
        let horizon = Seconds::new(horizon / 1e3);

        let mut metres = |key: &str, default, most, remedy: &str| {
            Metres::new(r.number(&format!("policy.{key}"), Some(default), 0.0..=most, remedy))
        };
        let max_sigma =
            metres("max_sigma_m", 0.03, 1.0, "what the receiver may claim; RTK fixed is 0.01 to 0.02");
        let geofence_margin =
            metres("geofence_margin_m", 0.05, 10.0, "kept clear of the boundary beside position error");
        let jump_floor = metres("jump_m", 0.05, 5.0, "a step of the position that is never called a jump");
        let margin = metres("spray_margin_m", 0.01, 0.5, "beyond the leaf on every side");
        let max_radius = metres("max_plant_radius_m", 0.5, 1.0, "larger plants are sprayed to this radius");
        let crop_distance =
            metres("crop_distance_m", 0.02, 0.5, "nearer to a crop's stem nothing is sprayed");
        let crop_leaf_margin =
            metres("crop_leaf_margin_m", 0.0, 0.5, "nearer to a crop's leaf nothing is sprayed");

        let min_speed = MetresPerSecond::new(r.number(
            "policy.min_speed_mps",
            Some(0.1),
            0.02..=2.0,
            "slower than this every nozzle stays shut",
        ));
        let max_rate = LitresPerHectare::new(r.number(
            "policy.max_rate_l_per_ha",
            Some(10_000.0),
            1.0..=10_000.0,
            "most of the spray on wetted ground, by the product's label; what would be more is not sprayed",
        ));

        let sigmas = "standard deviations kept clear of the boundary; 2 are 95 %";
        let geofence_sigmas = r.number("policy.geofence_sigmas", Some(2.0), 0.0..=10.0, sigmas);
        let confidence = r.number("policy.min_confidence", Some(0.5), 0.0..=1.0, "less sure plants are left");
        let min_area_cm2 =
            r.number("policy.min_area_cm2", Some(0.5), 0.0..=1000.0, "smaller plants are left");
        let words =
            [("fixed", FixQuality::Fixed), ("float", FixQuality::Float), ("single", FixQuality::Single)];
        let min_quality = r.choice("policy.min_fix", false, &words, "the poorest fix that may treat");
        let product =
            r.optional_text("policy.product", "the product as on its label; without the key plain water");
        Self {
            product,
            guard: GuardRules {
                min_quality,
                max_sigma,
                max_fix_age,
                max_correction_age,
                max_frame_age,
                max_speed: MetresPerSecond::ZERO,
                geofence_sigmas,
                geofence_margin,
            },
            pose: PoseRules { max_gap, jump_floor, vague: max_sigma, ..PoseRules::default() },
            nozzles: NozzleRules {
                margin,
                max_radius,
                horizon,
                min_pause,
                crop_distance,
                crop_leaf_margin,
                min_speed,
            },
            max_rate,
            min_confidence: Confidence::clamped(confidence),
            min_area_cm2,
            crop_distance,
        }
    }

    /// Rules of the valves of `boom`: so slow that more than [`Self::max_rate`] would land, nothing opens.
    pub fn nozzle_rules(&self, boom: &Boom) -> NozzleRules {
        let min_speed = self.nozzles.min_speed.max(boom.speed_for(self.max_rate));
        NozzleRules { min_speed, ..self.nozzles }
    }

    /// What decides about plants in a field of this crop.
    pub const fn decision_rules(&self, crop: FieldCrop) -> DecisionRules {
        let Self { min_confidence, min_area_cm2, crop_distance, .. } = self;
        DecisionRules {
            crop,
            min_confidence: *min_confidence,
            min_area_cm2: *min_area_cm2,
            crop_distance: *crop_distance,
        }
    }
}
