//! Where soil ends and plant begins in the histogram of one frame.

use super::index::step_of;

/// Below this nothing is a plant: dry soil, straw and stones stay under it.
const FLOOR: u8 = step_of(0.08);
/// Above this everything is a plant: a closed canopy has too little soil for Otsu to find.
const CEILING: u8 = step_of(0.25);
/// Means of soil and plants lie farther apart than this; the two halves of bare soil do not.
const APART: f64 = 0.09 * 200.0;
/// What stands out of a frame of bare soil.
const BARE_FLOOR: u8 = step_of(0.15);

/// The highest step that is soil, in a histogram of [`super::IndexMap`] steps.
pub fn threshold_of(counts: &[u32; 256]) -> u8 {
    let split = otsu(counts);
    let found = split.step.clamp(FLOOR, CEILING);
    if split.apart >= APART { found } else { found.max(BARE_FLOOR) }
}

struct Split {
    /// Last step of the lower class.
    step: u8,
    /// Between the means of the two classes, in steps.
    apart: f64,
}

/// The split of least variance within the two classes (Otsu 1979).
fn otsu(counts: &[u32; 256]) -> Split {
    let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
    let moment: f64 = (0_u8..=255).zip(counts).map(|(step, &n)| f64::from(step) * f64::from(n)).sum();
    let (mut below, mut below_moment, mut best) = (0.0, 0.0, 0.0);
    let mut split = Split { step: 0, apart: 0.0 };
    for (step, &n) in (0_u8..=255).zip(counts) {
        below += f64::from(n);
        below_moment += f64::from(step) * f64::from(n);
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = (moment - below_moment) / above - below_moment / below;
        let between = below * above * apart * apart;
        if between > best {
            best = between;
            split = Split { step, apart };
        }
    }
    split
}
