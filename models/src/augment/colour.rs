//! Light, white balance and colour of another camera.

use super::Crop;
use rand::{Rng, RngExt};

/// Brightness of a pixel as the eye weighs it.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Darkens one side of a random line, as the shadow of a machine or a cloud does.
pub(super) fn shade(crop: &mut Crop, rng: &mut impl Rng) {
    let side = crop.side as f32;
    let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
    let (left, top) = (rng.random_range(0.0..side), rng.random_range(0.0..side));
    let (depth, softness) = (rng.random_range(0.25..0.75_f32), rng.random_range(1.0..20.0_f32));
    for (line, row) in (0_u16..).zip(crop.rgb.chunks_exact_mut(crop.side as usize)) {
        for (column, pixel) in (0_u16..).zip(row) {
            let beyond = (f32::from(column) - left) * cos + (f32::from(line) - top) * sin;
            let light = 1. - depth * (0.5 + beyond / softness).clamp(0., 1.);
            *pixel = pixel.map(|value| value * light);
        }
    }
}

/// Gives the soil another brightness and tint, so that no plant is known by the soil it stands on.
pub(super) fn repaint_soil(crop: &mut Crop, rng: &mut impl Rng) {
    let brightness: f32 = rng.random_range(-0.7_f32..0.35).exp();
    let gain: [f32; 3] = std::array::from_fn(|_| brightness * rng.random_range(-0.18_f32..0.18).exp());
    let side = crop.side as usize;
    for at in 0..crop.rgb.len() {
        // Halfway at the outline, so that it does not become an edge that no photograph has.
        let (x, y) = (at % side, at / side);
        let near = |dx: usize, dy: usize| {
            let (x, y) = ((x + dx).clamp(1, side) - 1, (y + dy).clamp(1, side) - 1);
            f32::from(u8::from(crop.mask[y * side + x] == 0))
        };
        let soil = 0.2 * (near(1, 1) + near(0, 1) + near(2, 1) + near(1, 0) + near(1, 2));
        for (value, gain) in crop.rgb[at].iter_mut().zip(gain) {
            *value = (*value * (1. + (gain - 1.) * soil)).min(255.);
        }
    }
}

/// Draws brightness, contrast, white balance, saturation, hue and gamma anew.
pub(super) fn recolour(crop: &mut Crop, rng: &mut impl Rng) {
    let brightness: f32 = rng.random_range(-0.25_f32..0.25).exp();
    let balance: [f32; 3] = std::array::from_fn(|_| brightness * rng.random_range(-0.13_f32..0.13).exp());
    let gamma: f32 = rng.random_range(-0.5_f32..0.5).exp();
    let saturation: f32 = rng.random_range(0.45..1.5);
    let contrast: f32 = rng.random_range(0.7..1.3);
    let (hue_sin, hue_cos) = rng.random_range(-0.22_f32..0.22).sin_cos();
    let table: [[f32; 256]; 3] = std::array::from_fn(|channel| {
        std::array::from_fn(|value| {
            let lit = (value as f32 / 255. * balance[channel]).min(1.).powf(gamma);
            ((lit - 0.45) * contrast + 0.45).clamp(0., 1.) * 255.
        })
    });
    for pixel in &mut crop.rgb {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0..=255 by construction"
        )]
        let lit: [f32; 3] = std::array::from_fn(|i| table[i][(pixel[i] + 0.5).clamp(0., 255.) as usize]);
        let luma = lit[0] * LUMA[0] + lit[1] * LUMA[1] + lit[2] * LUMA[2];
        // Hue turns and saturation stretches the two colour differences; brightness stays.
        let (red, blue) = ((lit[0] - luma) * saturation, (lit[2] - luma) * saturation);
        let (red, blue) = (red * hue_cos - blue * hue_sin, red * hue_sin + blue * hue_cos);
        let green = -(red * LUMA[0] + blue * LUMA[2]) / LUMA[1];
        *pixel = [luma + red, luma + green, luma + blue].map(|value| value.clamp(0., 255.));
    }
}
