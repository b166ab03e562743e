//! What a survey saw and what it did not, for people and programs.

use super::view::{ASSUMED_SIGMA_M, View};
use kompas_field::PlantClass;
use serde::Serialize;
use std::collections::BTreeMap;

/// A photograph that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its file name.
    pub image: String,
    /// Why, and what to do.
    pub reason: String,
}

/// What a survey saw and what it did not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Photographs in the folder.
    pub images: usize,
    /// Photographs that count.
    pub used: usize,
    /// The others, in name order.
    pub refused: Vec<Refused>,
    /// What found the plants.
    pub segmenter: String,
    /// Grid cells whose middle lies inside the field.
    pub cells: usize,
    /// Of these, how many have their middle in a used photograph. The others were not seen; nobody knows what
    /// grows there.
    pub cells_seen: usize,
    /// Plants on the weed map, by class.
    pub plants: BTreeMap<PlantClass, u32>,
    /// Plants outside the boundary or in an exclusion that were looked at all the same, beside ground of the field; not on
    /// the map.
    pub plants_outside: u32,
    /// Millimetres of ground per pixel, in the coarsest photograph.
    pub ground_sampling_mm: f64,
    /// Smaller plants are too few pixels to be found, in the coarsest photograph.
    pub smallest_plant_cm2: f64,
    /// One standard deviation of a photograph's position per axis, of the least certain photograph.
    pub position_sigma_m: f64,
    /// Photographs that state no such deviation; 2 m is assumed for them.
    pub position_sigma_assumed: usize,
}

/// From here on a plant may well be counted in the grid cell beside its own.
const LARGE_SIGMA_M: f64 = 0.3;

impl Summary {
    /// Of these photographs, without their plants; `cells` are those inside the field, and those seen.
    pub(super) fn of(views: &[&View], refused: Vec<Refused>, segmenter: &str, cells: [usize; 2]) -> Self {
        let largest =
            |value: fn(&View) -> f64| rounded(views.iter().map(|view| value(view)).fold(0.0, f64::max));
        let plant_classes = PlantClass::ALL.into_iter().filter(|&class| class != PlantClass::Soil);
        Self {
            images: views.len() + refused.len(),
            used: views.len(),
            refused,
            segmenter: segmenter.to_owned(),
            cells: cells[0],
            cells_seen: cells[1],
            plants: plant_classes.map(|class| (class, 0)).collect(),
            plants_outside: 0,
            ground_sampling_mm: largest(|view| view.gsd_m * 1e3),
            smallest_plant_cm2: largest(|view| {
                f64::from(view.plant_rules().min_area_px) * view.gsd_m * view.gsd_m * 1e4
            }),
            position_sigma_m: largest(|view| view.sigma.get()),
            position_sigma_assumed: views.iter().filter(|view| !view.sigma_stated).count(),
        }
    }

    /// What a person must know before relying on the map.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.cells_seen < self.cells {
            warnings.push(format!(
                "{} of {} grid cells ({:.1} %) were not seen: not seen is not free of weeds, and a plan by this map \
                 treats nothing there; fly there again (--unseen FILE says where)",
                self.cells - self.cells_seen,
                self.cells,
                100.0 * (self.cells - self.cells_seen) as f64 / self.cells as f64
            ));
        }
        if self.position_sigma_assumed > 0 {
            warnings.push(format!(
                "{} of {} photographs do not say how good their position is: {ASSUMED_SIGMA_M} m is assumed",
                self.position_sigma_assumed, self.used
            ));
        }
        if self.position_sigma_m >= LARGE_SIGMA_M {
            warnings.push(format!(
                "positions are good to {} m: a plant may be counted in a grid cell beside its own, and one between \
                 two photographs twice or not at all; fly with RTK",
                self.position_sigma_m
            ));
        }
        if self.segmenter.starts_with("exg") {
            warnings.push(
                "excess green cannot tell crop from weed: every plant on this map is a weed, the crop too"
                    .to_owned(),
            );
        }
        warnings
    }

    /// For a person, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{} of {} photographs used, with {}", self.used, self.images, self.segmenter),
            format!("{} of {} grid cells seen", self.cells_seen, self.cells),
        ];
        for (class, count) in &self.plants {
            lines.push(format!("{count} × {}", name(*class)));
        }
        if self.plants_outside > 0 {
            lines.push(format!(
                "{} more outside the field or in an exclusion, not on the map",
                self.plants_outside
            ));
        }
        lines.push(format!(
            "{} mm of ground per pixel: plants under {} cm² are not found; positions are good to {} m",
            self.ground_sampling_mm, self.smallest_plant_cm2, self.position_sigma_m
        ));
        lines
    }
}

/// The class as in JSON.
pub(super) fn name(class: PlantClass) -> &'static str {
    match class {
        PlantClass::Soil => "soil",
        PlantClass::Weed => "weed",
        PlantClass::SugarBeet => "sugar_beet",
        PlantClass::Potato => "potato",
        PlantClass::OtherCrop => "other_crop",
    }
}

/// To three places, for people.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
