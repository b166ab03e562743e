//! What the robot drives over, one after the other, and where in that order the headland lanes go.

use super::join::{End, single_curve};
use super::layout::Layout;
use super::order::Visit;
use super::swaths::Swath;
use super::tour::{end, entering, far_cost};
use crate::geometry::dubins;
use crate::geometry::lane::Sense;
use crate::geometry::pose::{Pose, Pt, distance};

/// One thing to drive over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// A swath.
    Swath(Visit),
    /// A whole headland lane, begun and ended `s` metres along.
    Lane { lane: usize, s: f64, sense: Sense },
}

pub(crate) fn enter_end(layout: &Layout, swaths: &[Swath], stop: Stop) -> End {
    match stop {
        Stop::Swath(v) => entering(end(swaths, v.enter())),
        Stop::Lane { lane, s, sense } => End::fixed(layout.lanes[lane].lane.pose(s, sense)),
    }
}

pub(crate) fn leave_end(layout: &Layout, swaths: &[Swath], stop: Stop) -> End {
    match stop {
        Stop::Swath(v) => end(swaths, v.leave()),
        Stop::Lane { .. } => enter_end(layout, swaths, stop),
    }
}

/// Puts every lane where it costs least: outer lanes of the outside last, so that they come first in the drive.
pub(crate) fn insert_lanes(layout: &Layout, swaths: &[Swath], stops: &mut Vec<Stop>) {
    let mut lanes: Vec<usize> = (0..layout.lanes.len()).filter(|l| layout.lanes[*l].work).collect();
    let key = |l: &usize| (layout.lanes[*l].around_exclusion, std::cmp::Reverse(layout.lanes[*l].level));
    let long = |l: &usize| layout.lanes[*l].lane.length();
    lanes.sort_by(|a, b| key(a).cmp(&key(b)).then(long(b).total_cmp(&long(a))));
    for lane in lanes {
        let (gap, stop) = best_place(layout, swaths, stops, lane);
        stops.insert(gap, stop);
    }
}

/// A turn's length when nothing is in the way.
fn free_length(layout: &Layout, from: Pose, to: Pose) -> f64 {
    dubins::curves(from, to, layout.dimensions.radius).first().map_or(f64::MAX, dubins::Curve::length)
}

const SPACING_M: f64 = 3.0;
/// Gaps of the tour whose turns are priced; the others only by distance.
const PRICED_GAPS: usize = 6;

fn best_place(layout: &Layout, swaths: &[Swath], stops: &[Stop], lane: usize) -> (usize, Stop) {
    let ring = &layout.lanes[lane].lane;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let count = (ring.length() / SPACING_M).ceil() as u32;
    let at = |k: u32| ring.length() * f64::from(k) / f64::from(count);
    let samples: Vec<Pt> = (0..count).map(|k| ring.at(at(k))).collect();
    let mut best: Option<(f64, usize, Stop)> = None;
    for gap in near_gaps(layout, swaths, stops, lane, &samples) {
        let before = gap.checked_sub(1).map(|g| leave_end(layout, swaths, stops[g]));
        let after = stops.get(gap).map(|s| enter_end(layout, swaths, *s));
        let price = |from: End, to: End| {
            single_curve(layout, from, to).map_or_else(
                || far_cost(layout, from.pose, to.pose) + 20.0 * layout.dimensions.radius,
                |join| join.cost(),
            )
        };
        let saved = before.zip(after).map_or(0.0, |(b, a)| price(b, a));
        // The way in counts only for what comes first.
        let way_in = |p: Pt| layout.entry.filter(|_| gap == 0).map_or(0.0, |e| distance(e, p));
        // Nearest first: the first good seam rules most others out by length alone.
        let gap_of =
            |p: Pt| [before, after].iter().flatten().map(|e| distance(e.pose.at, p)).sum::<f64>() + way_in(p);
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_by(|a, b| gap_of(samples[*a as usize]).total_cmp(&gap_of(samples[*b as usize])));
        for k in order {
            if best.as_ref().is_some_and(|b| b.0 <= gap_of(samples[k as usize]) - saved) {
                break;
            }
            for sense in Sense::BOTH {
                let seam = End::fixed(ring.pose(at(k), sense));
                let free = way_in(seam.pose.at)
                    + before.map_or(0.0, |b| free_length(layout, b.pose, seam.pose))
                    + after.map_or(0.0, |a| free_length(layout, seam.pose, a.pose));
                if best.as_ref().is_some_and(|b| b.0 <= free - saved) {
                    continue;
                }
                let cost = before.map_or(0.0, |b| price(b, seam))
                    + after.map_or(0.0, |a| price(seam, a))
                    + way_in(seam.pose.at)
                    - saved;
                if best.as_ref().is_none_or(|b| cost < b.0) {
                    best = Some((cost, gap, Stop::Lane { lane, s: at(k), sense }));
                }
            }
        }
    }
    best.map_or((0, Stop::Lane { lane, s: 0.0, sense: Sense::With }), |(_, gap, stop)| (gap, stop))
}

/// Gaps whose neighbours are close to the lane. A lane along the outside may also come first of all.
fn near_gaps(layout: &Layout, swaths: &[Swath], stops: &[Stop], lane: usize, samples: &[Pt]) -> Vec<usize> {
    /// Looked at for a first choice of gaps.
    const LOOKS: usize = 150;
    let stride = samples.len().div_ceil(LOOKS).max(1);
    let nearest = |p: Pt| samples.iter().step_by(stride).map(|q| distance(p, *q)).fold(f64::MAX, f64::min);
    let mut gaps: Vec<(f64, usize)> = (0..=stops.len())
        .map(|gap| {
            let before = gap.checked_sub(1).map(|g| nearest(leave_end(layout, swaths, stops[g]).pose.at));
            let after = stops.get(gap).map(|s| nearest(enter_end(layout, swaths, *s).pose.at));
            (before.unwrap_or(0.0) + after.unwrap_or(0.0), gap)
        })
        .collect();
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut near: Vec<usize> = gaps.into_iter().map(|g| g.1).take(PRICED_GAPS).collect();
    if !layout.lanes[lane].around_exclusion && !near.contains(&0) {
        near.push(0);
    }
    near
}
