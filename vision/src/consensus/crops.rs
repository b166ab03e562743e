//! Which crops a picture, or a field, shows: one field grows one.

use super::plant::{Plant, log_sum};
use super::{CLASSES, SUGAR_BEET, WEED};

/// Logits that potato loses at most in another crop.
const VOLUNTEERS: f32 = 1.5;

/// How much of each crop there is, in pixels: sugar beet, potato, other crop; and of all plants.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Crops {
    mass: [f32; 3],
    all: f32,
}

impl std::iter::Sum for Crops {
    fn sum<I: Iterator<Item = Self>>(crops: I) -> Self {
        crops.fold(Self::default(), |sum, crops| Self {
            mass: std::array::from_fn(|crop| sum.mass[crop] + crops.mass[crop]),
            all: sum.all + crops.all,
        })
    }
}

impl Crops {
    /// Whether there are no plants at all.
    pub(super) fn is_none(&self) -> bool {
        self.all == 0.
    }

    pub(super) fn is_finite(&self) -> bool {
        self.mass.iter().chain([&self.all]).all(|mass| mass.is_finite())
    }

    #[cfg(test)]
    pub(super) const fn of_beet(pixels: f32) -> Self {
        Self { mass: [pixels, 0., 0.], all: pixels }
    }

    pub(super) fn of(plants: &[Plant], leanings: &[[f32; CLASSES]]) -> Self {
        let mut crops = Self::default();
        for (plant, leaning) in plants.iter().zip(leanings) {
            let scores: [f32; CLASSES] =
                std::array::from_fn(|class| plant.log_shares[class] + leaning[class]);
            let total = log_sum(&scores[WEED..]);
            let pixels = plant.pixels as f32;
            crops.all += pixels;
            for (mass, score) in crops.mass.iter_mut().zip(&scores[SUGAR_BEET..]) {
                *mass += pixels * (score - total).exp();
            }
        }
        crops
    }

    /// What sugar beet, potato and other crop lose where there is more of another. Volunteers of potato do stand in other
    /// crops: it loses little, and where it is most the others lose nothing to it.
    pub(super) fn leanings(&self) -> [f32; 3] {
        // A fiftieth of the plants is what the network gets wrong anywhere.
        let floor = 0.02 * self.all + 1.;
        let [beet, potato, other] = self.mass.map(|mass| mass + floor);
        let sown = beet.max(other);
        [(beet / sown).ln(), (potato / sown).ln().clamp(-VOLUNTEERS, 0.), (other / sown).ln()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::leanings::Leanings;
    use super::super::memory::Signs;
    use super::super::{OTHER_CROP, POTATO, RowSearch};
    use super::*;

    const SIZE: (f32, f32) = (1000., 750.);

    #[test]
    fn a_beet_among_maize_was_maize_and_a_potato_stays() {
        let maize = |i: u16| {
            let x = f32::from(i) * 60.;
            Plant { x, y: 10., pixels: 900, log_shares: [0., -5., -4., -6., -0.1] }
        };
        let mut plants: Vec<Plant> = (0..8).map(maize).collect();
        plants.push(Plant { x: 30., y: 200., pixels: 300, log_shares: [0., -3., -0.5, -6., -1.] });
        plants.push(Plant { x: 90., y: 300., pixels: 300, log_shares: [0., -3., -6., -0.2, -2.] });
        let (leanings, _) = Leanings::among(&plants, SIZE, RowSearch::AnySlant, &Signs::default());
        let class = |i: usize| {
            let score = |class: usize| plants[i].log_shares[class] + leanings.of_part(i, None)[class];
            (1..CLASSES).max_by(|&a, &b| score(a).total_cmp(&score(b)))
        };
        assert_eq!((class(0), class(8), class(9)), (Some(4), Some(4), Some(3)));
    }

    #[test]
    fn a_lone_beet_in_a_field_that_has_shown_maize_was_maize() {
        let lone = [Plant { x: 30., y: 200., pixels: 300, log_shares: [0., -3., -0.5, -6., -1.] }];
        let maize = Plant { x: 9., y: 9., pixels: 7000, log_shares: [0., -2., -6., -7., -0.15] };
        let (_, maize) = Leanings::among(&[maize], SIZE, RowSearch::AnySlant, &Signs::default());
        let is_maize = |shown: &Signs| {
            let (leanings, _) = Leanings::among(&lone, SIZE, RowSearch::AnySlant, shown);
            let leaning = leanings.of_part(0, None);
            leaning[OTHER_CROP] - leaning[SUGAR_BEET] > 0.5
        };
        assert!(is_maize(&maize) && !is_maize(&Signs::default()));
        let (_, alone) = Leanings::among(&lone, SIZE, RowSearch::AnySlant, &Signs::default());
        let (_, after) = Leanings::among(&lone, SIZE, RowSearch::AnySlant, &maize);
        assert!(alone.crops == after.crops, "what it shows itself is told apart from what was shown");
    }

    #[test]
    fn a_beet_that_is_nearly_taken_for_potato_among_beets_is_beet_and_a_field_of_potatoes_stays() {
        let unsure =
            |potato: f32| Plant { x: 5., y: 5., pixels: 300, log_shares: [0., -6., -1., potato, -6.] };
        let class = |plants: &[Plant]| {
            let (leanings, _) = Leanings::among(plants, SIZE, RowSearch::AnySlant, &Signs::default());
            let score = |class: usize| plants[0].log_shares[class] + leanings.of_part(0, None)[class];
            (1..CLASSES).max_by(|&a, &b| score(a).total_cmp(&score(b)))
        };
        let among = |potato: f32, others: [f32; CLASSES]| {
            let others = (1..10_u16).map(|i| Plant {
                x: f32::from(i * i * 131 % 997),
                y: f32::from(i * 331 % 751),
                pixels: 900,
                log_shares: others,
            });
            class(&std::iter::once(unsure(potato)).chain(others).collect::<Vec<_>>())
        };
        let (beets, potatoes) = ([0., -5., -0.1, -5., -5.], [0., -5., -5., -0.1, -5.]);
        assert_eq!(among(0., beets), Some(SUGAR_BEET), "1 logit more for potato");
        assert_eq!(among(1.5, beets), Some(POTATO), "2.5 logits more: a volunteer");
        assert_eq!(among(-0.5, potatoes), Some(POTATO));
        assert_eq!(among(-1.5, potatoes), Some(SUGAR_BEET), "beet loses nothing to potato");
    }
}
