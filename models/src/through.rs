//! Pictures as a camera would see them in another light, to measure what recognition makes of it.

use image::RgbImage;

/// What lies between camera and field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Through {
    /// Dust on the lens or mist: a third of the brightest comes on top of what is left of the light, in values as a
    /// file has them.
    Haze,
    /// A low sun: a third more red and two fifths less blue, of the light itself.
    Evening,
    /// Half of the colour, as of a camera that is set so, or in flat light.
    Pale,
}

/// Of what a file says, and what comes on top, of 255.
const HAZE: (f32, f32) = (0.55, 85.);
/// Share of what sets a colour apart from the grey that is as bright.
const SATURATION: f32 = 0.5;
/// Of the light, by colour.
const EVENING: [f32; 3] = [1.35, 1., 0.6];

impl Through {
    /// What the camera sees of `picture`.
    pub fn seen(self, mut picture: RgbImage) -> RgbImage {
        let by_value: fn(f32, usize) -> f32 = match self {
            Self::Haze => |value, _| value * HAZE.0 + HAZE.1 / 255.,
            Self::Evening => |value, colour| from_light(to_light(value) * EVENING[colour]),
            Self::Pale => {
                picture.pixels_mut().for_each(|pixel| pixel.0 = pale(pixel.0));
                return picture;
            }
        };
        let tables: [[u8; 256]; 3] = std::array::from_fn(|colour| {
            std::array::from_fn(|value| byte(255. * by_value(value as f32 / 255., colour)))
        });
        for pixel in picture.pixels_mut() {
            for (value, table) in pixel.0.iter_mut().zip(&tables) {
                *value = table[usize::from(*value)];
            }
        }
        picture
    }
}

fn pale(colour: [u8; 3]) -> [u8; 3] {
    let grey = colour.iter().map(|&value| f32::from(value)).sum::<f32>() / 3.;
    colour.map(|value| byte(grey + SATURATION * (f32::from(value) - grey)))
}

fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let byte = value.round().clamp(0., 255.) as u8;
    byte
}

/// The light that an sRGB value stands for (IEC 61966-2-1), both in 0..=1.
fn to_light(value: f32) -> f32 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The sRGB value of a light.
fn from_light(light: f32) -> f32 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1. / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn haze_evening_and_pale_are_those_of_the_figures() {
        let seen = |through: Through, colour| {
            through.seen(RgbImage::from_pixel(1, 1, Rgb(colour))).get_pixel(0, 0).0
        };
        assert_eq!(seen(Through::Haze, [0, 100, 255]), [85, 140, 225]);
        assert_eq!(seen(Through::Evening, [0, 100, 255]), [0, 100, 203]);
        assert_eq!(seen(Through::Evening, [200, 200, 200]), [229, 200, 159]);
        assert_eq!(seen(Through::Pale, [0, 100, 200]), [50, 100, 150]);
        assert_eq!(seen(Through::Pale, [255, 255, 255]), [255, 255, 255]);
    }
}
