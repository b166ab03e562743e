//! The two kinds of ground: drawn, and paved with photographs.

use super::photos::PhotoGround;
use super::plants::{Shape, TruthPlant};
use super::soil::Soil;
use super::sprites::SpriteSheet;
use kompas_field::units::{Metres, Radians};
use kompas_field::{FieldFrame, Point2};

/// What the camera looks at.
#[derive(Debug)]
pub(super) enum Ground {
    /// Soil texture with plants drawn on it.
    Drawn { soil: Box<Soil>, sprites: SpriteSheet },
    /// Real pixels at known places.
    Photos(Box<PhotoGround>),
}

impl Ground {
    pub(super) fn area_samples(&self, plant: &TruthPlant) -> Vec<Point2<FieldFrame>> {
        match (self, plant.shape) {
            (Self::Drawn { sprites, .. }, Shape::Drawn { habit, variant, radius_m, turn, .. }) => {
                let point = |&[x, y]: &[f64; 2]| {
                    plant.stem.moved(Radians::new(turn), Metres::new(x * radius_m), Metres::new(y * radius_m))
                };
                sprites.get(habit, variant).samples().iter().map(point).collect()
            }
            (Self::Photos(photos), Shape::Photo { placement, patch }) => photos.samples(placement, patch),
            // A world is made of one kind of ground and its plants.
            (Self::Drawn { .. }, Shape::Photo { .. }) | (Self::Photos(_), Shape::Drawn { .. }) => {
                vec![plant.stem]
            }
        }
    }
}
