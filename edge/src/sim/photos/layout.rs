//! Which photograph lies where: strips along the swaths, photographs upright one after the other.

use super::super::stream::{Purpose, stream};
use super::library::Photo;
use kompas_field::units::Radians;
use kompas_field::{FieldFrame, Point2};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Photographs narrower than their strip by no more than this share lie in it; the rest stays bare.
const SAME_WIDTH: f64 = 0.9;

/// One photograph on the ground; its number is its place in the layout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// Of the library.
    pub(super) photo: usize,
    /// Upper edge, metres along the swath.
    pub(super) far_m: f64,
    /// Left edge, metres left of the swath.
    pub(super) left_m: f64,
    pub(super) length_m: f64,
    pub(super) width_m: f64,
}

/// Strips side by side.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) heading: Radians,
    pub(super) origin: Point2<FieldFrame>,
    placements: Vec<Placement>,
    /// From right to left: right edge and first placement.
    strips: Vec<(f64, usize)>,
    left_end_m: f64,
}

/// Photographs of about the same width.
struct Group {
    photos: Vec<usize>,
    width_m: f64,
    /// How many strips it should have had by now.
    due: f64,
    share: f64,
    /// Still to be laid before the next round, shuffled.
    hand: Vec<usize>,
}

impl Layout {
    /// Covers `reach` (lowest and highest forward and left of `origin`). Every photograph comes up about
    /// equally often, in an order that `seed` decides.
    pub(super) fn pave(
        photos: &[Photo],
        gsd_m: f64,
        heading: Radians,
        origin: Point2<FieldFrame>,
        (low, high): ([f64; 2], [f64; 2]),
        seed: u64,
    ) -> Self {
        let mut rng = stream(seed, Purpose::Photos);
        let mut groups = groups(photos, gsd_m);
        let mut layout =
            Self { heading, origin, placements: Vec::new(), strips: Vec::new(), left_end_m: low[1] };
        while layout.left_end_m < high[1] {
            for group in &mut groups {
                group.due += group.share;
            }
            let by_due = |a: &usize, b: &usize| groups[*a].due.total_cmp(&groups[*b].due).then(b.cmp(a));
            let Some(chosen) = (0..groups.len()).max_by(by_due) else { break };
            let group = &mut groups[chosen];
            group.due -= 1.0;
            let right_m = layout.left_end_m;
            layout.strips.push((right_m, layout.placements.len()));
            layout.left_end_m = right_m + group.width_m;
            let mut near_m = low[0];
            while near_m < high[0] {
                let photo = group.next(&mut rng);
                let length_m = f64::from(photos[photo].height_px) * gsd_m;
                layout.placements.push(Placement {
                    photo,
                    far_m: near_m + length_m,
                    left_m: layout.left_end_m,
                    length_m,
                    width_m: f64::from(photos[photo].width_px) * gsd_m,
                });
                near_m += length_m;
            }
        }
        layout
    }

    pub(super) fn len(&self) -> usize {
        self.placements.len()
    }

    pub(super) fn placements(&self) -> &[Placement] {
        &self.placements
    }

    /// The photograph at a place, forward and left of the origin; `None` between and beside them.
    pub(super) fn at(&self, forward_m: f64, left_m: f64) -> Option<usize> {
        if left_m >= self.left_end_m {
            return None;
        }
        let strip = self.strips.partition_point(|&(right_m, _)| right_m <= left_m).checked_sub(1)?;
        let first = self.strips[strip].1;
        let end = self.strips.get(strip + 1).map_or(self.placements.len(), |&(_, next)| next);
        let number = first + self.placements[first..end].partition_point(|p| p.far_m <= forward_m);
        let placed = self.placements[..end].get(number)?;
        let inside = forward_m >= placed.far_m - placed.length_m && left_m >= placed.left_m - placed.width_m;
        inside.then_some(number)
    }
}

/// Widest first.
fn groups(photos: &[Photo], gsd_m: f64) -> Vec<Group> {
    let mut order: Vec<usize> = (0..photos.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(photos[i].width_px));
    let mut groups: Vec<Group> = Vec::new();
    for photo in order {
        let width_m = f64::from(photos[photo].width_px) * gsd_m;
        match groups.last_mut() {
            Some(group) if width_m >= group.width_m * SAME_WIDTH => group.photos.push(photo),
            _ => groups.push(Group { photos: vec![photo], width_m, due: 0.0, share: 0.0, hand: Vec::new() }),
        }
    }
    // A strip of long photographs holds fewer of them, so its group needs more strips.
    let length = |group: &Group| group.photos.iter().map(|&i| f64::from(photos[i].height_px)).sum::<f64>();
    let total: f64 = groups.iter().map(length).sum();
    for group in &mut groups {
        group.share = length(group) / total;
    }
    groups
}

impl Group {
    fn next(&mut self, rng: &mut ChaCha8Rng) -> usize {
        if self.hand.is_empty() {
            self.hand.clone_from(&self.photos);
            // Fisher–Yates.
            for i in (1..self.hand.len()).rev() {
                self.hand.swap(i, rng.random_range(0..=i));
            }
        }
        self.hand.pop().unwrap_or(self.photos[0])
    }
}
