//! What is summed up over the pixels of one plant.

use super::runs::Run;
use super::{Detection, LeafPixels, PixelBox};
use crate::segment::ClassMap;
use kompas_field::PlantClass;
use std::collections::BTreeMap;

#[derive(Clone)]
pub(super) struct Sums {
    whole: Moments,
    confidence: u64,
    bounds: PixelBox,
    /// By row and column of the square.
    leaves: BTreeMap<[u32; 2], Moments>,
}

/// Count and sums of columns and rows.
#[derive(Clone, Copy, Default)]
struct Moments {
    pixels: u32,
    columns: f64,
    rows: f64,
}

impl Moments {
    fn add(&mut self, row: u32, start: u32, end: u32) {
        let length = end - start;
        self.pixels += length;
        self.columns += f64::from(length) * f64::midpoint(f64::from(start), f64::from(end));
        self.rows += f64::from(length) * (f64::from(row) + 0.5);
    }

    fn middle(&self) -> [f64; 2] {
        let pixels = f64::from(self.pixels);
        [self.columns / pixels, self.rows / pixels]
    }
}

impl Sums {
    /// Nothing yet, bounded by a first run.
    pub(super) const fn new(run: &Run) -> Self {
        let bounds = PixelBox { left: run.start, top: run.row, right: run.end, bottom: run.row + 1 };
        let whole = Moments { pixels: 0, columns: 0.0, rows: 0.0 };
        Self { whole, confidence: 0, bounds, leaves: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, run: &Run, leaf_px: u32) {
        self.whole.add(run.row, run.start, run.end);
        self.confidence += u64::from(run.confidence);
        let bounds = &mut self.bounds;
        bounds.left = bounds.left.min(run.start);
        bounds.right = bounds.right.max(run.end);
        bounds.top = bounds.top.min(run.row);
        bounds.bottom = bounds.bottom.max(run.row + 1);
        let mut start = run.start;
        while start < run.end {
            let column = start / leaf_px;
            let end = run.end.min((column + 1).saturating_mul(leaf_px));
            self.leaves.entry([run.row / leaf_px, column]).or_default().add(run.row, start, end);
            start = end;
        }
    }

    pub(super) fn detection(&self, class: PlantClass, map: &ClassMap) -> Detection {
        let centroid_px = self.whole.middle();
        let PixelBox { left, top, right, bottom } = self.bounds;
        let leaf = |leaf: &Moments| LeafPixels { middle_px: leaf.middle(), area_px: leaf.pixels };
        Detection {
            class,
            confidence: self.confidence as f64 / (f64::from(self.whole.pixels) * 255.0),
            area_px: self.whole.pixels,
            centroid_px,
            stem_px: centroid_px,
            bounds: self.bounds,
            cut: left == 0 || top == 0 || right == map.width() || bottom == map.height(),
            leaves: self.leaves.values().map(leaf).collect(),
        }
    }
}
