//! Figures of a model on labelled images: per source, never pooled.

use crate::data::corrections::Corrections;
use crate::data::scene::decode;
use crate::data::{Item, Rejected};
use crate::through::Through;
use image::imageops::{FilterType, crop_imm, resize};
use image::{GrayImage, RgbImage};
use kompas_field::{FieldCrop, PlantClass};
use kompas_vision::metrics::{Calibration, Confusion, PlantScore, Share, SizeMismatch, Spray};
use kompas_vision::plants::SPECKLE;
use kompas_vision::{ClassMap, FieldMemory, PlantRules, SegmentError, Segmenter, find_plants};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Intersection over union of a class; `None` when the truth holds no pixel of it.
pub fn iou(confusion: &Confusion, class: PlantClass) -> Option<f64> {
    let there = PlantClass::ALL.into_iter().any(|prediction| confusion.count(class, prediction) > 0);
    there.then(|| confusion.iou(class)).flatten()
}

/// Mean over the plant classes the truth holds (soil is easy and large); `None` without any.
pub fn mean_plant_iou(confusion: &Confusion) -> Option<f64> {
    let plants = PlantClass::ALL.into_iter().filter(|class| *class != PlantClass::Soil);
    let ious: Vec<f64> = plants.filter_map(|class| iou(confusion, class)).collect();
    (!ious.is_empty()).then(|| ious.iter().sum::<f64>() / ious.len() as f64)
}

/// Figures of one source.
#[derive(Debug, Default)]
pub struct SourceFigures {
    /// Images counted.
    pub images: u64,
    /// Pixels by true and predicted class.
    pub confusion: Confusion,
    /// The same by corrected labels; none where nobody said what is wrong ([`Conditions::corrections`]).
    pub corrected: Option<Confusion>,
    /// Whether the model is right as often as it says.
    calibration: Calibration,
    /// Plants per field crop; which crop counts is known when all images are.
    plants: [PlantScore; 3],
}

const CROPS: [(FieldCrop, PlantClass); 3] = [
    (FieldCrop::SugarBeet, PlantClass::SugarBeet),
    (FieldCrop::Potato, PlantClass::Potato),
    (FieldCrop::Other, PlantClass::OtherCrop),
];

/// Why an evaluation stopped.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The model could not be run.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// It returned a map of another size.
    #[error(transparent)]
    Size(#[from] SizeMismatch),
    /// A class map could not be kept.
    #[error("cannot write {place}: {reason}")]
    Write {
        /// The file.
        place: PathBuf,
        /// Why.
        reason: String,
    },
}

impl SourceFigures {
    /// Adds one image: what is there and what the model says.
    /// # Errors
    /// If the maps differ in size.
    pub fn add(
        &mut self,
        truth: &ClassMap,
        predicted: &ClassMap,
        gsd_mm: Option<f64>,
    ) -> Result<(), SizeMismatch> {
        self.images += 1;
        self.confusion.add(truth.class_ids(), predicted.class_ids())?;
        self.calibration.add(truth.class_ids(), predicted)?;
        let (rules, margin_px) = rules(truth.width(), truth.height(), gsd_mm);
        let detections = find_plants(predicted, &rules);
        for (score, (crop, _)) in self.plants.iter_mut().zip(CROPS) {
            score.add(truth, &detections, &rules, &Spray { crop, margin_px });
        }
        Ok(())
    }

    /// Plants as treated in a field of the crop that covers most of the source's ground.
    pub fn plants(&self) -> &PlantScore {
        let ground = |class| PlantClass::ALL.into_iter().map(|p| self.confusion.count(class, p)).sum::<u64>();
        let most = (0..CROPS.len()).max_by_key(|&i| (ground(CROPS[i].1), std::cmp::Reverse(i)));
        &self.plants[most.unwrap_or(0)]
    }

    /// As `evaluate --json` prints it.
    pub fn to_json(&self) -> Value {
        let share = |share: Option<Share>| share.map(|share| [share.value, share.low, share.high]);
        let plants = self.plants();
        let bins = self.calibration.reliability();
        let bins: Vec<_> = bins.iter().map(|bin| json!([bin.confidence, bin.right, bin.pixels])).collect();
        let mut figures = json!({
            "images": self.images,
            "iou": ious(&self.confusion),
            "miou": self.confusion.mean_iou(),
            "confusion": pixels(&self.confusion),
            "calibration": {
                "error": self.calibration.error(),
                "bins": bins,
            },
            "plants": {
                "weeds": plants.weeds,
                "weeds_treated": plants.weeds_treated,
                "crop": plants.crop,
                "crop_hit": plants.crop_hit,
                "weeds_treated_rate": share(plants.weeds_treated_rate()),
                "crop_hit_rate": share(plants.crop_hit_rate()),
            },
        });
        if let Some(corrected) = &self.corrected {
            figures["corrected_labels"] = json!({"iou": ious(corrected), "confusion": pixels(corrected)});
        }
        figures
    }
}

