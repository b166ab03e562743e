//! Sowing: crop in rows, weeds in clusters, volunteers anywhere.

use super::config::SowingSim;
use super::sprites::SpriteSheet;
use super::stream::{Purpose, normal, poisson, stream};
use kompas_field::units::Radians;
use kompas_field::{Boundary, FieldCrop, FieldFrame, PlantClass, Point2};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// How a drawn plant grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrowthHabit {
    /// Leaves on stalks from one point: beet.
    Rosette,
    /// A few broad leaves in pairs: most weeds.
    Broadleaf,
    /// Narrow blades: grasses.
    Grass,
    /// Leaves of leaflets: potato.
    Compound,
}

/// How a plant of the truth looks from above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A sprite.
    Drawn {
        habit: GrowthHabit,
        variant: u8,
        radius_m: f64,
        /// Of the sprite, from east.
        turn: f64,
        height_m: f64,
    },
    /// A patch of a photograph's mask.
    Photo { placement: u32, patch: u32 },
}

/// A plant that stands in the field, whatever the robot thinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthPlant {
    /// What it is.
    pub class: PlantClass,
    /// Where the stem enters the ground; for a photographed plant the point of its mask nearest the middle.
    pub stem: Point2<FieldFrame>,
    /// Leaf area seen from above.
    pub area_cm2: f64,
    /// Not cut by the edge of a photograph.
    pub whole: bool,
    pub(super) shape: Shape,
}

impl TruthPlant {
    /// How it grows, where it was drawn.
    pub const fn habit(&self) -> Option<GrowthHabit> {
        match self.shape {
            Shape::Drawn { habit, .. } => Some(habit),
            Shape::Photo { .. } => None,
        }
    }
}

/// What is sown where.
pub(super) struct Sowing<'a> {
    pub(super) boundary: &'a Boundary,
    pub(super) crop: FieldCrop,
    /// Of the rows.
    pub(super) heading: Radians,
    /// Midway between two rows.
    pub(super) between_rows: Point2<FieldFrame>,
    pub(super) settings: &'a SowingSim,
    pub(super) sprites: &'a SpriteSheet,
    pub(super) seed: u64,
}

