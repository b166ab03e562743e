//! Scores that count plants after treatment, not pixels.

use super::{Share, wilson};
use crate::plants::{Detection, PlantRules, find_plants};
use crate::segment::ClassMap;
use kompas_field::{FieldCrop, PlantClass, PlantRole};

/// What is sprayed in one frame: a dot on every detection that is not the crop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spray {
    /// Decides which classes are crop.
    pub crop: FieldCrop,
    /// Added to the radius of a circle with the plant's area.
    pub margin_px: f64,
}

/// Plants treated and plants hit. Plants cut by the edge of the picture are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlantScore {
    /// Weeds and volunteers in truth.
    pub weeds: u64,
    /// Of those, with their stem under a dot.
    pub weeds_treated: u64,
    /// Crop plants in truth.
    pub crop: u64,
    /// Of those, with their stem under a dot.
    pub crop_hit: u64,
}

impl PlantScore {
    /// Counts one frame: the plants of `truth` by `rules`, sprayed for `detections` of the same frame.
    pub fn add(&mut self, truth: &ClassMap, detections: &[Detection], rules: &PlantRules, spray: &Spray) {
        let role = |class: PlantClass| spray.crop.role_of(class);
        let unwanted = |d: &&Detection| matches!(role(d.class), Some(PlantRole::Weed | PlantRole::Volunteer));
        let dots: Vec<([f64; 2], f64)> =
            detections.iter().filter(unwanted).map(|d| (d.stem_px, spray.radius_px(d))).collect();
        for plant in find_plants(truth, rules).iter().filter(|plant| !plant.cut) {
            let [column, row] = plant.stem_px;
            let wet =
                u64::from(dots.iter().any(|(at, radius)| (at[0] - column).hypot(at[1] - row) <= *radius));
            match role(plant.class) {
                Some(PlantRole::Weed | PlantRole::Volunteer) => {
                    self.weeds += 1;
                    self.weeds_treated += wet;
                }
                Some(PlantRole::Crop) => {
                    self.crop += 1;
                    self.crop_hit += wet;
                }
                Some(PlantRole::StrayCrop) | None => {}
            }
        }
    }

    /// Adds the plants of other frames.
    pub const fn merge(&mut self, other: &Self) {
        self.weeds += other.weeds;
        self.weeds_treated += other.weeds_treated;
        self.crop += other.crop;
        self.crop_hit += other.crop_hit;
    }

    /// Share of the weeds treated.
    pub fn weeds_treated_rate(&self) -> Option<Share> {
        wilson(self.weeds_treated, self.weeds)
    }

    /// Share of the crop plants hit.
    pub fn crop_hit_rate(&self) -> Option<Share> {
        wilson(self.crop_hit, self.crop)
    }
}

impl Spray {
    fn radius_px(&self, plant: &Detection) -> f64 {
        (f64::from(plant.area_px) / std::f64::consts::PI).sqrt() + self.margin_px
    }
}
