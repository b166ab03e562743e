//! Pixels to the network's planes, and its scores to classes.

use crate::consensus::{self, Colours, Consensus, Shown};
use crate::leaves;
use crate::tiles::Tile;
use kompas_field::PlantClass;

const CLASSES: usize = PlantClass::ALL.len();

/// Red, green and blue planes of `tile`, 0 to 1, at `[height, width]`; beyond the tile its last row and
/// column repeat.
pub(super) fn planes(picture: &image::RgbImage, tile: &Tile, [height, width]: [u32; 2], out: &mut Vec<f32>) {
    let (height, width) = (height as usize, width as usize);
    let table: [f32; 256] = std::array::from_fn(|value| value as f32 / 255.0);
    out.resize(3 * height * width, 0.0);
    let (red, rest) = out.split_at_mut(height * width);
    let (green, blue) = rest.split_at_mut(height * width);
    let row_bytes = 3 * picture.width() as usize;
    let filled = tile.width as usize;
    for row in 0..height {
        let from =
            (tile.top as usize + row.min(tile.height as usize - 1)) * row_bytes + 3 * tile.left as usize;
        let pixels = picture.as_raw()[from..from + 3 * filled].chunks_exact(3);
        let span = row * width..(row + 1) * width;
        let (red, green, blue) = (&mut red[span.clone()], &mut green[span.clone()], &mut blue[span]);
        for ((pixel, red), (green, blue)) in
            pixels.zip(red.iter_mut()).zip(green.iter_mut().zip(blue.iter_mut()))
        {
            *red = table[usize::from(pixel[0])];
            *green = table[usize::from(pixel[1])];
            *blue = table[usize::from(pixel[2])];
        }
        for plane in [red, green, blue] {
            let last = plane[filled - 1];
            plane[filled..].fill(last);
        }
    }
}

/// Scores per class of a picture at one of the sizes it is looked at.
pub(super) struct ScoreMap {
    width: usize,
    height: usize,
    /// One plane per class, row by row.
    scores: Vec<f32>,
}

impl ScoreMap {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, scores: vec![0.0; CLASSES * width * height] }
    }

    /// Takes the kept part of a tile from its scores, one plane per class, sides multiples of 32.
    pub(super) fn keep(&mut self, tile: &Tile, scores: &[f32]) {
        let row_length = tile.width.next_multiple_of(super::STRIDE) as usize;
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
    pub(super) fn zooms(&self, zooms: &[f64]) -> Vec<f64> {
        leaves::zooms(&self.scores, self.width, self.height, zooms)
    }

    /// Believes weeds that are green, lets the pixels of each plant agree, and doubts what is not green ([`consensus::agree`]).
    pub(super) fn agree(&mut self, rules: Consensus, colours: &Colours, shown: &mut Shown) {
        consensus::agree(&mut self.scores, self.width, self.height, rules, colours, shown);
    }

    /// Row `row` of `class`.
    fn row(&self, class: usize, row: usize) -> &[f32] {
        let from = (class * self.height + row) * self.width;
        &self.scores[from..from + self.width]
    }
}

/// Whether a network's answer is one: NaN would be taken for soil.
pub(super) fn are_numbers(scores: &[f32]) -> bool {
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

/// The mean of the scores at every size, interpolated to `width` × `height`, as class and confidence.
pub(super) fn judged(maps: &[ScoreMap], width: u32, height: u32, temperature: f32) -> (Vec<u8>, Vec<u8>) {
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
    (class_ids, confidence)
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
            map.keep(&tile, &scores);
            let (class_ids, confidence) = judged(std::slice::from_ref(&map), 1, 1, temperature);
            let wanted = 255.0 / total(f64::from(temperature));
            assert!((f64::from(confidence[0]) - wanted).abs() < 0.6);
            assert_eq!(class_ids, [0]);
        }
    }

    #[test]
    fn planes_repeat_the_last_row_and_column() {
        let picture =
            image::RgbImage::from_fn(3, 2, |x, y| image::Rgb([x, y, 9].map(|v| v.to_le_bytes()[0])));
        let tile = Tile { left: 1, top: 0, width: 2, height: 2, keep: [1, 0, 3, 2] };
        let mut out = vec![7.0; 5];
        planes(&picture, &tile, [3, 4], &mut out);
        let bytes: Vec<f32> = out.iter().map(|value| (value * 255.0).round()).collect();
        assert_eq!(bytes[..12], [1., 2., 2., 2., 1., 2., 2., 2., 1., 2., 2., 2.]);
        assert_eq!(bytes[12..24], [0., 0., 0., 0., 1., 1., 1., 1., 1., 1., 1., 1.]);
    }
}
