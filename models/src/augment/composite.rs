//! Pasting plants of one source into scenes of another, so that "camera = class" does not hold.

use super::Crop;
use super::sprite::{Sprite, soil_of};
use rand::{Rng, RngExt};

/// Pastes something that looks like a plant but for its colour: pale stones, straw, dry leaves. It is soil.
/// Without it whatever is bright and has an outline is taken for a plant.
pub fn paste_debris(crop: &mut Crop, shape: &Sprite, length: f32, rng: &mut impl Rng) {
    let soil = soil_of(crop);
    let mean_soil = soil.iter().sum::<f32>() / 3.;
    let wanted = (mean_soil * rng.random_range(-0.5_f32..1.3).exp()).min(260.);
    let warmth: f32 = rng.random_range(0.0..0.5);
    let tint = [1. + 0.35 * warmth, 1. + rng.random_range(-0.04..0.02), 1. - 0.6 * warmth];
    let contrast: f32 = rng.random_range(0.1..0.9);
    let mut debris = Sprite { class: 0, soil, ..shape.clone() };
    let luma = |pixel: &image::Rgb<u8>| pixel.0.map(f32::from).iter().sum::<f32>() / 3.;
    let count = debris.rgb.pixels().len().max(1) as f32;
    let mean = debris.rgb.pixels().map(luma).sum::<f32>() / count;
    for pixel in debris.rgb.pixels_mut() {
        let grey = wanted + contrast * (luma(pixel) - mean);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let painted = tint.map(|tint| (grey * tint).clamp(0., 255.) as u8);
        pixel.0 = painted;
    }
    paste(crop, &debris, length, rng);
}

/// Stands the plants of `crop` on another ground: `ground` shows wherever `crop` has soil, its own plants
/// included. Plants keep their places, so rows stay rows; soil and light stop telling the crop.
pub fn transplant(crop: &mut Crop, ground: Crop) {
    let (from, to) = (soil_of(crop), soil_of(&ground));
    let gain: [f32; 3] = std::array::from_fn(|i| (to[i] / from[i].max(1.)).powf(0.5).clamp(0.6, 1.6));
    let side = crop.side as usize;
    let plants = std::mem::replace(crop, ground);
    for (at, (own, class)) in plants.rgb.iter().zip(&plants.mask).enumerate() {
        // Half-way at the outline: a cut is not as sharp as a leaf in a photograph.
        let (x, y) = (at % side, at / side);
        let near = |dx: usize, dy: usize| {
            let (x, y) = ((x + dx).clamp(1, side) - 1, (y + dy).clamp(1, side) - 1);
            f32::from(u8::from(plants.mask[y * side + x] != 0))
        };
        let cover = 0.2 * (near(1, 1) + near(0, 1) + near(2, 1) + near(1, 0) + near(1, 2));
        for channel in 0..3 {
            let value = (own[channel] * gain[channel]).min(255.);
            crop.rgb[at][channel] += (value - crop.rgb[at][channel]) * cover;
        }
        if *class != 0 {
            crop.mask[at] = *class;
        }
    }
}

/// Pastes `sprite` at a random place, turned, `length` pixels long, its colour matched by the soils.
pub fn paste(crop: &mut Crop, sprite: &Sprite, length: f32, rng: &mut impl Rng) {
    let turn = rng.random_range(0.0..std::f32::consts::TAU);
    let side = crop.side as f32;
    let place = (rng.random_range(0.0..side), rng.random_range(0.0..side));
    paste_at(crop, sprite, place, turn, length);
}

/// Pastes `sprite` with its middle at `(cx, cy)`, turned by `turn` radians, its longer side `length` pixels long, its colour
/// matched by the soils.
pub(super) fn paste_at(crop: &mut Crop, sprite: &Sprite, (cx, cy): (f32, f32), turn: f32, length: f32) {
    let (width, height) = (sprite.outline.width() as f32, sprite.outline.height() as f32);
    let scale = length / width.max(height);
    let (sin, cos) = turn.sin_cos();
    let side = crop.side as f32;
    // Half-way to the target soil's colour (on a logarithmic scale): light differs, but so do soils.
    let soil = soil_of(crop);
    let gain: [f32; 3] =
        std::array::from_fn(|i| (soil[i] / sprite.soil[i].max(1.)).powf(0.5).clamp(0.6, 1.6));
    let reach = length * 0.75;
    let inside = |at: f32| at.clamp(0., side - 1.);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the crop")]
    let range = |c: f32| (inside(c - reach) as u32)..=(inside(c + reach) as u32);
    for y in range(cy) {
        for x in range(cx) {
            let (dx, dy) = ((x as f32 - cx) / scale, (y as f32 - cy) / scale);
            let u = dx * cos + dy * sin + width / 2. - 0.5;
            let v = dy * cos - dx * sin + height / 2. - 0.5;
            let (cover, colour) = sample(sprite, u, v);
            if cover < 0.02 {
                continue;
            }
            let at = (y * crop.side + x) as usize;
            for channel in 0..3 {
                let value = (colour[channel] * gain[channel]).min(255.);
                crop.rgb[at][channel] += (value - crop.rgb[at][channel]) * cover;
            }
            if cover > 0.5 {
                crop.mask[at] = sprite.class;
            }
        }
    }
}

/// How much of the pixel the plant covers, and its colour there; bilinear, nothing beyond the sprite.
fn sample(sprite: &Sprite, u: f32, v: f32) -> (f32, [f32; 3]) {
    let (left, top) = (u.floor(), v.floor());
    let (width, height) = (sprite.outline.width() as f32, sprite.outline.height() as f32);
    let (mut cover, mut colour) = (0., [0.; 3]);
    for (x, share_x) in [(left, 1. - (u - left)), (left + 1., u - left)] {
        for (y, share_y) in [(top, 1. - (v - top)), (top + 1., v - top)] {
            if x < 0. || y < 0. || x >= width || y >= height {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
            let (x, y) = (x as u32, y as u32);
            let weight = share_x * share_y * f32::from(sprite.outline.get_pixel(x, y).0[0]) / 255.;
            cover += weight;
            for (sum, value) in colour.iter_mut().zip(sprite.rgb.get_pixel(x, y).0) {
                *sum += weight * f32::from(value);
            }
        }
    }
    (cover, if cover > 0. { colour.map(|sum| sum / cover) } else { colour })
}
