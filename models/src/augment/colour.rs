//! Light, white balance and colour of another camera, soil or variety.

use super::Crop;
use crate::components::components;
use image::GrayImage;
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

/// Gives plants another brightness and tint: all of a class the same, or each its own. What tells beet from weed
/// in one field (the lighter green, say) does not in the next.
pub(super) fn repaint_plants(crop: &mut Crop, rng: &mut impl Rng) {
    let side = crop.side as usize;
    let Some(mask) = GrayImage::from_raw(crop.side, crop.side, crop.mask.clone()) else { return };
    let each: bool = rng.random();
    let mut paint = || -> [f32; 3] {
        let brightness: f32 = rng.random_range(-0.45_f32..0.4).exp();
        std::array::from_fn(|_| brightness * rng.random_range(-0.12_f32..0.12).exp())
    };
    let per_class: [[f32; 3]; 5] = std::array::from_fn(|_| paint());
    let mut gains = vec![[1_f32; 3]; side * side];
    for plant in components(&mask, |class| (1..=4).contains(&class)) {
        let gain = if each { paint() } else { per_class[usize::from(plant.class)] };
        for (x, y) in plant.pixels {
            gains[y as usize * side + x as usize] = gain;
        }
    }
    for (at, pixel) in crop.rgb.iter_mut().enumerate() {
        let (x, y) = (at % side, at / side);
        let near = |dx: usize, dy: usize| {
            let (x, y) = ((x + dx).clamp(1, side) - 1, (y + dy).clamp(1, side) - 1);
            gains[y * side + x]
        };
        let around = [near(1, 1), near(0, 1), near(2, 1), near(1, 0), near(1, 2)];
        for (channel, value) in pixel.iter_mut().enumerate() {
            let gain = 0.2 * around.iter().map(|gain| gain[channel]).sum::<f32>();
            *value = (*value * gain).min(255.);
        }
    }
}

/// Lets the plants throw a shadow on the soil, as under a low sun.
pub(super) fn cast_shadows(crop: &mut Crop, rng: &mut impl Rng) {
    let side = i32::try_from(crop.side).unwrap_or(0);
    let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
    let (length, depth) = (rng.random_range(2.0..24.0_f32), rng.random_range(0.25..0.7_f32));
    let is_plant = |x: i32, y: i32| {
        let inside = (0..side).contains(&x) && (0..side).contains(&y);
        inside && usize::try_from(y * side + x).is_ok_and(|at| (1..=4).contains(&crop.mask[at]))
    };
    #[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
    let reach: Vec<(i32, i32)> = (1..=8_u8)
        .map(|part| length * f32::from(part) / 8.)
        .map(|far| ((far * cos).round() as i32, (far * sin).round() as i32))
        .collect();
    let shaded = |x: i32, y: i32| reach.iter().any(|(dx, dy)| is_plant(x - dx, y - dy));
    let dark: Vec<f32> = (0..side * side)
        .map(|at| (at % side, at / side))
        .map(|(x, y)| f32::from(u8::from(!is_plant(x, y) && shaded(x, y))))
        .collect();
    for (at, pixel) in (0..side * side).zip(&mut crop.rgb) {
        let (x, y) = (at % side, at / side);
        let near = |dx: i32, dy: i32| {
            let (x, y) = ((x + dx).clamp(0, side - 1), (y + dy).clamp(0, side - 1));
            usize::try_from(y * side + x).map_or(0., |at| dark[at])
        };
        let share = 0.2 * (near(0, 0) + near(-1, 0) + near(1, 0) + near(0, -1) + near(0, 1));
        *pixel = pixel.map(|value| value * (1. - (1. - depth) * share));
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
