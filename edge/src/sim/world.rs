//! The field's truth: every plant, found by place.

use super::config::SimToml;
use super::ground::Ground;
use super::photos::{PhotoError, PhotoGround, PhotoReport};
use super::plants::{Sowing, TruthPlant};
use super::route::Route;
use super::soil::Soil;
use super::sprites::SpriteSheet;
use kompas_field::units::{Metres, Radians};
use kompas_field::{Field, FieldCrop, FieldFrame, Grid, Point2};

/// Plants on ground, in a field.
#[derive(Debug)]
pub struct World {
    crop: FieldCrop,
    plants: Vec<TruthPlant>,
    grid: Grid,
    /// Plant numbers by grid cell: those of cell `i` are `in_cell[cell_start[i]..cell_start[i + 1]]`.
    cell_start: Vec<u32>,
    in_cell: Vec<u32>,
    ground: Ground,
    sun: Sun,
}

/// Where shadows fall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sun {
    /// Direction that shadows point to, from east.
    pub(super) shadow: Radians,
    /// Length of a shadow over the height of what casts it.
    pub(super) reach: f64,
}

impl World {
    /// Grows the field. Rows run along the route's swaths, two of them astride its first one; photographs
    /// lie upright along the same direction.
    ///
    /// # Errors
    /// [`PhotoError`]: the folder of photographs gives no ground.
    pub fn grow(field: &Field, route: &Route, settings: &SimToml) -> Result<Self, PhotoError> {
        let (heading, origin) = (route.swath_heading(), route.first_treated());
        let seed = settings.seed;
        let (ground, plants) = if let Some(photos) = &settings.photos {
            let laid = PhotoGround::lay(photos, &field.boundary, heading, origin, seed)?;
            let plants = laid.plants(&field.boundary);
            (Ground::Photos(Box::new(laid)), plants)
        } else {
            let sprites = SpriteSheet::new(seed);
            let sowing = Sowing {
                boundary: &field.boundary,
                crop: field.crop,
                heading,
                between_rows: origin,
                settings: &settings.sowing,
                sprites: &sprites,
                seed,
            };
            let plants = sowing.sow();
            (Ground::Drawn { soil: Box::new(Soil::new(seed)), sprites }, plants)
        };
        // Late morning in early summer; whatever the row direction, some shadow falls across it.
        let sun = Sun { shadow: heading + Radians::new(2.2), reach: 0.7 };
        Ok(Self::of(field.crop, field.grid(), plants, ground, sun))
    }

    fn of(crop: FieldCrop, grid: Grid, plants: Vec<TruthPlant>, ground: Ground, sun: Sun) -> Self {
        let cells = grid.cols as usize * grid.rows as usize;
        let cell_of = |plant: &TruthPlant| grid.cell_at(plant.stem).map_or(cells, |cell| grid.position(cell));
        let mut cell_start = vec![0u32; cells + 2];
        for plant in &plants {
            cell_start[cell_of(plant) + 1] += 1;
        }
        for i in 1..cell_start.len() {
            cell_start[i] += cell_start[i - 1];
        }
        let mut next = cell_start.clone();
        let mut in_cell = vec![0u32; plants.len()];
        for (number, plant) in (0u32..).zip(&plants) {
            let slot = &mut next[cell_of(plant)];
            in_cell[*slot as usize] = number;
            *slot += 1;
        }
        Self { crop, plants, grid, cell_start, in_cell, ground, sun }
    }

    /// Every plant; its number is its place here.
    pub fn plants(&self) -> &[TruthPlant] {
        &self.plants
    }

    /// What is grown.
    pub const fn crop(&self) -> FieldCrop {
        self.crop
    }

    /// What was found in the folder of photographs, where there is one.
    pub const fn photo_report(&self) -> Option<&PhotoReport> {
        match &self.ground {
            Ground::Photos(photos) => Some(photos.report()),
            Ground::Drawn { .. } => None,
        }
    }

    pub(super) const fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(super) const fn sun(&self) -> Sun {
        self.sun
    }

    /// Numbers of the plants with their stem in the rectangle, grid cell by grid cell.
    pub fn in_rectangle(
        &self,
        south_west: Point2<FieldFrame>,
        north_east: Point2<FieldFrame>,
    ) -> impl Iterator<Item = u32> {
        let Grid { west_m, south_m, cols, rows } = self.grid;
        let range = |low: f64, high: f64, origin: i32, count: u32| {
            let clamp = |at: f64| (at - f64::from(origin)).floor().clamp(0.0, f64::from(count));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the grid"
            )]
            let range = clamp(low) as usize..(clamp(high) as usize + 1).min(count as usize);
            range
        };
        let columns = range(south_west.x, north_east.x, west_m, cols);
        range(south_west.y, north_east.y, south_m, rows)
            .flat_map(move |row| columns.clone().map(move |col| row * cols as usize + col))
            .flat_map(|cell| {
                &self.in_cell[self.cell_start[cell] as usize..self.cell_start[cell + 1] as usize]
            })
            .copied()
            .filter(move |&number| {
                let stem = self.plants[number as usize].stem;
                stem.x >= south_west.x
                    && stem.x <= north_east.x
                    && stem.y >= south_west.y
                    && stem.y <= north_east.y
            })
    }

    /// Numbers of the plants with their stem in the smallest upright rectangle around `outline`, widened.
    pub fn around(&self, outline: &[Point2<FieldFrame>], margin: Metres) -> impl Iterator<Item = u32> {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in outline {
            for (axis, value) in point.to_array().into_iter().enumerate() {
                low[axis] = low[axis].min(value - margin.get());
                high[axis] = high[axis].max(value + margin.get());
            }
        }
        self.in_rectangle(low.into(), high.into())
    }

    /// Points spread evenly over a plant's leaf area.
    pub fn area_samples(&self, number: u32) -> Vec<Point2<FieldFrame>> {
        self.ground.area_samples(&self.plants[number as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use kompas_field::PlantClass;

    #[test]
    fn the_field_grows_what_was_sown() {
        let (field, route, settings) = testing::small_field();
        let world = World::grow(&field, &route, &settings).unwrap();
        let area = field.boundary.area().get();
        let count = |class| world.plants().iter().filter(|plant| plant.class == class).count() as f64;
        let sowing = &settings.sowing;
        let crop = (1.0 - sowing.gap_share) / (sowing.row_distance_m * sowing.plant_spacing_m);
        assert!((count(PlantClass::SugarBeet) / area / crop - 1.0).abs() < 0.1);
        assert!((count(PlantClass::Weed) / area / sowing.weeds_per_m2 - 1.0).abs() < 0.4);
        assert!(count(PlantClass::Potato) > 0.0);
        assert!(world.plants().iter().all(|plant| field.boundary.contains(plant.stem)));
    }

    #[test]
    fn plants_are_found_where_they_stand() {
        let (field, route, settings) = testing::small_field();
        let world = World::grow(&field, &route, &settings).unwrap();
        let (low, high) = (Point2::new(3.3, 2.2), Point2::new(7.9, 5.4));
        let mut found: Vec<u32> = world.in_rectangle(low, high).collect();
        found.sort_unstable();
        let inside =
            |p: &TruthPlant| (low.x..=high.x).contains(&p.stem.x) && (low.y..=high.y).contains(&p.stem.y);
        let by_hand: Vec<u32> =
            (0u32..).zip(world.plants()).filter(|(_, plant)| inside(plant)).map(|(i, _)| i).collect();
        assert_eq!(found, by_hand);
        assert!(!found.is_empty());
    }
}
