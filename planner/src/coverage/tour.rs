//! The whole drive: lanes and swaths in order, with the joins between them.

use super::join::{End, Join, single_curve};
use super::layout::Layout;
use super::order::{EndCosts, Visit, order};
use super::roads::Roads;
use super::swaths::Swath;
use crate::geometry::dubins;
use crate::geometry::lane::Sense;
use crate::geometry::pose::{Pose, Pt, distance};

/// What a piece of the drive is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A headland pass: index into the layout's lanes.
    Headland(usize),
    /// A swath: index into the swaths.
    Swath(usize),
    /// A turn or a way in between.
    Join,
}

/// A piece of the drive.
#[derive(Debug, Clone)]
pub(crate) struct Drive {
    pub(crate) purpose: Purpose,
    pub(crate) points: Vec<Pt>,
}

/// A way that the planner did not find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoWay {
    pub(crate) from: Pt,
    pub(crate) to: Pt,
}

/// One thing to drive over.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Swath(Visit),
    Lane { lane: usize, s: f64, sense: Sense },
}

/// Full coverage. `reachable` swaths that no way leads to are returned beside the drives.
pub(crate) fn tour(layout: &Layout, swaths: &[Swath]) -> (Vec<Drive>, Vec<NoWay>) {
    let costs = end_costs(layout, swaths);
    let visits = order(swaths.len(), &costs, None);
    let mut stops: Vec<Stop> = visits.into_iter().map(Stop::Swath).collect();
    insert_lanes(layout, swaths, &mut stops);
    realise(layout, swaths, &stops)
}

fn end(swaths: &[Swath], id: usize) -> End {
    let swath = &swaths[id / 2];
    End { pose: swath.leaving(id % 2), slack: swath.slack[id % 2] }
}

fn entering(end: End) -> End {
    End { pose: end.pose.flipped(), ..end }
}

fn end_costs<'a>(layout: &'a Layout, swaths: &'a [Swath]) -> EndCosts<impl Fn(usize, usize) -> f64 + 'a> {
    let d = layout.dimensions;
    let radius = 3.2 * d.width + 2.0 * d.radius;
    let ends: Vec<End> = (0..2 * swaths.len()).map(|id| end(swaths, id)).collect();
    let mut near: Vec<Vec<(usize, f64)>> = vec![vec![]; ends.len()];
    let mut by_x: Vec<usize> = (0..ends.len()).collect();
    by_x.sort_by(|a, b| ends[*a].pose.at.x.total_cmp(&ends[*b].pose.at.x));
    for (k, &i) in by_x.iter().enumerate() {
        for &j in &by_x[k + 1..] {
            if ends[j].pose.at.x - ends[i].pose.at.x > radius {
                break;
            }
            if i / 2 == j / 2 || distance(ends[i].pose.at, ends[j].pose.at) > radius {
                continue;
            }
            let cost = single_curve(layout, ends[i], entering(ends[j])).map_or_else(
                || far_cost(layout, ends[i].pose, ends[j].pose) + 6.0 * d.radius,
                |join| join.cost(),
            );
            near[i].push((j, cost));
            near[j].push((i, cost));
        }
    }
    for list in &mut near {
        list.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    }
    EndCosts { near, far: move |a, b| far_cost(layout, ends[a].pose, ends[b].pose) }
}

fn far_cost(layout: &Layout, a: Pose, b: Pose) -> f64 {
    1.3 * distance(a.at, b.at) + 4.0 * layout.dimensions.radius
}

/// A turn's length when nothing is in the way.
fn free_length(layout: &Layout, from: Pose, to: Pose) -> f64 {
    dubins::curves(from, to, layout.dimensions.radius).first().map_or(f64::MAX, dubins::Curve::length)
}

fn enter_end(layout: &Layout, swaths: &[Swath], stop: Stop) -> End {
    match stop {
        Stop::Swath(v) => entering(end(swaths, 2 * v.swath + v.from)),
        Stop::Lane { lane, s, sense } => End::fixed(layout.lanes[lane].lane.pose(s, sense)),
    }
}

fn leave_end(layout: &Layout, swaths: &[Swath], stop: Stop) -> End {
    match stop {
        Stop::Swath(v) => end(swaths, 2 * v.swath + 1 - v.from),
        Stop::Lane { .. } => enter_end(layout, swaths, stop),
    }
}

/// Puts every lane where it costs least: the innermost first, so that the outer ones come before them at the start.
fn insert_lanes(layout: &Layout, swaths: &[Swath], stops: &mut Vec<Stop>) {
    let mut lanes: Vec<usize> = (0..layout.lanes.len()).collect();
    let key = |l: &usize| {
        let lane = &layout.lanes[*l];
        (lane.around_exclusion, std::cmp::Reverse(lane.level))
    };
    lanes.sort_by(|a, b| {
        key(a).cmp(&key(b)).then(layout.lanes[*b].lane.length().total_cmp(&layout.lanes[*a].lane.length()))
    });
    for lane in lanes {
        let (gap, stop) = best_place(layout, swaths, stops, lane);
        stops.insert(gap, stop);
    }
}

