//! Smooth seeded noise over a distance or a time: steering, slip, light.

use super::stream::normal;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Waves summed: enough that nobody sees the period, few enough to cost nothing.
const WAVES: usize = 8;

/// A sum of sines with random phases: zero mean, a given standard deviation, the same at the same place
/// whatever was asked before.
#[derive(Debug, Clone)]
pub(super) struct Wander {
    /// Amplitude, radians per unit, phase.
    waves: [(f64, f64, f64); WAVES],
}

impl Wander {
    /// Standard deviation `sigma`, wave lengths of one third to three times `length`.
    pub(super) fn new(rng: &mut ChaCha8Rng, sigma: f64, length: f64) -> Self {
        let weights: [f64; WAVES] = std::array::from_fn(|_| normal(rng).abs() + 0.3);
        let power: f64 = weights.iter().map(|w| w * w / 2.0).sum();
        let scale = sigma / power.sqrt();
        let waves = weights.map(|weight| {
            let wavelength = length * 9f64.powf(rng.random::<f64>() - 0.5);
            (weight * scale, TAU / wavelength, rng.random::<f64>() * TAU)
        });
        Self { waves }
    }

    pub(super) fn at(&self, place: f64) -> f64 {
        self.waves.iter().map(|(amplitude, rate, phase)| amplitude * (rate * place + phase).sin()).sum()
    }

    /// Change per unit of place.
    pub(super) fn slope(&self, place: f64) -> f64 {
        self.waves
            .iter()
            .map(|(amplitude, rate, phase)| amplitude * rate * (rate * place + phase).cos())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::{Purpose, stream};
    use super::*;

    #[test]
    fn deviation_and_slope_are_as_asked() {
        let wander = Wander::new(&mut stream(5, Purpose::Drive), 0.02, 8.0);
        let places = (0..100_000).map(|i| f64::from(i) * 0.1);
        let variance = places.map(|s| wander.at(s).powi(2)).sum::<f64>() / 1e5;
        assert!((variance.sqrt() / 0.02 - 1.0).abs() < 0.1, "{}", variance.sqrt());
        let slope = (wander.at(10.001) - wander.at(9.999)) / 0.002;
        assert!((slope - wander.slope(10.0)).abs() < 1e-6);
    }
}
