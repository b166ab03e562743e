//! Leaves are green: what is no greener than the ground is doubted, and a weed that is gains.
//!
//! There are more kinds of weeds than any network has seen: of one it does not know, it takes outer leaves and small
//! plants for ground. Ground is not that green. Crops it knows, and where their leaves end it has learnt: they gain
//! nothing.

use super::colours::Green;
use super::{CLASSES, Colours, OTHER_CROP, SUGAR_BEET, WEED, own};

/// A plant at least this much greener than the ground ([`Green::beyond`]) is not doubted: most labelled plants are, most
/// stones and straw are not. Pixels of weeds gain by what they have beyond it.
pub(super) const GREENER: f32 = 0.08;
/// Logits that a plant loses per unit that it falls short.
const DOUBT: f32 = 50.0;
/// Logits that a pixel gains per unit beyond, if it is a weed by one logit or more before every crop, should it be a plant;
/// by less of a lead, in proportion.
const TRUST: f32 = 12.0;

/// Raises the plant scores of pixels that are more than [`GREENER`] greener than the ground, whose green is `ground`, and
/// weed if a plant. What class of plant they are stays.
pub(super) fn trust_weeds(scores: &mut [f32], colours: &Colours, ground: Green) {
    let count = scores.len() / CLASSES;
    for at in 0..count {
        let sure = lead(&own(scores, count, at)).min(1.0);
        if sure <= 0.0 {
            continue;
        }
        let beyond = (colours.green(at).beyond(ground) - GREENER).max(0.0);
        for class in 1..CLASSES {
            scores[class * count + at] += TRUST * beyond * sure;
        }
    }
}

/// By how many logits this is rather a weed than any crop.
fn lead(all: &[f32; CLASSES]) -> f32 {
    all[SUGAR_BEET..=OTHER_CROP].iter().map(|crop| all[WEED] - crop).fold(f32::INFINITY, f32::min)
}

/// Lowers the plant scores of plants (`pixels`) that are hardly `greener` than the ground.
pub(super) fn doubt(scores: &mut [f32], pixels: &[Vec<u32>], greener: &[f32]) {
    let count = scores.len() / CLASSES;
    for (plant, greener) in pixels.iter().zip(greener) {
        let short = DOUBT * (GREENER - greener).max(0.0);
        for class in 1..CLASSES {
            for &at in plant {
                scores[class * count + at as usize] -= short;
            }
        }
    }
}
