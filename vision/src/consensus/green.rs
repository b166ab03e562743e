//! Leaves are green: what is no greener than the ground is doubted, and a weed that is gains.
//!
//! There are more kinds of weeds than any network has seen: of one it does not know, it takes outer leaves and small
//! plants for ground. Ground is not that green. Crops it knows, and where their leaves end it has learnt: they gain
//! nothing.
//!
//! How green leaves are depends on camera, light and lens: in a pale picture plants are half as green, and so is what
//! tells them from the ground ([`Greenness`]).

use super::colours::Green;
use super::{CLASSES, Colours, OTHER_CROP, SOIL, SUGAR_BEET, WEED, highest, own};

/// A plant at least this much greener than the ground ([`Greenness::beyond`]) is not doubted: most labelled plants are, most
/// stones and straw are not. Pixels of weeds gain by what they have beyond it.
pub(super) const GREENER: f32 = 0.08;
/// Logits that a plant loses per unit that it falls short.
const DOUBT: f32 = 50.0;
/// Logits that a pixel gains per unit beyond, if it is a weed by one logit or more before every crop, should it be a plant;
/// by less of a lead, in proportion.
const TRUST: f32 = 12.0;
/// A pixel is surely plant, or ground, by so many logits.
const SURE: f32 = 2.0;
/// By so much are half of the sure plants' pixels greener than the ground; where by less, the picture is pale.
const USUAL: f32 = 0.13;
/// However pale the plants are: where a tenth of the ground is greener than its median by `g`, no less than this times `g`
/// tells a plant from it. Stones of all colours would be plants else, in a frame in which most that looks like one is a
/// stone.
const GROUND_VARIES: f32 = 3.0;
/// No picture is taken for paler than this: what is left is the noise of a sensor.
const PALEST: f32 = 0.4;
/// About so many pixels, evenly taken, tell how green a picture is, if at least [`LEAST_ASKED`] are of the kind.
const PIXELS_ASKED: usize = 200_000;
/// See [`PIXELS_ASKED`].
const LEAST_ASKED: usize = 50;

/// How green plants and ground of a picture are.
pub(super) struct Greenness {
    ground: Green,
    /// From [`PALEST`] to 1: what is 1 in a picture as colourful as most.
    scale: f32,
}

impl Greenness {
    /// Of a picture with these `scores`; `None` where no ground is to be seen to compare with.
    pub(super) fn of(scores: &[f32], colours: &Colours, is_plant: &[bool]) -> Option<Self> {
        let ground = colours.of_ground(is_plant)?;
        let count = is_plant.len();
        // Odd: a width is often a multiple of a power of two, and a few columns would be asked instead.
        let step = (count / PIXELS_ASKED) | 1;
        let (mut plants, mut bare) = (Vec::new(), Vec::new());
        for at in (0..count).step_by(step) {
            let all = own(scores, count, at);
            let lead = highest(&all) - all[SOIL];
            let kind = if lead > SURE { &mut plants } else { &mut bare };
            if lead.abs() > SURE {
                kind.push(colours.green(at).beyond(ground));
            }
        }
        // Where too little of either is to be seen, a picture is taken to be as colourful as most.
        let of_plants = quantile(&mut plants, 0.5).map_or(1.0, |middle| middle / USUAL);
        let of_bare = quantile(&mut bare, 0.9).map_or(1.0, |greenest| GROUND_VARIES * greenest / GREENER);
        Some(Self { ground, scale: of_plants.max(of_bare).clamp(PALEST, 1.0) })
    }

    /// How much greener this is than the ground, in a picture as colourful as most.
    pub(super) fn beyond(&self, green: Green) -> f32 {
        green.beyond(self.ground) / self.scale
    }
}

/// The value that `share` of all are below; `None` of few.
fn quantile(values: &mut [f32], share: f32) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let at = (values.len() as f32 * share) as usize;
    (values.len() >= LEAST_ASKED).then(|| *values.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// Raises the plant scores of pixels that are more than [`GREENER`] greener than the ground, and weed if a plant. What
/// class of plant they are stays.
pub(super) fn trust_weeds(scores: &mut [f32], colours: &Colours, greenness: &Greenness) {
    let count = scores.len() / CLASSES;
    for at in 0..count {
        let sure = lead(&own(scores, count, at)).min(1.0);
        if sure <= 0.0 {
            continue;
        }
        let beyond = (greenness.beyond(colours.green(at)) - GREENER).max(0.0);
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
