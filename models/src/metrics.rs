//! Pixel metrics: the confusion matrix and what follows from it.

use serde::Serialize;

/// Pixels by true class (row) and predicted class (column).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// `counts[truth][prediction]`.
    pub counts: [[u64; 5]; 5],
}

impl Confusion {
    /// Counts every pixel whose true id is a class (255 is not counted).
    pub fn count(&mut self, truth: &[u8], prediction: &[u8]) {
        for (&truth, &prediction) in truth.iter().zip(prediction) {
            if let (0..=4, 0..=4) = (truth, prediction) {
                self.counts[usize::from(truth)][usize::from(prediction)] += 1;
            }
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (row, other) in self.counts.iter_mut().zip(&other.counts) {
            for (count, other) in row.iter_mut().zip(other) {
                *count += other;
            }
        }
    }

    /// Intersection over union of a class; `None` when the truth holds no pixel of it.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let truth: u64 = self.counts[class].iter().sum();
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let both = self.counts[class][class];
        (truth > 0).then(|| both as f64 / (truth + predicted - both) as f64)
    }

    /// Mean over the classes the truth holds; `None` without any.
    pub fn mean_iou(&self) -> Option<f64> {
        mean((0..5).filter_map(|class| self.iou(class)))
    }

    /// Mean over the plant classes the truth holds (soil is easy and large); `None` without any.
    pub fn mean_plant_iou(&self) -> Option<f64> {
        mean((1..5).filter_map(|class| self.iou(class)))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0., 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A share with its Wilson score interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share(pub f64, pub f64, pub f64);

impl Share {
    /// `hits` of `total`; `None` when nothing was counted.
    pub fn of(hits: u64, total: u64) -> Option<Self> {
        if total == 0 {
            return None;
        }
        let (n, p) = (total as f64, hits as f64 / total as f64);
        let centre = (p + Z * Z / (2. * n)) / (1. + Z * Z / n);
        let reach = Z / (1. + Z * Z / n) * (p * (1. - p) / n + Z * Z / (4. * n * n)).sqrt();
        Some(Self(p, (centre - reach).max(0.), (centre + reach).min(1.)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_counts_what_it_should() {
        let mut confusion = Confusion::default();
        confusion.count(&[0, 0, 1, 1, 2, 255], &[0, 1, 1, 0, 2, 3]);
        assert_eq!(confusion.iou(0), Some(1. / 3.));
        assert_eq!(confusion.iou(1), Some(1. / 3.));
        assert_eq!(confusion.iou(2), Some(1.));
        assert_eq!(confusion.iou(3), None);
        assert!((confusion.mean_iou().unwrap() - 5. / 9.).abs() < 1e-12);
    }

    #[test]
    fn wilson_matches_the_published_example() {
        // Newcombe 1998, 81 of 263: 0.2553 to 0.3662.
        let Share(p, low, high) = Share::of(81, 263).unwrap();
        assert!((p - 0.3080).abs() < 1e-4 && (low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4);
        assert_eq!(Share::of(0, 0), None);
    }
}
