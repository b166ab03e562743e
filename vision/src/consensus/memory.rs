//! What pictures of one field have shown of it, for those that come.
//!
//! A picture shows twenty plants, or two. A network that wavers over them, and rows that one picture does not show, are
//! helped by the pictures before: they have shown which crop grows here, how far the network takes it for weed, and what
//! tells it from the weeds between.

use super::crops::Crops;
use super::logistic::Example;
use super::rows::Underrated;
use std::collections::{BTreeMap, VecDeque};
use std::iter::Sum;

/// Of the latest pictures so many examples together are remembered: at the finest look those of a handful of photographs,
/// or of a few metres of a row. Light and soil change along a field, and more changed nothing.
const MOST_EXAMPLES: usize = 4000;
/// The signs of so many pictures are remembered: they are what the field grows, and how far the network knows it.
const MOST_PICTURES: usize = 256;
/// Two looks at a picture are at least a third apart in size, so each of them has steps of its own.
const STEP: f64 = 1.25;

/// What pictures of one field, sown at one time, have shown of its plants, at each of the sizes that pictures are looked at:
/// plants look different at another. Parts of a large picture count as pictures.
#[derive(Clone, Default)]
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
#[derive(Clone, Default)]
pub struct Shown(VecDeque<Picture>);

/// What the plants of a picture, or of several of one field, show of the field.
#[derive(Clone, Copy, Default)]
pub(super) struct Signs {
    /// Which crops.
    pub crops: Crops,
    /// How far the network takes them for weed.
    pub underrated: Underrated,
}

impl Signs {
    fn is_finite(&self) -> bool {
        self.crops.is_finite() && self.underrated.is_finite()
    }

    #[cfg(test)]
    pub(super) fn of_beet(pixels: f32) -> Self {
        Self { crops: Crops::of_beet(pixels), ..Self::default() }
    }
}

impl Sum for Signs {
    fn sum<I: Iterator<Item = Self>>(signs: I) -> Self {
        signs.fold(Self::default(), |sum, one| Self {
            crops: [sum.crops, one.crops].into_iter().sum(),
            underrated: [sum.underrated, one.underrated].into_iter().sum(),
        })
    }
}

/// What is remembered of a picture.
#[derive(Clone)]
struct Picture {
    signs: Signs,
    /// How many plants the examples are of.
    plants: usize,
    examples: Vec<Example>,
}

impl Shown {
    pub(super) fn pictures(&self) -> usize {
        self.0.len()
    }

    /// What the pictures together show of the field.
    pub(super) fn signs(&self) -> Signs {
        self.0.iter().map(|picture| picture.signs).sum()
    }

    /// How many plants their examples are of.
    pub(super) fn plants(&self) -> usize {
        self.0.iter().map(|picture| picture.plants).sum()
    }

    /// All of them.
    pub(super) fn examples(&self) -> impl Iterator<Item = &Example> {
        self.0.iter().flat_map(|picture| &picture.examples)
    }

    /// Remembers one more picture: its signs, and what it taught of how many plants. One without plants is not worth
    /// remembering, and one of whose scores some are no numbers would spoil all that come.
    pub(super) fn keep(&mut self, signs: Signs, learnt: Option<(usize, Vec<Example>)>) {
        let (plants, examples) = learnt.unwrap_or_default();
        if signs.crops.is_none() || !signs.is_finite() || !examples.iter().all(Example::is_finite) {
            return;
        }
        self.0.push_back(Picture { signs, plants, examples });
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

    fn beets() -> Signs {
        Signs::of_beet(100.0)
    }

    #[test]
    fn the_oldest_examples_are_forgotten_but_never_the_last_and_signs_stay() {
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

    #[test]
    fn what_pictures_show_of_the_network_adds_up() {
        let told = Underrated::of([0., 0., 0., 1.5, 0., 0.].map(Some), 1.0);
        let mut shown = Shown::default();
        let mut logits = || {
            shown.keep(Signs { underrated: told, ..beets() }, None);
            shown.signs().underrated.logits()
        };
        assert!(logits() < logits() && (logits() - 3.0).abs() < 1e-6);
    }
}
