//! Short extra passes where headland lanes and mainland leave something over: the middle of a passage that is wider
//! than its lanes, the outside of sharp corners.

use super::layout::Layout;
use super::swaths::{Spacing, Swath, swaths};
use crate::geometry::offset::{opened, roughly_dilated, swept};
use crate::geometry::pose::{Pt, direction, distance};
use geo::{Area, BooleanOps, MinimumRotatedRect, MultiPolygon, Polygon};

/// Smaller leftovers cost more driving than they are worth.
const MIN_AREA_M2: f64 = 3.0;
/// Share of the field that may stay undone before leftovers are driven to.
const LEFT_SHARE: f64 = 0.0015;
/// Narrower than this is seam, not ground.
const MIN_WIDTH_M: f64 = 0.3;

/// Share of the field that may stay undone in all: corners, leftovers and the slanting ends of swaths.
const UNDONE_SHARE: f64 = 0.0034;

/// Passes over leftovers, largest first, and the share of the mainland that swaths may leave over at slanting ends.
pub(crate) fn patches(layout: &Layout, field: &Polygon<f64>) -> (Vec<Swath>, f64) {
    let half = layout.dimensions.width / 2.0;
    let mut done: Vec<Polygon<f64>> = layout.mainland.0.clone();
    for headland in &layout.lanes {
        done.extend(swept(&headland.lane.ring(), half).0);
    }
    let reachable = roughly_dilated(&layout.free, half);
    let all_left = reachable.difference(&geo::unary_union(&done));
    let left = opened(&all_left, MIN_WIDTH_M / 2.0);
    let mut parts: Vec<Polygon<f64>> =
        left.into_iter().filter(|p| p.unsigned_area() >= MIN_AREA_M2).collect();
    parts.sort_by(|a, b| b.unsigned_area().total_cmp(&a.unsigned_area()));
    let mut open: f64 = parts.iter().map(Area::unsigned_area).sum();
    let allowed = LEFT_SHARE * field.unsigned_area();
    let never = field.unsigned_area() - reachable.unsigned_area() + all_left.unsigned_area() - open;
    let mut found = Vec::new();
    for part in parts {
        if open <= allowed {
            break;
        }
        open -= part.unsigned_area();
        found.extend(passes(layout, part));
    }
    let left_for_swaths = UNDONE_SHARE * field.unsigned_area() - never - open;
    let share = (left_for_swaths / layout.mainland.unsigned_area().max(1.0)).clamp(0.0003, 0.0025);
    (found, share)
}

/// Strips along the longer side of the part's tightest box.
fn passes(layout: &Layout, part: Polygon<f64>) -> Vec<Swath> {
    let Some(rect) = part.minimum_rotated_rect() else { return vec![] };
    let corners: Vec<Pt> = rect.exterior().0.clone();
    let (first, second) = (distance(corners[0], corners[1]), distance(corners[1], corners[2]));
    let heading =
        if first >= second { direction(corners[0], corners[1]) } else { direction(corners[1], corners[2]) };
    let mut strips =
        swaths(&MultiPolygon::new(vec![part]), layout.dimensions.width, (heading, Spacing::Even), 0.01);
    strips.retain(|s| {
        s.area >= MIN_AREA_M2 / 2.0 && s.length() > 0.5 && layout.clearance.segment_fits(s.a, s.b)
    });
    for strip in &mut strips {
        // The whole leftover may be given up at an end rather than the pass.
        strip.slack = [strip.length() / 4.0; 2];
        strip.row = u32::MAX;
    }
    strips
}
