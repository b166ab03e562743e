//! How well plants were found: pixels, plants, and how sure the figures are.

use kompas_field::PlantClass;

mod calibration;
mod plants;
pub use calibration::{Calibration, Reliability};
pub use plants::{PlantScore, Spray};

/// Number of classes with an id.
const CLASSES: usize = PlantClass::ALL.len();

/// Pixels by truth (row) and prediction (column). Pixels to ignore are counted nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confusion {
    counts: [[u64; CLASSES]; CLASSES],
}

/// Two maps that should be of one size are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the truth has {truth} pixels and the prediction {prediction}; they must be of the same picture")]
pub struct SizeMismatch {
    /// Pixels of the truth.
    pub truth: usize,
    /// Pixels of the prediction.
    pub prediction: usize,
}

impl Confusion {
    /// Counts one picture's class ids. Ids without a class are ignored, in truth and in prediction.
    ///
    /// # Errors
    /// [`SizeMismatch`].
    pub fn add(&mut self, truth: &[u8], prediction: &[u8]) -> Result<(), SizeMismatch> {
        if truth.len() != prediction.len() {
            return Err(SizeMismatch { truth: truth.len(), prediction: prediction.len() });
        }
        for (&truth, &prediction) in truth.iter().zip(prediction) {
            let row = self.counts.get_mut(usize::from(truth));
            if let Some(count) = row.and_then(|row| row.get_mut(usize::from(prediction))) {
                *count += 1;
            }
        }
        Ok(())
    }

    /// Adds another table.
    pub fn merge(&mut self, other: &Self) {
        for (row, more) in self.counts.iter_mut().zip(&other.counts) {
            row.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }

    /// Pixels of `truth` taken for `prediction`.
    pub fn count(&self, truth: PlantClass, prediction: PlantClass) -> u64 {
        self.counts[usize::from(truth.id())][usize::from(prediction.id())]
    }

    /// Intersection over union; `None` for a class neither there nor predicted.
    pub fn iou(&self, class: PlantClass) -> Option<f64> {
        let own = usize::from(class.id());
        let intersection = self.counts[own][own];
        let truth: u64 = self.counts[own].iter().sum();
        let predicted: u64 = self.counts.iter().map(|row| row[own]).sum();
        ratio(intersection, truth + predicted - intersection)
    }

    /// Intersection over union of plants of any class against soil; `None` where there are none.
    pub fn plant_iou(&self) -> Option<f64> {
        let total: u64 = self.counts.iter().flatten().sum();
        let missed: u64 = self.counts[1..].iter().map(|row| row[0]).sum();
        let invented: u64 = self.counts[0][1..].iter().sum();
        let soil = self.counts[0][0];
        ratio(total - soil - missed - invented, total - soil)
    }

    /// Mean over the classes that are there in truth.
    pub fn mean_iou(&self) -> Option<f64> {
        let there = |class: &PlantClass| self.counts[usize::from(class.id())].iter().sum::<u64>() > 0;
        let ious: Vec<f64> =
            PlantClass::ALL.into_iter().filter(there).filter_map(|class| self.iou(class)).collect();
        (!ious.is_empty()).then(|| ious.iter().sum::<f64>() / ious.len() as f64)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A share of counted things, with the interval that holds the true share 95 times of 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The share counted.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `hits` of `of`, with Wilson's 95 % interval; `None` for none of none.
pub fn wilson(hits: u64, of: u64) -> Option<Share> {
    /// 97.5th percentile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    let value = ratio(hits, of)?;
    let count = of as f64;
    let shrink = 1.0 + Z * Z / count;
    let middle = (value + Z * Z / (2.0 * count)) / shrink;
    let reach = Z * (value * (1.0 - value) / count + Z * Z / (4.0 * count * count)).sqrt() / shrink;
    Some(Share { value, low: (middle - reach).max(0.0), high: (middle + reach).min(1.0) })
}

#[cfg(test)]
mod tests;
