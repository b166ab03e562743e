//! Randomness: one seed, one independent stream per purpose, so that changing one leaves the others alone.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What the numbers are for. The value is the stream: never reuse one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Crop = 1,
    Weeds = 2,
    Volunteers = 3,
    Soil = 4,
    Sprites = 5,
    Drive = 6,
    Gnss = 7,
    PictureNoise = 8,
    Light = 9,
    Photos = 10,
    Valves = 11,
}

pub(super) fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// A standard normal number (Box–Muller).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// A Poisson number: by Knuth's product below a mean of 30, by the normal limit above.
pub(super) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> u32 {
    if mean > 30.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped at zero, saturating"
        )]
        return (mean + mean.sqrt() * normal(rng)).round().max(0.0) as u32;
    }
    let limit = (-mean).exp();
    let mut product: f64 = rng.random();
    let mut count = 0;
    while product > limit {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = stream(3, Purpose::Crop);
        let n = 20_000;
        let normals: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
        for mean in [0.3, 4.0, 80.0] {
            let total: f64 = (0..n).map(|_| f64::from(poisson(&mut rng, mean))).sum();
            assert!((total / f64::from(n) / mean - 1.0).abs() < 0.05, "{mean}");
        }
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |purpose| stream(9, purpose).random::<u64>();
        assert_eq!(draw(Purpose::Crop), draw(Purpose::Crop));
        assert_ne!(draw(Purpose::Crop), draw(Purpose::Weeds));
    }
}
