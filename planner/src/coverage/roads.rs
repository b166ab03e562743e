//! Longer ways: along headland lanes and swaths, joined by turns, found by A*.

use super::join::{Curve, End, Join, Line, curve_at_worst};
use super::layout::Layout;
use super::swaths::Swath;
use crate::geometry::lane::Sense;
use crate::geometry::pose::{Pose, Pt, distance, length};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

/// A place on the road network, with the sense it is driven in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// On a lane, at its `sample`.
    Lane { lane: usize, sample: usize, sense: Sense },
    /// At the end of a swath just driven over; `end` is where the robot is now.
    Swath { swath: usize, end: usize },
}

/// A way from one node to the next.
#[derive(Clone)]
struct Step {
    to: Node,
    length: f64,
    /// The turn at its beginning; none along a lane.
    turn: Option<Curve>,
}

/// The headland lanes as a graph; the same for every direction of the swaths.
pub(crate) struct LaneRoads<'a> {
    layout: &'a Layout,
    /// Arc length of every sample of every lane.
    samples: Vec<Vec<f64>>,
    /// Where lanes can be joined, by x.
    doors: Vec<(Pose, Node)>,
    /// Steps between lanes, made when a search first reaches them.
    kept: RefCell<BTreeMap<Node, Rc<Vec<Step>>>>,
}

/// Lanes and swaths as a graph whose turns are made when a search first reaches them, and kept.
pub(crate) struct Roads<'a> {
    lanes: &'a LaneRoads<'a>,
    swaths: &'a [Swath],
    doors: Vec<(Pose, Node)>,
    kept: RefCell<BTreeMap<Node, Rc<Vec<Step>>>>,
}

/// Lanes are changed at every so many samples of the one left, and joined at every so many of the other.
const LEAVE_EVERY: usize = 5;
const JOIN_EVERY: usize = 2;

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

impl<'a> LaneRoads<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        let spacing = layout.dimensions.radius.max(1.0);
        let mut samples = Vec::new();
        let mut doors = Vec::new();
        for (lane, headland) in layout.lanes.iter().enumerate() {
            let line = &headland.lane;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
            let count = (line.length() / spacing).ceil().max(3.0) as u32;
            let along: Vec<f64> =
                (0..count).map(|k| line.length() * f64::from(k) / f64::from(count)).collect();
            for (sample, s) in along.iter().enumerate().step_by(JOIN_EVERY) {
                for sense in Sense::BOTH {
                    doors.push((line.pose(*s, sense), Node::Lane { lane, sample, sense }));
                }
            }
            samples.push(along);
        }
        doors.sort_by(|a, b| a.0.at.x.total_cmp(&b.0.at.x));
        Self { layout, samples, doors, kept: RefCell::new(BTreeMap::new()) }
    }

    /// On along the lane, and to other lanes.
    fn steps(&self, lane: usize, sample: usize, sense: Sense) -> Rc<Vec<Step>> {
        let node = Node::Lane { lane, sample, sense };
        if let Some(steps) = self.kept.borrow().get(&node) {
            return Rc::clone(steps);
        }
        let count = self.samples[lane].len();
        let ring = &self.layout.lanes[lane].lane;
        let run = ring.length() / count as f64;
        let next = if sense == Sense::With { (sample + 1) % count } else { (sample + count - 1) % count };
        let mut found = vec![Step { to: Node::Lane { lane, sample: next, sense }, length: run, turn: None }];
        if sample.is_multiple_of(LEAVE_EVERY) {
            let here = End::fixed(ring.pose(self.samples[lane][sample], sense));
            let own =
                |to: &Node| matches!(to, Node::Lane { lane: l, sense: s, .. } if *l == lane && *s == sense);
            found
                .extend(turns(self.layout, &self.doors, &[], here).into_iter().filter(|step| !own(&step.to)));
        }
        let steps = Rc::new(found);
        self.kept.borrow_mut().insert(node, Rc::clone(&steps));
        steps
    }
}

/// Farthest that one curve is tried over.
fn reach(layout: &Layout) -> f64 {
    let d = layout.dimensions;
    d.width.min(4.0 * d.circle()) + 5.0 * d.circle()
}

/// Turns through any of `doors` that is near.
fn turns(layout: &Layout, doors: &[(Pose, Node)], swaths: &[Swath], leave: End) -> Vec<Step> {
    let reach = reach(layout);
    let first = doors.partition_point(|d| d.0.at.x < leave.pose.at.x - reach);
    let mut found = Vec::new();
    for (pose, to) in doors[first..].iter().take_while(|d| d.0.at.x <= leave.pose.at.x + reach) {
        if distance(pose.at, leave.pose.at) > reach {
            continue;
        }
        if let Some((curve, cost)) = curve_at_worst(layout, leave, End::fixed(*pose), 1.4 * reach) {
            let beyond = if let Node::Swath { swath, .. } = to { swaths[*swath].length() } else { 0.0 };
            found.push(Step { to: *to, length: cost + beyond, turn: Some(curve) });
        }
    }
    found
}

