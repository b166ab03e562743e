//! Plants seen from above, drawn once per habit and variant, with smaller copies for smaller plants.

use super::plants::GrowthHabit;
use super::stream::{Purpose, stream};
use leaf::Leaf;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

mod leaf;

/// Side of the largest copy, pixels; it covers −1 to 1 plant radii.
const SIDE: usize = 128;
/// Sub-pixels per pixel and axis while drawing: smooth edges.
const FINE: usize = 2;
/// Copies: 128, 64, 32, 16, 8.
const LEVELS: usize = 5;
/// Of each habit: enough that neighbours differ.
const VARIANTS: u8 = 8;
/// Points that stand for a plant's leaf area.
const SAMPLES: usize = 64;

/// One plant, seen from above; the stem is in the middle, all of it within radius 1.
#[derive(Debug, Clone)]
pub(super) struct Sprite {
    /// Premultiplied RGBA, each level half the side of the one before.
    levels: Vec<Vec<[f32; 4]>>,
    area: f64,
    samples: Vec<[f64; 2]>,
}

impl Sprite {
    /// Covered area, in squares of the plant's radius.
    pub(super) const fn area(&self) -> f64 {
        self.area
    }

    /// Points spread evenly over the covered area, in plant radii.
    pub(super) fn samples(&self) -> &[[f64; 2]] {
        &self.samples
    }

    /// The level whose pixels are about as large as one of the picture's, given in plant radii.
    pub(super) fn level_for(pixel: f32) -> usize {
        let texels = pixel * SIDE as f32 / 2.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
        let level = texels.max(1.0).log2().round().min(LEVELS as f32 - 1.0) as usize;
        level
    }

    /// Premultiplied RGBA (0 to 255) at `x`, `y` in plant radii, between the four nearest pixels.
    #[inline]
    pub(super) fn at(&self, level: usize, x: f32, y: f32) -> [f32; 4] {
        if x * x + y * y > 1.0 {
            return [0.0; 4];
        }
        let side = SIDE >> level;
        let scale = side as f32 / 2.0;
        let (x, y) = ((x + 1.0) * scale - 0.5, (y + 1.0) * scale - 0.5);
        let last = side as f32 - 1.001;
        if !(x >= 0.0 && y >= 0.0 && x < last && y < last) {
            return [0.0; 4];
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        let (col, row) = (x as usize, y as usize);
        let (fx, fy) = (x - col as f32, y - row as f32);
        let texels = &self.levels[level];
        let at = row * side + col;
        let (above, below) = (&texels[at..][..2], &texels[at + side..][..2]);
        std::array::from_fn(|i| {
            let top = above[0][i] + (above[1][i] - above[0][i]) * fx;
            let bottom = below[0][i] + (below[1][i] - below[0][i]) * fx;
            top + (bottom - top) * fy
        })
    }

    /// How much is covered at `x`, `y` (0 to 255), nearest pixel: enough for a shadow.
    #[inline]
    pub(super) fn cover_at(&self, level: usize, x: f32, y: f32) -> f32 {
        if x * x + y * y > 1.0 {
            return 0.0;
        }
        let side = SIDE >> level;
        let scale = side as f32 / 2.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the circle")]
        let (col, row) = (((x + 1.0) * scale) as usize, ((y + 1.0) * scale) as usize);
        self.levels[level][row.min(side - 1) * side + col.min(side - 1)][3]
    }

    fn draw(leaves: &[Leaf]) -> Self {
        let fine = SIDE * FINE;
        let mut canvas = vec![[0.0f32; 4]; fine * fine];
        let at = |i: usize| (i as f32 + 0.5) * 2.0 / fine as f32 - 1.0;
        for leaf in leaves {
            let [columns, rows] = leaf.reach().map(|(low, high)| {
                let index = |place: f32| (place + 1.0) * fine as f32 / 2.0;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a cast saturates"
                )]
                let range = index(low) as usize..(index(high) as usize + 1).min(fine);
                range
            });
            for row in rows {
                for col in columns.clone() {
                    if let Some([r, g, b]) = leaf.colour_at(at(col), at(row)) {
                        canvas[row * fine + col] = [r, g, b, 255.0];
                    }
                }
            }
        }
        let mut levels = vec![halved(&canvas, fine)];
        while levels.len() < LEVELS {
            let side = SIDE >> (levels.len() - 1);
            levels.push(halved(&levels[levels.len() - 1], side));
        }
        let texel = 2.0 / SIDE as f64;
        let alpha: f64 = levels[0].iter().map(|p| f64::from(p[3]) / 255.0).sum();
        let covered = |col: usize, row: usize| levels[0][row * SIDE + col][3] > 127.0;
        let samples = even_points([SIDE, SIDE], covered)
            .into_iter()
            .map(|place| place.map(|c| (c as f64 + 0.5) * texel - 1.0))
            .collect();
        Self { levels, area: alpha * texel * texel, samples }
    }
}

/// About [`SAMPLES`] covered pixels `[column, row]`, spread evenly: those on a grid whose step follows from
/// the covered area. All of them when they are fewer.
pub(super) fn even_points(
    [width, height]: [usize; 2],
    covered: impl Fn(usize, usize) -> bool,
) -> Vec<[usize; 2]> {
    let on_grid = |step: usize| {
        (0..height)
            .step_by(step)
            .flat_map(move |row| (0..width).step_by(step).map(move |col| [col, row]))
            .filter(|&[col, row]| covered(col, row))
            .collect::<Vec<_>>()
    };
    let all = on_grid(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a side of a picture")]
    let step = (all.len() as f64 / SAMPLES as f64).sqrt().round() as usize;
    if step <= 1 {
        return all;
    }
    let some = on_grid(step);
    // A plant thinner than the grid may slip through it.
    if some.is_empty() { all } else { some }
}

fn halved(texels: &[[f32; 4]], side: usize) -> Vec<[f32; 4]> {
    let half = side / 2;
    let mut out = Vec::with_capacity(half * half);
    for row in 0..half {
        for col in 0..half {
            let at = 2 * row * side + 2 * col;
            let four = [texels[at], texels[at + 1], texels[at + side], texels[at + side + 1]];
            out.push(std::array::from_fn(|i| four.iter().map(|p| p[i]).sum::<f32>() / 4.0));
        }
    }
    out
}

/// All sprites.
#[derive(Debug, Clone)]
pub(super) struct SpriteSheet {
    /// Per habit, in the order of [`GrowthHabit`].
    sprites: [Vec<Sprite>; 4],
}

impl SpriteSheet {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = stream(seed, Purpose::Sprites);
        let habits =
            [GrowthHabit::Rosette, GrowthHabit::Broadleaf, GrowthHabit::Grass, GrowthHabit::Compound];
        let mut draw = |habit| (0..VARIANTS).map(|_| Sprite::draw(&leaf::leaves(habit, &mut rng))).collect();
        Self { sprites: habits.map(&mut draw) }
    }

    pub(super) fn get(&self, habit: GrowthHabit, variant: u8) -> &Sprite {
        &self.sprites[habit as usize][usize::from(variant)]
    }

    #[expect(clippy::unused_self, reason = "the sheet says how many variants it has")]
    pub(super) fn choose(&self, _habit: GrowthHabit, rng: &mut ChaCha8Rng) -> u8 {
        rng.random_range(0..VARIANTS)
    }
}
