//! Leaves are green: what is no greener than the ground is doubted, and a weed that is gains.
//!
//! There are more kinds of weeds than any network has seen: of one it does not know, it takes outer leaves and small
//! plants for ground. Ground is not that green. Crops it knows, and where their leaves end it has learnt: they gain
//! nothing.

use super::{CLASSES, Colours, OTHER_CROP, SUGAR_BEET, WEED, own};

/// A plant at least this much greener than the ground is believed as it is: most labelled plants are, most stones and
/// straw are not. Between the two the network's own certainty decides.
pub(super) const GREENER: f32 = 0.08;
/// Logits that a plant loses per unit that it falls short.
const DOUBT: f32 = 50.0;
/// Logits that a pixel of a weed gains per unit beyond.
const TRUST: f32 = 12.0;
/// Logits by which a weed must lead every crop to count as one.
const LEAD: f32 = 1.0;

/// Raises the plant scores of pixels that are greener than the ground, whose green is `ground`, and weed if a plant.
/// What class of plant they are stays.
pub(super) fn trust_weeds(scores: &mut [f32], colours: &Colours, ground: f32) {
    let count = scores.len() / CLASSES;
    for at in 0..count {
        let beyond = colours.green(at) - ground - GREENER;
        if beyond > 0.0 && leads(&own(scores, count, at)) {
            for class in 1..CLASSES {
                scores[class * count + at] += TRUST * beyond;
            }
        }
    }
}

/// Whether this is a weed if it is a plant.
fn leads(all: &[f32; CLASSES]) -> bool {
    all[SUGAR_BEET..=OTHER_CROP].iter().all(|crop| all[WEED] - crop >= LEAD)
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
