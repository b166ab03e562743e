//! The light of a picture, brought to what the network knows: haze and colour cast, then exposure.
//!
//! Dust on a lens, mist and stray light lift the darkest of a picture towards its brightest; a low sun, lamps and a camera
//! that balances no white colour all of it. A network that has hardly seen either takes weeds for soil then. What lies
//! outside these bounds is brought to their edge, whatever lies inside stays as it is:
//!
//! - **Haze** (`HAZE`): the darkest thousandth of the pixels may have a fifth of the brightness of the brightest half
//!   percent. More is light that came on top, and is taken off (dark-object subtraction, Chavez 1988, one amount for all
//!   colours, less than the weakest of them has). In a dark frame it may have more: a sensor's own black stands there, and
//!   stretching what is above it shows noise. So it may in a small picture (`SMALL_PX`): a tile of a photograph often shows
//!   nothing dark.
//! - **Cast** (`RED`, `BLUE`): red and blue of the ground against its green, the ground being the quarter of the pixels
//!   that is the least green. Where that has less red than green, leaves cover the ground, and nothing tells the light.

use crate::normalise::{Exposure, WHITE_SHARE};
use image::RgbImage;

/// About so many pixels, evenly taken, tell the light of a picture.
const PIXELS_ASKED: usize = 50_000;
/// Share of pixels darker than the one that should be dark.
const BLACK_SHARE: f64 = 0.001;
/// The most that the darkest may have of the brightness of the brightest: in frames whose brightest are as dark as the
/// first number (or darker), and as bright as the second (or brighter), of 255; between them in proportion.
const HAZE: [(f32, f32); 2] = [(80.0, 0.45), (160.0, 0.2)];
/// Pictures of fewer pixels at working size are small, and their darkest may have at least [`HAZE_IN_SMALL`].
const SMALL_PX: usize = 200_000;
/// See [`SMALL_PX`].
const HAZE_IN_SMALL: f32 = 0.35;
/// The most that is taken off, of what the darkest thousandth has of its weakest colour: warm ground without shadows has
/// little blue, and would come out without any.
const MOST_OF_WEAKEST: f32 = 0.7;
/// Nothing is stretched more: what is left of a picture without contrast is noise.
const MOST_STRETCH: f32 = 4.0;
/// Share of pixels, the least green, that is taken for ground.
const GROUND_SHARE: f64 = 0.25;
/// The most red the ground may have against its green.
const RED: f32 = 1.25;
/// The least and the most blue.
const BLUE: [f32; 2] = [0.75, 1.15];
/// A colour becomes at most so many times as strong against green, or as weak: beyond that it is no light of a field.
const MOST_CAST: f32 = 2.0;

/// What brings a picture to the light that the network knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    correction: Option<Correction>,
    exposure: Exposure,
}

impl Light {
    /// Of a picture at working size.
    pub fn of(picture: &RgbImage) -> Self {
        let correction = Correction::of(picture);
        let exposure = match correction {
            None => Exposure::of(picture),
            Some(correction) => {
                let mut corrected = picture.clone();
                correction.apply(&mut corrected);
                Exposure::of(&corrected)
            }
        };
        Self { correction, exposure }
    }

    /// The same without what takes haze and cast off: to see what that is worth.
    pub fn as_it_is(picture: &RgbImage) -> Self {
        Self { correction: None, exposure: Exposure::of(picture) }
    }

    /// Takes haze and cast off, if there are any: colours can be compared then.
    pub fn correct(&self, picture: &mut RgbImage) {
        if let Some(correction) = self.correction {
            correction.apply(picture);
        }
    }

    /// Brings a corrected picture to the common exposure.
    pub fn expose(&self, picture: &mut RgbImage) {
        self.exposure.apply(picture);
    }
}

/// Takes the same off every value, then stretches each colour.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Correction {
    black: f32,
    gain: [f32; 3],
}

