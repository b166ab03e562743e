//! What the part of a plant around each of its pixels looks like.

use super::{CLASSES, REACH};

/// A mean over the pixels of one plant within a square around each of them.
pub(super) struct Near {
    left: usize,
    top: usize,
    columns: usize,
    /// Over all pixels of the plant above and left of a corner: how many, and the sums of what is averaged.
    table: Vec<[f64; CLASSES]>,
    reach: usize,
}

impl Near {
    /// Of a plant whose pixels (in a picture `width` wide) have these values; `reach` is half the side of the square. The
    /// first value is not averaged.
    pub(super) fn of(pixels: &[u32], values: &[[f32; CLASSES]], width: usize, reach: usize) -> Self {
        let places = || pixels.iter().map(|&at| (at as usize % width, at as usize / width));
        let (left, right) = places().fold((usize::MAX, 0), |(low, high), (x, _)| (low.min(x), high.max(x)));
        let (top, bottom) = places().fold((usize::MAX, 0), |(low, high), (_, y)| (low.min(y), high.max(y)));
        let (columns, rows) = (right + 2 - left, bottom + 2 - top);
        let mut table = vec![[0.0_f64; CLASSES]; columns * rows];
        for ((x, y), value) in places().zip(values) {
            let mut counted = value.map(f64::from);
            counted[0] = 1.0;
            table[(y + 1 - top) * columns + x + 1 - left] = counted;
        }
        for row in 1..rows {
            let mut sum = [0.0_f64; CLASSES];
            for column in 1..columns {
                let (above, here) = ((row - 1) * columns + column, row * columns + column);
                for class in 0..CLASSES {
                    sum[class] += table[here][class];
                    table[here][class] = sum[class] + table[above][class];
                }
            }
        }
        Self { left, top, columns, table, reach }
    }

    /// Around the plant's pixel `at`; its first value is zero.
    pub(super) fn mean(&self, at: u32, width: usize) -> [f32; CLASSES] {
        let (x, y) = (at as usize % width - self.left, at as usize / width - self.top);
        let rows = self.table.len() / self.columns;
        let (left, right) = (x.saturating_sub(self.reach), (x + self.reach + 1).min(self.columns - 1));
        let (top, bottom) = (y.saturating_sub(self.reach), (y + self.reach + 1).min(rows - 1));
        let corner = |row: usize, column: usize| self.table[row * self.columns + column];
        let (whole, above) = (corner(bottom, right), corner(top, right));
        let (before, both) = (corner(bottom, left), corner(top, left));
        let sum: [f64; CLASSES] = std::array::from_fn(|i| whole[i] - above[i] - before[i] + both[i]);
        #[expect(clippy::cast_possible_truncation, reason = "a mean of such values")]
        let mean = |i: usize| (sum[i] / sum[0].max(1.0)) as f32;
        std::array::from_fn(|i| if i == 0 { 0.0 } else { mean(i) })
    }
}

/// The middles of what of a plant lies around each of its pixels.
pub(super) struct Parts(Near);

impl Parts {
    /// Of a plant that reaches farther than [`REACH`]; of a smaller one all is around every pixel.
    pub(super) fn of(pixels: &[u32], width: usize) -> Option<Self> {
        let place = |&at: &u32| [0.0, (at as usize % width) as f32, (at as usize / width) as f32, 0.0, 0.0];
        let places: Vec<[f32; CLASSES]> = pixels.iter().map(place).collect();
        let reaches = [1, 2].into_iter().any(|axis| {
            let (least, most) = (places.iter())
                .fold((f32::MAX, f32::MIN), |(least, most), at| (least.min(at[axis]), most.max(at[axis])));
            most - least > REACH as f32
        });
        reaches.then(|| Self(Near::of(pixels, &places, width, REACH)))
    }

    /// Around the plant's pixel `at`: across and down.
    pub(super) fn middle(&self, at: u32, width: usize) -> (f32, f32) {
        let [_, x, y, ..] = self.0.mean(at, width);
        (x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_of_the_plant_within_reach_and_of_nothing_else() {
        // A plant of three rows in a picture 20 wide; each pixel's values are its column and its row.
        let pixels: Vec<u32> = (0..60).filter(|at| at % 20 > 2 && at % 7 != 0).collect();
        let place = |at: u32| (f64::from(at % 20), f64::from(at / 20));
        let values: Vec<[f32; CLASSES]> =
            pixels.iter().map(|&at| [9.0, (at % 20) as f32, (at / 20) as f32, 1.0, -2.0]).collect();
        for reach in [0_u32, 1, 3, 50] {
            let near = Near::of(&pixels, &values, 20, reach as usize);
            for &at in &pixels {
                let close = |other: f64, own: f64| (other - own).abs() <= f64::from(reach);
                let ((x, y), mean) = (place(at), near.mean(at, 20));
                let within =
                    || pixels.iter().map(|&at| place(at)).filter(|(u, v)| close(*u, x) && close(*v, y));
                let count = within().count() as f64;
                let sum = within().fold((0.0, 0.0), |sum, (u, v)| (sum.0 + u, sum.1 + v));
                let wanted = [0.0, sum.0 / count, sum.1 / count, 1.0, -2.0];
                let alike = mean.iter().zip(wanted).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4);
                assert!(alike, "{reach} {at}: {mean:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn the_parts_of_a_long_plant_have_middles_of_their_own() {
        let width = 3 * REACH;
        let long: Vec<u32> = (0..3 * width).map(|at| u32::try_from(at).unwrap()).collect();
        let parts = Parts::of(&long, width).unwrap();
        let end = parts.middle(u32::try_from(2 * width - 1).unwrap(), width);
        assert!((end.0 - (2.5 * REACH as f32 - 1.0)).abs() < 0.51 && (end.1 - 1.0).abs() < 1e-4, "{end:?}");
        let middle = parts.middle(u32::try_from(width + width / 2).unwrap(), width);
        assert!((middle.0 - 0.5 * width as f32).abs() < 1.0, "{middle:?}");
        assert!(Parts::of(&long[..REACH], width).is_none(), "all of it is around every pixel");
    }
}
