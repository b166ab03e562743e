//! Pixels to the network's planes, and its scores to classes.

use crate::segment::{ClassMap, SegmentError};
use crate::tiles::Tile;
use image::GrayImage;
use image::imageops::{FilterType, resize};
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

/// Class and confidence of a picture at working size.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    class_ids: Vec<u8>,
    confidence: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let count = width as usize * height as usize;
        Self { width, height, class_ids: vec![0; count], confidence: vec![0; count] }
    }

    /// Takes the kept part of a tile from its scores, one plane per class, sides multiples of 32.
    pub(super) fn paint(&mut self, tile: &Tile, scores: &[f32], temperature: f32) {
        let row_length = tile.width.next_multiple_of(super::STRIDE) as usize;
        let plane = scores.len() / CLASSES;
        let [left, top, right, bottom] = tile.keep;
        let count = (right - left) as usize;
        for row in top..bottom {
            let from = (row - tile.top) as usize * row_length + (left - tile.left) as usize;
            let score: [&[f32]; CLASSES] =
                std::array::from_fn(|class| &scores[class * plane + from..class * plane + from + count]);
            let to = row as usize * self.width as usize + left as usize;
            judge(
                score,
                1.0 / temperature,
                &mut self.class_ids[to..to + count],
                &mut self.confidence[to..to + count],
            );
        }
    }

    /// At the size of the picture, by the nearest pixel.
    pub(super) fn at_size(self, width: u32, height: u32) -> Result<ClassMap, SegmentError> {
        let Self { width: w, height: h, class_ids, confidence } = self;
        if (w, h) == (width, height) {
            return ClassMap::new(width, height, class_ids, confidence);
        }
        let scaled = |bytes: Vec<u8>| {
            let small = GrayImage::from_raw(w, h, bytes).unwrap_or_default();
            resize(&small, width, height, FilterType::Nearest).into_raw()
        };
        ClassMap::new(width, height, scaled(class_ids), scaled(confidence))
    }
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
    fn confidence_is_the_softmax_share_and_temperature_softens_it() {
        let planes = [2.0_f32, 0.0, 1.0, -1.0, 0.5].map(|score| [score]);
        let mut canvas = Canvas::new(1, 1);
        let tile = Tile { left: 0, top: 0, width: 1, height: 1, keep: [0, 0, 1, 1] };
        // One pixel in planes of 32 × 32.
        let mut scores = vec![0.0; CLASSES * 32 * 32];
        for (class, plane) in planes.iter().enumerate() {
            scores[class * 32 * 32] = plane[0];
        }
        let total =
            |t: f64| [2.0, 0.0, 1.0, -1.0, 0.5].iter().map(|score| f64::exp((score - 2.0) / t)).sum::<f64>();
        for temperature in [1.0_f32, 2.5] {
            canvas.paint(&tile, &scores, temperature);
            let wanted = 255.0 / total(f64::from(temperature));
            assert!((f64::from(canvas.confidence[0]) - wanted).abs() < 0.6);
            assert_eq!(canvas.class_ids, [0]);
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