impl Sowing<'_> {
    /// Every plant inside the boundary.
    pub(super) fn sow(&self) -> Vec<TruthPlant> {
        let mut plants = Vec::new();
        self.rows(&mut plants);
        self.weeds(&mut plants);
        self.volunteers(&mut plants);
        plants
    }

    fn rows(&self, plants: &mut Vec<TruthPlant>) {
        let SowingSim { row_distance_m, plant_spacing_m, spacing_jitter_m, row_jitter_m, .. } =
            *self.settings;
        let mut rng = stream(self.seed, Purpose::Crop);
        let (low, high) = self.reach();
        let (class, habit) = match self.crop {
            FieldCrop::SugarBeet => (PlantClass::SugarBeet, GrowthHabit::Rosette),
            FieldCrop::Potato => (PlantClass::Potato, GrowthHabit::Compound),
            FieldCrop::Other => (PlantClass::OtherCrop, GrowthHabit::Broadleaf),
        };
        let mut left = (low[1] / row_distance_m).floor() * row_distance_m + row_distance_m / 2.0;
        while left < high[1] {
            let mut forward = low[0] + rng.random::<f64>() * plant_spacing_m;
            while forward < high[0] {
                let stem = self.place([
                    forward + normal(&mut rng) * spacing_jitter_m,
                    left + normal(&mut rng) * row_jitter_m,
                ]);
                let comes_up = rng.random::<f64>() >= self.settings.gap_share;
                let plant = self.plant(class, habit, stem, self.settings.crop_diameter_m, 0.18, &mut rng);
                if comes_up && self.boundary.contains(stem) {
                    plants.push(plant);
                }
                forward += plant_spacing_m * rng.random_range(0.93..1.07);
            }
            left += row_distance_m;
        }
    }

    /// A Thomas process: clusters anywhere, weeds normally about their middle.
    fn weeds(&self, plants: &mut Vec<TruthPlant>) {
        let SowingSim { weeds_per_m2, weeds_per_cluster, cluster_radius_m, grass_share, .. } = *self.settings;
        let mut rng = stream(self.seed, Purpose::Weeds);
        // Clusters outside the boundary reach in.
        let margin = 3.0 * cluster_radius_m;
        let (low, high) = self.reach();
        let (low, high) = (low.map(|c| c - margin), high.map(|c| c + margin));
        let area = (high[0] - low[0]) * (high[1] - low[1]);
        for _ in 0..poisson(&mut rng, area * weeds_per_m2 / weeds_per_cluster) {
            let middle = [rng.random_range(low[0]..high[0]), rng.random_range(low[1]..high[1])];
            // A cluster is of one kind.
            let grass = rng.random::<f64>() < grass_share;
            let habit = if grass { GrowthHabit::Grass } else { GrowthHabit::Broadleaf };
            for _ in 0..poisson(&mut rng, weeds_per_cluster) {
                let stem = self.place(middle.map(|c| c + normal(&mut rng) * cluster_radius_m));
                let diameter = self.settings.weed_diameter_m;
                let plant = self.plant(PlantClass::Weed, habit, stem, diameter, 0.4, &mut rng);
                if self.boundary.contains(stem) {
                    plants.push(plant);
                }
            }
        }
    }

    fn volunteers(&self, plants: &mut Vec<TruthPlant>) {
        if self.crop == FieldCrop::Potato {
            return;
        }
        let mut rng = stream(self.seed, Purpose::Volunteers);
        let (low, high) = self.reach();
        let area = (high[0] - low[0]) * (high[1] - low[1]);
        for _ in 0..poisson(&mut rng, area * self.settings.volunteers_per_m2) {
            let stem = self.place([rng.random_range(low[0]..high[0]), rng.random_range(low[1]..high[1])]);
            let diameter = self.settings.volunteer_diameter_m;
            let plant = self.plant(PlantClass::Potato, GrowthHabit::Compound, stem, diameter, 0.25, &mut rng);
            if self.boundary.contains(stem) {
                plants.push(plant);
            }
        }
    }

    fn plant(
        &self,
        class: PlantClass,
        habit: GrowthHabit,
        stem: Point2<FieldFrame>,
        mean_diameter_m: f64,
        spread: f64,
        rng: &mut ChaCha8Rng,
    ) -> TruthPlant {
        // Log-normal with the stated mean: plants differ by factors.
        let factor = (spread * normal(rng) - spread * spread / 2.0).exp().clamp(0.3, 3.0);
        let radius_m = mean_diameter_m * factor / 2.0;
        let variant = self.sprites.choose(habit, rng);
        let turn = rng.random::<f64>() * TAU;
        let height_m = 2.0 * radius_m * self.settings.height_per_diameter;
        let area_cm2 = self.sprites.get(habit, variant).area() * radius_m * radius_m * 1e4;
        let shape = Shape::Drawn { habit, variant, radius_m, turn, height_m };
        TruthPlant { class, stem, area_cm2, whole: true, shape }
    }

    /// From along and left of the rows to the field.
    fn place(&self, [forward, left]: [f64; 2]) -> Point2<FieldFrame> {
        let (sin, cos) = self.heading.get().sin_cos();
        let Point2 { x, y, .. } = self.between_rows;
        Point2::new(x + forward * cos - left * sin, y + forward * sin + left * cos)
    }

    /// The boundary's extent along and left of the rows.
    fn reach(&self) -> ([f64; 2], [f64; 2]) {
        extent_along(self.boundary, self.heading, self.between_rows)
    }
}

/// The boundary's extent `[forward, left]` of `origin` looking along `heading`.
pub(super) fn extent_along(
    boundary: &Boundary,
    heading: Radians,
    origin: Point2<FieldFrame>,
) -> ([f64; 2], [f64; 2]) {
    let (sin, cos) = heading.get().sin_cos();
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for corner in boundary.polygon().exterior().coords() {
        let (x, y) = (corner.x - origin.x, corner.y - origin.y);
        for (axis, value) in [x * cos + y * sin, y * cos - x * sin].into_iter().enumerate() {
            low[axis] = low[axis].min(value);
            high[axis] = high[axis].max(value);
        }
    }
    (low, high)
}
