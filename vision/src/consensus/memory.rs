//! What pictures of one field have shown of it, for those that come.
//!
//! A picture shows twenty plants, or two. A network that wavers over them, and rows that one picture does not show, are
//! helped by the pictures before: they have shown which crop grows here, and what tells it from the weeds between.

use super::logistic::Example;
use super::rows::Crops;
use std::collections::{BTreeMap, VecDeque};

/// Of the latest pictures so many examples together are remembered: at the finest look those of a handful of photographs,
/// or of a few metres of a row. Light and soil change along a field, and more changed nothing.
const MOST_EXAMPLES: usize = 4000;
/// The crops of so many pictures are remembered: they are what the field grows.
const MOST_PICTURES: usize = 256;
/// Two looks at a picture are at least a third apart in size, so each of them has steps of its own.
const STEP: f64 = 1.25;

/// What pictures of one field, sown at one time, have shown of its plants, at each of the sizes that pictures are looked at:
/// plants look different at another. Parts of a large picture count as pictures.
#[derive(Default)]
pub struct FieldMemory(BTreeMap<i32, Shown>);

impl FieldMemory {
    /// What it has shown at `zoom`, a multiple of the working size, and at sizes about the same.
    pub fn at(&mut self, zoom: f64) -> &mut Shown {
        #[expect(clippy::cast_possible_truncation, reason = "a few steps")]
        let step = (zoom.ln() / STEP.ln()).round() as i32;
        self.0.entry(step).or_default()
    }

    /// How many pictures are remembered.
    pub fn pictures(&self) -> usize {
        self.0.values().map(Shown::pictures).max().unwrap_or(0)
    }
}

/// What a field has shown at one size, the latest pictures of it.
#[derive(Default)]
pub struct Shown(VecDeque<Picture>);

/// What is remembered of a picture.
struct Picture {
    crops: Crops,
    /// How many plants the examples are of.
    plants: usize,
    examples: Vec<Example>,
}

impl Shown {
    pub(super) fn pictures(&self) -> usize {
        self.0.len()
    }

    /// The crops of the pictures together.
    pub(super) fn crops(&self) -> Crops {
        self.0.iter().map(|picture| picture.crops).sum()
    }

    /// How many plants their examples are of.
    pub(super) fn plants(&self) -> usize {
        self.0.iter().map(|picture| picture.plants).sum()
    }

    /// All of them.
    pub(super) fn examples(&self) -> impl Iterator<Item = &Example> {
        self.0.iter().flat_map(|picture| &picture.examples)
    }

    /// Remembers one more picture: its crops, and what it taught of how many plants. One without plants is not worth
    /// remembering, and one of whose scores some are no numbers would spoil all that come.
    pub(super) fn keep(&mut self, crops: Crops, learnt: Option<(usize, Vec<Example>)>) {
        let (plants, examples) = learnt.unwrap_or_default();
        if crops.is_none() || !crops.is_finite() || !examples.iter().all(Example::is_finite) {
            return;
        }
        self.0.push_back(Picture { crops, plants, examples });
        if self.0.len() > MOST_PICTURES {
            self.0.pop_front();
        }
        let mut all = self.examples().count();
        let last = self.0.len() - 1;
        for picture in self.0.iter_mut().take(last) {
            if all <= MOST_EXAMPLES {
                break;
            }
            all -= picture.examples.len();
            (picture.plants, picture.examples) = (0, Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::logistic::FEATURES;
    use super::*;

    fn examples(count: usize) -> (usize, Vec<Example>) {
        let example = |i: usize| Example { features: [i as f32; FEATURES], share: 1.0, weight: 1.0 };
        (1, (0..count).map(example).collect())
    }

    fn beets() -> Crops {
        Crops::of_beet(100.0)
    }

    #[test]
    fn the_oldest_examples_are_forgotten_but_never_the_last_and_crops_stay() {
        let mut field = FieldMemory::default();
        for count in [1000, 1500, 2000, 900] {
            field.at(2.0).keep(beets(), Some(examples(count)));
        }
        let shown = field.at(2.0);
        assert_eq!((shown.examples().count(), shown.plants(), shown.pictures()), (2900, 2, 4));
        assert_eq!(field.at(1.5).pictures(), 0, "each size by itself");
        assert_eq!(field.at(1.9).pictures(), 4, "about the same size");
        field.at(2.0).keep(beets(), Some(examples(9000)));
        assert_eq!((field.at(2.0).examples().count(), field.pictures()), (9000, 5));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut shown = Shown::default();
        (0..1000).for_each(|_| shown.keep(beets(), None));
        assert_eq!(shown.pictures(), MOST_PICTURES);
    }
}
