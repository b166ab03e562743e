//! Predictions ranked by score: which images go well, which go wrong, and in what.

use crate::data::scene::decode;
use crate::data::{Item, Rejected};
use crate::evaluate::{Conditions, EvaluateError, Judged, judge, mean_plant_iou};
use image::{Rgb, RgbImage};
use kompas_field::PlantClass;
use kompas_vision::Segmenter;
use kompas_vision::metrics::Confusion;
use std::collections::BTreeMap;

/// One image and how it went.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The image.
    pub item: Item,
    /// Mean intersection over union of the plant classes that are in it.
    pub score: f64,
    /// The mistake that takes the most plant pixels.
    pub mistake: Mistake,
    /// Share of the image that is plant.
    pub cover: f64,
    /// Mean of the image's brightness, 0 to 1.
    pub brightness: f64,
    /// What the model makes of it: class ids, row by row.
    pub class_ids: Vec<u8>,
}

/// All images of a data set, ranked.
#[derive(Debug)]
pub struct Ranking {
    /// Per source from best to worst.
    pub per_source: BTreeMap<String, Vec<Ranked>>,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
}

/// A class taken for another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistake {
    /// What is there.
    pub truth: PlantClass,
    /// What it was taken for.
    pub taken_for: PlantClass,
    /// Share of the plant pixels there and seen.
    pub share: f64,
}

impl Mistake {
    /// As a page says it: `weed taken for soil`.
    pub fn name(&self) -> String {
        let name = |class: PlantClass| crate::CLASS_NAMES[usize::from(class.id())].replace('_', " ");
        format!("{} taken for {}", name(self.truth), name(self.taken_for))
    }
}

/// Every image with a plant in it, per source from best to worst; judged `alone`, or as pictures of their groups' fields.
/// # Errors
/// [`EvaluateError`] when the model itself fails.
pub fn rank(
    model: &mut dyn Segmenter,
    items: &[Item],
    alone: bool,
    progress: impl FnMut(),
) -> Result<Ranking, EvaluateError> {
    let conditions = Conditions { alone, ..Conditions::default() };
    let mut ranked = BTreeMap::<String, Vec<Ranked>>::new();
    let rejected = judge(model, items, conditions, progress, |Judged { item, rgb, mask, predicted }| {
        let mut confusion = Confusion::default();
        confusion.add(mask.as_raw(), predicted.class_ids())?;
        let Some(score) = mean_plant_iou(&confusion) else { return Ok(()) };
        let plant = mask.iter().filter(|&&id| (1..=4).contains(&id)).count();
        let sum: u64 = rgb.iter().map(|&value| u64::from(value)).sum();
        ranked.entry(item.source.clone()).or_default().push(Ranked {
            item: item.clone(),
            score,
            mistake: worst_mistake(&confusion),
            cover: plant as f64 / mask.as_raw().len() as f64,
            brightness: sum as f64 / rgb.as_raw().len() as f64 / 255.,
            class_ids: predicted.into_parts().0,
        });
        Ok(())
    })?;
    for list in ranked.values_mut() {
        list.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.item.name.cmp(&b.item.name)));
    }
    Ok(Ranking { per_source: ranked, rejected })
}

fn worst_mistake(confusion: &Confusion) -> Mistake {
    let pairs = || PlantClass::ALL.into_iter().flat_map(|a| PlantClass::ALL.into_iter().map(move |b| (a, b)));
    let plants: u64 =
        pairs().filter(|(a, b)| [*a, *b] != [PlantClass::Soil; 2]).map(|(a, b)| confusion.count(a, b)).sum();
    let worst = pairs().filter(|(a, b)| a != b).max_by_key(|&(a, b)| confusion.count(a, b));
    let (truth, taken_for) = worst.unwrap_or((PlantClass::Soil, PlantClass::Weed));
    let share = confusion.count(truth, taken_for) as f64 / plants.max(1) as f64;
    Mistake { truth, taken_for, share }
}

/// The photograph, its labels and the prediction side by side, at most `side` pixels high each.
/// # Errors
/// If the files are gone.
pub fn sheet(Ranked { item, class_ids, .. }: &Ranked, side: u32) -> Result<RgbImage, Rejected> {
    let (rgb, mask) = decode(item)?;
    let (width, height) = rgb.dimensions();
    let scale = (f64::from(side) / f64::from(width.max(height))).min(4.);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most `side`")]
    let scaled = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    let (w, h) = (scaled(width), scaled(height));
    let mut sheet = RgbImage::new(3 * w, h);
    for (x, y) in (0..h).flat_map(|y| (0..w).map(move |x| (x, y))) {
        let (from_x, from_y) = (x * width / w, y * height / h);
        let at = from_y as usize * width as usize + from_x as usize;
        let photograph = *rgb.get_pixel(from_x, from_y);
        let over = |id: u8| match crate::CLASS_COLOURS.get(usize::from(id)) {
            Some(colour) if id > 0 => Rgb(std::array::from_fn(|i| photograph.0[i].midpoint(colour[i]))),
            _ => photograph,
        };
        sheet.put_pixel(x, y, photograph);
        sheet.put_pixel(w + x, y, over(mask.as_raw()[at]));
        sheet.put_pixel(2 * w + x, y, over(class_ids[at]));
    }
    Ok(sheet)
}
