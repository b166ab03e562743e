//! What pictures of one field have shown of it, for those that come.
//!
//! A picture shows twenty plants, or two. A network that wavers over them, and rows that one picture does not show, are
//! helped by the pictures before: they have shown which crop grows here, and what tells it from the weeds between.

use super::logistic::Example;
use super::rows::Crops;
use std::collections::VecDeque;

/// The latest pictures with so many examples together are remembered: at the finest look that is a handful of
/// photographs, or a few metres of a row. Light and soil change along a field, and more changed nothing.
const MOST_EXAMPLES: usize = 4000;
/// And at most so many: bare ground gives no examples.
const MOST_PICTURES: usize = 256;

/// What pictures of one field, sown at one time, have shown of its plants, at each of the sizes that a picture is looked at:
/// plants look different at another.
#[derive(Default)]
pub struct FieldMemory(Vec<Shown>);

impl FieldMemory {
    /// At look number `look` of each picture.
    pub fn at(&mut self, look: usize) -> &mut Shown {
        self.0.resize_with(self.0.len().max(look + 1), Shown::default);
        &mut self.0[look]
    }

    /// How many pictures are remembered.
    pub fn pictures(&self) -> usize {
        self.0.iter().map(|shown| shown.0.len()).max().unwrap_or(0)
    }
}

/// What a field has shown at one size, the latest pictures of it.
#[derive(Default)]
pub struct Shown(VecDeque<Picture>);

/// What is remembered of a picture.
pub(super) struct Picture {
    pub crops: Crops,
    /// How many plants the examples are of.
    pub plants: usize,
    pub examples: Vec<Example>,
}

impl Shown {
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

    /// Remembers one more picture, and forgets the oldest.
    pub(super) fn keep(&mut self, picture: Picture) {
        self.0.push_back(picture);
        let mut all = self.examples().count();
        while (all > MOST_EXAMPLES && self.0.len() > 1) || self.0.len() > MOST_PICTURES {
            all -= self.0.pop_front().map_or(0, |oldest| oldest.examples.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::logistic::FEATURES;
    use super::*;

    fn picture(examples: usize) -> Picture {
        let example = |i: usize| Example { features: [i as f32; FEATURES], share: 1.0, weight: 1.0 };
        Picture { crops: Crops::default(), plants: 1, examples: (0..examples).map(example).collect() }
    }

    #[test]
    fn the_oldest_pictures_are_forgotten_but_never_the_last() {
        let mut field = FieldMemory::default();
        for examples in [1000, 1500, 2000, 900] {
            field.at(2).keep(picture(examples));
        }
        assert_eq!((field.at(2).examples().count(), field.at(2).plants(), field.pictures()), (2900, 2, 2));
        assert_eq!(field.at(0).examples().count(), 0, "each look by itself");
        field.at(2).keep(picture(9000));
        assert_eq!(field.at(2).examples().count(), 9000);
    }

    #[test]
    fn bare_ground_fills_no_memory() {
        let mut shown = Shown::default();
        (0..10_000).for_each(|_| shown.keep(picture(0)));
        assert_eq!(shown.0.len(), MOST_PICTURES);
    }
}
