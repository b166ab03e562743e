//! Connected plants, as the network sees them.

use super::{CLASSES, SOIL, SUGAR_BEET, WEED};

/// A connected plant of a picture.
pub(super) struct Plant {
    /// Its middle in pixels.
    pub x: f32,
    /// Its middle in pixels.
    pub y: f32,
    /// Its size.
    pub pixels: usize,
    /// Mean over its pixels of the logarithm of each class's share among plants; that of soil is not used.
    pub log_shares: [f32; CLASSES],
}

impl Plant {
    /// Of pixels, of each of which the log shares are given, in a picture so wide.
    pub(super) fn of(pixels: &[u32], shares: &[[f32; CLASSES]], width: usize) -> Self {
        let mut sums = [0.0_f32; CLASSES];
        let (mut x, mut y) = (0_u64, 0_u64);
        for (&at, shares) in pixels.iter().zip(shares) {
            let at = at as usize;
            (x, y) = (x + (at % width) as u64, y + (at / width) as u64);
            for (sum, own) in sums.iter_mut().zip(shares) {
                *sum += own;
            }
        }
        let size = pixels.len() as f32;
        let [x, y] = [x, y].map(|sum| sum as f32 / size);
        Self { x, y, pixels: pixels.len(), log_shares: sums.map(|sum| sum / size) }
    }

    /// How likely it is crop if the network underrates crop by so many logits.
    pub(super) fn crop(&self, underrated: f32) -> f32 {
        let crop = log_sum(&self.log_shares[SUGAR_BEET..]) - self.log_shares[WEED];
        1. / (1. + (-crop - underrated).exp())
    }
}

/// The pixels of every connected plant.
pub(super) fn connected(is_plant: &[bool], width: usize, height: usize) -> Vec<Vec<u32>> {
    let mut seen = vec![false; is_plant.len()];
    let mut plants = Vec::new();
    for start in 0..is_plant.len() {
        if seen[start] || !is_plant[start] {
            continue;
        }
        seen[start] = true;
        let mut plant = vec![index(start)];
        let mut next = 0;
        while next < plant.len() {
            let at = plant[next] as usize;
            next += 1;
            let (x, y) = (at % width, at / width);
            let near = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then(|| at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then(|| at + width),
            ];
            for at in near.into_iter().flatten().filter(|&at| is_plant[at]) {
                if !seen[at] {
                    seen[at] = true;
                    plant.push(index(at));
                }
            }
        }
        plants.push(plant);
    }
    plants
}

/// A pixel's number in half the memory; a picture is judged in parts far below four thousand million pixels.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The logarithm of each class's share among the plants; that of soil is left zero.
pub(super) fn log_shares(all: &[f32; CLASSES]) -> [f32; CLASSES] {
    let total = log_sum(&all[WEED..]);
    std::array::from_fn(|class| if class == SOIL { 0.0 } else { all[class] - total })
}

/// The logarithm of the sum of what these are the logarithms of.
pub(super) fn log_sum(logs: &[f32]) -> f32 {
    let most = logs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    most + logs.iter().map(|log| (log - most).exp()).sum::<f32>().ln()
}
