//! The whole drive: lanes and swaths in order, with the joins between them.

use super::connect::{connect, near_turn};
use super::join::{End, Join};
use super::layout::Layout;
use super::order::{EndCosts, Visit, improve, order};
use super::roads::{LaneRoads, Roads};
use super::stops::{Stop, enter_end, insert_lanes, leave_end};
use super::swaths::Swath;
use crate::geometry::pose::{Pose, Pt, distance};
use crate::plan::Gear;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a piece of the drive is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A headland pass: index into the layout's lanes.
    Headland(usize),
    /// A swath: index into the swaths.
    Swath(usize),
    /// Into a dead end.
    Spur,
    /// A turn or a way in between.
    Join,
}

/// A piece of the drive.
#[derive(Debug, Clone)]
pub(crate) struct Drive {
    pub(crate) purpose: Purpose,
    pub(crate) points: Vec<Pt>,
    pub(crate) gear: Gear,
}

/// A way that the planner did not find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoWay {
    pub(crate) from: Pt,
    pub(crate) to: Pt,
}

/// Full coverage, and what no way leads to.
pub(crate) fn tour(layout: &Layout, lanes: &LaneRoads, swaths: &[Swath]) -> (Vec<Drive>, Vec<NoWay>) {
    let roads = Roads::new(lanes, swaths);
    let mut costs = end_costs(layout, swaths);
    let visits = settled(layout, swaths, &roads, &mut costs);
    let mut stops: Vec<Stop> = visits.into_iter().map(Stop::Swath).collect();
    insert_lanes(layout, swaths, &mut stops);
    realise(layout, swaths, &roads, &stops)
}

/// The order is made with estimates for far pairs; those it uses are then measured on the road network, and the
/// order is improved again, until it uses measured pairs only.
fn settled<F: Fn(usize, usize) -> f64>(
    layout: &Layout,
    swaths: &[Swath],
    roads: &Roads,
    costs: &mut EndCosts<F>,
) -> Vec<Visit> {
    const ROUNDS: u32 = 6;
    let mut visits = order(swaths.len(), costs, None);
    let mut best = visits.clone();
    let mut best_cost = f64::MAX;
    for _ in 0..ROUNDS {
        let mut news = false;
        for pair in visits.windows(2) {
            let (from, to) = (pair[0].leave(), pair[1].enter());
            if costs.is_measured(from, to) {
                continue;
            }
            news = true;
            let (leave, enter) = (end(swaths, from), entering(end(swaths, to)));
            let way = connect(layout, roads, leave, enter);
            costs.measure(
                from,
                to,
                way.map_or(10.0 * far_cost(layout, leave.pose, enter.pose), |w| w.cost()),
            );
        }
        let cost = costs.total(&visits);
        if cost < best_cost {
            (best_cost, best) = (cost, visits.clone());
        }
        if !news {
            break;
        }
        improve(&mut visits, costs, false);
    }
    best
}

pub(super) fn end(swaths: &[Swath], id: usize) -> End {
    let swath = &swaths[id / 2];
    // Turns take up to 1.7 times the slack: both ends together must leave something of the swath.
    End { pose: swath.leaving(id % 2), slack: swath.slack[id % 2].min(swath.length() / 4.0) }
}

pub(super) fn entering(end: End) -> End {
    End { pose: end.pose.flipped(), ..end }
}

fn end_costs<'a>(layout: &'a Layout, swaths: &'a [Swath]) -> EndCosts<impl Fn(usize, usize) -> f64 + 'a> {
    let d = layout.dimensions;
    let radius = 3.2 * d.width + 2.0 * d.circle();
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
            let (i, j) = (i.min(j), i.max(j));
            if let Some(join) = near_turn(layout, ends[i], entering(ends[j])) {
                near[i].push((j, join.cost()));
                near[j].push((i, join.cost()));
            }
        }
    }
    for list in &mut near {
        list.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    }
    EndCosts {
        near,
        measured: RefCell::new(BTreeMap::new()),
        far: move |a, b| far_cost(layout, ends[a].pose, ends[b].pose),
    }
}

pub(super) fn far_cost(layout: &Layout, a: Pose, b: Pose) -> f64 {
    1.2 * distance(a.at, b.at) + 6.0 * layout.dimensions.radius
}

fn realise(layout: &Layout, swaths: &[Swath], roads: &Roads, stops: &[Stop]) -> (Vec<Drive>, Vec<NoWay>) {
    let mut missed = Vec::new();
    let mut reached: Vec<(Stop, f64, f64)> = Vec::new();
    let mut joins: Vec<Join> = Vec::new();
    for stop in stops {
        let Some((last, _, cut_end)) = reached.last_mut() else {
            reached.push((*stop, 0.0, 0.0));
            continue;
        };
        let (leave, enter) = (leave_end(layout, swaths, *last), enter_end(layout, swaths, *stop));
        match connect(layout, roads, leave, enter) {
            Some(join) => {
                *cut_end = join.cut[0];
                reached.push((*stop, join.cut[1], 0.0));
                joins.push(join);
            }
            None => missed.push(NoWay { from: leave.pose.at, to: enter.pose.at }),
        }
    }
    let mut drives: Vec<Drive> = Vec::new();
    for (i, (stop, cut_start, cut_end)) in reached.into_iter().enumerate() {
        if i > 0 {
            let stretches = joins[i - 1].stretches(layout.dimensions).into_iter();
            drives.extend(stretches.map(|(gear, points)| Drive { purpose: Purpose::Join, points, gear }));
        }
        drives.push(match stop {
            Stop::Swath(v) => {
                let mut points = swaths[v.swath].line(v.from);
                let last = points.len() - 1;
                points[0] = entering(end(swaths, v.enter())).pose.ahead(cut_start).at;
                points[last] = end(swaths, v.leave()).pose.ahead(-cut_end).at;
                Drive { purpose: Purpose::Swath(v.swath), points, gear: Gear::Forward }
            }
            Stop::Lane { lane, s, sense } => {
                let line = &layout.lanes[lane].lane;
                let points = line.stretch(s, line.length(), sense);
                Drive { purpose: Purpose::Headland(lane), points, gear: Gear::Forward }
            }
        });
    }
    (drives, missed)
}
