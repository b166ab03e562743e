//! One plant, one decision, one rule. Pure: same plant, same surroundings, same words.

use kompas_field::units::{LitresPerHectare, Metres};
use kompas_field::{Confidence, FieldCrop, PlantRole, Rule, Verdict};
use kompas_vision::Plant;

/// What a person decided beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionRules {
    /// What the farmer grows.
    pub crop: FieldCrop,
    /// Less sure is left.
    pub min_confidence: Confidence,
    /// Smaller is left.
    pub min_area_cm2: f64,
    /// An unwanted plant whose stem stands closer to a crop's stem is left.
    pub crop_distance: Metres,
}

/// What surrounds a plant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surroundings {
    /// From stem to the nearest crop stem known; none within the distance that matters.
    pub nearest_crop: Option<Metres>,
    /// Of the plan, at the plant's place.
    pub rate: LitresPerHectare,
}

impl DecisionRules {
    /// What to do with `plant` and why, as far as the plant itself goes; boom and guard have their say later.
    /// Asked in the order of the reasons a farmer would give: what it is, how sure, whether it matters,
    /// what it costs, what the plan says.
    pub fn decide(&self, plant: &Plant, surroundings: &Surroundings) -> (Verdict, Rule) {
        let leave = |rule| (Verdict::Leave, rule);
        let role = match self.crop.role_of(plant.class()) {
            Some(role @ (PlantRole::Weed | PlantRole::Volunteer)) => role,
            Some(role @ (PlantRole::Crop | PlantRole::StrayCrop)) => {
                return leave(Rule::ProtectCrop { role });
            }
            // A tracked plant is never soil; were it one, nothing is sure about it.
            None => return leave(Rule::ConfidenceTooLow { wanted: self.min_confidence }),
        };
        if plant.confidence() < self.min_confidence {
            return leave(Rule::ConfidenceTooLow { wanted: self.min_confidence });
        }
        if plant.area_cm2 < self.min_area_cm2 {
            return leave(Rule::TooSmall { area_cm2: plant.area_cm2, wanted_cm2: self.min_area_cm2 });
        }
        if let Some(distance) = surroundings.nearest_crop.filter(|&distance| distance < self.crop_distance) {
            return leave(Rule::CropTooClose {
                distance_m: distance.get(),
                wanted_m: self.crop_distance.get(),
            });
        }
        if surroundings.rate <= LitresPerHectare::ZERO {
            return leave(Rule::CellNotPrescribed);
        }
        (Verdict::Treat, Rule::TreatUnwanted { role })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::{PlantClass, Point2, RobotInstant, Sighting};
    use kompas_vision::{GroundDetection, Tracker, TrackerRules};

    const RULES: DecisionRules = DecisionRules {
        crop: FieldCrop::SugarBeet,
        min_confidence: Confidence::clamped(0.6),
        min_area_cm2: 0.5,
        crop_distance: Metres::new(0.05),
    };

    fn plant(class: PlantClass, confidence: f64, area_cm2: f64) -> Plant {
        let mut tracker = Tracker::new(TrackerRules::default());
        let sighting = Sighting {
            position: Point2::new(1.0, 2.0),
            sigma: Metres::new(0.01),
            class,
            confidence: Confidence::clamped(confidence),
            area_cm2,
        };
        let seen = GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves: vec![] };
        tracker.update(RobotInstant::START, &[seen]);
        tracker.plants()[0].clone()
    }

    fn place(nearest_crop_m: Option<f64>, rate: f64) -> Surroundings {
        Surroundings { nearest_crop: nearest_crop_m.map(Metres::new), rate: LitresPerHectare::new(rate) }
    }

    #[test]
    fn each_rule_decides_in_its_turn() {
        use PlantClass::{OtherCrop, Potato, SugarBeet, Weed};
        let wanted = RULES.min_confidence;
        let cases = [
            (plant(Weed, 0.9, 3.0), place(None, 200.0), Rule::TreatUnwanted { role: PlantRole::Weed }),
            (
                plant(Potato, 0.9, 3.0),
                place(Some(0.06), 1.0),
                Rule::TreatUnwanted { role: PlantRole::Volunteer },
            ),
            (plant(SugarBeet, 0.1, 0.1), place(None, 200.0), Rule::ProtectCrop { role: PlantRole::Crop }),
            (
                plant(OtherCrop, 0.9, 3.0),
                place(None, 200.0),
                Rule::ProtectCrop { role: PlantRole::StrayCrop },
            ),
            (plant(Weed, 0.5, 0.1), place(None, 200.0), Rule::ConfidenceTooLow { wanted }),
            (
                plant(Weed, 0.9, 0.4),
                place(Some(0.01), 0.0),
                Rule::TooSmall { area_cm2: 0.4, wanted_cm2: 0.5 },
            ),
            (
                plant(Weed, 0.9, 3.0),
                place(Some(0.04), 0.0),
                Rule::CropTooClose { distance_m: 0.04, wanted_m: 0.05 },
            ),
            (plant(Weed, 0.9, 3.0), place(None, 0.0), Rule::CellNotPrescribed),
        ];
        for (plant, place, rule) in cases {
            let verdict =
                if matches!(rule, Rule::TreatUnwanted { .. }) { Verdict::Treat } else { Verdict::Leave };
            assert_eq!(RULES.decide(&plant, &place), (verdict, rule));
        }
    }
}
