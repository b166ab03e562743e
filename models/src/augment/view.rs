//! Where a crop looks: place, scale, turn and mirror.

use super::Crop;
use crate::data::scene::Scene;
use rand::{Rng, RngExt};

/// The view of a crop onto a scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Scene pixel in the middle of the crop.
    pub centre: (f32, f32),
    /// Crop pixels per scene pixel.
    pub scale: f32,
    /// Turn in radians.
    pub angle: f32,
    /// Mirrored left to right.
    pub mirrored: bool,
    /// Width over height distortion.
    pub stretch: f32,
}

impl View {
    /// A view that holds `place` somewhere in the inner half of its `side` pixels, at a random turn.
    pub fn random(place: (f32, f32), scale: f32, side: u32, rng: &mut impl Rng) -> Self {
        let reach = 0.3 * side as f32 / scale;
        let mut near = |at: f32| at + rng.random_range(-reach..=reach);
        let centre = (near(place.0), near(place.1));
        // Half of the views keep the rows of the image upright or turned by quarters.
        let angle = if rng.random::<bool>() {
            f32::from(rng.random_range(0_u8..4)) * std::f32::consts::FRAC_PI_2
        } else {
            rng.random_range(0.0..std::f32::consts::TAU)
        };
        Self { centre, scale, angle, mirrored: rng.random(), stretch: rng.random_range(-0.4_f32..0.4).exp() }
    }

    /// What the view shows, `side` pixels wide. Beyond its border the scene is continued by its mirror image.
    pub fn crop(&self, scene: &Scene, side: u32) -> Crop {
        let (sin, cos) = self.angle.sin_cos();
        let (across, down) = (self.stretch.sqrt() / self.scale, 1. / (self.stretch.sqrt() * self.scale));
        // Shrinking averages several samples per pixel, else fine texture turns to noise.
        let taps: &[f32] = match self.scale {
            ..0.25 => &[-0.4, -0.2, 0., 0.2, 0.4],
            ..0.4 => &[-0.333, 0., 0.333],
            ..0.75 => &[-0.25, 0.25],
            _ => &[0.],
        };
        let weight = 1. / (taps.len() * taps.len()) as f32;
        let half = (side as f32 - 1.) / 2.;
        let place = |x: f32, y: f32| {
            let (x, y) = ((x - half) * across, (y - half) * down);
            let x = if self.mirrored { -x } else { x };
            (self.centre.0 + x * cos - y * sin, self.centre.1 + x * sin + y * cos)
        };
        let mut crop = Crop { side, rgb: Vec::new(), mask: Vec::new() };
        crop.rgb.reserve((side * side) as usize);
        crop.mask.reserve((side * side) as usize);
        for y in 0..side {
            for x in 0..side {
                let mut sum = [0.; 3];
                for dy in taps {
                    for dx in taps {
                        let value = bilinear(scene, place(x as f32 + dx, y as f32 + dy));
                        for channel in 0..3 {
                            sum[channel] += value[channel] * weight;
                        }
                    }
                }
                crop.rgb.push(sum);
                let (u, v) = place(x as f32, y as f32);
                let (width, height) = scene.mask.dimensions();
                crop.mask.push(scene.mask.get_pixel(mirror(u, width), mirror(v, height)).0[0]);
            }
        }
        crop
    }
}

/// The pixel inside `0..length` nearest to what a mirror at both ends shows at `at`.
fn mirror(at: f32, length: u32) -> u32 {
    let (at, end) = (at + 0.5, length as f32);
    // Nearly every sample lies inside, where the remainder, the dearest operation of a crop, changes nothing.
    let inside = if at >= 0. && at < end { at } else { at.rem_euclid(2. * end) };
    let folded = if inside >= end { 2. * end - inside } else { inside };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=length")]
    let pixel = folded as u32;
    pixel.min(length - 1)
}

/// The next whole number below, without the call into the C library that `f32::floor` is on plain x86-64.
fn floor(x: f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "places in a picture")]
    let whole = x as i32 as f32;
    if whole > x { whole - 1. } else { whole }
}

fn bilinear(scene: &Scene, (x, y): (f32, f32)) -> [f32; 3] {
    let (left, top) = (floor(x), floor(y));
    let (right_share, low_share) = (x - left, y - top);
    let (width, height) = scene.rgb.dimensions();
    let (x0, x1) = (mirror(left, width), mirror(left + 1., width));
    let (y0, y1) = (mirror(top, height), mirror(top + 1., height));
    let at = |x, y| scene.rgb.get_pixel(x, y).0;
    let (upper, lower) = ([at(x0, y0), at(x1, y0)], [at(x0, y1), at(x1, y1)]);
    std::array::from_fn(|i| {
        let mix = |row: [[u8; 3]; 2]| {
            f32::from(row[0][i]) * (1. - right_share) + f32::from(row[1][i]) * right_share
        };
        mix(upper) * (1. - low_share) + mix(lower) * low_share
    })
}
