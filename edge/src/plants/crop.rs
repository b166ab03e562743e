//! Where crop stands.

use super::{SQUARE_M, square_of};
use kompas_field::decision::PlantNumber;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Point2};
use kompas_vision::{Leaf, Plant};
use std::collections::{BTreeMap, BTreeSet};

/// Stems and leaves of the plants that are crop as far as is known. Each part is found by its own place: a canopy of many
/// plants may be one to the camera, with leaves far from what is taken for its stem.
#[derive(Debug, Default)]
pub struct CropMap {
    squares: BTreeMap<[i64; 2], Vec<(PlantNumber, CropPart)>>,
    squares_of: BTreeMap<PlantNumber, BTreeSet<[i64; 2]>>,
}

/// What must not be wetted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CropPart {
    /// Where one enters the ground.
    Stem(Point2<FieldFrame>),
    /// A piece of leaf.
    Leaf(Leaf),
}

impl CropPart {
    const fn place(&self) -> Point2<FieldFrame> {
        match self {
            Self::Stem(place) => *place,
            Self::Leaf(leaf) => leaf.place,
        }
    }
}

impl CropMap {
    /// Takes in what is now known of a crop plant.
    pub(super) fn place(&mut self, plant: &Plant) {
        self.forget(plant.number);
        let squares = self.squares_of.entry(plant.number).or_default();
        for part in plant.leaves().map(CropPart::Leaf).chain([CropPart::Stem(plant.position)]) {
            let square = square_of(part.place());
            squares.insert(square);
            self.squares.entry(square).or_default().push((plant.number, part));
        }
    }

    /// It is no crop plant, or far from here.
    pub(super) fn forget(&mut self, number: PlantNumber) {
        for square in self.squares_of.remove(&number).unwrap_or_default() {
            if let Some(parts) = self.squares.get_mut(&square) {
                parts.retain(|(other, _)| *other != number);
                if parts.is_empty() {
                    self.squares.remove(&square);
                }
            }
        }
    }

    /// From `place` to the nearest stem within half a metre.
    pub fn nearest_stem(&self, place: Point2<FieldFrame>) -> Option<Metres> {
        let stems =
            self.around(place, Metres::new(SQUARE_M)).filter(|part| matches!(part, CropPart::Stem(_)));
        let nearest = stems.map(|stem| stem.place().distance(place)).reduce(Metres::min);
        nearest.filter(|&distance| distance <= Metres::new(SQUARE_M))
    }

    /// Every part within this distance of `place`, and some beyond.
    pub fn around(&self, place: Point2<FieldFrame>, within: Metres) -> impl Iterator<Item = CropPart> {
        let reach = within.get();
        let [left, low] = square_of(Point2::new(place.x - reach, place.y - reach));
        let [right, high] = square_of(Point2::new(place.x + reach, place.y + reach));
        let squares = (left..=right).flat_map(move |column| (low..=high).map(move |row| [column, row]));
        squares.filter_map(|square| self.squares.get(&square)).flatten().map(|(_, part)| *part)
    }
}

#[cfg(test)]
mod tests {
    use super::super::KnownPlants;
    use super::*;
    use kompas_field::{Confidence, FieldCrop, PlantClass, RobotInstant, Sighting};
    use kompas_vision::{GroundDetection, TrackerRules};

    #[test]
    fn a_leaf_is_found_far_from_its_stem_and_forgotten_with_it() {
        let sighting = Sighting {
            position: Point2::new(0.0, 0.0),
            sigma: Metres::new(0.01),
            class: PlantClass::SugarBeet,
            confidence: Confidence::clamped(0.9),
            area_cm2: 400.0,
        };
        let leaf = Leaf { place: Point2::new(1.4, -0.2), area_cm2: 2.0 };
        let seen = GroundDetection { sighting, cut: false, lean: Metres::ZERO, leaves: vec![leaf] };
        let mut known = KnownPlants::new(TrackerRules::default(), FieldCrop::SugarBeet, Metres::new(8.0));
        known.see(RobotInstant::START, &[seen]);
        let mut map = known.into_crop_map();
        let near = |map: &CropMap| map.around(Point2::new(1.3, -0.2), Metres::new(0.15)).collect::<Vec<_>>();
        assert_eq!(near(&map), [CropPart::Leaf(leaf)]);
        assert_eq!(map.nearest_stem(Point2::new(1.3, -0.2)), None);
        map.forget(PlantNumber(0));
        assert!(near(&map).is_empty() && map.squares.is_empty());
    }
}
