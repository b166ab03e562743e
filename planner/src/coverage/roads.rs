//! Longer ways: along headland lanes and swaths, joined by turns, found by A*.

use super::join::{End, Join, single_curve};
use super::layout::Layout;
use super::swaths::Swath;
use crate::geometry::lane::Sense;
use crate::geometry::pose::{Pose, Pt, distance};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A place on the road network, with the sense it is driven in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// On a lane, at its `sample`.
    Lane { lane: usize, sample: usize, sense: Sense },
    /// At the end of a swath just driven over; `end` is where the robot is now.
    Swath { swath: usize, end: usize },
}

/// Lanes and swaths as a graph whose turns are made when the search reaches them.
pub(crate) struct Roads<'a> {
    layout: &'a Layout,
    swaths: &'a [Swath],
    /// Arc length of every sample of every lane.
    samples: Vec<Vec<f64>>,
}

#[derive(PartialEq)]
struct Cost(f64);
impl Eq for Cost {}
impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// How a node was reached.
struct Step {
    from: Option<Node>,
    cost: f64,
    points: Vec<Pt>,
    cut: f64,
}

impl<'a> Roads<'a> {
    pub(crate) fn new(layout: &'a Layout, swaths: &'a [Swath]) -> Self {
        let spacing = layout.dimensions.radius.max(1.0);
        let samples = layout
            .lanes
            .iter()
            .map(|l| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
                let count = (l.lane.length() / spacing).ceil().max(3.0) as u32;
                (0..count).map(|k| l.lane.length() * f64::from(k) / f64::from(count)).collect()
            })
            .collect();
        Self { layout, swaths, samples }
    }

    /// The shortest way that this graph knows from `leave` to `enter`.
    pub(crate) fn way(&self, leave: End, enter: End) -> Option<Join> {
        const MAX_EXPANDED: usize = 6000;
        let goal = enter.pose.at;
        let mut best: BTreeMap<Node, Step> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        let mut arrival: Option<(f64, Node, Join)> = None;
        for (node, join) in self.turns_from(leave) {
            let h = distance(self.pose(node).at, goal);
            let cost = join.cost();
            if best.get(&node).is_none_or(|s| cost < s.cost) {
                best.insert(node, Step { from: None, cost, points: join.points, cut: join.cut[0] });
                open.push(Reverse((Cost(cost + h), node)));
            }
        }
        let mut expanded = 0;
        while let Some(Reverse((Cost(estimate), node))) = open.pop() {
            if arrival.as_ref().is_some_and(|a| a.0 <= estimate) || expanded > MAX_EXPANDED {
                break;
            }
            let cost = best[&node].cost;
            if estimate > cost + distance(self.pose(node).at, goal) + 1e-9 {
                continue;
            }
            expanded += 1;
            let here = End::fixed(self.pose(node));
            if distance(here.pose.at, goal) < self.reach()
                && let Some(join) = single_curve(self.layout, here, enter)
                && arrival.as_ref().is_none_or(|a| cost + join.cost() < a.0)
            {
                arrival = Some((cost + join.cost(), node, join));
            }
            for (next, length, points) in self.neighbours(node) {
                let cost = cost + length;
                if best.get(&next).is_none_or(|s| cost + 1e-9 < s.cost) {
                    best.insert(next, Step { from: Some(node), cost, points, cut: 0.0 });
                    open.push(Reverse((Cost(cost + distance(self.pose(next).at, goal)), next)));
                }
            }
        }
        arrival.map(|(_, node, last)| Self::unwind(&best, node, last))
    }

    fn unwind(best: &BTreeMap<Node, Step>, node: Node, last: Join) -> Join {
        let mut pieces = vec![last.points];
        let mut cut = [0.0, last.cut[1]];
        let mut here = Some(node);
        while let Some(step) = here.and_then(|n| best.get(&n)) {
            pieces.push(step.points.clone());
            cut[0] = step.cut;
            here = step.from;
        }
        let mut points: Vec<Pt> = pieces.into_iter().rev().flatten().collect();
        points.dedup_by(|a, b| distance(*a, *b) < 1e-6);
        Join { length: crate::geometry::pose::length(&points), cut, points }
    }

    /// Farthest that one curve is tried over.
    fn reach(&self) -> f64 {
        let d = self.layout.dimensions;
        2.0 * d.width.min(4.0 * d.radius) + 6.0 * d.radius
    }

    fn pose(&self, node: Node) -> Pose {
        match node {
            Node::Lane { lane, sample, sense } => {
                self.layout.lanes[lane].lane.pose(self.samples[lane][sample], sense)
            }
            Node::Swath { swath, end } => self.swaths[swath].leaving(end),
        }
    }

    /// Turns onto any lane nearby, and into any swath that begins nearby.
    fn turns_from(&self, leave: End) -> Vec<(Node, Join)> {
        let reach = self.reach();
        let mut found = Vec::new();
        for (lane, samples) in self.samples.iter().enumerate() {
            for (sample, &s) in samples.iter().enumerate() {
                if distance(self.layout.lanes[lane].lane.at(s), leave.pose.at) > reach {
                    continue;
                }
                for sense in Sense::BOTH {
                    let node = Node::Lane { lane, sample, sense };
                    if let Some(join) = self.short(leave, End::fixed(self.pose(node))) {
                        found.push((node, join));
                    }
                }
            }
        }
        for (swath, line) in self.swaths.iter().enumerate() {
            for end in [0, 1] {
                let entering = line.leaving(end).flipped();
                if distance(entering.at, leave.pose.at) > reach {
                    continue;
                }
                if let Some(mut join) = self.short(leave, End::fixed(entering)) {
                    let far = line.leaving(1 - end);
                    join.length += line.length();
                    join.points.push(far.at);
                    found.push((Node::Swath { swath, end: 1 - end }, join));
                }
            }
        }
        found
    }

    /// A single curve that is not a detour in itself.
    fn short(&self, leave: End, enter: End) -> Option<Join> {
        single_curve(self.layout, leave, enter).filter(|j| j.length < 2.0 * self.reach())
    }

    fn neighbours(&self, node: Node) -> Vec<(Node, f64, Vec<Pt>)> {
        let mut found = Vec::new();
        if let Node::Lane { lane, sample, sense } = node {
            let count = self.samples[lane].len();
            let line = &self.layout.lanes[lane].lane;
            let run = line.length() / count as f64;
            let next = if sense == Sense::With { (sample + 1) % count } else { (sample + count - 1) % count };
            let points = line.stretch(self.samples[lane][sample], run, sense);
            found.push((Node::Lane { lane, sample: next, sense }, run, points));
            // Changing lanes at every fourth sample is often enough, and four times as fast.
            if sample % 4 != 0 {
                return found;
            }
        }
        let here = End::fixed(self.pose(node));
        let own = |other: &Node| matches!((node, other), (Node::Lane { lane: a, sense: s, .. }, Node::Lane { lane: b, sense: t, .. }) if a == *b && s == *t);
        found.extend(
            self.turns_from(here).into_iter().filter(|(n, _)| !own(n)).map(|(n, j)| (n, j.length, j.points)),
        );
        found
    }
}