fn best_place(layout: &Layout, swaths: &[Swath], stops: &[Stop], lane: usize) -> (usize, Stop) {
    let ring = &layout.lanes[lane].lane;
    let spacing = 3.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let count = (ring.length() / spacing).ceil() as u32;
    let at = |k: u32| ring.length() * f64::from(k) / f64::from(count);
    let samples: Vec<Pt> = (0..count).map(|k| ring.at(at(k))).collect();
    let nearest = |p: Pt| samples.iter().map(|q| distance(p, *q)).fold(f64::MAX, f64::min);
    // Gaps whose neighbours are close to the lane; the start counts double as both.
    let mut gaps: Vec<(f64, usize)> = (0..=stops.len())
        .map(|gap| {
            let before = gap.checked_sub(1).map(|g| nearest(leave_end(layout, swaths, stops[g]).pose.at));
            let after = stops.get(gap).map(|s| nearest(enter_end(layout, swaths, *s).pose.at));
            (before.unwrap_or(0.0) + after.unwrap_or(0.0), gap)
        })
        .collect();
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    gaps.truncate(6);
    if !layout.lanes[lane].around_exclusion && !gaps.iter().any(|g| g.1 == 0) {
        gaps.push((0.0, 0));
    }
    let mut best: Option<(f64, usize, Stop)> = None;
    for (_, gap) in gaps {
        let before = gap.checked_sub(1).map(|g| leave_end(layout, swaths, stops[g]));
        let after = stops.get(gap).map(|s| enter_end(layout, swaths, *s));
        let saved = match (before, after) {
            (Some(b), Some(a)) => {
                single_curve(layout, b, a).map_or_else(|| far_cost(layout, b.pose, a.pose), |j| j.cost())
            }
            _ => 0.0,
        };
        for k in 0..count {
            let s = at(k);
            for sense in Sense::BOTH {
                let seam = End::fixed(ring.pose(s, sense));
                let mut floor = -saved;
                floor += before.map_or(0.0, |b| free_length(layout, b.pose, seam.pose));
                floor += after.map_or(0.0, |a| free_length(layout, seam.pose, a.pose));
                if best.as_ref().is_some_and(|b| b.0 <= floor) {
                    continue;
                }
                let price = |from: End, to: End| {
                    single_curve(layout, from, to).map_or_else(
                        || far_cost(layout, from.pose, to.pose) + 20.0 * layout.dimensions.radius,
                        |j| j.cost(),
                    )
                };
                let cost =
                    before.map_or(0.0, |b| price(b, seam)) + after.map_or(0.0, |a| price(seam, a)) - saved;
                if best.as_ref().is_none_or(|b| cost < b.0) {
                    best = Some((cost, gap, Stop::Lane { lane, s, sense }));
                }
            }
        }
    }
    best.map_or((0, Stop::Lane { lane, s: 0.0, sense: Sense::With }), |(_, gap, stop)| (gap, stop))
}

fn realise(layout: &Layout, swaths: &[Swath], stops: &[Stop]) -> (Vec<Drive>, Vec<NoWay>) {
    let roads = Roads::new(layout, swaths);
    let mut drives: Vec<Drive> = Vec::new();
    let mut missed = Vec::new();
    let mut reached: Vec<(Stop, f64, f64)> = Vec::new();
    let mut joins: Vec<Join> = Vec::new();
    for stop in stops {
        let Some((last, _, cut_end)) = reached.last_mut() else {
            reached.push((*stop, 0.0, 0.0));
            continue;
        };
        let (leave, enter) = (leave_end(layout, swaths, *last), enter_end(layout, swaths, *stop));
        match single_curve(layout, leave, enter).or_else(|| roads.way(leave, enter)) {
            Some(join) => {
                *cut_end = join.cut[0];
                reached.push((*stop, join.cut[1], 0.0));
                joins.push(join);
            }
            None => missed.push(NoWay { from: leave.pose.at, to: enter.pose.at }),
        }
    }
    for (i, (stop, cut_start, cut_end)) in reached.into_iter().enumerate() {
        if i > 0 {
            drives.push(Drive { purpose: Purpose::Join, points: joins[i - 1].points.clone() });
        }
        drives.push(match stop {
            Stop::Swath(v) => {
                let from = entering(end(swaths, 2 * v.swath + v.from)).pose.ahead(cut_start);
                let to = end(swaths, 2 * v.swath + 1 - v.from).pose.ahead(-cut_end);
                Drive { purpose: Purpose::Swath(v.swath), points: vec![from.at, to.at] }
            }
            Stop::Lane { lane, s, sense } => {
                let line = &layout.lanes[lane].lane;
                Drive { purpose: Purpose::Headland(lane), points: line.stretch(s, line.length(), sense) }
            }
        });
    }
    (drives, missed)
}
