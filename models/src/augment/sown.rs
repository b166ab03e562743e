//! A row of drawn beets of one sowing among drawn weeds.

use super::drawn::Kind;
use super::{Crop, Sprite, paste, paste_at};
use rand::{Rng, RngExt};
use std::f32::consts::TAU;

/// Sowings, plants drawn of each, and weeds: one of each kind.
const SOWINGS: usize = 150;
const PER_SOWING: usize = 5;
const WEEDS: usize = 500;
/// Share of the places of a row with a plant.
const GERMINATED: f32 = 0.9;
/// How long beets and weeds are at working size, in pixels.
const BEETS: (f32, f32) = (28., 170.);
const WEED_LENGTHS: (f32, f32) = (12., 120.);

/// Drawn plants to sow crops with.
pub struct Drawn {
    sowings: Vec<Vec<Sprite>>,
    weeds: Vec<Sprite>,
}

impl Drawn {
    /// Draws them.
    pub fn plants(rng: &mut impl Rng) -> Self {
        let mut sowing = || {
            let kind = Kind::beet(rng);
            (0..PER_SOWING).map(|_| kind.draw(rng)).collect()
        };
        let sowings = (0..SOWINGS).map(|_| sowing()).collect();
        let weeds = (0..WEEDS).map(|_| Kind::weed(rng).draw(rng)).collect();
        Self { sowings, weeds }
    }

    /// Pastes up to seven weeds, then a row of beets, alike and evenly spaced, across `crop`; all as large as they stand
    /// at working size, times `zoom`.
    pub fn sow(&self, crop: &mut Crop, zoom: f32, rng: &mut impl Rng) {
        let side = crop.side as f32;
        let long = |(least, most): (f32, f32), rng: &mut _| zoom * drawn_between(least, most, rng);
        for _ in 0..rng.random_range(0..=7) {
            let weed = &self.weeds[rng.random_range(0..self.weeds.len())];
            let length = long(WEED_LENGTHS, rng).clamp(5., 0.6 * side);
            paste(crop, weed, length, rng);
        }
        let sowing = &self.sowings[rng.random_range(0..self.sowings.len())];
        let length = long(BEETS, rng).clamp(10., 0.6 * side);
        let spacing = length * rng.random_range(0.8..2.2);
        let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
        let middle: [f32; 2] = std::array::from_fn(|_| side * rng.random_range(0.2..0.8));
        let mut along = -side;
        while along < side {
            let beet = &sowing[rng.random_range(0..sowing.len())];
            let (aside, grown) = (length * rng.random_range(-0.15..0.15), rng.random_range(0.75..1.25));
            let place = (middle[0] + along * cos - aside * sin, middle[1] + along * sin + aside * cos);
            if rng.random::<f32>() < GERMINATED {
                paste_at(crop, beet, place, length * grown, rng);
            }
            along += spacing * rng.random_range(0.85..1.15);
        }
    }
}

/// As often near the least as near the most, in proportion.
fn drawn_between(least: f32, most: f32, rng: &mut impl Rng) -> f32 {
    rng.random_range(least.ln()..most.ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn most_sown_crops_show_beets_weeds_and_soil() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let drawn = Drawn::plants(&mut rng);
        let mut with = [0; 5];
        for _ in 0..60 {
            let mut crop =
                Crop { side: 128, rgb: vec![[120., 100., 80.]; 128 * 128], mask: vec![0; 128 * 128] };
            drawn.sow(&mut crop, 0.7, &mut rng);
            for (class, count) in with.iter_mut().enumerate() {
                *count += i32::from(crop.mask.iter().any(|&id| usize::from(id) == class));
            }
            let mut plants = crop.rgb.iter().zip(&crop.mask).filter(|(_, class)| **class != 0);
            let off =
                |rgb: &[f32; 3]| rgb.iter().zip([120., 100., 80.]).any(|(own, soil)| (own - soil).abs() > 1.);
            assert!(plants.all(|(rgb, _)| off(rgb)), "what is labelled is painted");
        }
        assert_eq!((with[0], with[3], with[4]), (60, 0, 0));
        assert!(with[1] >= 40 && with[2] >= 55, "{with:?}");
    }
}
