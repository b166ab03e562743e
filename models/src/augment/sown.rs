//! A row of drawn beets of one sowing among drawn weeds.

use super::composite::{paste, paste_at};
use super::drawn::Kind;
use super::{Crop, Sprite};
use rand::{Rng, RngExt};
use std::f32::consts::TAU;

/// Sowings, plants drawn of each, and weeds: one of each kind.
const SOWINGS: usize = 150;
const PER_SOWING: usize = 5;
const WEEDS: usize = 500;
/// Share of the places of a row with a plant.
const GERMINATED: f32 = 0.9;
/// Sides of the drawings of beets and of weeds at working size, in pixels; a plant spans half of it and more.
const BEETS_LONG: (f32, f32) = (28., 170.);
const WEEDS_LONG: (f32, f32) = (12., 120.);

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

    /// Pastes up to seven weeds, then a row of beets, alike and evenly spaced, across `crop` (at least 32 pixels wide);
    /// all as large as they stand at working size, times `zoom`. Each plant is turned, and with it the light on it.
    pub fn sow(&self, crop: &mut Crop, zoom: f32, rng: &mut impl Rng) {
        let side = crop.side as f32;
        for _ in 0..rng.random_range(0..=7) {
            let weed = &self.weeds[rng.random_range(0..self.weeds.len())];
            let length =
                (zoom * rng.random_range(WEEDS_LONG.0.ln()..WEEDS_LONG.1.ln()).exp()).clamp(5., 0.6 * side);
            paste(crop, weed, length, rng);
        }
        let sowing = &self.sowings[rng.random_range(0..self.sowings.len())];
        let length =
            (zoom * rng.random_range(BEETS_LONG.0.ln()..BEETS_LONG.1.ln()).exp()).clamp(10., 0.6 * side);
        let spacing = length * rng.random_range(0.8..2.2);
        let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
        let middle: [f32; 2] = std::array::from_fn(|_| side * rng.random_range(0.2..0.8));
        let mut along = -1.2 * side; // the corner farthest from such a middle is 1.13 sides away
        while along < 1.2 * side {
            let beet = &sowing[rng.random_range(0..sowing.len())];
            let (aside, grown) = (length * rng.random_range(-0.15..0.15), rng.random_range(0.75..1.25));
            let place = (middle[0] + along * cos - aside * sin, middle[1] + along * sin + aside * cos);
            if rng.random::<f32>() < GERMINATED {
                paste_at(crop, beet, place, rng.random_range(0.0..TAU), length * grown);
            }
            along += spacing * rng.random_range(0.85..1.15);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// How narrow what a crop shows of a class is: the smaller spread of its pixels over the larger, 0 to 1.
    fn narrowness(crop: &Crop, class: u8) -> Option<f32> {
        let places = (0..crop.mask.len()).filter(|&at| crop.mask[at] == class);
        let places = places.map(|at| ((at % crop.side as usize) as f32, (at / crop.side as usize) as f32));
        let places: Vec<(f32, f32)> = places.collect();
        let mean = |value: &dyn Fn(f32, f32) -> f32| {
            places.iter().map(|&(x, y)| value(x, y)).sum::<f32>() / places.len() as f32
        };
        let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
        let (xx, yy) = (mean(&|u, _| (u - x).powi(2)), mean(&|_, v| (v - y).powi(2)));
        let (half, apart) =
            (0.5 * (xx + yy), (0.25 * (xx - yy).powi(2) + mean(&|u, v| (u - x) * (v - y)).powi(2)).sqrt());
        (places.len() > 60).then(|| ((half - apart) / (half + apart)).sqrt())
    }

    #[test]
    fn beets_stand_in_a_row_and_weeds_do_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let drawn = Drawn::plants(&mut rng);
        let (mut beets, mut weeds) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            let mut crop =
                Crop { side: 256, rgb: vec![[120., 100., 80.]; 256 * 256], mask: vec![0; 256 * 256] };
            drawn.sow(&mut crop, 0.5, &mut rng);
            beets.extend(narrowness(&crop, 2));
            weeds.extend(narrowness(&crop, 1));
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        assert!(beets.len() >= 40 && weeds.len() >= 30, "{} {}", beets.len(), weeds.len());
        assert!(mean(&beets) < 0.2 && mean(&weeds) > 0.35, "{} {}", mean(&beets), mean(&weeds));
    }

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
