//! Where the rig can get to from the drive by its true outline, and what it works on the way.
//!
//! Poses are grown from all sources at once, the cheapest first (Dijkstra over position, heading and gear; arcs of
//! the smallest circle and straights, in both gears). Every pose knows the ground worked on the way to it.

use super::flush::onto;
use super::frontier::{Before, Candidate, Frontier, Way, moves};
use super::squares::{Around, WordSet, word};
use super::{Effort, SPUR_STEP_RAD, Source, Spur};
use crate::coverage::layout::Layout;
use crate::geometry::outline::Outline;
use crate::geometry::pose::{Pose, Pt, direction, distance, turned, wrap};
use crate::plan::Gear;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::f64::consts::{FRAC_PI_2, TAU};

/// Points that are kept account of, in words of 64.
pub(super) const WORDS: usize = 13;
/// Poses of one tree: at least, for every square of width and radius that is undone, and at most.
const NODES: [f64; 3] = [50.0, 1_000.0, 8_000.0];
/// Poses apart by less than this share of the radius, or of a full turn, are one.
const SQUARE_SHARE: f64 = 0.2;
const HEADINGS: f64 = 24.0;
/// A step in this share of the radius.
const STEP_SHARE: f64 = 0.25;
/// A change of gear, and a spur as such, cost as much as driving this far.
const GEAR_M: f64 = 12.0;
const SPUR_M: f64 = 40.0;
/// What new ground on the way, in metres of full width, takes off the cost of looking further: arms are followed to their
/// ends before every corner near the drive is searched.
const GAIN_SHARE: f64 = 0.9;

type Bits = [u64; WORDS];

struct Node {
    pose: Pose,
    before: Before,
    curvature: f64,
    /// Metres from the pose before; below 0 in reverse.
    run: f64,
    cost: f64,
    done: Bits,
}

/// Everything in reach of the sources.
pub(super) struct Tree<'a> {
    sources: &'a [Source],
    points: Vec<Pt>,
    half: f64,
    nodes: Vec<Node>,
    /// Points that no chosen spur works.
    open: Bits,
    /// What ways to nodes were worth when they were last counted.
    worths: BinaryHeap<Worth>,
}

/// What is won for the driving on the way to a node.
struct Worth {
    worth: f64,
    id: usize,
}

impl Ord for Worth {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then(other.id.cmp(&self.id))
    }
}

