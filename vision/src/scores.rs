//! A network's scores, at every size a picture is looked at, to classes of its pixels.

use crate::consensus::{self, Colours, Consensus, Shown};
use crate::leaves;
use crate::segment::{ClassMap, SegmentError};
use crate::tiles::Tile;
use kompas_field::PlantClass;

const CLASSES: usize = PlantClass::ALL.len();

/// Scores per class of a picture at one of the sizes it is looked at.
#[derive(Clone)]
pub struct ScoreMap {
    width: usize,
    height: usize,
    /// One plane per class, row by row.
    scores: Vec<f32>,
}

impl ScoreMap {
    /// All zero.
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, scores: vec![0.0; CLASSES * width * height] }
    }

    /// Takes the kept part of a tile from its scores: one plane per class, row by row, `row_length` to a row and at least as
    /// many rows as the tile has.
    ///
    /// # Panics
    /// If the scores are fewer, or the tile does not lie in the picture.
    pub fn keep(&mut self, tile: &Tile, scores: &[f32], row_length: u32) {
        let row_length = row_length as usize;
        let plane = scores.len() / CLASSES;
        let [left, top, right, bottom] = tile.keep;
        let count = (right - left) as usize;
        for class in 0..CLASSES {
            for row in top..bottom {
                let from =
                    class * plane + (row - tile.top) as usize * row_length + (left - tile.left) as usize;
                let to = (class * self.height + row as usize) * self.width + left as usize;
                self.scores[to..to + count].copy_from_slice(&scores[from..from + count]);
            }
        }
    }

    /// At which sizes the picture should be looked at, after this first look ([`leaves::zooms`]).
    pub fn zooms(&self, zooms: &[f64]) -> Vec<f64> {
        leaves::zooms(&self.scores, self.width, self.height, zooms)
    }

    /// Believes weeds that are green, lets the pixels of each plant agree, and doubts what is not green ([`consensus::agree`]).
    pub fn agree(&mut self, rules: Consensus, colours: &Colours, shown: &mut Shown) {
        consensus::agree(&mut self.scores, self.width, self.height, rules, colours, shown);
    }

    /// Adds to every pixel's score of each class.
    pub fn offset(&mut self, offsets: [f32; CLASSES]) {
        let pixels = self.width * self.height;
        for (plane, offset) in self.scores.chunks_exact_mut(pixels.max(1)).zip(offsets) {
            for score in plane {
                *score += offset;
            }
        }
    }

    /// Row `row` of `class`.
    fn row(&self, class: usize, row: usize) -> &[f32] {
        let from = (class * self.height + row) * self.width;
        &self.scores[from..from + self.width]
    }
}

/// Whether a network's answer is one: NaN would be taken for soil.
pub fn are_numbers(scores: &[f32]) -> bool {
    // Infinity times zero is NaN, too, and a sum stays in vector lanes where a search for the first does not.
    let parts = scores.chunks(4096).map(|part| part.iter().map(|score| score * 0.0).sum::<f32>());
    parts.into_iter().all(|sum| sum == 0.0)
}

/// Where the pixels of one axis lie between those of a shorter or longer one: the pixel before, the one
/// after, and the share of the latter. Half-pixel centres, as `Resize` and LibTorch have them.
fn between(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let step = from as f32 / to as f32;
    (0..to)
        .map(|at| {
            let place = ((at as f32 + 0.5) * step - 0.5).max(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 or more, in range"
            )]
            let before = (place as usize).min(from - 1);
            (before, (before + 1).min(from - 1), place - before as f32)
        })
        .collect()
}

/// The mean of the scores at every size (one or more), interpolated to `width` × `height`, as class and confidence; a
/// higher `temperature` is less sure. Row by row: a large picture needs no more memory than its scores and two bytes a
/// pixel.
///
/// # Errors
/// [`SegmentError::Empty`].
pub fn judged(
    maps: &[ScoreMap],
    width: u32,
    height: u32,
    temperature: f32,
) -> Result<ClassMap, SegmentError> {
    let (columns, rows) = (width, height);
    let (width, height) = (width as usize, height as usize);
    let (mut class_ids, mut confidence) = (vec![0; width * height], vec![0; width * height]);
    let places: Vec<_> =
        maps.iter().map(|map| (between(map.width, width), between(map.height, height))).collect();
    let longest = maps.iter().map(|map| map.width).max().unwrap_or(0);
    let (mut sums, mut blended) = (vec![0.0_f32; CLASSES * width], vec![0.0_f32; longest]);
    let sharpness = 1.0 / (temperature * maps.len() as f32);
    for y in 0..height {
        sums.fill(0.0);
        for (map, (across, down)) in maps.iter().zip(&places) {
            let (upper, lower, share) = down[y];
            for (class, sums) in sums.chunks_exact_mut(width).enumerate() {
                let rows = map.row(class, upper).iter().zip(map.row(class, lower));
                for (value, (upper, lower)) in blended.iter_mut().zip(rows) {
                    *value = upper + (lower - upper) * share;
                }
                for (sum, &(before, after, share)) in sums.iter_mut().zip(across) {
                    *sum += blended[before] + (blended[after] - blended[before]) * share;
                }
            }
        }
        let score: [&[f32]; CLASSES] = std::array::from_fn(|class| &sums[class * width..(class + 1) * width]);
        let row = y * width..(y + 1) * width;
        judge(score, sharpness, &mut class_ids[row.clone()], &mut confidence[row]);
    }
    ClassMap::new(columns, rows, class_ids, confidence)
}

