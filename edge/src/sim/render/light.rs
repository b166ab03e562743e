//! Exposure, vignetting and sensor noise over a finished picture.

use super::{noise_table, offset};
use rand_chacha::ChaCha8Rng;

/// Light is computed at every so many pixels and interpolated between.
const BLOCK: usize = 32;
/// Length of the noise table: long enough that no pattern shows.
const NOISE_LEN: usize = 1 << 17;
/// Loss of light in the far corner.
const CORNER_LOSS: f64 = 0.18;

/// Light over a picture of one size.
#[derive(Debug)]
pub(super) struct Light {
    width: usize,
    height: usize,
    noise: Vec<i16>,
}

impl Light {
    pub(super) fn new(size_px: [u32; 2], noise_sigma: f64, rng: &mut ChaCha8Rng) -> Self {
        let [width, height] = size_px.map(|n| n as usize);
        Self { width, height, noise: noise_table(noise_sigma, NOISE_LEN + 3 * width, rng) }
    }

    /// Multiplies by `brightness` (column, row) and the lens's fall-off, then adds noise.
    pub(super) fn apply(
        &self,
        pixels: &mut [u8],
        brightness: impl Fn(u32, u32) -> f64,
        rng: &mut ChaCha8Rng,
    ) {
        let (columns, rows) = (self.width.div_ceil(BLOCK) + 1, self.height.div_ceil(BLOCK) + 1);
        let mut knots = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for col in 0..columns {
                #[expect(clippy::cast_possible_truncation, reason = "a picture's side")]
                let (x, y) =
                    ((col * BLOCK).min(self.width - 1) as u32, (row * BLOCK).min(self.height - 1) as u32);
                #[expect(clippy::cast_possible_truncation, reason = "about 1")]
                knots.push((brightness(x, y) * self.fall_off(x, y)) as f32);
            }
        }
        // One gain per byte: the loop below then has no branches and the compiler makes vectors of it.
        let mut gains = vec![0u16; 3 * self.width];
        for (row, line) in pixels.chunks_exact_mut(3 * self.width).enumerate() {
            let (above, down) = (row / BLOCK, (row % BLOCK) as f32 / BLOCK as f32);
            let knot = |col: usize| {
                let (a, b) = (knots[above * columns + col], knots[(above + 1) * columns + col]);
                256.0 * (a + (b - a) * down)
            };
            for (block, gains) in gains.chunks_mut(3 * BLOCK).enumerate() {
                let (a, b) = (knot(block), knot(block + 1));
                for (i, gains) in gains.chunks_exact_mut(3).enumerate() {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about 256")]
                    gains.fill((a + (b - a) * i as f32 / BLOCK as f32 + 0.5) as u16);
                }
            }
            let from = offset(self.noise.len(), line.len(), rng);
            let noise = &self.noise[from..from + line.len()];
            for ((channel, noise), gain) in line.iter_mut().zip(noise).zip(&gains) {
                #[expect(clippy::cast_sign_loss, reason = "clamped")]
                #[expect(clippy::cast_possible_wrap, reason = "a byte times a gain below 8, over 256")]
                let byte = {
                    let lit = (((u32::from(*channel) << 8 | 128) * u32::from(*gain)) >> 16) as u16 as i16;
                    lit.saturating_add(*noise).clamp(0, 255) as u8
                };
                *channel = byte;
            }
        }
    }

    fn fall_off(&self, col: u32, row: u32) -> f64 {
        let (x, y) =
            (f64::from(col) * 2.0 / self.width as f64 - 1.0, f64::from(row) * 2.0 / self.height as f64 - 1.0);
        1.0 - CORNER_LOSS * (x * x + y * y) / 2.0
    }
}
