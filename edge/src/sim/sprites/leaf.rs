//! Leaves: where they lie, how they are shaped and shaded. Lengths in plant radii.

use super::super::plants::GrowthHabit;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::f32::consts::{PI, TAU};

/// How wide a blade is along its length.
#[derive(Debug, Clone, Copy)]
enum Outline {
    /// Widest at a third, with a wavy rim.
    Ovate,
    /// A ribbon with a point.
    Ribbon,
}

/// One blade on its stalk.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    base: [f32; 2],
    /// Direction of the leaf.
    cos: f32,
    sin: f32,
    stalk: f32,
    length: f32,
    half_width: f32,
    bend: f32,
    rim: f32,
    outline: Outline,
    blade: [f32; 3],
    stalk_colour: [f32; 3],
}

impl Leaf {
    /// Where along each axis it may be, low and high.
    pub(super) fn reach(&self) -> [(f32, f32); 2] {
        let tip = [self.base[0] + self.cos * self.length, self.base[1] + self.sin * self.length];
        let aside = self.half_width * 1.1 + self.bend.abs() * self.length * self.length + 0.03;
        [0, 1].map(|i| (self.base[i].min(tip[i]) - aside, self.base[i].max(tip[i]) + aside))
    }

    /// The leaf's colour at a point; `None` beside it.
    pub(super) fn colour_at(&self, x: f32, y: f32) -> Option<[f32; 3]> {
        let (dx, dy) = (x - self.base[0], y - self.base[1]);
        let along = dx * self.cos + dy * self.sin;
        if along < 0.0 || along > self.length {
            return None;
        }
        let across = dy * self.cos - dx * self.sin - self.bend * along * along;
        if along < self.stalk {
            return (across.abs() < 0.03).then_some(self.stalk_colour);
        }
        if across.abs() > self.half_width * 1.1 {
            return None;
        }
        let t = (along - self.stalk) / (self.length - self.stalk);
        let width = self.half_width
            * match self.outline {
                Outline::Ovate => {
                    (PI * t.powf(0.75)).sin().max(0.0).powf(0.65) * (1.0 + self.rim * (t * 21.0).sin())
                }
                Outline::Ribbon => (1.0 - t).powf(0.6),
            };
        let side = across / width.max(1e-6);
        (side.abs() < 1.0).then(|| self.blade.map(|c| c * Self::shade(t, side)))
    }

    /// Light on the blade: one half faces the sun, veins are pale, the rim is dark.
    fn shade(t: f32, side: f32) -> f32 {
        let half = if side > 0.0 { 1.06 } else { 0.93 };
        let midrib = if side.abs() < 0.08 { 1.18 } else { 1.0 };
        let veins = 1.0 + 0.05 * ((t * 7.0 - side.abs() * 1.6) * TAU).sin();
        let rim = 1.0 - 0.22 * side.abs().powi(4);
        let base = 0.82 + 0.22 * t;
        half * midrib * veins * rim * base
    }
}

struct Pen<'a> {
    rng: &'a mut ChaCha8Rng,
    blade: [f32; 3],
    stalk_colour: [f32; 3],
}

impl Pen<'_> {
    fn between(&mut self, low: f32, high: f32) -> f32 {
        self.rng.random_range(low..high)
    }

    fn leaf(
        &mut self,
        base: [f32; 2],
        direction: f32,
        outline: Outline,
        [stalk, length, half_width]: [f32; 3],
    ) -> Leaf {
        let light = self.between(0.86, 1.14);
        let yellow = self.between(0.92, 1.08);
        let bend = self.between(-0.25, 0.25);
        let [r, g, b] = self.blade;
        Leaf {
            base,
            cos: direction.cos(),
            sin: direction.sin(),
            stalk,
            length,
            half_width,
            bend,
            rim: self.between(0.02, 0.07),
            outline,
            blade: [r * light * yellow, g * light, b * light],
            stalk_colour: self.stalk_colour,
        }
    }
}

