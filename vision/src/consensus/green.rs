//! How much greener a plant is than the ground.

use image::RgbImage;

/// With less ground than this in the picture there is nothing to compare with.
const LEAST_GROUND_SHARE: f64 = 0.02;

/// How green the pixels of a picture are, (G − R) / (G + R): the normalised green-red difference index, which
/// shade leaves as it is (Tucker 1979). As the camera gave them: before any tone curve.
pub struct Green(Vec<f32>);

impl Green {
    /// Of every pixel, row by row.
    pub fn of(picture: &RgbImage) -> Self {
        let index = |[red, green, _]: [u8; 3]| {
            let (red, green) = (f32::from(red), f32::from(green));
            (green - red) / (green + red).max(1.0)
        };
        Self(picture.pixels().map(|pixel| index(pixel.0)).collect())
    }

    /// Half of the ground is less green than this.
    pub(super) fn of_ground(&self, is_plant: &[bool]) -> Option<f32> {
        const STEPS: usize = 512;
        let mut counts = [0_u64; 2 * STEPS + 1];
        for (green, _) in self.0.iter().zip(is_plant).filter(|(_, is_plant)| !**is_plant) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "-1..=1 becomes 0..=1024"
            )]
            let at = ((green + 1.0) * STEPS as f32) as usize;
            counts[at] += 1;
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

    /// Mean over these pixels.
    pub(super) fn mean(&self, pixels: &[u32]) -> f32 {
        pixels.iter().map(|&at| self.0[at as usize]).sum::<f32>() / pixels.len() as f32
    }
}
