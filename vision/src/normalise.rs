//! What every image goes through before the network, in training and on the robot alike. (Haze and colour cast that
//! training hardly shows are taken off before, by whatever recognises and not in training: [`crate::light`].)
//!
//! Cameras differ in size and exposure, and no file states either, so both are read off the image:
//!
//! 1. **Size** ([`working_size`]): a longer side above 1024 px is shrunk to it, a shorter side below 256 px is
//!    enlarged to it. Where leaves then are wider than any in training, it is shrunk further ([`crate::leaves`]).
//!    The network looks at every image at the multiples of that size in [`ZOOMS`], and the scores are averaged:
//!    small weeds and cotyledons are found at the finer, whole leaves at the coarser.
//! 2. **Exposure** ([`Exposure::of`]): the brightest half percent maps to 1 and the median towards 0.45
//!    (gain at most 16, exponent 0.5 to 1.3). A dark linear robot frame and a phone photograph come out alike.
//!
//! Pure functions over bytes; `kompas-models` trains on what they make, so that a robot runs what training saw.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// A longer side above this is shrunk to it.
pub const MAX_SIDE: u32 = 1024;
/// A shorter side below this is enlarged to it: leaves in a 128 px drone tile come out as large as elsewhere.
pub const MIN_SIDE: u32 = 256;
/// Sizes an image is looked at, as multiples of its working size; the first decides about the others
/// ([`crate::leaves::zooms`]).
pub const ZOOMS: &[f64] = &[1.0, 0.75, 1.5, 2.0];
/// About so much ground, in metres, a pixel covers of the photographs of beet at working size, by their rows, which are
/// sown 45 to 50 cm apart: 1.35 and 1.7 mm. A camera whose height is known can be brought to it.
pub const GROUND_M: f64 = 0.001_75;

/// `image` at `width` × `height`: averaged when it shrinks, interpolated when it grows (a triangle as wide as the
/// larger of the two pixels).
pub fn resized(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    if (width, height) == image.dimensions() {
        return image.clone();
    }
    let mut seen = RgbImage::new(width, height);
    let triangle = ResizeAlg::Convolution(FilterType::Bilinear);
    let from = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3);
    let to = Image::from_slice_u8(width, height, &mut seen, PixelType::U8x3);
    let done = match (from, to) {
        (Ok(from), Ok(mut to)) => {
            Resizer::new().resize(&from, &mut to, &ResizeOptions::new().resize_alg(triangle)).is_ok()
        }
        _ => false,
    };
    // Only a picture without pixels is refused, and it stays black.
    debug_assert!(
        done || image.is_empty() || seen.is_empty(),
        "{:?} to {width}×{height}",
        image.dimensions()
    );
    seen
}

/// Where the median brightness is pulled to.
const MEDIAN: f32 = 0.45;
/// Share of pixels brighter than the one that becomes white.
pub(crate) const WHITE_SHARE: f64 = 0.005;

/// Width and height the network sees an image at.
pub fn working_size(width: u32, height: u32) -> (u32, u32) {
    let (long, short) = (width.max(height).max(1), width.min(height).max(1));
    let scale = if long > MAX_SIDE {
        f64::from(MAX_SIDE) / f64::from(long)
    } else if short < MIN_SIDE {
        (f64::from(MIN_SIDE) / f64::from(short)).min(f64::from(MAX_SIDE) / f64::from(long))
    } else {
        1.
    };
    let scaled = |side: u32| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most MAX_SIDE")]
        let side = (f64::from(side) * scale).round() as u32;
        side.max(1)
    };
    (scaled(width), scaled(height))
}

/// A tone curve: `(value × gain)^exponent` on values in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Brightest half percent to 1.
    pub gain: f32,
    /// Median towards 0.45.
    pub exponent: f32,
}

impl Exposure {
    /// The curve that brings interleaved 8-bit RGB to the common exposure.
    pub fn of(rgb: &[u8]) -> Self {
        let mut counts = [0_u64; 256];
        let pixels = rgb.len() / 3;
        // A hundred thousand pixels settle two quantiles; larger images are sampled evenly.
        let step = (pixels / 100_000).max(1);
        for pixel in rgb.chunks_exact(3).step_by(step) {
            let sum: u16 = pixel.iter().map(|&value| u16::from(value)).sum();
            counts[usize::from(sum / 3)] += 1;
        }
        let total: u64 = counts.iter().sum();
        let quantile = |share: f64| {
            let mut below = 0;
            let at = counts.iter().position(|&count| {
                below += count;
                below as f64 >= share * total as f64
            });
            at.unwrap_or(255).max(1) as f32 / 255.
        };
        let (median, white) = (quantile(0.5), quantile(1. - WHITE_SHARE));
        let gain = (1. / white).clamp(1., 16.);
        let lit = (median * gain).clamp(0.01, 0.99);
        Self { gain, exponent: (MEDIAN.ln() / lit.ln()).clamp(0.5, 1.3) }
    }

    /// Brings interleaved RGB to the common exposure.
    pub fn apply(self, rgb: &mut [u8]) {
        let table = self.table();
        for value in rgb {
            *value = table[usize::from(*value)];
        }
    }

    /// The value every 8-bit value becomes, in 8 bits again.
    pub fn table(self) -> [u8; 256] {
        std::array::from_fn(|value| {
            let lit = (value as f32 / 255. * self.gain).min(1.);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=255")]
            let byte = (lit.powf(self.exponent) * 255.).round() as u8;
            byte
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_brought_into_range_and_keep_their_shape() {
        for (given, wanted) in [
            ((1280, 960), (1024, 768)),
            ((1296, 966), (1024, 763)),
            ((128, 128), (256, 256)),
            ((768, 1024), (768, 1024)),
            ((12_000, 9_000), (1024, 768)),
            ((1, 1), (256, 256)),
            ((10_000, 1), (1024, 1)),
            ((1, 600), (2, 1024)),
        ] {
            assert_eq!(working_size(given.0, given.1), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_picture_is_resized_as_a_foreign_resizer_does_it() {
        let picture = RgbImage::from_fn(301, 223, |x, y| {
            image::Rgb([x * 7 + y * 3, x * x / 50 + y, y * 5 + x * y / 40].map(|v| v.to_le_bytes()[0]))
        });
        for (width, height) in [(301, 223), (77, 60), (150, 300), (602, 446), (1, 1), (33, 900)] {
            let ours = resized(&picture, width, height);
            let theirs =
                image::imageops::resize(&picture, width, height, image::imageops::FilterType::Triangle);
            let apart = ours.iter().zip(theirs.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(apart <= Some(1), "{width}×{height}: {apart:?}");
        }
        assert_eq!(resized(&RgbImage::new(0, 4), 8, 8).dimensions(), (8, 8));
    }

    #[test]
    fn a_dark_frame_comes_out_as_its_bright_twin() {
        let bright: Vec<u8> = (0..9000).map(|i| u8::try_from(100 + i * 7 % 150).unwrap()).collect();
        let dark: Vec<u8> = bright.iter().map(|&v| v / 5).collect();
        let shown = |rgb: &[u8]| {
            let table = Exposure::of(rgb).table();
            rgb.iter().map(|&v| f64::from(table[usize::from(v)])).sum::<f64>() / rgb.len() as f64
        };
        assert!((shown(&bright) - shown(&dark)).abs() < 6., "{} {}", shown(&bright), shown(&dark));
    }

    #[test]
    fn black_and_white_frames_do_not_overflow() {
        for value in [0, 255] {
            let table = Exposure::of(&[value; 300]).table();
            assert!(table[255] == 255 && table[0] == 0);
        }
    }
}