/// Per class name.
fn ious(confusion: &Confusion) -> Map<String, Value> {
    let named = PlantClass::ALL.into_iter().zip(crate::CLASS_NAMES);
    named.map(|(class, name)| (name.to_owned(), json!(iou(confusion, class)))).collect()
}

/// A row per true class, a column per predicted one.
fn pixels(confusion: &Confusion) -> [[u64; PlantClass::ALL.len()]; PlantClass::ALL.len()] {
    PlantClass::ALL.map(|truth| PlantClass::ALL.map(|found| confusion.count(truth, found)))
}

/// What counts as a plant and how far beyond its edge a dot reaches. Without a stated scale both follow the
/// size of the image: a plant covers at least 50 of a million pixels, a dot reaches 0.4 % of the longer side
/// further than the plant.
fn rules(width: u32, height: u32, gsd_mm: Option<f64>) -> (PlantRules, f64) {
    if let Some(gsd_mm) = gsd_mm {
        return (PlantRules::at_gsd(gsd_mm / 1000.), 10. / gsd_mm);
    }
    let min_area_px = (width * height / 20_000).max(12);
    let join_gap_px = width.max(height) / 500;
    let max_speckle_px = SPECKLE * min_area_px;
    let rules = PlantRules { min_area_px, join_gap_px, min_share_of_body: 0.05, max_speckle_px, leaf_px: 16 };
    (rules, 0.004 * f64::from(width.max(height)))
}

/// What a camera `times` times nearer would see of a picture and of its `mask`: the window around the crop pixel in the
/// middle of the list of them, enlarged to the picture's size. `None` without crop.
fn nearer(rgb: &RgbImage, mask: &GrayImage, times: u32) -> Option<(RgbImage, GrayImage)> {
    let is_crop = |id: u8| CROPS.iter().any(|(_, class)| class.id() == id);
    let crop: Vec<usize> =
        mask.as_raw().iter().enumerate().filter(|(_, id)| is_crop(**id)).map(|(at, _)| at).collect();
    let (width, height) = mask.dimensions();
    let at = u32::try_from(*crop.get(crop.len() / 2)?).ok()?;
    let (w, h) = ((width / times).max(1), (height / times).max(1));
    let corner = |middle: u32, length: u32, whole: u32| middle.saturating_sub(length / 2).min(whole - length);
    let (x, y) = (corner(at % width, w, width), corner(at / width, h, height));
    let window = crop_imm(rgb, x, y, w, h).to_image();
    let mask = crop_imm(mask, x, y, w, h).to_image();
    Some((
        resize(&window, width, height, FilterType::CatmullRom),
        resize(&mask, width, height, FilterType::Nearest),
    ))
}

/// What has been seen of each field: the pictures of a group are taken for those of one field and one time, as they come one
/// after another. Where groups are something else, evaluate every picture by itself.
#[derive(Default)]
struct Fields(BTreeMap<(String, String), FieldMemory>);

impl Fields {
    /// Of the field that `item` is a picture of.
    fn of(&mut self, item: &Item) -> &mut FieldMemory {
        self.0.entry((item.source.clone(), item.group.clone())).or_default()
    }
}

/// How pictures are evaluated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'a> {
    /// So many times nearer, at the pictures that show crop.
    pub closer: Option<u32>,
    /// As the camera would see them so.
    pub through: Option<Through>,
    /// Every picture by itself; else the pictures of a group are taken for those of one field and one time, one after another.
    pub alone: bool,
    /// What the model makes of every picture is kept in this folder: 8-bit class ids, in a folder per source, named as the
    /// picture.
    pub maps: Option<&'a Path>,
    /// Figures of pixels are given by labels corrected so, too.
    pub corrections: Option<&'a Corrections>,
}

/// Runs `model` over `items`; what cannot be read is returned beside the figures.
/// # Errors
/// [`EvaluateError`] when the model itself fails or a map cannot be written.
pub fn evaluate(
    model: &mut dyn Segmenter,
    items: &[Item],
    conditions: Conditions,
    progress: impl FnMut(),
) -> Result<(BTreeMap<String, SourceFigures>, Vec<Rejected>), EvaluateError> {
    let mut figures = BTreeMap::<String, SourceFigures>::new();
    let closer = f64::from(conditions.closer.unwrap_or(1));
    let rejected = judge(model, items, conditions, progress, |Judged { item, rgb, mask, predicted }| {
        let figures = figures.entry(item.source.clone()).or_default();
        if let Some(corrections) = conditions.corrections {
            let mut mask = mask.clone();
            corrections.apply(item, &rgb, &mut mask);
            let corrected = figures.corrected.get_or_insert_default();
            corrected.add(mask.as_raw(), predicted.class_ids())?;
        }
        let sure = vec![255; mask.as_raw().len()];
        let truth = ClassMap::new(mask.width(), mask.height(), mask.into_raw(), sure)?;
        let gsd_mm = item.gsd_mm.map(|gsd_mm| gsd_mm / closer);
        Ok(figures.add(&truth, &predicted, gsd_mm)?)
    })?;
    Ok((figures, rejected))
}