impl Correction {
    fn of(picture: &RgbImage) -> Option<Self> {
        let raw = picture.as_raw();
        // Odd: a width is often a multiple of a power of two, and a few columns would be asked instead.
        let step = (raw.len() / 3 / PIXELS_ASKED) | 1;
        let pixels: Vec<[f32; 3]> = raw
            .chunks_exact(3)
            .step_by(step)
            .map(|pixel| [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])])
            .collect();
        let mut brightness: Vec<f32> = pixels.iter().map(|pixel| pixel.iter().sum::<f32>() / 3.0).collect();
        let darkest = quantile(&mut brightness, BLACK_SHARE)?;
        let brightest = quantile(&mut brightness, 1.0 - WHITE_SHARE)?;
        let least_allowed = if raw.len() / 3 < SMALL_PX { HAZE_IN_SMALL } else { 0.0 };
        let weakest = |pixel: &[f32; 3]| pixel.iter().copied().fold(f32::MAX, f32::min);
        let mut weakest: Vec<f32> = pixels.iter().map(weakest).collect();
        let haze = haze(darkest, brightest, least_allowed)
            .min(MOST_OF_WEAKEST * quantile(&mut weakest, BLACK_SHARE)?);
        let stretch = if haze > 0.0 { brightest / (brightest - haze) } else { 1.0 };
        let clear = |value: f32| ((value - haze) * stretch).max(0.0);

        let mut clear: Vec<[f32; 3]> = pixels.iter().map(|pixel| pixel.map(clear)).collect();
        let count = share_of(clear.len(), GROUND_SHARE).max(1);
        let [red, green, blue] = if count < clear.len() {
            clear.select_nth_unstable_by(count, |a, b| excess(a).total_cmp(&excess(b)));
            median(&clear[..count])?
        } else {
            median(&clear)?
        };
        let cast = |value: f32, least: f32, most: f32| {
            let of_green = (value / green).max(f32::EPSILON);
            (of_green.clamp(least, most) / of_green).clamp(1.0 / MOST_CAST, MOST_CAST)
        };
        let is_ground = green > 0.0 && red >= green;
        let tint =
            if is_ground { [cast(red, 0.0, RED), 1.0, cast(blue, BLUE[0], BLUE[1])] } else { [1.0; 3] };
        let is_cast = tint.iter().any(|tint| (tint - 1.0).abs() > f32::EPSILON);
        // What is brightened must not be cut off.
        let mut strongest: Vec<f32> = clear
            .iter()
            .map(|pixel| pixel.iter().zip(tint).map(|(value, tint)| value * tint).fold(0.0, f32::max))
            .collect();
        let dimmed = (255.0 / quantile(&mut strongest, 1.0 - WHITE_SHARE)?.max(1.0)).min(1.0);
        let gain = tint.map(|tint| stretch * tint * dimmed);
        (haze > 0.0 || is_cast).then_some(Self { black: haze, gain })
    }

    fn apply(self, picture: &mut RgbImage) {
        let tables: [[u8; 256]; 3] = self.gain.map(|gain| {
            std::array::from_fn(|value| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
                let byte = ((value as f32 - self.black) * gain).round().clamp(0.0, 255.0) as u8;
                byte
            })
        });
        for pixel in picture.pixels_mut() {
            for (value, table) in pixel.0.iter_mut().zip(&tables) {
                *value = table[usize::from(*value)];
            }
        }
    }
}

/// How much light came on top of what a picture shows, if its darkest may have `at_least` so much of its brightest.
fn haze(darkest: f32, brightest: f32, at_least: f32) -> f32 {
    let [(dark, most_in_dark), (bright, most_in_bright)] = HAZE;
    let between = ((brightest - dark) / (bright - dark)).clamp(0.0, 1.0);
    let most = (most_in_dark + between * (most_in_bright - most_in_dark)).max(at_least);
    // After it: (darkest - haze) / (brightest - haze) = most.
    let haze = (darkest - most * brightest) / (1.0 - most);
    haze.clamp(0.0, (1.0 - 1.0 / MOST_STRETCH) * brightest)
}

/// How green a pixel is, as a share of its light (Woebbecke et al. 1995); less where it is dark.
fn excess([red, green, blue]: &[f32; 3]) -> f32 {
    (2.0 * green - red - blue) / (red + green + blue + 48.0)
}

fn share_of(count: usize, share: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let share = (count as f64 * share) as usize;
    share
}

