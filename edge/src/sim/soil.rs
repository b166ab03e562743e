//! Bare ground: a tile of soil that repeats without a seam, and slow changes of its darkness over metres.

use super::stream::{Purpose, normal, stream};
use super::wander::Wander;
use kompas_field::{FieldFrame, Point2};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Side of the tile, pixels; a power of two.
pub(super) const SIDE: usize = 1024;
/// Ground under one pixel of the tile.
pub(super) const TEXEL_M: f64 = 0.002;
/// Of the ground that the tile covers before it repeats.
pub(super) const TILE_M: f64 = SIDE as f64 * TEXEL_M;
/// Reclaimed peat with sand (*dalgrond*), moist: nearly black brown.
const COLOUR: [f32; 3] = [104.0, 86.0, 70.0];
/// How much darkness changes over metres.
const MOISTURE_SIGMA: f64 = 0.05;

/// What lies under the plants of a drawn field.
#[derive(Debug, Clone)]
pub(super) struct Soil {
    tile: Vec<[u8; 3]>,
    moisture: [Wander; 3],
}

impl Soil {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = stream(seed, Purpose::Soil);
        let mut height = vec![0.0f32; SIDE * SIDE];
        // Lumps of 26 cm down to crumbs of 4 mm, each half as wide and a little weaker.
        for (cells, strength) in
            [(8, 0.30), (16, 0.34), (32, 0.42), (64, 0.46), (128, 0.42), (256, 0.34), (512, 0.28)]
        {
            add_octave(&mut height, cells, strength, &mut rng);
        }
        let mut tile = lit(&height, &mut rng);
        for _ in 0..350 {
            stone(&mut tile, &mut rng);
        }
        for _ in 0..60 {
            straw(&mut tile, &mut rng);
        }
        let moisture = [5.0, 9.0, 16.0].map(|length| Wander::new(&mut rng, MOISTURE_SIGMA, length));
        Self { tile, moisture }
    }

    /// The tile, row by row.
    pub(super) fn tile(&self) -> &[[u8; 3]] {
        &self.tile
    }

    /// Brightness at a place, about 1.
    pub(super) fn brightness(&self, place: Point2<FieldFrame>) -> f64 {
        let [a, b, c] = &self.moisture;
        1.0 + a.at(place.x) + b.at(place.y) + c.at(place.x * 0.6 + place.y * 0.8)
    }
}

/// Value noise of `cells` × `cells` over the tile, smooth between the knots, without a seam.
fn add_octave(height: &mut [f32], cells: usize, strength: f32, rng: &mut ChaCha8Rng) {
    let knots: Vec<f32> = (0..cells * cells).map(|_| rng.random_range(-1.0..1.0f32) * strength).collect();
    let step = SIDE / cells;
    let ease = |i: usize| {
        let t = (i % step) as f32 / step as f32;
        t * t * (3.0 - 2.0 * t)
    };
    for row in 0..SIDE {
        let (top, fy) = (row / step, ease(row));
        let bottom = (top + 1) % cells;
        for col in 0..SIDE {
            let (left, fx) = (col / step, ease(col));
            let right = (left + 1) % cells;
            let knot = |r: usize, c: usize| knots[r * cells + c];
            let above = knot(top, left) + (knot(top, right) - knot(top, left)) * fx;
            let below = knot(bottom, left) + (knot(bottom, right) - knot(bottom, left)) * fx;
            height[row * SIDE + col] += above + (below - above) * fy;
        }
    }
}

/// Relief lit from one side, crumbs of slightly different colour.
fn lit(height: &[f32], rng: &mut ChaCha8Rng) -> Vec<[u8; 3]> {
    (0..SIDE * SIDE)
        .map(|i| {
            let (row, col) = (i / SIDE, i % SIDE);
            let slope = height[i] - height[((row + SIDE - 1) % SIDE) * SIDE + (col + 1) % SIDE];
            #[expect(clippy::cast_possible_truncation, reason = "a colour")]
            let grain = normal(rng) as f32 * 0.035;
            let light = 1.0 + 0.42 * slope + 0.10 * height[i] + grain;
            let warm = 1.0 + 0.03 * height[i];
            rgb([COLOUR[0] * light * warm, COLOUR[1] * light, COLOUR[2] * light / warm])
        })
        .collect()
}

/// A pebble of 3 to 12 mm, lit on one side.
fn stone(tile: &mut [[u8; 3]], rng: &mut ChaCha8Rng) {
    let (col, row) = (rng.random_range(0..SIDE), rng.random_range(0..SIDE));
    let (a, b) = (rng.random_range(0.8..3.0f32), rng.random_range(0.8..2.2f32));
    let grey = rng.random_range(110.0..175.0f32);
    for dy in -3i32..=3 {
        for dx in -3i32..=3 {
            let (x, y) = (dx as f32 / a, dy as f32 / b);
            let inside = x * x + y * y;
            if inside < 1.0 {
                let light = 1.0 + 0.2 * (x - y);
                let at = wrapped(row, dy) * SIDE + wrapped(col, dx);
                tile[at] = rgb([grey * light, grey * light * 0.95, grey * light * 0.88]);
            }
        }
    }
}

/// A dry stalk of a few centimetres.
fn straw(tile: &mut [[u8; 3]], rng: &mut ChaCha8Rng) {
    let (col, row) = (rng.random_range(0..SIDE), rng.random_range(0..SIDE));
    let direction = rng.random_range(0.0..std::f32::consts::TAU);
    let length = rng.random_range(8.0..40.0f32);
    let light = rng.random_range(0.7..1.0f32);
    let mut along = 0.0;
    while along < length {
        #[expect(clippy::cast_possible_truncation, reason = "a few texels")]
        let (dx, dy) = ((along * direction.cos()) as i32, (along * direction.sin()) as i32);
        tile[wrapped(row, dy) * SIDE + wrapped(col, dx)] = rgb([182.0 * light, 160.0 * light, 118.0 * light]);
        along += 0.5;
    }
}

fn wrapped(at: usize, by: i32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "within a tile")]
    let moved = (at as i32 + by).rem_euclid(SIDE as i32) as usize;
    moved
}

fn rgb(colour: [f32; 3]) -> [u8; 3] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
    colour.map(|c| c.clamp(0.0, 255.0) as u8)
}
