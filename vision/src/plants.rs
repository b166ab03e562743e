//! Class map in, plants out.
//!
//! # What is one plant
//! - *Piece*: pixels of one class that touch (8-neighbours) or have at most `join_gap_px` other pixels
//!   between them, so that cotyledons on a thin stalk stay together.
//! - *Body*: pieces of any class that touch. Crop and weed in contact are one body and several pieces.
//! - A piece stands as a plant when it has `min_area_px` and either at least `min_share_of_body` of its body's
//!   largest piece or more than `max_speckle_px`: a beet in a mat of weeds is a beet, however large the mat. The
//!   others are speckle: inside a body they are added to its largest piece, alone they are dropped.
//! - *Stem*: the area centroid when it lies on the plant, else the plant's pixel nearest to it. Cut by the
//!   edge of the picture, both belong to the visible part only, and [`Detection::cut`] says so.
//! - *Leaves*: its pixels gathered by squares of `leaf_px`, so that a nozzle can follow its outline.

use crate::segment::ClassMap;
use kompas_field::PlantClass;

mod runs;
mod sums;

use sums::Sums;

/// By what rules pixels become plants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlantRules {
    /// Fewer pixels are not a plant.
    pub min_area_px: u32,
    /// Pieces of one class this close are one.
    pub join_gap_px: u32,
    /// Smaller than this share of the largest piece it touches: speckle, ...
    pub min_share_of_body: f64,
    /// ... unless it has more pixels than this.
    pub max_speckle_px: u32,
    /// Side of the squares by which a plant's pixels are gathered ([`LeafPixels`]).
    pub leaf_px: u32,
}

/// Speckle is at most so many times as large as the smallest plant.
pub const SPECKLE: u32 = 4;

impl PlantRules {
    /// For a picture of `gsd_m` metres per pixel: 0.25 cm² is the smallest seedling worth a nozzle, 1 cm² on
    /// another plant is one of its own, leaves 2 mm apart are one plant, and squares of 1.5 cm follow an outline closer than the finest fans do.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to small counts")]
    pub fn at_gsd(gsd_m: f64) -> Self {
        let min_area_px = (0.25e-4 / (gsd_m * gsd_m)).clamp(6.0, 1e6) as u32;
        let join_gap_px = (0.002 / gsd_m).clamp(0.0, 6.0) as u32;
        let leaf_px = (0.015 / gsd_m).round().clamp(1.0, 1e4) as u32;
        let max_speckle_px = SPECKLE * min_area_px;
        Self { min_area_px, join_gap_px, min_share_of_body: 0.05, max_speckle_px, leaf_px }
    }
}

/// Columns `left..right`, rows `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// One past the last column.
    pub right: u32,
    /// One past the last row.
    pub bottom: u32,
}

/// One plant in one frame, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Of the piece's pixels.
    pub class: PlantClass,
    /// Mean confidence of its pixels, 0 to 1.
    pub confidence: f64,
    /// How many pixels.
    pub area_px: u32,
    /// Middle of its pixels: column, row.
    pub centroid_px: [f64; 2],
    /// Where the stem is taken to be: column, row.
    pub stem_px: [f64; 2],
    /// What holds all its pixels.
    pub bounds: PixelBox,
    /// The edge of the picture cuts it: area, centroid and stem belong to the part that is seen.
    pub cut: bool,
    /// Its pixels by squares of the picture: together all of its area.
    pub leaves: Vec<LeafPixels>,
}

/// The pixels of one plant in one square of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeafPixels {
    /// Their middle: column, row.
    pub middle_px: [f64; 2],
    /// How many.
    pub area_px: u32,
}

/// The plants of `map`, in reading order of their topmost pixel.
pub fn find_plants(map: &ClassMap, rules: &PlantRules) -> Vec<Detection> {
    let runs = runs::of(map);
    let pieces = runs::join(&runs, rules.join_gap_px, |a, b| a.class == b.class);
    let bodies = runs::join(&runs, 0, |_, _| true);
    let owners = settle(&runs, &pieces, &bodies, rules);
    measure(&runs, &owners, map, rules.leaf_px.max(1))
}

/// For every run the run that stands for its plant; `None` for what is no plant.
fn settle(runs: &[runs::Run], pieces: &[u32], bodies: &[u32], rules: &PlantRules) -> Vec<Option<u32>> {
    let mut area = vec![0_u32; runs.len()];
    for (run, &piece) in runs.iter().zip(pieces) {
        area[piece as usize] += run.len();
    }
    // The largest piece of each body; the first in reading order among equals. A piece joined over a gap
    // may lie in several bodies; it stands or falls with the body of its first run.
    let mut largest: Vec<Option<u32>> = vec![None; runs.len()];
    for (run, (&piece, &body)) in (0_u32..).zip(pieces.iter().zip(bodies)) {
        if run == piece {
            let best = &mut largest[body as usize];
            if best.is_none_or(|best| area[piece as usize] > area[best as usize]) {
                *best = Some(piece);
            }
        }
    }
    let plant_of = |piece: u32| {
        let chief = largest[bodies[piece as usize] as usize]?;
        let enough = |piece: u32| area[piece as usize] >= rules.min_area_px;
        let share = f64::from(area[piece as usize]) / f64::from(area[chief as usize]);
        let stands_out = share >= rules.min_share_of_body || area[piece as usize] > rules.max_speckle_px;
        if enough(piece) && stands_out { Some(piece) } else { enough(chief).then_some(chief) }
    };
    pieces.iter().map(|&piece| plant_of(piece)).collect()
}

fn measure(runs: &[runs::Run], owners: &[Option<u32>], map: &ClassMap, leaf_px: u32) -> Vec<Detection> {
    let mut slot_of_owner: Vec<Option<usize>> = vec![None; runs.len()];
    let mut plants: Vec<(PlantClass, Sums)> = Vec::new();
    let mut slots = Vec::with_capacity(runs.len());
    for (run, owner) in runs.iter().zip(owners) {
        let Some(owner) = owner.map(|owner| owner as usize) else {
            slots.push(None);
            continue;
        };
        let slot = *slot_of_owner[owner].get_or_insert_with(|| {
            plants.push((runs[owner].class, Sums::new(run)));
            plants.len() - 1
        });
        plants[slot].1.add(run, leaf_px);
        slots.push(Some(slot));
    }
    let mut detections: Vec<Detection> =
        plants.iter().map(|(class, sums)| sums.detection(*class, map)).collect();
    let mut nearest = vec![f64::INFINITY; detections.len()];
    for (run, slot) in runs.iter().zip(slots) {
        let Some(slot) = slot else { continue };
        let detection = &mut detections[slot];
        let [column, row] = detection.centroid_px;
        let on_run =
            [column.clamp(f64::from(run.start) + 0.5, f64::from(run.end) - 0.5), f64::from(run.row) + 0.5];
        let off_row = (on_run[1] - row).abs();
        let distance = (on_run[0] - column).hypot(off_row);
        if distance < nearest[slot] {
            nearest[slot] = distance;
            // On the run's own pixels the centroid itself is the stem; it need not be a pixel's middle.
            let inside = off_row <= 0.5 && (column - on_run[0]).abs() <= 0.5;
            detection.stem_px = if inside { [column, row] } else { on_run };
        }
    }
    detections
}

#[cfg(test)]
mod tests;
