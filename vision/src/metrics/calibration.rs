//! Whether a confidence of 0.8 is right eight times of ten.

use super::{CLASSES, SizeMismatch};
use crate::ClassMap;
use kompas_field::PlantClass;

/// Number of equal parts of 0 to 1.
const BINS: usize = 10;

/// Pixels found as plants, by how sure the model was of them: soil is most of a picture, and easy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calibration {
    bins: [Bin; BINS],
}

/// Pixels of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bin {
    pixels: u64,
    right: u64,
    /// Sum of their confidences, 0 to 255 each.
    confidence: u64,
}

/// How often pixels of about the same confidence were right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Mean confidence, 0 to 1.
    pub confidence: f64,
    /// Share of them whose class was right.
    pub right: f64,
    /// How many there are.
    pub pixels: u64,
}

impl Calibration {
    /// Counts the pixels that `found` takes for plants and whose true class is known.
    ///
    /// # Errors
    /// [`SizeMismatch`].
    pub fn add(&mut self, truth: &[u8], found: &ClassMap) -> Result<(), SizeMismatch> {
        if truth.len() != found.class_ids().len() {
            return Err(SizeMismatch { truth: truth.len(), prediction: found.class_ids().len() });
        }
        for ((&truth, &class), &confidence) in truth.iter().zip(found.class_ids()).zip(found.confidence()) {
            let counts = usize::from(truth) < CLASSES && class != PlantClass::Soil.id();
            if counts && usize::from(class) < CLASSES {
                let bin = &mut self.bins[usize::from(confidence) * BINS / 256];
                bin.pixels += 1;
                bin.right += u64::from(truth == class);
                bin.confidence += u64::from(confidence);
            }
        }
        Ok(())
    }

    /// From the least sure pixels to the surest; what does not occur is left out.
    pub fn reliability(&self) -> Vec<Reliability> {
        let filled = self.bins.iter().filter(|bin| bin.pixels > 0);
        let of = |bin: &Bin| Reliability {
            confidence: bin.confidence as f64 / (255.0 * bin.pixels as f64),
            right: bin.right as f64 / bin.pixels as f64,
            pixels: bin.pixels,
        };
        filled.map(of).collect()
    }

    /// Expected calibration error: how far confidence and share of right pixels lie apart, on average over the pixels
    /// (Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning"). `None` without pixels.
    pub fn error(&self) -> Option<f64> {
        let bins = self.reliability();
        let pixels: u64 = bins.iter().map(|bin| bin.pixels).sum();
        let apart: f64 = bins.iter().map(|bin| (bin.confidence - bin.right).abs() * bin.pixels as f64).sum();
        (pixels > 0).then(|| apart / pixels as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pixels: &[(u8, u8)]) -> ClassMap {
        let (ids, confidence) = pixels.iter().copied().unzip();
        ClassMap::new(u32::try_from(pixels.len()).unwrap(), 1, ids, confidence).unwrap()
    }

    #[test]
    fn the_error_is_the_mean_distance_of_confidence_and_share_of_right_pixels() {
        // Four weeds found with 204 of 255 (0.8), three of them right; two beets with 102 (0.4), one of them soil.
        let found = map(&[(1, 204), (1, 204), (1, 204), (1, 204), (2, 102), (2, 102)]);
        let mut calibration = Calibration::default();
        calibration.add(&[1, 1, 1, 2, 2, 0], &found).unwrap();
        let expected = (4.0 * 0.05 + 2.0 * 0.1) / 6.0;
        assert!((calibration.error().unwrap() - expected).abs() < 1e-12);
        let bins = calibration.reliability();
        assert_eq!(bins.iter().map(|bin| bin.pixels).collect::<Vec<_>>(), [2, 4]);
        assert!((bins[1].right - 0.75).abs() < 1e-12);
    }

    #[test]
    fn soil_and_what_nobody_labelled_do_not_count() {
        let mut calibration = Calibration::default();
        calibration.add(&[0, 255, 1, 1], &map(&[(0, 255), (1, 9), (0, 200), (255, 200)])).unwrap();
        assert_eq!((calibration.error(), calibration.reliability()), (None, Vec::new()));
        calibration.add(&[3, 4], &map(&[(3, 255), (4, 0)])).unwrap();
        assert!((calibration.error().unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(
            calibration.add(&[1], &map(&[(1, 1), (1, 1)])),
            Err(SizeMismatch { truth: 1, prediction: 2 })
        );
    }
}
