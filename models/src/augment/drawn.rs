//! Plants drawn leaf by leaf.
//!
//! Photographs of two fields of beet teach what those beets look like. What all beets share are smooth, broad leaves
//! around a heart, alike along a row; colour, age and light differ. So beets are drawn with everything else left to
//! chance, and weeds by the same hand, that what is drawn is not beet for that alone (Di Cicco et al. 2017, *Automatic Model
//! Based Dataset Generation for Fast and Accurate Crop and Weeds Detection*).

use super::sprite::Sprite;
use image::{GrayImage, Rgb, RgbImage};
use kompas_field::PlantClass;
use rand::{Rng, RngExt};
use std::f32::consts::{PI, TAU};

/// Side of a drawing in pixels. The tip of the longest and most bent leaf stays inside.
const SIDE: u32 = 128;
/// The soil that drawn colours are meant for.
const SOIL: [f32; 3] = [125., 108., 92.];

/// What the plants of one sowing, or of one kind of weed, have in common.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    class: PlantClass,
    /// Fewest and most leaves, seed leaves included.
    leaves: (u8, u8),
    /// Width of a blade over its length.
    width: f32,
    /// Share of a leaf that is stalk.
    stalk: f32,
    /// Where along the blade it is widest: exponents towards base and tip.
    profile: (f32, f32),
    /// Depth of lobes as a share of the width, and how many.
    lobes: (f32, f32),
    colour: [f32; 3],
    /// How much lighter veins are.
    veins: f32,
    /// How much light differs across a blade.
    relief: f32,
    /// Where it comes from, in radians.
    light: f32,
}

impl Kind {
    /// A sowing of sugar beet from seed leaves to a rosette.
    pub(super) fn beet(rng: &mut impl Rng) -> Self {
        let oldest = rng.random_range(2..=11_u8);
        Self {
            class: PlantClass::SugarBeet,
            leaves: (oldest.saturating_sub(2).max(2), oldest),
            width: rng.random_range(0.38..0.75),
            stalk: rng.random_range(0.15..0.5),
            profile: (rng.random_range(0.5..1.1), rng.random_range(0.35..0.8)),
            lobes: (rng.random_range(0.0..0.07), rng.random_range(2.0..4.5)),
            ..Self::painted(rng)
        }
    }

    /// A kind of weed: lobed, serrated, narrow or small and many-leaved.
    pub(super) fn weed(rng: &mut impl Rng) -> Self {
        let painted = Self::painted(rng);
        match rng.random_range(0..4) {
            0 => Self {
                leaves: (4, 12),
                width: rng.random_range(0.25..0.5),
                lobes: (rng.random_range(0.35..0.75), rng.random_range(3.0..7.0)),
                ..painted
            },
            1 => Self {
                leaves: (3, 9),
                width: rng.random_range(0.3..0.65),
                lobes: (rng.random_range(0.12..0.3), rng.random_range(6.0..14.0)),
                ..painted
            },
            2 => Self {
                leaves: (2, 9),
                width: rng.random_range(0.05..0.2),
                stalk: rng.random_range(0.0..0.15),
                ..painted
            },
            _ => Self {
                leaves: (8, 20),
                width: rng.random_range(0.3..0.9),
                stalk: rng.random_range(0.4..0.75),
                ..painted
            },
        }
    }

    /// A weed whose colours, light and the rest are left to chance.
    fn painted(rng: &mut impl Rng) -> Self {
        let green = rng.random_range(80.0..200.0);
        Self {
            class: PlantClass::Weed,
            leaves: (2, 8),
            width: 0.5,
            stalk: rng.random_range(0.1..0.5),
            profile: (rng.random_range(0.4..1.2), rng.random_range(0.4..1.2)),
            lobes: (0., 1.),
            colour: [green * rng.random_range(0.4..0.92), green, green * rng.random_range(0.2..0.7)],
            veins: rng.random_range(0.0..0.35),
            relief: rng.random_range(0.0..0.3),
            light: rng.random_range(0.0..TAU),
        }
    }

    /// A plant of this kind.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> Sprite {
        let mut plant =
            Canvas { rgb: vec![[0.; 3]; (SIDE * SIDE) as usize], cover: vec![false; (SIDE * SIDE) as usize] };
        let count = rng.random_range(self.leaves.0..=self.leaves.1);
        let start = rng.random_range(0.0..TAU);
        let longest = SIDE as f32 * rng.random_range(0.36..0.46);
        for number in 0..count {
            // Seed leaves and the first pair stand opposite each other; later ones turn by the golden angle.
            let turn = match number {
                0..4 => f32::from(number % 2) * PI + f32::from(number / 2) * PI / 2.,
                _ => f32::from(number) * 2.4,
            };
            let seed_leaf = number < 2;
            let share =
                if seed_leaf && count > 4 { rng.random_range(0.3..0.6) } else { rng.random_range(0.55..1.0) };
            let narrow = if seed_leaf { rng.random_range(0.5..0.9) } else { rng.random_range(0.85..1.15) };
            let bright = rng.random_range(-0.18_f32..0.18).exp();
            plant.add(
                self,
                &Leaf {
                    angle: start + turn + rng.random_range(-0.3..0.3),
                    // Seen from above a leaf that stands up looks short.
                    length: longest * share * rng.random_range(0.7..1.0),
                    width: self.width * narrow,
                    bend: rng.random_range(-0.35..0.35),
                    phase: rng.random_range(0.0..TAU),
                    colour: self.colour.map(|value| value * bright),
                },
                rng,
            );
        }
        plant.sprite(self.class.id())
    }
}

struct Leaf {
    angle: f32,
    length: f32,
    width: f32,
    /// How far its tip lies aside, as a share of its length.
    bend: f32,
    phase: f32,
    colour: [f32; 3],
}