/// The value that `share` of all are below; none of nothing.
fn quantile(values: &mut [f32], share: f64) -> Option<f32> {
    let at = share_of(values.len(), share).min(values.len().checked_sub(1)?);
    Some(*values.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// Colour by colour.
fn median(pixels: &[[f32; 3]]) -> Option<[f32; 3]> {
    let of = |colour: usize| {
        let mut values: Vec<f32> = pixels.iter().map(|pixel| pixel[colour]).collect();
        quantile(&mut values, 0.5)
    };
    Some([of(0)?, of(1)?, of(2)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// Brown ground of all brightnesses, and a tenth of it leaves.
    fn field() -> RgbImage {
        RgbImage::from_fn(600, 400, |x, y| {
            let light = 0.1 + 0.9 * ((x * 7 + y * 13) % 101) as f32 / 100.0;
            let colour = if x < 60 { [90.0, 200.0, 70.0] } else { [210.0, 180.0, 150.0] };
            byte(colour.map(|value| value * light))
        })
    }

    fn byte(colour: [f32; 3]) -> Rgb<u8> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        Rgb(colour.map(byte))
    }

    fn seen(picture: &RgbImage, change: impl Fn([f32; 3]) -> [f32; 3]) -> RgbImage {
        let mut seen = picture.clone();
        for pixel in seen.pixels_mut() {
            *pixel = byte(change(pixel.0.map(f32::from)));
        }
        seen
    }

    fn corrected(picture: &RgbImage) -> RgbImage {
        let mut corrected = picture.clone();
        Light::of(picture).correct(&mut corrected);
        corrected
    }

    /// Mean difference of the values of two pictures at common exposure.
    fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
        let [a, b] = [a, b].map(|picture| {
            let mut exposed = picture.clone();
            Exposure::of(picture).apply(&mut exposed);
            exposed
        });
        let differences = a.iter().zip(b.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)));
        differences.sum::<f64>() / a.len() as f64
    }

    #[test]
    fn what_is_within_the_bounds_stays_as_it_is() {
        let field = field();
        let dim = seen(&field, |colour| colour.map(|value| 0.2 * value + 8.0));
        for picture in [field, dim, RgbImage::new(40, 30), RgbImage::new(0, 0)] {
            assert_eq!(Light::of(&picture).correction, None);
        }
    }

    #[test]
    fn haze_and_cast_are_taken_off_to_their_bounds() {
        let field = field();
        let hazy = seen(&field, |colour| colour.map(|value| 0.55 * value + 85.0));
        let red_evening = seen(&field, |[red, green, blue]| [red, 0.8 * green, 0.5 * blue]);
        let blue_lamp = seen(&field, |[red, green, blue]| [0.6 * red, 0.55 * green, blue]);
        for (what, picture) in [("haze", hazy), ("evening", red_evening), ("lamp", blue_lamp)] {
            let (before, after) = (apart(&picture, &field), apart(&corrected(&picture), &field));
            assert!(after < 0.75 * before, "{what}: {before} and {after} from the picture without it");
            let again = Light::of(&corrected(&picture)).correction;
            let nothing = again.is_none_or(|again| {
                again.black < 12.0 && again.gain.iter().all(|gain| (gain - 1.0).abs() < 0.07)
            });
            assert!(nothing, "{what}: hardly anything is left for a second time: {again:?}");
        }
    }

    #[test]
    fn a_picture_without_contrast_keeps_about_its_colour() {
        for colour in [[0, 255, 0], [200; 3], [255, 255, 3], [170, 130, 60], [30, 20, 1]] {
            let picture = RgbImage::from_pixel(9, 9, Rgb(colour));
            let seen = corrected(&picture).get_pixel(0, 0).0;
            let shares = |colour: [u8; 3]| colour.map(|value| f32::from(value) / f32::from(colour[1]));
            let apart =
                shares(seen).iter().zip(shares(colour)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 0.75, "{colour:?} becomes {seen:?}");
        }
    }

    /// Bare, warm, evenly lit: as little blue as the ground of a field has, and no shadow.
    #[test]
    fn warm_ground_without_shadows_stays_ground() {
        let ground = RgbImage::from_fn(100, 100, |x, y| {
            let light = 0.85 + 0.3 * ((x * 7 + y * 13) % 101) as f32 / 100.0;
            byte([170.0, 130.0, 62.0].map(|value| value * light))
        });
        let greenest = |picture: &RgbImage| {
            picture.pixels().map(|pixel| excess(&pixel.0.map(f32::from))).fold(f32::MIN, f32::max)
        };
        let (before, after) = (greenest(&ground), greenest(&corrected(&ground)));
        assert!(after < before + 0.05, "{before} and then {after}");
    }

    #[test]
    fn a_tile_that_shows_nothing_dark_stays_as_it_is() {
        let pale = seen(&field(), |colour| colour.map(|value| 0.8 * value + 45.0));
        let tile = image::imageops::crop_imm(&pale, 0, 0, 256, 256).to_image();
        assert_eq!(Light::of(&tile).correction, None);
        assert_ne!(Light::of(&pale).correction, None);
    }

    #[test]
    fn leaves_that_cover_the_ground_are_no_cast() {
        for colour in [[0.6, 1.0, 0.65], [0.6, 1.0, 0.35]] {
            let leaves = seen(&field(), |[light, ..]| colour.map(|share| share * light));
            assert_eq!(Light::of(&leaves).correction, None, "{colour:?}");
        }
    }
}
