//! Figures of a model on labelled images: per source, never pooled.

use crate::data::scene::decode;
use crate::data::{Item, Rejected};
use kompas_field::{FieldCrop, PlantClass};
use kompas_vision::metrics::{Confusion, PlantScore, Share, SizeMismatch, Spray};
use kompas_vision::{ClassMap, PlantRules, SegmentError, Segmenter, find_plants};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

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
        let named = PlantClass::ALL.into_iter().zip(crate::CLASS_NAMES);
        let ious: Map<String, Value> =
            named.map(|(class, name)| (name.to_owned(), json!(iou(&self.confusion, class)))).collect();
        let share = |share: Option<Share>| share.map(|share| [share.value, share.low, share.high]);
        let plants = self.plants();
        json!({
            "images": self.images,
            "iou": ious,
            "miou": self.confusion.mean_iou(),
            "plants": {
                "weeds": plants.weeds,
                "weeds_treated": plants.weeds_treated,
                "crop": plants.crop,
                "crop_hit": plants.crop_hit,
                "weeds_treated_rate": share(plants.weeds_treated_rate()),
                "crop_hit_rate": share(plants.crop_hit_rate()),
            },
        })
    }
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
    let rules = PlantRules { min_area_px, join_gap_px, min_share_of_body: 0.05, leaf_px: 16 };
    (rules, 0.004 * f64::from(width.max(height)))
}

/// Runs `model` over `items`; what cannot be read is returned beside the figures.
/// # Errors
/// [`EvaluateError`] when the model itself fails.
pub fn evaluate(
    model: &mut dyn Segmenter,
    items: &[Item],
    mut progress: impl FnMut(),
) -> Result<(BTreeMap<String, SourceFigures>, Vec<Rejected>), EvaluateError> {
    let (mut figures, mut rejected) = (BTreeMap::<String, SourceFigures>::new(), Vec::new());
    for item in items {
        progress();
        let (rgb, mask) = match decode(item) {
            Ok(pair) => pair,
            Err(reason) => {
                rejected.push(reason);
                continue;
            }
        };
        let predicted = model.segment(&rgb)?;
        let sure = vec![255; mask.as_raw().len()];
        let truth = ClassMap::new(mask.width(), mask.height(), mask.into_raw(), sure)?;
        figures.entry(item.source.clone()).or_default().add(&truth, &predicted, item.gsd_mm)?;
    }
    Ok((figures, rejected))
}