impl PartialOrd for Worth {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worth {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worth {}

impl<'a> Tree<'a> {
    pub(super) fn grown(
        (layout, outline): (&Layout, &Outline),
        sources: &'a [Source],
        around: &Around,
        (mut points, each): (Vec<Pt>, f64),
        look: (f64, Effort),
    ) -> Self {
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut open = [0; WORDS];
        for k in 0..points.len() {
            open[k / 64] |= 1 << (k % 64);
        }
        let half = layout.dimensions.width / 2.0;
        let mut tree = Tree { sources, points, half, nodes: vec![], open, worths: BinaryHeap::new() };
        tree.grow(layout, outline, around, each, look);
        tree.worths = (0..tree.nodes.len())
            .map(|id| (id, tree.gain(id, each)))
            .filter(|(_, gain)| *gain >= look.1.least)
            .map(|(id, gain)| Worth { worth: tree.worth(id, gain), id })
            .collect();
        tree
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// `shift` moves the squares in which poses are one by that share of one.
    fn grow(
        &mut self,
        layout: &Layout,
        outline: &Outline,
        around: &Around,
        each: f64,
        (shift, effort): (f64, Effort),
    ) {
        let radius = layout.dimensions.radius;
        let step = (STEP_SHARE * radius).max(0.3);
        let squares = self.points.len() as f64 * each / (2.0 * self.half * radius);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
        let most = (effort.poses * (NODES[0] + NODES[1] * squares).min(NODES[2])) as usize;
        let limit = 2.0 * layout.dimensions.half + 6.0 * radius;
        let mut frontier = self.beginnings(around, radius, step, limit);
        let mut closed = WordSet::default();
        let mut flush = WordSet::default();
        let flush_key =
            |edge: u32, pose: Pose, forward: bool| key_along(edge, outline.edge(edge), pose, step, forward);
        while let Some(Candidate { before, way, curvature, run, cost }) = frontier.pop() {
            let (from, worked) = self.before(before);
            let pose = from.driven(curvature, run);
            let key = key(pose, effort.apart * radius, run > 0.0, shift);
            let Some(away) = around.away(pose.at) else { continue };
            let known = match way {
                Way::Any => closed.contains(&key),
                Way::FromSource | Way::Onto(..) => false,
                Way::Flush(edge) => flush.contains(&flush_key(edge, pose, run > 0.0)),
            };
            if known {
                continue;
            }
            if !outline.drives(from, curvature, run) {
                // As near to the edge ahead as there is room.
                let straight = curvature == 0.0 && run > 0.0;
                let room = if straight { outline.room_ahead(from, step, effort.margin) } else { 0.0 };
                if room > 0.1 {
                    let pose = from.ahead(room);
                    let done = self.worked(from, pose, worked);
                    let cost = cost - run + room;
                    self.nodes.push(Node { pose, before, curvature, run: room, cost, done });
                }
                continue;
            }
            let done = if away > self.half + 2.0 * step { worked } else { self.worked(from, pose, worked) };
            let gain = done.iter().map(|w| w.count_ones()).sum::<u32>();
            let gain = GAIN_SHARE * f64::from(gain) * each / (2.0 * self.half);
            self.nodes.push(Node { pose, before, curvature, run, cost, done });
            if self.nodes.len() >= most {
                break;
            }
            let here = Before::Node(self.nodes.len() - 1);
            match way {
                Way::Onto((curvature, run), edge) => {
                    let cost = cost + run.abs();
                    let second = Candidate { before: here, way: Way::Flush(edge), curvature, run, cost };
                    frontier.offer(second, away - gain);
                    continue;
                }
                Way::Flush(edge) => {
                    flush.insert(flush_key(edge, pose, run > 0.0));
                }
                Way::Any | Way::FromSource => {}
            }
            closed.insert(key);
            if cost > limit {
                continue;
            }
            let near = outline.edge_beside(pose);
            let beside = near.map(|(_, (a, b))| {
                // The boom along an edge or square to it.
                let off = wrap(4.0 * (direction(a, b) - pose.heading)) / 4.0;
                debug_assert!(off.abs() <= FRAC_PI_2);
                off
            });
            let gear_m = |next: f64| if (next < 0.0) == (run < 0.0) { 0.0 } else { GEAR_M };
            for (bend, next) in moves(radius, step, beside) {
                let back = gear_m(next) > 0.0;
                // Not back where it came from.
                if back && (bend - curvature).abs() < 1e-9 {
                    continue;
                }
                let cost = cost + next.abs() + gear_m(next);
                let way = if bend == 0.0 && !back { way } else { Way::Any };
                let candidate = Candidate { before: here, way, curvature: bend, run: next, cost };
                frontier.offer(candidate, away - gain);
            }
            let Some((edge, ends)) = near.filter(|(edge, _)| way != Way::Flush(*edge)) else { continue };
            for forward in [true, false] {
                let Some([first, second]) = onto(pose, forward, ends, outline.flush(), radius) else {
                    continue;
                };
                let end = pose.driven(first.0, first.1).driven(second.0, second.1);
                if !flush.contains(&flush_key(edge, end, forward)) {
                    let cost = cost + first.1.abs() + gear_m(first.1);
                    let way = Way::Onto(second, edge);
                    let first = Candidate { before: here, way, curvature: first.0, run: first.1, cost };
                    frontier.offer(first, away - gain);
                }
            }
        }
    }

    /// One step from every source.
    fn beginnings(&self, around: &Around, radius: f64, step: f64, far: f64) -> Frontier {
        let mut frontier = Frontier::default();
        for (source, place) in self.sources.iter().enumerate() {
            let away = around.away(place.pose.at).unwrap_or(far);
            for (curvature, run) in moves(radius, step, None) {
                let cost = run.abs() + if run < 0.0 { GEAR_M } else { 0.0 };
                let way = if curvature == 0.0 { Way::FromSource } else { Way::Any };
                frontier.offer(Candidate { before: Before::Source(source), way, curvature, run, cost }, away);
            }
        }
        frontier
    }

    fn before(&self, before: Before) -> (Pose, Bits) {
        match before {
            Before::Source(source) => (self.sources[source].pose, [0; WORDS]),
            Before::Node(node) => (self.nodes[node].pose, self.nodes[node].done),
        }
    }

    /// With the points in the band between two poses.
    fn worked(&self, from: Pose, to: Pose, mut done: Bits) -> Bits {
        let span = distance(from.at, to.at);
        let (ux, uy) = ((to.at.x - from.at.x) / span, (to.at.y - from.at.y) / span);
        let aside = self.half * uy.abs();
        let (low, high) = (from.at.x.min(to.at.x) - aside, from.at.x.max(to.at.x) + aside);
        let first = self.points.partition_point(|p| p.x < low);
        for (k, p) in self.points.iter().enumerate().skip(first).take_while(|(_, p)| p.x <= high) {
            let (dx, dy) = (p.x - from.at.x, p.y - from.at.y);
            let (along, across) = (dx * ux + dy * uy, dy * ux - dx * uy);
            if along >= 0.0 && along <= span && across.abs() <= self.half {
                done[k / 64] |= 1 << (k % 64);
            }
        }
        done
    }

    /// The most ground for the driving, if any way works `least` square metres; then that ground is no longer open. What a
    /// way was worth is the most it can still be worth, so that only the first in line are counted again.
    pub(super) fn best(&mut self, outline: &Outline, each: f64, least: f64) -> Option<Spur> {
        /// Ways that only just fit are good to centimetres in the tree: some do not, seen exactly.
        const LOOKS: u32 = 40;
        let mut looks = 0;
        while let Some(Worth { worth, id }) = self.worths.pop() {
            let gain = self.gain(id, each);
            let now = self.worth(id, gain);
            if gain < least {
                continue;
            }
            if now < worth {
                self.worths.push(Worth { worth: now, id });
                continue;
            }
            let spur = self.unwound(id);
            if spur.pieces.iter().all(|(_, line)| outline.sweeps(line)) {
                for (open, done) in self.open.iter_mut().zip(self.nodes[id].done) {
                    *open &= !done;
                }
                return Some(spur);
            }
            looks += 1;
            if looks == LOOKS {
                break;
            }
        }
        None
    }

    /// Square metres that are open still and worked on the way to a node.
    fn gain(&self, id: usize, each: f64) -> f64 {
        let count: u32 = self.nodes[id].done.iter().zip(&self.open).map(|(d, o)| (d & o).count_ones()).sum();
        f64::from(count) * each
    }

    fn worth(&self, id: usize, gain: f64) -> f64 {
        gain / (2.0 * self.nodes[id].cost + SPUR_M)
    }

    fn unwound(&self, id: usize) -> Spur {
        let mut steps: Vec<&Node> = vec![&self.nodes[id]];
        let source = loop {
            match steps[steps.len() - 1].before {
                Before::Node(node) => steps.push(&self.nodes[node]),
                Before::Source(source) => break source,
            }
        };
        let from = self.sources[source];
        let mut pieces: Vec<(Gear, Vec<Pt>)> = Vec::new();
        let mut pose = from.pose;
        for node in steps.into_iter().rev() {
            let gear = if node.run > 0.0 { Gear::Forward } else { Gear::Reverse };
            if pieces.last().is_none_or(|(last, _)| *last != gear) {
                pieces.push((gear, vec![pose.at]));
            }
            let count = ((node.curvature * node.run).abs() / SPUR_STEP_RAD).ceil().max(1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
            let points =
                (1..=count as u32).map(|k| pose.driven(node.curvature, node.run * f64::from(k) / count).at);
            if let Some((_, line)) = pieces.last_mut() {
                line.extend(points);
            }
            pose = node.pose;
        }
        Spur { from, pieces }
    }
}

/// Steps along an edge, which way the pose looks, and the gear.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "metres and edges of one field"
)]
fn key_along(edge: u32, (a, b): (Pt, Pt), pose: Pose, step: f64, forward: bool) -> u64 {
    let line = direction(a, b);
    let (sin, cos) = line.sin_cos();
    let metres = (pose.at.x - a.x) * cos + (pose.at.y - a.y) * sin;
    let ahead = wrap(pose.heading - line).abs() < FRAC_PI_2;
    word((metres / step).round() as i32, edge as i32, u16::from(ahead) << 1 | u16::from(forward))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "metres of one field, headings from 0"
)]
fn key(pose: Pose, radius: f64, forward: bool, shift: f64) -> u64 {
    let square = (SQUARE_SHARE * radius).max(0.15);
    let turn = (turned(pose.heading) / TAU * HEADINGS).round() % HEADINGS;
    let at = |m: f64| (m / square + shift).round() as i32;
    word(at(pose.at.x), at(pose.at.y), (turn as u16) << 1 | u16::from(forward))
}
