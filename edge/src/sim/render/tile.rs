//! Bare soil under every pixel.

use super::super::soil::{SIDE, Soil, TEXEL_M, TILE_M};
use kompas_field::{FieldFrame, Pose2};

/// Writes the soil under each pixel, nearest texel: soil is noise at this scale.
pub(super) fn paint(soil: &Soil, pose: &Pose2<FieldFrame>, ground_m: &[[f32; 2]], pixels: &mut [u8]) {
    let (sin, cos) = pose.heading.get().sin_cos();
    // In texels, and within one tile before single precision comes in.
    let texels = |metres: f64| (metres.rem_euclid(TILE_M) / TEXEL_M) as f32;
    let (x0, y0) = (texels(pose.position.x), texels(pose.position.y));
    #[expect(clippy::cast_possible_truncation, reason = "single precision holds within one tile")]
    let (cos, sin) = ((cos / TEXEL_M) as f32, (sin / TEXEL_M) as f32);
    let tile = soil.tile();
    for (pixel, &[x, y]) in pixels.chunks_exact_mut(3).zip(ground_m) {
        // A few tiles around the robot; the mask wraps negative numbers too. NaN becomes 0.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wrapped by the mask")]
        let (col, row) = (
            (x0 + x * cos - y * sin).floor() as i32 as usize & (SIDE - 1),
            (y0 + x * sin + y * cos).floor() as i32 as usize & (SIDE - 1),
        );
        pixel.copy_from_slice(&tile[row * SIDE + col]);
    }
}
