//! The excess-green index of every pixel, in 8 bits.
//!
//! Rows are summed over five columns, then a window of five row sums slides down: 10 additions a pixel instead
//! of 50, on `u16` lanes that the compiler vectorises.

use image::RgbImage;

/// Added to the denominator, as a share of the frame's median brightness.
const DAMPING: f32 = 0.6;
/// Steps per unit of ExG.
const STEPS_PER_UNIT: f32 = 200.0;
/// The step of ExG 0. With 200 steps per unit the map reaches from −0.32 to 0.955.
const ZERO_STEP: f32 = 64.0;
/// Half of the smoothing window.
const REACH: usize = 2;
const WINDOW: usize = 2 * REACH + 1;

/// The index of one frame; its buffers serve the next.
#[derive(Debug, Clone, Default)]
pub struct IndexMap {
    width: usize,
    steps: Vec<u8>,
    rows: Vec<RowSums>,
    down: RowSums,
    plain: RowSums,
}

/// Per column: green, and the sum of the three channels, over some pixels.
#[derive(Debug, Clone, Default)]
struct RowSums {
    green: Vec<u16>,
    total: Vec<u16>,
}

/// The step of an index value, as thresholds are written.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255")]
pub(super) const fn step_of(exg: f32) -> u8 {
    (ZERO_STEP + STEPS_PER_UNIT * exg).clamp(0.0, 255.0) as u8
}

impl IndexMap {
    /// One step per pixel, row by row: 64 + 200 · ExG, from 0 to 255.
    pub fn steps(&self) -> &[u8] {
        &self.steps
    }

    /// How many pixels have each step; rows are skipped in large frames.
    pub fn histogram(&self) -> [u32; 256] {
        let step = (self.steps.len() / ENOUGH_PIXELS).max(1);
        // Four tables: neighbours are often equal, and a counter that was just written is slow to read.
        let mut counts = [[0_u32; 256]; 4];
        for row in self.steps.chunks_exact(self.width.max(1)).step_by(step) {
            let mut four = row.chunks_exact(4);
            for pixels in &mut four {
                for (table, &pixel) in counts.iter_mut().zip(pixels) {
                    table[usize::from(pixel)] += 1;
                }
            }
            for &pixel in four.remainder() {
                counts[0][usize::from(pixel)] += 1;
            }
        }
        std::array::from_fn(|i| counts.iter().map(|table| table[i]).sum())
    }

    /// Computes the index of `image`.
    pub fn fill(&mut self, image: &RgbImage) {
        let (width, height) = (image.width() as usize, image.height() as usize);
        self.width = width;
        self.steps.resize(width * height, 0);
        if self.steps.is_empty() {
            return;
        }
        let pixels = image.as_raw();
        let damping = DAMPING * median_total(pixels) * (WINDOW * WINDOW) as f32;
        self.rows.resize(WINDOW, RowSums::default());
        self.down.zeros(width);
        let row_of = |row: usize| &pixels[3 * width * row..3 * width * (row + 1)];
        for first in 0..WINDOW {
            // Rows beyond the picture repeat its edge.
            let row = first.saturating_sub(REACH).min(height - 1);
            self.rows[first].fill(&mut self.plain, row_of(row));
            self.down.add(&self.rows[first]);
        }
        for row in 0..height {
            index_row(&self.down, damping, &mut self.steps[width * row..width * (row + 1)]);
            let leaving = row % WINDOW;
            self.down.subtract(&self.rows[leaving]);
            self.rows[leaving].fill(&mut self.plain, row_of((row + REACH + 1).min(height - 1)));
            self.down.add(&self.rows[leaving]);
        }
    }
}

/// Enough for a histogram and a median.
const ENOUGH_PIXELS: usize = 100_000;

/// Median of R+G+B, from a sample.
fn median_total(pixels: &[u8]) -> f32 {
    let mut counts = [0_u32; 766];
    let step = (pixels.len() / 3 / ENOUGH_PIXELS).max(1);
    for pixel in pixels.chunks_exact(3).step_by(step) {
        counts[pixel.iter().map(|&c| usize::from(c)).sum::<usize>()] += 1;
    }
    let half = counts.iter().sum::<u32>() / 2;
    let mut below = 0;
    let median = (0_u16..).zip(counts).find(|&(_, count)| {
        below += count;
        below > half
    });
    median.map_or(0.0, |(total, _)| f32::from(total))
}

fn index_row(sums: &RowSums, damping: f32, steps: &mut [u8]) {
    // +1 so that a black frame divides by something.
    let (gain, damping) = (STEPS_PER_UNIT * (1.0 + DAMPING), damping + 1.0);
    for ((step, &green), &total) in steps.iter_mut().zip(&sums.green).zip(&sums.total) {
        let (green, total) = (f32::from(green), f32::from(total));
        let value = ZERO_STEP + gain * (3.0 * green - total) / (total + damping);
        // Adding 2²³ leaves the rounded value in the low bits; unlike a cast this stays in vector lanes.
        let bits = (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits();
        *step = bits.to_le_bytes()[0];
    }
}

impl RowSums {
    fn zeros(&mut self, width: usize) {
        for lane in [&mut self.green, &mut self.total] {
            lane.clear();
            lane.resize(width, 0);
        }
    }

    /// Sums over five columns of one row; columns beyond the picture repeat its edge.
    fn fill(&mut self, plain: &mut Self, row: &[u8]) {
        let width = row.len() / 3;
        plain.zeros(width + 2 * REACH);
        let middle = REACH..REACH + width;
        let lanes = plain.green[middle.clone()].iter_mut().zip(&mut plain.total[middle]);
        for ((green, total), pixel) in lanes.zip(row.chunks_exact(3)) {
            let g = u16::from(pixel[1]);
            *green = g;
            *total = u16::from(pixel[0]) + g + u16::from(pixel[2]);
        }
        for (lane, out) in [(&mut plain.green, &mut self.green), (&mut plain.total, &mut self.total)] {
            let (first, last) = (lane[REACH], lane[REACH + width - 1]);
            lane[..REACH].fill(first);
            lane[REACH + width..].fill(last);
            out.resize(width, 0);
            let shifted = lane[1..].iter().zip(&lane[2..]).zip(lane[3..].iter().zip(&lane[4..]));
            for ((out, a), ((b, c), (d, e))) in out.iter_mut().zip(lane.iter()).zip(shifted) {
                *out = a + b + c + d + e;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.change(other, |sum, by| *sum += by);
    }

    fn subtract(&mut self, other: &Self) {
        self.change(other, |sum, by| *sum -= by);
    }

    fn change(&mut self, other: &Self, change: impl Fn(&mut u16, u16)) {
        self.green.iter_mut().zip(&other.green).for_each(|(sum, &by)| change(sum, by));
        self.total.iter_mut().zip(&other.total).for_each(|(sum, &by)| change(sum, by));
    }
}
