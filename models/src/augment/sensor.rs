//! Lens, sensor and file format of another camera.

use super::Crop;
use image::codecs::jpeg::JpegEncoder;
use kompas_vision::normalise::Exposure;
use rand::{Rng, RngExt};

/// Gaussian blur by `sigma` pixels.
pub(super) fn blur(crop: &mut Crop, sigma: f32) {
    #[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
    let reach = (2.5 * sigma).ceil() as i32;
    let mut kernel: Vec<f32> = (-reach..=reach).map(|d| (-0.5 * (d as f32 / sigma).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    for weight in &mut kernel {
        *weight /= sum;
    }
    let side = i32::try_from(crop.side).unwrap_or(i32::MAX);
    for (dx, dy) in [(1, 0), (0, 1)] {
        let before = crop.rgb.clone();
        for (at, pixel) in (0..).zip(&mut crop.rgb) {
            let (x, y) = (at % side, at / side);
            *pixel = [0.; 3];
            for (step, weight) in (-reach..=reach).zip(&kernel) {
                let (u, v) = ((x + step * dx).clamp(0, side - 1), (y + step * dy).clamp(0, side - 1));
                let near = before[usize::try_from(v * side + u).unwrap_or(0)];
                for channel in 0..3 {
                    pixel[channel] += near[channel] * weight;
                }
            }
        }
    }
}

/// Noise of standard deviation `sigma` (in 8-bit steps), part of it shared by the channels.
pub(super) fn add_noise(crop: &mut Crop, sigma: f32, rng: &mut impl Rng) {
    for pixel in &mut crop.rgb {
        let shared = normal(rng);
        for value in pixel {
            *value = (*value + sigma * (0.6 * shared + 0.8 * normal(rng))).clamp(0., 255.);
        }
    }
}

/// The sum of four uniform numbers, scaled to unit variance: normal enough for noise, and cheap.
fn normal(rng: &mut impl Rng) -> f32 {
    let bits: u32 = rng.random();
    let sum: u32 = bits.to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.) / 147.8
}

/// Takes the picture with a dark linear camera (few grey levels, noise in the shadows) and brightens it again
/// as [`kompas_vision::normalise`] does; one in five stays dark.
pub(super) fn expose_darkly(crop: &mut Crop, rng: &mut impl Rng) {
    let exponent: f32 = rng.random_range(1.0..2.2);
    let gain = rng.random_range(0.08_f32.ln()..0.6_f32.ln()).exp();
    let noise: f32 = rng.random_range(0.2..1.5);
    for pixel in &mut crop.rgb {
        for value in pixel {
            let dark = 255. * gain * (*value / 255.).powf(exponent) + noise * normal(rng);
            *value = dark.round().clamp(0., 255.);
        }
    }
    // A camera stores what it sees before anybody brightens it: the blocks of JPEG are brightened too.
    if rng.random() {
        through_jpeg(crop, rng.random_range(60..95));
    }
    if rng.random::<f32>() < 0.8 {
        let table = Exposure::of(&crop.bytes()).table();
        for pixel in &mut crop.rgb {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0..=255 by construction"
            )]
            let bright = pixel.map(|value| f32::from(table[value as usize]));
            *pixel = bright;
        }
    }
}

/// Compresses and decompresses. A crop that the encoder refuses stays as it is: the change is an option.
pub(super) fn through_jpeg(crop: &mut Crop, quality: u8) {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    let written = encoder.encode(&crop.bytes(), crop.side, crop.side, image::ExtendedColorType::Rgb8);
    if let (Ok(()), Ok(read)) = (written, image::load_from_memory(&file)) {
        for (pixel, new) in crop.rgb.iter_mut().zip(read.into_rgb8().pixels()) {
            *pixel = new.0.map(f32::from);
        }
    }
}
