//! Where the rig can get to from the drive by its true outline, and what it works on the way.
//!
//! Poses are grown from all sources at once, the cheapest first (Dijkstra over position, heading and gear; arcs of
//! the smallest circle and straights, in both gears). Every pose knows the ground worked on the way to it.

use super::{Around, Effort, SPUR_STEP_RAD, Source, Spur};
use crate::coverage::layout::Layout;
use crate::geometry::outline::Outline;
use crate::geometry::pose::{Pose, Pt, distance, wrap};
use crate::plan::Gear;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::f64::consts::{FRAC_PI_2, TAU};

/// Points that are kept account of, in words of 64.
pub(super) const WORDS: usize = 13;
/// Poses of one tree: at least, for every square of width and radius that is undone, and at most.
const NODES: [f64; 3] = [1_500.0, 1_500.0, 8_000.0];
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

#[derive(Clone, Copy)]
enum Before {
    Source(usize),
    Node(usize),
}

/// A pose that may be driven to, not looked at yet.
struct Candidate {
    before: Before,
    /// Straight on from a source.
    straight: bool,
    curvature: f64,
    run: f64,
    cost: f64,
}

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
    dead: Vec<bool>,
}

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
        let mut tree = Tree { sources, points, half, nodes: vec![], open, dead: vec![] };
        tree.grow(layout, outline, around, each, look);
        tree.dead = vec![false; tree.nodes.len()];
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
        let mut waiting: Vec<Candidate> = Vec::new();
        let mut queue: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let mut closed: HashSet<(i32, i32, i32, bool)> = HashSet::new();
        let offer =
            |candidate: Candidate, ahead: f64, queue: &mut BinaryHeap<_>, waiting: &mut Vec<Candidate>| {
                queue.push(Reverse((millimetres(candidate.cost + ahead), waiting.len())));
                waiting.push(candidate);
            };
        for (source, place) in self.sources.iter().enumerate() {
            let away = around.away(place.pose.at).unwrap_or(limit);
            for (curvature, run) in moves(radius, step, None) {
                let cost = run.abs() + if run < 0.0 { GEAR_M } else { 0.0 };
                let straight = curvature == 0.0;
                let candidate = Candidate { before: Before::Source(source), straight, curvature, run, cost };
                offer(candidate, away, &mut queue, &mut waiting);
            }
        }
        while let Some(Reverse((_, id))) = queue.pop() {
            let Candidate { before, straight, curvature, run, cost } = waiting[id];
            let (from, worked) = self.before(before);
            let pose = from.driven(curvature, run);
            let key = key(pose, effort.apart * radius, run > 0.0, shift);
            // Straight on from a lane the boom stays flush with the edge beside: no other pose there will do instead.
            let Some(away) = around.away(pose.at) else { continue };
            if !straight && closed.contains(&key) {
                continue;
            }
            if outline.driven(from, curvature, run).is_none() {
                // As near to the edge ahead as there is room.
                let room = outline.room_ahead(from, step, effort.margin);
                if curvature == 0.0 && run > 0.0 && room > 0.1 {
                    let pose = from.ahead(room);
                    let done = self.worked(from, pose, worked);
                    let cost = cost - run + room;
                    self.nodes.push(Node { pose, before, curvature, run: room, cost, done });
                }
                continue;
            }
            closed.insert(key);
            let done = if away > self.half + 2.0 * step { worked } else { self.worked(from, pose, worked) };
            let gain = done.iter().map(|w| w.count_ones()).sum::<u32>();
            let gain = GAIN_SHARE * f64::from(gain) * each / (2.0 * self.half);
            self.nodes.push(Node { pose, before, curvature, run, cost, done });
            if self.nodes.len() >= most {
                break;
            }
            if cost > limit {
                continue;
            }
            let here = Before::Node(self.nodes.len() - 1);
            let beside = outline.edge_beside(pose).map(|edge| {
                // The boom along an edge or square to it.
                let off = wrap(4.0 * (edge - pose.heading)) / 4.0;
                debug_assert!(off.abs() <= FRAC_PI_2);
                off
            });
            for (curvature, next) in moves(radius, step, beside) {
                let turned = (next < 0.0) != (run < 0.0);
                let cost = cost + next.abs() + if turned { GEAR_M } else { 0.0 };
                let straight = straight && curvature == 0.0 && !turned;
                let candidate = Candidate { before: here, straight, curvature, run: next, cost };
                offer(candidate, away - gain, &mut queue, &mut waiting);
            }
        }
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
        let (low, high) = (from.at.x.min(to.at.x) - self.half, from.at.x.max(to.at.x) + self.half);
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

    /// The most ground for the driving, if any way works `least` square metres; then that ground is no longer open.
    pub(super) fn best(&mut self, outline: &Outline, each: f64, least: f64) -> Option<Spur> {
        /// Ways that only just fit are good to centimetres in the tree: some do not, seen exactly.
        const LOOKS: u32 = 40;
        for _ in 0..LOOKS {
            let mut best: Option<(f64, usize)> = None;
            for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| !self.dead[*id]) {
                let count: u32 = node.done.iter().zip(&self.open).map(|(d, o)| (d & o).count_ones()).sum();
                let gain = f64::from(count) * each;
                let worth = gain / (2.0 * node.cost + SPUR_M);
                if gain >= least && best.is_none_or(|(b, _)| worth > b) {
                    best = Some((worth, id));
                }
            }
            let (_, id) = best?;
            self.dead[id] = true;
            let spur = self.unwound(id);
            if spur.pieces.iter().all(|(_, line)| outline.sweeps(line)) {
                for (open, done) in self.open.iter_mut().zip(self.nodes[id].done) {
                    *open &= !done;
                }
                return Some(spur);
            }
        }
        None
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

/// Curvature and metres of every step that may be tried; `beside` is how far an edge beside the boom is from being
/// along the heading or square to it.
fn moves(radius: f64, step: f64, beside: Option<f64>) -> impl Iterator<Item = (f64, f64)> {
    let curves = [0.0, 1.0 / radius, -1.0 / radius]
        .into_iter()
        .chain(beside.map(|off| off / step).filter(|c| c.abs() > 1e-6 && c.abs() < 0.999 / radius));
    curves.flat_map(move |curvature| [(curvature, step), (-curvature, -step)])
}

#[expect(clippy::cast_possible_truncation, reason = "metres of one field")]
fn key(pose: Pose, radius: f64, forward: bool, shift: f64) -> (i32, i32, i32, bool) {
    let square = (SQUARE_SHARE * radius).max(0.15);
    let turn = (pose.heading.rem_euclid(TAU) / TAU * HEADINGS).round() % HEADINGS;
    let at = |m: f64| (m / square + shift).round() as i32;
    (at(pose.at.x), at(pose.at.y), turn as i32, forward)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a distance in one field")]
fn millimetres(m: f64) -> u64 {
    // What is ahead may be worth more than the way.
    (m * 1e3 + 1e9) as u64
}
