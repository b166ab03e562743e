//! Photographs under every pixel of the camera.

use super::PhotoGround;
use super::cache::{PhotoCache, Shrunk};
use super::layout::Placement;
use kompas_field::{FieldFrame, Pose2};
use std::sync::Arc;

/// Between photographs and beside them: brown, so that no index takes it for a plant.
const BARE: [u8; 3] = [104, 86, 70];

/// A photograph in coordinates around the robot, in single precision.
struct Near {
    photo: Arc<Shrunk>,
    forward: [f32; 2],
    left: [f32; 2],
    per_metre: f32,
}

impl Near {
    fn new(placed: &Placement, photo: Arc<Shrunk>, gsd_m: f64, robot: [f64; 2]) -> Self {
        let (far, left) = (placed.far_m - robot[0], placed.left_m - robot[1]);
        let per_metre = 1.0 / (gsd_m * f64::from(photo.factor));
        #[expect(clippy::cast_possible_truncation, reason = "metres around the robot")]
        let near = Self {
            photo,
            forward: [(far - placed.length_m) as f32, far as f32],
            left: [(left - placed.width_m) as f32, left as f32],
            per_metre: per_metre as f32,
        };
        near
    }

    #[inline]
    fn holds(&self, forward: f32, left: f32) -> bool {
        forward >= self.forward[0] && forward < self.forward[1] && left > self.left[0] && left <= self.left[1]
    }

    /// Between the four nearest pixels.
    #[inline]
    fn colour(&self, forward: f32, left: f32) -> [u8; 3] {
        let Shrunk { width, height, rgb, .. } = &*self.photo;
        if *width < 2 || *height < 2 {
            return BARE;
        }
        let x = ((self.left[1] - left) * self.per_metre - 0.5).clamp(0.0, *width as f32 - 1.001);
        let y = ((self.forward[1] - forward) * self.per_metre - 0.5).clamp(0.0, *height as f32 - 1.001);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the photograph"
        )]
        let (col, row) = (x as usize, y as usize);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 256")]
        let (fx, fy) = (((x - col as f32) * 256.0) as u32, ((y - row as f32) * 256.0) as u32);
        let upper = &rgb[(row * width + col) * 3..][..6];
        let lower = &rgb[((row + 1) * width + col) * 3..][..6];
        std::array::from_fn(|i| {
            let top = u32::from(upper[i]) * (256 - fx) + u32::from(upper[i + 3]) * fx;
            let bottom = u32::from(lower[i]) * (256 - fx) + u32::from(lower[i + 3]) * fx;
            #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
            let mean = ((top * (256 - fy) + bottom * fy + (1 << 15)) >> 16) as u8;
            mean
        })
    }
}

impl PhotoGround {
    /// Writes what lies under each pixel.
    pub(in super::super) fn paint(
        &self,
        cache: &mut PhotoCache,
        pose: &Pose2<FieldFrame>,
        ground_m: &[[f32; 2]],
        pixels: &mut [u8],
    ) {
        cache.begin();
        let (sin, cos) = self.layout.heading.get().sin_cos();
        let (east, north) = (pose.position.x - self.layout.origin.x, pose.position.y - self.layout.origin.y);
        let robot = [east * cos + north * sin, north * cos - east * sin];
        let (sin, cos) = (pose.heading - self.layout.heading).get().sin_cos();
        #[expect(clippy::cast_possible_truncation, reason = "a sine")]
        let (cos, sin) = (cos as f32, sin as f32);
        let mut near: Option<Near> = None;
        for (pixel, &[x, y]) in pixels.chunks_exact_mut(3).zip(ground_m) {
            let (forward, left) = (x * cos - y * sin, x * sin + y * cos);
            if !near.as_ref().is_some_and(|near| near.holds(forward, left)) {
                let found = self.layout.at(robot[0] + f64::from(forward), robot[1] + f64::from(left));
                near = found.map(|number| {
                    let placed = &self.layout.placements()[number];
                    Near::new(placed, cache.get(self, placed.photo), self.gsd_m, robot)
                });
            }
            pixel.copy_from_slice(&near.as_ref().map_or(BARE, |near| near.colour(forward, left)));
        }
    }
}
