//! The colours of a picture: how green it is, and how bright.

use image::RgbImage;

/// With less ground than this in the picture there is nothing to compare with.
const LEAST_GROUND_SHARE: f64 = 0.02;
/// About so many pixels, evenly taken, tell what the ground is like.
const PIXELS_ASKED: usize = 100_000;
/// Pixels with less red and green than this together (and less than half as much again of all three) count as less green
/// than they are: of a black one the last bit of its colours would decide.
const DARK: f32 = 32.0;

/// What excess green counts against green and red: leaves have a third more of it, and more.
const EXCESS: f32 = 0.75;

/// The colours of a picture as the camera gave them, haze and cast taken off ([`crate::light`]): before any tone curve.
pub struct Colours(RgbImage);

/// How green something is: against red, (G − R) / (G + R), the normalised green-red difference index, which shade leaves
/// as it is (Tucker 1979); and against red and blue, (2G − R − B) / (R + G + B), the excess green index (Woebbecke et
/// al. 1995), which white and blue stones do not have. Both are less where it is dark ([`DARK`]).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Green {
    red: f32,
    excess: f32,
}

impl Green {
    /// How much greener this is than the ground: by the less of both, for a brown ground is redder than a grey stone.
    pub(super) fn beyond(self, ground: Self) -> f32 {
        (self.red - ground.red).min(EXCESS * (self.excess - ground.excess))
    }
}

impl Colours {
    /// Of every pixel.
    pub fn of(picture: &RgbImage) -> Self {
        Self(picture.clone())
    }

    fn pixel(&self, at: usize) -> [f32; 3] {
        let from = 3 * at;
        let raw = self.0.as_raw();
        [raw[from], raw[from + 1], raw[from + 2]].map(f32::from)
    }

    /// How green a pixel is.
    pub(super) fn green(&self, at: usize) -> Green {
        let [red, green, blue] = self.pixel(at);
        Green {
            red: (green - red) / (green + red).max(DARK),
            excess: (2.0 * green - red - blue) / (red + green + blue).max(1.5 * DARK),
        }
    }

    /// Red's and green's share of the light of a pixel, and how much light that is: from 1, black, to 766, white.
    pub(super) fn shares(&self, at: usize) -> ([f32; 2], f32) {
        let [red, green, blue] = self.pixel(at);
        let light = red + green + blue + 1.0;
        ([red / light, green / light], light)
    }

    /// Half of the ground is less green than this; none where hardly any is to be seen.
    pub(super) fn of_ground(&self, is_plant: &[bool]) -> Option<Green> {
        // Odd: a width is often a multiple of a power of two, and a few columns would be asked instead.
        let step = (is_plant.len() / PIXELS_ASKED) | 1;
        let asked = is_plant.iter().enumerate().step_by(step);
        let ground: Vec<Green> =
            asked.clone().filter(|(_, is_plant)| !**is_plant).map(|(at, _)| self.green(at)).collect();
        if (ground.len() as f64) < LEAST_GROUND_SHARE * asked.len() as f64 {
            return None;
        }
        let median = |of: fn(&Green) -> f32| {
            let mut values: Vec<f32> = ground.iter().map(of).collect();
            let middle = values.len().checked_sub(1)? / 2;
            Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
        };
        Some(Green { red: median(|green| green.red)?, excess: median(|green| green.excess)? })
    }

    /// How much greener than the ground (where nothing `is_plant`) the picture, `width` × `height`, is around every pixel: by
    /// the less of green against red and three quarters of excess green, the mean over three by three. `None` where hardly any
    /// ground is to be seen.
    pub fn greener_than_ground(&self, is_plant: &[bool], width: usize, height: usize) -> Option<Vec<f32>> {
        let ground = self.of_ground(is_plant)?;
        let own: Vec<f32> = (0..is_plant.len()).map(|at| self.green(at).beyond(ground)).collect();
        let mean = |x: usize, y: usize| {
            let columns = x.saturating_sub(1)..(x + 2).min(width);
            let rows = y.saturating_sub(1)..(y + 2).min(height);
            let count = (columns.len() * rows.len()) as f32;
            rows.map(|y| own[y * width..][columns.clone()].iter().sum::<f32>()).sum::<f32>() / count
        };
        Some((0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect())
    }

    /// How green these pixels are on average.
    pub(super) fn mean_green(&self, pixels: &[u32]) -> Green {
        let sum = pixels.iter().map(|&at| self.green(at as usize)).fold(Green::default(), |sum, green| {
            Green { red: sum.red + green.red, excess: sum.excess + green.excess }
        });
        let count = pixels.len() as f32;
        Green { red: sum.red / count, excess: sum.excess / count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_greener_than_the_ground_is_so_around_every_pixel() {
        let is_leaf = |x: u32, y: u32| (10..20).contains(&x) && y < 10;
        let colour = |x: u32, y: u32| if is_leaf(x, y) { [60, 120, 50] } else { [120, 100, 80] };
        let colours = Colours::of(&RgbImage::from_fn(40, 30, |x, y| image::Rgb(colour(x, y))));
        let is_plant: Vec<bool> = (0..40 * 30).map(|at| is_leaf(at % 40, at / 40)).collect();
        let greener = colours.greener_than_ground(&is_plant, 40, 30).unwrap();
        let leaf = colours.green(10).beyond(colours.green(0));
        let around = |x: usize, y: usize| greener[y * 40 + x] / leaf;
        for (x, y, share) in
            [(15, 5, 1.0), (30, 20, 0.0), (9, 5, 1.0 / 3.0), (10, 9, 4.0 / 9.0), (12, 0, 1.0)]
        {
            assert!((around(x, y) - share).abs() < 1e-4, "{x} {y}: {}", around(x, y));
        }
        assert_eq!(colours.greener_than_ground(&vec![true; 40 * 30], 40, 30), None);
    }

    /// Every eighth column is greener: a robot's picture at its own size is 1024 pixels wide.
    #[test]
    fn the_ground_is_not_asked_of_a_few_columns() {
        let colour = |x: u32| if x.is_multiple_of(8) { [80, 120, 60] } else { [120, 100, 80] };
        let colours = Colours::of(&RgbImage::from_fn(1024, 768, |x, _| image::Rgb(colour(x))));
        assert_eq!(colours.of_ground(&vec![false; 1024 * 768]), Some(colours.green(1)));
        let nearly_covered: Vec<bool> = (0..1024 * 768).map(|at| at % 64 != 1).collect();
        assert_eq!(colours.of_ground(&nearly_covered), None);
    }
}