/// The leaves of a plant of this habit, lowest first.
pub(super) fn leaves(habit: GrowthHabit, rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    match habit {
        GrowthHabit::Rosette => rosette(rng),
        GrowthHabit::Broadleaf => broadleaf(rng),
        GrowthHabit::Grass => grass(rng),
        GrowthHabit::Compound => compound(rng),
    }
}

/// Golden angle between leaves, the outer ones long, the heart small and pale.
fn rosette(rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let mut pen = Pen { rng, blade: [98.0, 152.0, 62.0], stalk_colour: [150.0, 172.0, 108.0] };
    let count = pen.rng.random_range(6..10u8);
    let first = pen.between(0.0, TAU);
    (0..count)
        .map(|i| {
            let inward = f32::from(i) / f32::from(count);
            let length = (0.97 - 0.55 * inward) * pen.between(0.9, 1.0);
            let direction = first + f32::from(i) * 2.399_963 + pen.between(-0.2, 0.2);
            let size = [length * 0.34, length, length * pen.between(0.24, 0.30)];
            let mut leaf = pen.leaf([0.0, 0.0], direction, Outline::Ovate, size);
            leaf.blade = leaf.blade.map(|c| c * (0.92 + 0.2 * inward));
            leaf
        })
        .collect()
}

/// Pairs of opposite leaves, each pair across the one below.
fn broadleaf(rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let blade =
        [[104.0, 158.0, 74.0], [122.0, 160.0, 96.0], [92.0, 140.0, 66.0]][rng.random_range(0..3usize)];
    let mut pen = Pen { rng, blade, stalk_colour: [140.0, 150.0, 100.0] };
    let pairs = pen.rng.random_range(2..5u8);
    let slender = pen.between(0.20, 0.42);
    let mut direction = pen.between(0.0, TAU);
    let mut leaves = Vec::new();
    for pair in 0..pairs {
        let length = 0.95 * (1.0 - 0.2 * f32::from(pair)) * pen.between(0.85, 1.0);
        for side in [0.0, PI] {
            let turned = direction + side + pen.between(-0.15, 0.15);
            leaves.push(pen.leaf(
                [0.0, 0.0],
                turned,
                Outline::Ovate,
                [length * 0.15, length, length * slender],
            ));
        }
        direction += PI / 2.0 + pen.between(-0.2, 0.2);
    }
    leaves
}

fn grass(rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let mut pen = Pen { rng, blade: [124.0, 170.0, 78.0], stalk_colour: [140.0, 165.0, 95.0] };
    let count = pen.rng.random_range(5..9u8);
    (0..count)
        .map(|_| {
            let direction = pen.between(0.0, TAU);
            let length = pen.between(0.55, 0.95);
            let half_width = pen.between(0.055, 0.085);
            pen.leaf([0.0, 0.0], direction, Outline::Ribbon, [0.0, length, half_width])
        })
        .collect()
}

/// Leaves of three pairs of leaflets and one at the end.
fn compound(rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let mut pen = Pen { rng, blade: [74.0, 118.0, 56.0], stalk_colour: [96.0, 128.0, 72.0] };
    let count = pen.rng.random_range(5..8u8);
    let first = pen.between(0.0, TAU);
    let mut leaflets = Vec::new();
    for i in 0..count {
        let direction = first + f32::from(i) * 2.399_963;
        let length = (0.95 - 0.07 * f32::from(i)) * pen.between(0.88, 1.0);
        for (share, size) in [(0.30, 0.20), (0.50, 0.26), (0.68, 0.28)] {
            let base = [direction.cos() * length * share, direction.sin() * length * share];
            for side in [-1.15, 1.15] {
                let turned = direction + side + pen.between(-0.15, 0.15);
                let long = size * length * 1.15;
                leaflets.push(pen.leaf(base, turned, Outline::Ovate, [0.02, long, long * 0.36]));
            }
        }
        let size = [length * 0.62, length, length * 0.17];
        let end = pen.leaf([0.0, 0.0], direction, Outline::Ovate, size);
        leaflets.push(Leaf { bend: 0.0, ..end });
    }
    leaflets
}
