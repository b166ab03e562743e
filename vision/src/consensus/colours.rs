//! The colours of a picture: how green it is, and how bright.

use image::RgbImage;

/// With less ground than this in the picture there is nothing to compare with.
const LEAST_GROUND_SHARE: f64 = 0.02;

/// The colours of a picture as the camera gave them: before any tone curve.
pub struct Colours(RgbImage);

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

    /// How green, (G − R) / (G + R): the normalised green-red difference index, which shade leaves as it is (Tucker 1979).
    pub(super) fn green(&self, at: usize) -> f32 {
        let [red, green, _] = self.pixel(at);
        (green - red) / (green + red).max(1.0)
    }

    /// Red's and green's share of the light of a pixel, and how much light that is: from 1, black, to 766, white.
    pub(super) fn shares(&self, at: usize) -> ([f32; 2], f32) {
        let [red, green, blue] = self.pixel(at);
        let light = red + green + blue + 1.0;
        ([red / light, green / light], light)
    }

    /// Half of the ground is less green than this.
    pub(super) fn of_ground(&self, is_plant: &[bool]) -> Option<f32> {
        const STEPS: usize = 512;
        let mut counts = [0_u64; 2 * STEPS + 1];
        for (at, _) in is_plant.iter().enumerate().filter(|(_, is_plant)| !**is_plant) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "-1..=1 becomes 0..=1024"
            )]
            let step = ((self.green(at) + 1.0) * STEPS as f32) as usize;
            counts[step] += 1;
        }
        let ground: u64 = counts.iter().sum();
        if (ground as f64) < LEAST_GROUND_SHARE * is_plant.len() as f64 {
            return None;
        }
        let mut below = 0;
        let median = counts.iter().position(|count| {
            below += count;
            2 * below >= ground
        });
        median.map(|at| at as f32 / STEPS as f32 - 1.0)
    }

    /// How green these pixels are on average.
    pub(super) fn mean_green(&self, pixels: &[u32]) -> f32 {
        pixels.iter().map(|&at| self.green(at as usize)).sum::<f32>() / pixels.len() as f32
    }
}
