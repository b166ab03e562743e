//! Logistic regression on few examples.

use nalgebra::{SMatrix, SVector};

/// What an example is described by.
pub(super) const FEATURES: usize = 11;
/// One coefficient per feature, and a constant.
const TERMS: usize = FEATURES + 1;
/// Penalty on the square of each coefficient, in examples: with few plants little is learnt, with none nothing.
const RIDGE: f64 = 3.0;
/// Newton's steps; five or six are enough, more change nothing.
const STEPS: usize = 12;
/// Standard deviations beyond which a feature counts no more.
const FARTHEST: f64 = 4.0;

/// An example: its features, how much of it belongs to the class (0 to 1), and how much it counts.
#[derive(Clone)]
pub(super) struct Example {
    pub features: [f32; FEATURES],
    pub share: f32,
    pub weight: f32,
}

impl Example {
    pub(super) fn is_finite(&self) -> bool {
        self.features.iter().chain([&self.share, &self.weight]).all(|value| value.is_finite())
    }
}

/// Log odds of the class for each of the examples `own`, learnt from them and from those `known` before. `None` where
/// the examples do not determine them.
///
/// Ridge regression by iteratively reweighted least squares (le Cessie & van Houwelingen 1992, *Ridge Estimators in
/// Logistic Regression*), on features brought to mean 0 and variance 1.
pub(super) fn log_odds<'a, K: Iterator<Item = &'a Example>>(
    own: &'a [Example],
    known: impl Fn() -> K,
) -> Option<Vec<f32>> {
    let examples = || own.iter().chain(known());
    let total: f64 = examples().map(|example| f64::from(example.weight)).sum();
    let rows = standardised(&examples, total);
    let counts = examples().map(|example| f64::from(example.weight) * rows.len() as f64 / total);
    let counts: Vec<f64> = counts.collect();
    let mut penalty = SMatrix::<f64, TERMS, TERMS>::identity() * RIDGE;
    penalty[(FEATURES, FEATURES)] = 1e-3; // the constant is free: what share of plants is crop is no prejudice
    let mut terms = SVector::<f64, TERMS>::zeros();
    for _ in 0..STEPS {
        let mut slope = -(penalty * terms);
        let mut curve = penalty;
        for ((row, example), count) in rows.iter().zip(examples()).zip(&counts) {
            let likely = 1.0 / (1.0 + (-row.dot(&terms)).exp());
            slope += row * (count * (f64::from(example.share) - likely));
            curve.ger(count * likely * (1.0 - likely), row, row, 1.0);
        }
        let step = curve.cholesky()?.solve(&slope);
        terms += step;
        if step.norm() < 1e-4 {
            break;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "log odds of single digits")]
    let odds = rows[..own.len()].iter().map(|row| row.dot(&terms) as f32).collect();
    Some(odds)
}

/// Features as standard deviations from their mean, and a one.
fn standardised<'a, I: Iterator<Item = &'a Example>>(
    examples: &impl Fn() -> I,
    total: f64,
) -> Vec<SVector<f64, TERMS>> {
    let mean = |value: &dyn Fn(&Example) -> f64| {
        examples().map(|example| f64::from(example.weight) * value(example)).sum::<f64>() / total
    };
    let scales: [(f64, f64); FEATURES] = std::array::from_fn(|i| {
        let middle = mean(&|example| f64::from(example.features[i]));
        let spread = mean(&|example| (f64::from(example.features[i]) - middle).powi(2)).sqrt();
        (middle, spread + 1e-3)
    });
    let row = |example: &Example| {
        SVector::from_fn(|i, _| match (example.features.get(i), scales.get(i)) {
            (Some(&value), Some((middle, spread))) => {
                ((f64::from(value) - middle) / spread).clamp(-FARTHEST, FARTHEST)
            }
            _ => 1.0,
        })
    };
    examples().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples whose first feature tells the class, and whose others are noise (Knuth's multiplicative generator).
    fn examples(count: u16, mistaken: u16) -> Vec<Example> {
        let mut state = 3_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f32::from(u16::try_from(state >> 48).unwrap()) / 65_536.0
        };
        let mut example = |i: u16| {
            let crop = i.is_multiple_of(3);
            let said = crop != (i % 100 < mistaken);
            let mut features: [f32; FEATURES] = std::array::from_fn(|_| next());
            features[0] += if crop { 2.0 } else { 0.0 };
            Example { features, share: f32::from(u8::from(said)), weight: 1.0 }
        };
        (0..count).map(&mut example).collect()
    }

    #[test]
    fn what_most_examples_say_is_learnt_though_some_are_wrong() {
        let examples = examples(400, 12);
        let odds = log_odds(&examples, std::iter::empty).unwrap();
        let right =
            odds.iter().zip(0_u16..).filter(|(odds, i)| (**odds > 0.0) == i.is_multiple_of(3)).count();
        assert!(right >= 392, "{right} of 400, 48 of which were told wrongly");
    }

    #[test]
    fn the_fit_is_where_the_penalised_likelihood_is_flat() {
        // At the optimum the residuals are orthogonal to the constant: predicted shares sum to the shares told.
        let examples = examples(60, 0);
        let odds = log_odds(&examples, std::iter::empty).unwrap();
        let likely: f32 = odds.iter().map(|odds| 1.0 / (1.0 + (-odds).exp())).sum();
        let told: f32 = examples.iter().map(|example| example.share).sum();
        assert!((likely - told).abs() < 0.05, "{likely} {told}");
    }

    #[test]
    fn features_that_never_differ_teach_nothing() {
        let example = |share| Example { features: [7.0; FEATURES], share, weight: 1.0 };
        let odds =
            log_odds(&[example(1.0), example(0.0), example(0.0), example(0.0)], std::iter::empty).unwrap();
        assert!(odds.iter().all(|odds| (odds - (1.0_f32 / 3.0).ln()).abs() < 0.02), "{odds:?}");
    }
}