/// The class with the highest score, the lower id among equals, and its softmax share in 0 to 255.
fn judge(score: [&[f32]; CLASSES], sharpness: f32, class_ids: &mut [u8], confidence: &mut [u8]) {
    let [soil, weed, sugar, potato, other] = score;
    for (i, (id, sure)) in class_ids.iter_mut().zip(confidence).enumerate() {
        let all = [soil[i], weed[i], sugar[i], potato[i], other[i]];
        let (mut best, mut class) = (all[0], 0_u8);
        for (rival, value) in (1_u8..).zip(&all[1..]) {
            if *value > best {
                (best, class) = (*value, rival);
            }
        }
        let total: f32 = all.iter().map(|value| exp((value - best) * sharpness)).sum();
        *id = class;
        // As in the index of excess green: adding 2²³ leaves the rounded value in the low bits.
        *sure = (255.0 / total + 8_388_608.0).to_bits().to_le_bytes()[0];
    }
}

/// e^x for x ≤ 0, to 1e-4: 2^(x·log₂e) from a polynomial on the fraction and the exponent's bits, which
/// stays in vector lanes where the library's does not.
fn exp(x: f32) -> f32 {
    let power = (x * std::f32::consts::LOG2_E).max(-126.0);
    // Rounding by adding 1.5·2²³: the low bits are the whole part.
    let shifted = power + 12_582_912.0;
    let fraction = power - (shifted - 12_582_912.0);
    let mantissa = 1.0
        + fraction
            * (std::f32::consts::LN_2
                + fraction * (0.240_226_5 + fraction * (0.055_504_1 + fraction * 0.009_618_1)));
    f32::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_exponential_is_right_to_a_ten_thousandth() {
        for step in 0..20_000 {
            let x = -0.005 * step as f32;
            assert!((exp(x) - x.exp()).abs() < 1e-4, "{x}: {} {}", exp(x), x.exp());
        }
    }

    #[test]
    fn what_is_no_number_is_found_anywhere() {
        let mut scores = vec![-3.5_f32; 10_000];
        assert!(are_numbers(&scores) && are_numbers(&[]));
        for (at, value) in [(0, f32::NAN), (9_999, f32::INFINITY), (5_000, f32::NEG_INFINITY)] {
            let sound = std::mem::replace(&mut scores[at], value);
            assert!(!are_numbers(&scores), "{value}");
            scores[at] = sound;
        }
    }

    #[test]
    fn confidence_is_the_softmax_share_and_temperature_softens_it() {
        let planes = [2.0_f32, 0.0, 1.0, -1.0, 0.5].map(|score| [score]);
        let mut map = ScoreMap::new(1, 1);
        let tile = Tile { left: 0, top: 0, width: 1, height: 1, keep: [0, 0, 1, 1] };
        // One pixel in planes of 32 × 32.
        let mut scores = vec![0.0; CLASSES * 32 * 32];
        for (class, plane) in planes.iter().enumerate() {
            scores[class * 32 * 32] = plane[0];
        }
        let total =
            |t: f64| [2.0, 0.0, 1.0, -1.0, 0.5].iter().map(|score| f64::exp((score - 2.0) / t)).sum::<f64>();
        for temperature in [1.0_f32, 2.5] {
            map.keep(&tile, &scores, 32);
            let judged = judged(std::slice::from_ref(&map), 1, 1, temperature).unwrap();
            let wanted = 255.0 / total(f64::from(temperature));
            assert!((f64::from(judged.confidence()[0]) - wanted).abs() < 0.6);
            assert_eq!(judged.class_ids(), [0]);
        }
    }
}