/// A picture as it was taken, by which its labels are put right, and what the model makes of what it saw of it.
pub(crate) struct Judged<'a> {
    pub(crate) item: &'a Item,
    pub(crate) rgb: RgbImage,
    /// Its labels.
    pub(crate) mask: GrayImage,
    pub(crate) predicted: ClassMap,
}

/// Hands over every picture with what `model` makes of it; what cannot be read is returned.
pub(crate) fn judge<'a>(
    model: &mut dyn Segmenter,
    items: &'a [Item],
    conditions: Conditions,
    mut progress: impl FnMut(),
    mut each: impl FnMut(Judged<'a>) -> Result<(), EvaluateError>,
) -> Result<Vec<Rejected>, EvaluateError> {
    let Conditions { closer, through, alone, maps, .. } = conditions;
    let (mut rejected, mut fields) = (Vec::new(), Fields::default());
    for item in items {
        progress();
        let (rgb, mask) = match decode(item) {
            Ok(pair) => pair,
            Err(reason) => {
                rejected.push(reason);
                continue;
            }
        };
        let (rgb, mask) = match closer.map(|times| nearer(&rgb, &mask, times)) {
            None => (rgb, mask),
            Some(Some(window)) => window,
            Some(None) => continue,
        };
        let seen = through.map(|through| through.seen(rgb.clone()));
        let seen = seen.as_ref().unwrap_or(&rgb);
        let predicted = if alone { model.segment(seen) } else { model.segment_in(seen, fields.of(item)) }?;
        if let Some(folder) = maps {
            keep(&predicted, folder.join(&item.source).join(format!("{}.png", item.name)))?;
        }
        each(Judged { item, rgb, mask, predicted })?;
    }
    Ok(rejected)
}

/// Writes a class map as an image of class ids.
pub(crate) fn keep(map: &ClassMap, place: PathBuf) -> Result<(), EvaluateError> {
    let made = place.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(image::ImageError::IoError);
    let grey = image::ExtendedColorType::L8;
    let written =
        made.and_then(|()| image::save_buffer(&place, map.class_ids(), map.width(), map.height(), grey));
    written.map_err(|error| EvaluateError::Write { place, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, Rgb};

    #[test]
    fn a_kept_map_is_a_mask_and_a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let map = ClassMap::new(3, 2, vec![0, 1, 2, 3, 4, 0], vec![255; 6]).unwrap();
        let place = folder.path().join("field").join("day").join("row.png");
        keep(&map, place.clone()).unwrap();
        let read = image::open(&place).unwrap().into_luma8();
        assert_eq!((read.dimensions(), read.as_raw().as_slice()), ((3, 2), map.class_ids()));
        let below_a_file = place.join("other.png");
        let told = keep(&map, below_a_file.clone()).unwrap_err().to_string();
        assert!(told.starts_with(&format!("cannot write {}: ", below_a_file.display())), "{told}");
    }

    #[test]
    fn a_nearer_camera_sees_a_window_around_the_crop_as_large_as_the_picture() {
        // Beet from (60, 40) to (79, 59), a weed far away.
        let class = |x: u32, y: u32| match (x, y) {
            (60..80, 40..60) => 2,
            (0..9, 0..9) => 1,
            _ => 0,
        };
        let mask = GrayImage::from_fn(120, 90, |x, y| Luma([class(x, y)]));
        let rgb = RgbImage::from_fn(120, 90, |x, y| Rgb([60 * class(x, y), 100, 100]));
        let (seen, truth) = nearer(&rgb, &mask, 3).unwrap();
        assert_eq!((seen.dimensions(), truth.dimensions()), ((120, 90), (120, 90)));
        let beet = truth.pixels().filter(|id| id.0 == [2]).count();
        assert_eq!(beet, 60 * 60, "three times as wide and as high");
        assert!(truth.pixels().all(|id| id.0 != [1]));
        let agree = seen.pixels().zip(truth.pixels()).filter(|(rgb, id)| (rgb.0[0] > 60) == (id.0 == [2]));
        assert!(agree.count() > 120 * 90 * 97 / 100);
        let weeds = GrayImage::from_fn(120, 90, |x, _| Luma([u8::from(x < 5)]));
        assert!(nearer(&rgb, &weeds, 3).is_none());
    }
}
