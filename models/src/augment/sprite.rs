//! Plants cut out of their photograph, to be pasted elsewhere.

use super::Crop;
use crate::components::components;
use crate::data::scene::Scene;
use crate::data::{Rejected, photographs, reason};
use image::{GrayImage, RgbImage};
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_as_stored};
use kompas_vision::normalise::Exposure;
use std::collections::BTreeMap;
use std::path::Path;

/// One plant with its outline.
#[derive(Debug, Clone)]
pub struct Sprite {
    /// Its class id.
    pub class: u8,
    /// The data set it comes from.
    pub source: String,
    /// The plant and what surrounds it.
    pub rgb: RgbImage,
    /// 255 on the plant, 0 elsewhere.
    pub outline: GrayImage,
    /// Mean colour of the soil it stood on: what it is matched by.
    pub soil: [f32; 3],
    /// Pixels at working size per pixel of the sprite; a seedling on a tray has no scale.
    pub nominal: Option<f32>,
}

/// Below this many pixels a plant has no shape worth pasting.
const MIN_PIXELS: usize = 120;
/// A sprite larger than this is a row or a patch of plants.
const MAX_SIDE: u32 = 400;

/// The whole plants of a scene (none that the border cuts).
pub fn cut_sprites(scene: &Scene) -> Vec<Sprite> {
    let (width, height) = scene.mask.dimensions();
    let soil = mean_where(&scene.rgb, |x, y| scene.mask.get_pixel(x, y).0[0] == 0);
    let whole = components(&scene.mask, |class| (1..=4).contains(&class)).into_iter().filter(|plant| {
        let (left, top, right, bottom) = plant.bounds;
        plant.pixels.len() >= MIN_PIXELS
            && (right - left).max(bottom - top) < MAX_SIDE
            && !plant.touches_border(width, height)
    });
    whole
        .map(|plant| {
            let (left, top, right, bottom) = plant.bounds;
            let (w, h) = (right - left + 1, bottom - top + 1);
            let mut outline = GrayImage::new(w, h);
            for (x, y) in plant.pixels {
                outline.get_pixel_mut(x - left, y - top).0 = [255];
            }
            let rgb = image::imageops::crop_imm(&scene.rgb, left, top, w, h).to_image();
            Sprite {
                class: plant.class,
                source: scene.item.source.clone(),
                rgb,
                outline,
                soil,
                nominal: Some(scene.nominal),
            }
        })
        .collect()
}

fn mean_where(rgb: &RgbImage, wanted: impl Fn(u32, u32) -> bool) -> [f32; 3] {
    let (mut sum, mut count) = ([0_f64; 3], 0_f64);
    for (x, y, pixel) in rgb.enumerate_pixels().step_by(7) {
        if wanted(x, y) {
            count += 1.;
            for (sum, value) in sum.iter_mut().zip(pixel.0) {
                *sum += f64::from(value);
            }
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
    let mean = sum.map(|sum| if count > 0. { (sum / count) as f32 } else { 115. });
    mean
}

/// Mean colour of a crop's soil.
pub(super) fn soil_of(crop: &Crop) -> [f32; 3] {
    let mut sum = [115. * 20.; 3]; // a little grey, so that a crop without soil has an answer
    let mut count = 20.;
    for (pixel, _) in crop.rgb.iter().zip(&crop.mask).filter(|(_, class)| **class == 0) {
        count += 1.;
        for channel in 0..3 {
            sum[channel] += pixel[channel];
        }
    }
    sum.map(|sum| sum / count)
}

/// Single seedlings on trays: a folder per species, one plant per image, no mask. Excess green cuts them out.
/// Folder names in `species` say which class; other folders are left alone. The second list is of photographs that cannot be
/// used; one that shows too little of a plant is not among them.
pub fn read_seedlings(folder: &Path, species: &BTreeMap<String, u8>) -> (Vec<Sprite>, Vec<Rejected>) {
    let (mut sprites, mut rejected) = (Vec::new(), Vec::new());
    for (name, class) in species {
        for file in photographs(&folder.join(name)) {
            match load_as_stored(&file, MEMORY_LIMIT_BYTES) {
                Ok(image) => sprites.extend(seedling(image, *class)),
                Err(error) => {
                    rejected.push(Rejected { place: file.display().to_string(), reason: reason(&error) });
                }
            }
        }
    }
    (sprites, rejected)
}

/// Excess green (`2g - r - b` of the colour shares) above which a tray's pixel is plant.
const PLANT_EXCESS_GREEN: f32 = 0.13;

fn seedling(mut rgb: RgbImage, class: u8) -> Option<Sprite> {
    let table = Exposure::of(&rgb).table();
    for value in rgb.iter_mut() {
        *value = table[usize::from(*value)];
    }
    let green = GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| {
        let [r, g, b] = rgb.get_pixel(x, y).0.map(f32::from);
        image::Luma([u8::from((2. * g - r - b) / (r + g + b + 1.) > PLANT_EXCESS_GREEN)])
    });
    let plant = components(&green, |class| class == 1).into_iter().max_by_key(|part| part.pixels.len())?;
    if plant.pixels.len() < MIN_PIXELS {
        return None;
    }
    let soil = mean_where(&rgb, |x, y| green.get_pixel(x, y).0[0] == 0);
    let mut outline = GrayImage::new(rgb.width(), rgb.height());
    for (x, y) in plant.pixels {
        outline.get_pixel_mut(x, y).0 = [255];
    }
    Some(Sprite { class, source: "seedlings".into(), rgb, outline, soil, nominal: None })
}
