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
}

/// Of what a file says, and what comes on top, of 255.
const HAZE: (f32, f32) = (0.55, 85.);
/// Of the light, by colour.
const EVENING: [f32; 3] = [1.35, 1., 0.6];

impl Through {
    /// What the camera sees of `picture`.
    pub fn seen(self, mut picture: RgbImage) -> RgbImage {
        let tables: [[u8; 256]; 3] = std::array::from_fn(|colour| {
            std::array::from_fn(|value| self.value(value as f32 / 255., colour))
        });
        for pixel in picture.pixels_mut() {
            for (value, table) in pixel.0.iter_mut().zip(&tables) {
                *value = table[usize::from(*value)];
            }
        }
        picture
    }

    fn value(self, value: f32, colour: usize) -> u8 {
        let seen = match self {
            Self::Haze => value * HAZE.0 + HAZE.1 / 255.,
            Self::Evening => from_light(to_light(value) * EVENING[colour]),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let byte = (seen * 255.).round().clamp(0., 255.) as u8;
        byte
    }
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
    fn haze_and_evening_are_those_of_the_figures() {
        let seen = |through: Through, colour| {
            through.seen(RgbImage::from_pixel(1, 1, Rgb(colour))).get_pixel(0, 0).0
        };
        assert_eq!(seen(Through::Haze, [0, 100, 255]), [85, 140, 225]);
        assert_eq!(seen(Through::Evening, [0, 100, 255]), [0, 100, 203]);
        assert_eq!(seen(Through::Evening, [200, 200, 200]), [229, 200, 159]);
    }
}
