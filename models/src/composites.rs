//! Beet and potato in one scene. No photograph in the data shows both, so plants are cut out of one source and
//! pasted into another, matched in size and colour. Whatever is measured on these is called "composite".

use crate::augment::{Crop, Sprite, View, cut_sprites, paste};
use crate::data::corrections::Corrections;
use crate::data::scene::Scene;
use crate::data::{Item, Rejected};
use image::RgbImage;
use kompas_field::PlantClass;
use kompas_vision::{SegmentError, Segmenter};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Side of a composite in pixels.
const SIDE: u32 = 512;
/// Plants pasted into each.
const PLANTS: usize = 3;
/// Shortest and longest pasted plant in pixels: beets in the phone photographs are about as long.
const LENGTHS: (f32, f32) = (60., 190.);
/// A pasted plant of which less is left visible is not counted.
const MIN_PIXELS: usize = 200;

/// What became of pasted plants: how many were taken for which class, by most of their pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Plants per class id they were taken for.
    pub taken_for: BTreeMap<u8, u64>,
}

impl Verdicts {
    /// Plants judged.
    pub fn plants(&self) -> u64 {
        self.taken_for.values().sum()
    }

    /// Share of the plants taken for `class`; `None` without plants.
    pub fn share(&self, class: PlantClass) -> Option<f64> {
        let count = self.taken_for.get(&class.id()).copied().unwrap_or(0);
        (self.plants() > 0).then(|| count as f64 / self.plants() as f64)
    }
}

/// Pastes whole plants of `class` from `plants` into views of `scenes` until `count` composites are made, and
/// asks `model` what the pasted plants are. The same seed gives the same composites.
/// # Errors
/// When the model fails; the inner error when an image cannot be read or none holds such a plant.
pub fn judge(
    model: &mut dyn Segmenter,
    plants: &[Item],
    class: PlantClass,
    scenes: &[Item],
    count: usize,
    seed: u64,
) -> Result<Result<Verdicts, Rejected>, SegmentError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (sprites, grounds) = match (sprites(plants, class), read(scenes)) {
        (Ok(sprites), Ok(grounds)) => (sprites, grounds),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    if sprites.is_empty() || grounds.is_empty() {
        let place = format!("{} and {} images", plants.len(), scenes.len());
        return Ok(Err(Rejected { place, reason: format!("no whole {class:?} to paste, or nowhere to") }));
    }
    let mut verdicts = Verdicts::default();
    for _ in 0..count {
        let ground = &grounds[rng.random_range(0..grounds.len())];
        let mut crop = view(ground, &mut rng);
        let mut pasted = Vec::new();
        for _ in 0..PLANTS {
            let sprite = &sprites[rng.random_range(0..sprites.len())];
            let length = rng.random_range(LENGTHS.0.ln()..LENGTHS.1.ln()).exp();
            let before = crop.mask.clone();
            paste(&mut crop, sprite, length, &mut rng);
            let covered: Vec<usize> = (0..crop.mask.len())
                .filter(|&at| crop.mask[at] == class.id() && before[at] != class.id())
                .collect();
            pasted.push(covered);
        }
        let picture = RgbImage::from_raw(SIDE, SIDE, crop.bytes()).unwrap_or_default();
        let map = model.segment(&picture)?;
        for covered in pasted.iter().filter(|covered| covered.len() >= MIN_PIXELS) {
            let mut votes = [0_u64; 256];
            for &at in covered {
                votes[usize::from(map.class_ids()[at])] += 1;
            }
            let most = (0_u8..=255).max_by_key(|&id| (votes[usize::from(id)], 255 - id)).unwrap_or(0);
            *verdicts.taken_for.entry(most).or_default() += 1;
        }
    }
    Ok(Ok(verdicts))
}

/// The whole plants of a class in `items`.
fn sprites(items: &[Item], class: PlantClass) -> Result<Vec<Sprite>, Rejected> {
    let mut found = Vec::new();
    for item in items {
        found.extend(
            cut_sprites(&Scene::read_fine(item, &Corrections::default())?)
                .into_iter()
                .filter(|s| s.class == class.id()),
        );
    }
    Ok(found)
}

fn read(items: &[Item]) -> Result<Vec<Scene>, Rejected> {
    items.iter().map(Scene::read).collect()
}

/// A piece of a scene, enlarged where the scene is small, with what grows there.
fn view(scene: &Scene, rng: &mut ChaCha8Rng) -> Crop {
    let (width, height) = scene.rgb.dimensions();
    let scale = (SIDE as f32 / width.min(height) as f32).max(1.);
    let half = SIDE as f32 / 2. / scale;
    let mut place = |side: u32| {
        let side = side as f32;
        if side > 2. * half { rng.random_range(half..side - half) } else { side / 2. }
    };
    let centre = (place(width), place(height));
    View { centre, scale, angle: 0., mirrored: false, stretch: 1. }.crop(scene, SIDE)
}
