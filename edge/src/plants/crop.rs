//! Where crop stands.

use super::{square_of, squares_around};
use kompas_field::decision::PlantNumber;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Point2};
use kompas_vision::{Leaf, Plant};
use std::collections::BTreeMap;

/// Stems and leaves of the plants that are crop as far as is known.
#[derive(Debug, Default)]
pub struct CropMap {
    /// By square of the ground that the stem stands in.
    squares: BTreeMap<[i64; 2], Vec<CropPlant>>,
    square_of: BTreeMap<PlantNumber, [i64; 2]>,
}

#[derive(Debug)]
struct CropPlant {
    number: PlantNumber,
    stem: Point2<FieldFrame>,
    leaves: Vec<Leaf>,
}

/// What must not be wetted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CropPart {
    /// Where one enters the ground.
    Stem(Point2<FieldFrame>),
    /// A piece of leaf.
    Leaf(Leaf),
}

impl CropMap {
    /// Takes in what is now known of a crop plant.
    pub(super) fn place(&mut self, plant: &Plant) {
        self.forget(plant.number);
        let square = square_of(plant.position);
        let known =
            CropPlant { number: plant.number, stem: plant.position, leaves: plant.leaves().collect() };
        self.squares.entry(square).or_default().push(known);
        self.square_of.insert(plant.number, square);
    }

    /// It is no crop plant.
    pub(super) fn forget(&mut self, number: PlantNumber) {
        if let Some(old) = self.square_of.remove(&number)
            && let Some(square) = self.squares.get_mut(&old)
        {
            square.retain(|other| other.number != number);
        }
    }

    fn near(&self, place: Point2<FieldFrame>) -> impl Iterator<Item = &CropPlant> {
        squares_around(place).into_iter().filter_map(|square| self.squares.get(&square)).flatten()
    }

    /// From `place` to the nearest stem within half a metre.
    pub fn nearest_stem(&self, place: Point2<FieldFrame>) -> Option<Metres> {
        let nearest = self.near(place).map(|plant| plant.stem.distance(place)).reduce(Metres::min);
        nearest.filter(|&distance| distance <= Metres::new(super::SQUARE_M))
    }

    /// Every part of the plants that stand within half a metre, and of some beyond.
    pub fn around(&self, place: Point2<FieldFrame>) -> impl Iterator<Item = CropPart> {
        self.near(place).flat_map(|plant| {
            let leaves = plant.leaves.iter().map(|leaf| CropPart::Leaf(*leaf));
            leaves.chain([CropPart::Stem(plant.stem)])
        })
    }
}
