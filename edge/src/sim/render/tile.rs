//! Bare soil under every pixel.

use super::super::soil::{SIDE, Soil, TEXEL_M, TILE_M};
use kompas_field::{FieldFrame, Pose2};

/// Texels: 131 tiles, 268 m; a camera does not look farther back than that.
const AHEAD: f32 = (SIDE * 131) as f32;

/// Writes the soil under each pixel, nearest texel: soil is noise at this scale.
pub(super) fn paint(soil: &Soil, pose: &Pose2<FieldFrame>, ground_m: &[[f32; 2]], pixels: &mut [u8]) {
    let (sin, cos) = pose.heading.get().sin_cos();
    // In texels, and within one tile before single precision comes in.
    #[expect(clippy::cast_possible_truncation, reason = "single precision holds within one tile")]
    let texels = |metres: f64| (metres.rem_euclid(TILE_M) / TEXEL_M) as f32;
    let (x0, y0) = (texels(pose.position.x), texels(pose.position.y));
    #[expect(clippy::cast_possible_truncation, reason = "single precision holds within one tile")]
    let (cos, sin) = ((cos / TEXEL_M) as f32, (sin / TEXEL_M) as f32);
    // Whole tiles added so that nothing is negative, where a cast would round up instead of down.
    let (x0, y0) = (x0 + AHEAD, y0 + AHEAD);
    let tile = soil.tile();
    for (pixel, &[x, y]) in pixels.chunks_exact_mut(3).zip(ground_m) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "wrapped by the mask; NaN is 0"
        )]
        let (col, row) = (
            (x0 + x * cos - y * sin) as u32 as usize & (SIDE - 1),
            (y0 + x * sin + y * cos) as u32 as usize & (SIDE - 1),
        );
        pixel.copy_from_slice(&tile[row * SIDE + col]);
    }
}