impl<'a> Roads<'a> {
    pub(crate) fn new(lanes: &'a LaneRoads<'a>, swaths: &'a [Swath]) -> Self {
        let mut doors: Vec<(Pose, Node)> = Vec::new();
        for (swath, line) in swaths.iter().enumerate() {
            doors.extend([0, 1].map(|end| (line.leaving(1 - end).flipped(), Node::Swath { swath, end })));
        }
        doors.sort_by(|a, b| a.0.at.x.total_cmp(&b.0.at.x));
        Self { lanes, swaths, doors, kept: RefCell::new(BTreeMap::new()) }
    }

    /// The shortest way that this graph knows from `leave` to `enter`.
    pub(crate) fn way(&self, leave: End, enter: End) -> Option<Join> {
        const MAX_EXPANDED: usize = 12_000;
        let goal = enter.pose.at;
        let ahead = |node: Node| distance(self.pose(node).at, goal);
        let mut best: BTreeMap<Node, (f64, Option<Node>, Step)> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        for step in self.turns(leave) {
            if best.get(&step.to).is_none_or(|b| step.length < b.0) {
                open.push(Reverse((Cost(step.length + ahead(step.to)), step.to)));
                best.insert(step.to, (step.length, None, step));
            }
        }
        let mut arrival: Option<(f64, Node, Curve)> = None;
        let mut expanded = 0;
        while let Some(Reverse((Cost(estimate), node))) = open.pop() {
            if arrival.as_ref().is_some_and(|a| a.0 <= estimate) || expanded > MAX_EXPANDED {
                break;
            }
            let cost = best[&node].0;
            if estimate > cost + ahead(node) + 1e-9 {
                continue;
            }
            expanded += 1;
            let limit = arrival.as_ref().map_or(f64::MAX, |a| a.0 - cost).min(2.5 * reach(self.lanes.layout));
            if ahead(node) < reach(self.lanes.layout)
                && let Some((curve, last)) =
                    curve_at_worst(self.lanes.layout, End::fixed(self.pose(node)), enter, limit)
            {
                arrival = Some((cost + last, node, curve));
            }
            for step in self.steps(node).iter() {
                let cost = cost + step.length;
                if best.get(&step.to).is_none_or(|b| cost + 1e-9 < b.0) {
                    best.insert(step.to, (cost, Some(node), step.clone()));
                    open.push(Reverse((Cost(cost + ahead(step.to)), step.to)));
                }
            }
        }
        arrival.map(|(_, node, last)| self.unwind(&best, node, &last))
    }

    fn unwind(&self, best: &BTreeMap<Node, (f64, Option<Node>, Step)>, node: Node, last: &Curve) -> Join {
        let mut pieces = vec![last.sample(self.lanes.layout.dimensions.arc_step())];
        let mut here = Some(node);
        while let Some((_, before, step)) = here.and_then(|n| best.get(&n)) {
            pieces.push(self.points(*before, step));
            here = *before;
        }
        let mut points: Vec<Pt> = pieces.into_iter().rev().flatten().collect();
        points.dedup_by(|a, b| distance(*a, *b) < 1e-6);
        Join { length: length(&points), cut: [0.0, 0.0], line: Line::Drawn(points), cusps: 0.0 }
    }

    fn points(&self, before: Option<Node>, step: &Step) -> Vec<Pt> {
        let mut points =
            step.turn.as_ref().map_or_else(Vec::new, |c| c.sample(self.lanes.layout.dimensions.arc_step()));
        match (step.to, before) {
            (Node::Swath { swath, end }, _) => points.extend(self.swaths[swath].line(1 - end)),
            (Node::Lane { lane, sense, .. }, Some(Node::Lane { sample, .. })) if step.turn.is_none() => {
                points = self.lanes.layout.lanes[lane].lane.stretch(
                    self.lanes.samples[lane][sample],
                    step.length,
                    sense,
                );
            }
            _ => {}
        }
        points
    }

    fn pose(&self, node: Node) -> Pose {
        match node {
            Node::Lane { lane, sample, sense } => {
                self.lanes.layout.lanes[lane].lane.pose(self.lanes.samples[lane][sample], sense)
            }
            Node::Swath { swath, end } => self.swaths[swath].leaving(end),
        }
    }

    /// Turns onto any lane nearby, and into any swath that begins nearby.
    fn turns(&self, leave: End) -> Vec<Step> {
        let mut found = turns(self.lanes.layout, &self.lanes.doors, &[], leave);
        found.extend(turns(self.lanes.layout, &self.doors, self.swaths, leave));
        found
    }

    fn steps(&self, node: Node) -> Rc<Vec<Step>> {
        if let Some(steps) = self.kept.borrow().get(&node) {
            return Rc::clone(steps);
        }
        let steps = match node {
            Node::Lane { lane, sample, sense } if sample.is_multiple_of(LEAVE_EVERY) => {
                let mut steps = self.lanes.steps(lane, sample, sense).to_vec();
                steps.extend(turns(self.lanes.layout, &self.doors, self.swaths, End::fixed(self.pose(node))));
                Rc::new(steps)
            }
            Node::Lane { lane, sample, sense } => self.lanes.steps(lane, sample, sense),
            Node::Swath { .. } => Rc::new(self.turns(End::fixed(self.pose(node)))),
        };
        self.kept.borrow_mut().insert(node, Rc::clone(&steps));
        steps
    }
}
