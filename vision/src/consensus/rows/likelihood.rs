//! How likely plants stand where they stand: in rows, or anywhere.

use std::iter::Sum;

/// How close plants stand to the middle of their row: concentration of a von Mises distribution around the spacing
/// (Mardia & Jupp 2000, *Directional Statistics*, section 3.5.4), a standard deviation of about a seventeenth of it.
const CONCENTRATION: f32 = 8.0;
/// The modified Bessel function of order zero at [`CONCENTRATION`], times e to the power of minus that: the mean of
/// e^(κ (cos θ − 1)) over the circle.
const MEAN_DENSITY: f32 = 0.143_432;
/// This share of the crop stands anywhere: doubles, parts of a plant, what the drill dropped, rows of another bed.
const ASTRAY: f32 = 0.1;

/// Natural logarithm of how much likelier crop stands here than a plant that stands anywhere; `around` is the cosine of
/// the place around the spacing, 1 in the middle of a row and -1 halfway between two. 1.9 at most, and -2.3 at least: that a
/// weed stands in a row is no wonder, that a beet stands between two is one.
pub(super) fn in_row(around: f32) -> f32 {
    let density = (CONCENTRATION * (around - 1.0)).exp() / MEAN_DENSITY;
    ((1.0 - ASTRAY) * density + ASTRAY).ln()
}

/// Logits by which the network may underrate the crop of a field.
pub(super) const UNDERRATED: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
/// What assuming one logit more costs a picture that is judged by it, in natural logarithms of likelihood ratios: where
/// nearly all plants stand in rows, any number of them explains that. Chosen by hand, as the next two are.
const DEARER: f32 = 0.4;
/// What it costs a picture that tells others of it: less, for together they tell apart what one cannot.
const DEARER_TOGETHER: f32 = 0.05;
/// Natural logarithm of the likelihood ratio at which what pictures have shown of it is fully believed.
const ENOUGH: f32 = 1.0;

/// The assumption of [`UNDERRATED`] that a picture is judged by: the one that explains best where its plants stand
/// (natural logarithms of likelihood ratios), less its price. None where none does.
pub(super) fn likeliest(explained: &[Option<f32>; UNDERRATED.len()]) -> Option<usize> {
    let rated = explained.iter().enumerate();
    let rated = rated.filter_map(|(at, explained)| Some((at, (*explained)? - DEARER * UNDERRATED[at])));
    rated.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(at, _)| at)
}

/// How well rows explain where plants stand if the network underrates their crop by each of [`UNDERRATED`]: natural
/// logarithms of likelihood ratios against plants that stand anywhere, where the rows may also be mere chance, as far as
/// they are sure. Those of several pictures add up.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::consensus) struct Underrated([f32; UNDERRATED.len()]);

impl Underrated {
    /// Of a picture whose rows are sure to the degree `sureness` (0 to 1) and, under each assumption, explain its plants
    /// this well, less what chance reaches.
    pub(in crate::consensus) fn of(explained: [Option<f32>; UNDERRATED.len()], sureness: f32) -> Self {
        Self(std::array::from_fn(|at| {
            let price = DEARER_TOGETHER * UNDERRATED[at];
            explained[at].map_or(0.0, |log_ratio| sureness * softplus(log_ratio - price))
        }))
    }

    /// By how much, where it is known well enough.
    pub(in crate::consensus) fn logits(&self) -> f32 {
        let (best, logits) = self
            .0
            .into_iter()
            .zip(UNDERRATED)
            .fold((f32::NEG_INFINITY, 0.0), |best, other| if other.0 > best.0 { other } else { best });
        logits * ((best - self.0[0]) / ENOUGH).clamp(0.0, 1.0)
    }

    pub(in crate::consensus) fn is_finite(&self) -> bool {
        self.0.iter().all(|log_ratio| log_ratio.is_finite())
    }
}

impl Sum for Underrated {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self(std::array::from_fn(|at| sum.0[at] + one.0[at])))
    }
}

/// ln(1 + eˣ): what rows that explain eˣ times as much as none, and none, are worth together.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_of_a_place_is_one_of_densities() {
        let mean =
            (0..3600_u16).map(|tenth| in_row((0.1 * f32::from(tenth)).to_radians().cos()).exp()).sum::<f32>()
                / 3600.0;
        assert!((mean - 1.0).abs() < 1e-3, "{mean}");
        assert!((in_row(1.0) - 1.85).abs() < 0.02 && (in_row(-1.0) - ASTRAY.ln()).abs() < 0.01);
    }

    #[test]
    fn what_pictures_tell_adds_up_and_little_is_not_believed() {
        let picture = |of_three: f32, sureness| {
            let explained = std::array::from_fn(|at| Some(if at == 3 { of_three } else { -2.0 }));
            Underrated::of(explained, sureness)
        };
        let is = |shown: Underrated, logits: f32| (shown.logits() - logits).abs() < 1e-6;
        assert!(is(picture(24.0, 1.0), 3.0) && is(picture(24.0, 0.0), 0.0));
        let faint = picture(1.0, 0.4);
        assert!((0.1..2.0).contains(&faint.logits()), "{}", faint.logits());
        assert!(is([faint; 4].into_iter().sum(), 3.0) && is(Underrated::default(), 0.0));
        assert!(!Underrated::of([Some(f32::NAN); 6], 1.0).is_finite());
    }
}