struct Canvas {
    rgb: Vec<[f32; 3]>,
    cover: Vec<bool>,
}

impl Canvas {
    /// Draws a leaf over those that are there, whose rim beside it is in its shadow.
    fn add(&mut self, kind: &Kind, leaf: &Leaf, rng: &mut impl Rng) {
        let (sin, cos) = leaf.angle.sin_cos();
        let stalk = kind.stalk * leaf.length;
        let blade = leaf.length - stalk;
        let half = 0.5 * leaf.width * blade;
        let (rise, fall) = kind.profile;
        let peak = rise / (rise + fall);
        let most = peak.powf(rise) * (1. - peak).powf(fall);
        let middle = (SIDE as f32 - 1.) / 2.;
        let shade = (kind.light.cos() * 3., kind.light.sin() * 3.);
        // How far across the leaf a place lies: 0 on the midrib, 1 at the rim; and how far along the blade.
        let place = |x: f32, y: f32| -> Option<(f32, f32)> {
            let (x, y) = (x - middle, y - middle);
            let along = x * cos + y * sin;
            if along < 0. || along > leaf.length {
                return None;
            }
            let across = y * cos - x * sin - leaf.bend * along * along / leaf.length;
            if along < stalk {
                let thick = (0.06 * blade).clamp(1.2, 4.);
                return (across.abs() < thick).then_some((across / thick, 0.));
            }
            let t = (along - stalk) / blade;
            let lobe = 1. - kind.lobes.0 * (0.5 + 0.5 * (TAU * kind.lobes.1 * t + leaf.phase).cos());
            let width = half * lobe * t.powf(rise) * (1. - t).powf(fall) / most;
            (across.abs() < width).then_some((across / width, t))
        };
        // Light falls across the blade, and lateral veins run from the midrib towards the rim.
        let tilt = (leaf.angle - kind.light).sin() * kind.relief;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let at = (y * SIDE + x) as usize;
                let (x, y) = (x as f32, y as f32);
                if let Some((across, along)) = place(x, y) {
                    let midrib = f32::from(u8::from(across.abs() < 0.1));
                    let lateral = (TAU * (6. * along - 1.2 * across.abs())).sin().max(0.).powi(4);
                    let veins = kind.veins * (midrib + 0.4 * lateral).min(1.);
                    let light = 1. + tilt * across - 0.4 * kind.relief * across * across
                        + rng.random_range(-0.05..0.05);
                    self.rgb[at] = leaf.colour.map(|value| value * light * (1. + veins));
                    self.cover[at] = true;
                } else if self.cover[at] && place(x - shade.0, y - shade.1).is_some() {
                    self.rgb[at] = self.rgb[at].map(|value| value * 0.65);
                }
            }
        }
    }

    fn sprite(self, class: u8) -> Sprite {
        let index = |x: u32, y: u32| (y * SIDE + x) as usize;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let byte = |value: f32| value.clamp(0., 255.) as u8;
        Sprite {
            class,
            source: "drawn".into(),
            rgb: RgbImage::from_fn(SIDE, SIDE, |x, y| Rgb(self.rgb[index(x, y)].map(byte))),
            outline: GrayImage::from_fn(SIDE, SIDE, |x, y| {
                image::Luma([if self.cover[index(x, y)] { 255 } else { 0 }])
            }),
            soil: SOIL,
            nominal: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn share_covered(plant: &Sprite) -> f32 {
        let covered = plant.outline.pixels().filter(|pixel| pixel.0[0] > 0).count();
        covered as f32 / (SIDE * SIDE) as f32
    }

    #[test]
    fn every_plant_has_leaves_that_are_green_and_whole() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for number in 0..60 {
            let kind = if number % 2 == 0 { Kind::beet(&mut rng) } else { Kind::weed(&mut rng) };
            let plant = kind.draw(&mut rng);
            assert_eq!(plant.class, if number % 2 == 0 { 2 } else { 1 });
            let covered = share_covered(&plant);
            assert!((0.003..0.6).contains(&covered), "{covered} {kind:?}");
            for (pixel, outline) in plant.rgb.pixels().zip(plant.outline.pixels()) {
                let [red, green, blue] = pixel.0;
                assert!(outline.0[0] == 0 || (green >= red && green >= blue), "{pixel:?}");
            }
            let rim = (0..SIDE).flat_map(|i| [(i, 0), (0, i), (i, SIDE - 1), (SIDE - 1, i)]);
            assert!(rim.clone().all(|(x, y)| plant.outline.get_pixel(x, y).0[0] == 0), "cut by the rim");
        }
    }

    #[test]
    fn beets_of_a_sowing_are_alike_and_those_of_two_are_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let colour = |plant: &Sprite| {
            let (mut sum, mut count) = ([0.; 3], 0.);
            for (pixel, _) in plant.rgb.pixels().zip(plant.outline.pixels()).filter(|(_, o)| o.0[0] > 0) {
                count += 1.;
                for (sum, value) in sum.iter_mut().zip(pixel.0) {
                    *sum += f32::from(value);
                }
            }
            (sum[0] - sum[2]) / count
        };
        let sowings: Vec<Vec<f32>> = (0..12)
            .map(|_| {
                let kind = Kind::beet(&mut rng);
                (0..5).map(|_| colour(&kind.draw(&mut rng))).collect()
            })
            .collect();
        let spread = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32
        };
        let within = sowings.iter().map(|sowing| spread(sowing)).sum::<f32>() / 12.;
        let all: Vec<f32> = sowings.concat();
        assert!(spread(&all) > 3. * within, "{} {within}", spread(&all));
    }
}
