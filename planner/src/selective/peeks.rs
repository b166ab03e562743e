//! Into a row and out again, for a rig that may reverse: which rows, from which side, and how it is driven.
//!
//! The exact programme of [`super::rows`] says which rows are driven through and which are peeked into. A peek leaves
//! the headland lane before the row, drives in as far as the deepest grid cell to treat, and comes back in reverse over
//! the same line, so that the robot goes on along the lane as if nothing had been. Order and turns are then the tour's.

use super::needed::Wanted;
use super::rows::{InRow, Moves, Row, Rows, best_tour};
use crate::coverage::join::{End, curve_within};
use crate::coverage::layout::Layout;
use crate::coverage::swaths::{Swath, stretch};
use crate::coverage::tour::{Drive, Purpose};
use crate::geometry::lane::{Lane, Sense};
use crate::geometry::pose::{Pt, distance};
use crate::plan::Gear;

/// A piece of lane before a row, and the way in from either of its ends.
pub(crate) struct Peek {
    /// What the tour drives.
    pub(crate) stop: Swath,
    /// From the stop's first end, and from the other.
    lines: [Vec<Pt>; 2],
}

/// How far past the place of a cell along the row its far side may lie.
const BEYOND_M: f64 = 1.3;
/// So far into the row the band of the curve that leads in is not yet the row's.
const MOUTH_M: f64 = 3.5;

/// Rows that are driven through, and peeks into the others.
pub(crate) fn split(layout: &Layout, strips: Vec<Swath>, wanted: &Wanted) -> (Vec<Swath>, Vec<Peek>) {
    let (mut rows, mut through): (Vec<Swath>, Vec<Swath>) =
        strips.into_iter().partition(|s| s.bend.is_empty());
    rows.sort_by_key(|s| s.row);
    let picks: Vec<Vec<f64>> =
        rows.iter().map(|s| wanted.places(&s.line(0), layout.dimensions.width / 2.0)).collect();
    let moves = moves(layout, &rows, &picks);
    let mut peeks = Vec::new();
    for ((strip, picks), action) in rows.into_iter().zip(picks).zip(moves) {
        // From each end: metres to the deepest place that is reached from there.
        let length = strip.length();
        let (first, last) = (picks.first().copied().unwrap_or(0.0), picks.last().copied().unwrap_or(length));
        let depths = match action {
            InRow::PeekNear => [Some(last + BEYOND_M), None],
            InRow::PeekFar => [None, Some(length - first + BEYOND_M)],
            InRow::LargestGap => {
                let gap = picks.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
                gap.map_or([None, None], |g| [Some(g[0] + BEYOND_M), Some(length - g[1] + BEYOND_M)])
            }
            InRow::Skip | InRow::Through | InRow::ThroughTwice => [None, None],
        };
        // Cells right at the mouth lie beside the curve that leads in: such a row is driven through.
        let at_mouth = [first < MOUTH_M, length - last < MOUTH_M];
        let wanted: Vec<(usize, f64)> = (0..2).filter_map(|end| depths[end].map(|d| (end, d))).collect();
        if wanted.iter().any(|(end, _)| at_mouth[*end]) {
            through.push(strip);
            continue;
        }
        let found: Vec<Peek> =
            wanted.iter().filter_map(|(end, depth)| peek(layout, &strip, *end, *depth)).collect();
        if found.is_empty() || found.len() < wanted.len() {
            through.push(strip);
        } else {
            peeks.extend(found);
        }
    }
    (through, peeks)
}

fn moves(layout: &Layout, rows: &[Swath], picks: &[Vec<f64>]) -> Vec<InRow> {
    // From the lane into the row: a quarter circle, at either end.
    let curve = std::f64::consts::FRAC_PI_2 * layout.dimensions.radius;
    let row = |(strip, picks): (&Swath, &Vec<f64>)| Row {
        length_m: strip.length() + 2.0 * curve,
        picks_m: picks.iter().map(|p| p + curve).collect(),
    };
    let hops = |end: fn(&Swath) -> Pt| rows.windows(2).map(|w| distance(end(&w[0]), end(&w[1]))).collect();
    let model = Rows {
        rows: rows.iter().zip(picks).map(row).collect(),
        near_hops_m: hops(|s| s.a),
        far_hops_m: hops(|s| s.b),
    };
    best_tour(&model, Moves::Reversing).map_or_else(|| vec![InRow::Through; rows.len()], |tour| tour.moves)
}

/// The way into a row from the lane that passes its end, if there is one from both sides.
fn peek(layout: &Layout, strip: &Swath, end: usize, depth: f64) -> Option<Peek> {
    let d = layout.dimensions;
    let mouth = strip.leaving(end).flipped();
    let (s, lane) = layout
        .lanes
        .iter()
        .map(|headland| (headland.lane.nearest(mouth.at), &headland.lane))
        .min_by(|a, b| distance(a.1.at(a.0), mouth.at).total_cmp(&distance(b.1.at(b.0), mouth.at)))?;
    // Far enough to the side for the quarter circle, and a little more where the lane slants.
    [1.1, 1.5, 2.2].into_iter().find_map(|share| {
        let aside = share * d.radius;
        let stop = stretch(lane, s - aside, 2.0 * aside, d.width);
        let lines =
            [Sense::With, Sense::Against].map(|sense| way_in(layout, lane, (s, aside), sense, mouth, depth));
        let [Some(with), Some(against)] = lines else { return None };
        Some(Peek { stop, lines: [with, against] })
    })
}

fn way_in(
    layout: &Layout,
    lane: &Lane,
    (s, aside): (f64, f64),
    sense: Sense,
    mouth: crate::geometry::pose::Pose,
    depth: f64,
) -> Option<Vec<Pt>> {
    let from = lane.pose(if sense == Sense::With { s - aside } else { s + aside }, sense);
    let reach = 4.0 * layout.dimensions.radius + layout.dimensions.width;
    [0.3, 1.0, 2.5].into_iter().find_map(|inside| {
        let enter = mouth.ahead(inside);
        let curve = curve_within(layout, End::fixed(from), End::fixed(enter), reach)?;
        let mut points = curve.sample(layout.dimensions.arc_step());
        if depth > inside {
            let tip = mouth.ahead(depth).at;
            if !layout.clearance.segment_fits(enter.at, tip) {
                return None;
            }
            points.push(tip);
        }
        Some(points)
    })
}

/// Puts the way in and out before every stop of a peek; stops are the swaths from `first` on.
pub(crate) fn insert(drives: Vec<Drive>, peeks: &[Peek], first: usize) -> Vec<Drive> {
    let mut done = Vec::with_capacity(drives.len());
    for drive in drives {
        if let Purpose::Swath(number) = drive.purpose
            && let Some(peek) = number.checked_sub(first).and_then(|k| peeks.get(k))
        {
            let at_first = distance(drive.points[0], peek.stop.a) < distance(drive.points[0], peek.stop.b);
            let line = peek.lines[usize::from(!at_first)].clone();
            let back = line.iter().rev().copied().collect();
            done.push(Drive { purpose: Purpose::Spur, points: line, gear: Gear::Forward });
            done.push(Drive { purpose: Purpose::Join, points: back, gear: Gear::Reverse });
        }
        done.push(drive);
    }
    done
}
