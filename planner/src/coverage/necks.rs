//! Ways through passages that the robot fits through but cannot turn in.
//!
//! Rounding the lanes to the turning radius lets a field fall apart into rooms where a passage is narrower than
//! the rig plus two turning circles. Here a search over position and heading (hybrid A*) creeps from room to room.

use super::layout::Layout;
use super::swaths::Swath;
use crate::geometry::dubins;
use crate::geometry::lane::Sense;
use crate::geometry::pose::{Pose, Pt, distance};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::f64::consts::TAU;

/// Cell of the distance raster, metres.
const CELL_M: f64 = 1.0;
const HEADINGS: f64 = 48.0;
const MAX_STATES: usize = 150_000;

type Cell = (i32, i32);

#[derive(Debug, Clone, Copy)]
struct State {
    pose: Pose,
    cost: f64,
    before: Option<usize>,
    /// Of the arc that led here.
    curvature: f64,
}

#[expect(clippy::cast_possible_truncation, reason = "metres of one field")]
fn cell(p: Pt) -> Cell {
    ((p.x / CELL_M).floor() as i32, (p.y / CELL_M).floor() as i32)
}

fn millimetres(m: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a distance in one field")]
    {
        (m * 1e3) as u64
    }
}

/// One worked way for every room that can be reached from the largest, in the order of finding.
pub(crate) fn necks(layout: &Layout) -> Vec<Swath> {
    let rooms = layout.rooms;
    let mut joined = vec![false; rooms];
    if let Some(first) = joined.first_mut() {
        *first = true;
    }
    let mut found = Vec::new();
    for _ in 1..rooms {
        let Some((line, room)) = creep(layout, &joined) else { break };
        joined[room] = true;
        let length = crate::geometry::pose::length(&line);
        let (a, b) = (line[0], line[line.len() - 1]);
        let bend = line[1..line.len() - 1].to_vec();
        found.push(Swath {
            row: u32::MAX,
            a,
            b,
            bend,
            slack: [0.0, 0.0],
            area: length * layout.dimensions.width,
        });
    }
    found
}

/// Poses on the outermost lanes with the room they lie in.
fn doors(layout: &Layout, wanted: impl Fn(usize) -> bool) -> Vec<(Pose, usize)> {
    let spacing = layout.dimensions.radius.max(1.0) / 2.0;
    let mut doors = Vec::new();
    for headland in layout.lanes.iter().filter(|l| l.level == 0 && wanted(l.room)) {
        let length = headland.lane.length();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
        let count = (length / spacing).ceil() as u32;
        for k in 0..count {
            let s = length * f64::from(k) / f64::from(count);
            doors.extend(Sense::BOTH.map(|sense| (headland.lane.pose(s, sense), headland.room)));
        }
    }
    doors
}

/// From any joined room to the nearest other one.
fn creep(layout: &Layout, joined: &[bool]) -> Option<(Vec<Pt>, usize)> {
    let goals = doors(layout, |room| !joined[room]);
    let starts = doors(layout, |room| joined[room]);
    let to_goal = raster(layout, &goals, &starts);
    let near = |p: Pt| to_goal.get(cell(p));
    let radius = layout.dimensions.radius;
    let step = (0.4 * radius).max(0.3);
    let mut open: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut states: Vec<State> = Vec::new();
    let mut seen: BTreeMap<(i32, i32, i32), f64> = BTreeMap::new();
    let closest = starts.iter().filter_map(|(p, _)| near(p.at)).min()?;
    for (pose, _) in &starts {
        if let Some(h) = near(pose.at)
            && h <= closest + millimetres(10.0 * radius)
        {
            open.push(Reverse((h, states.len())));
            states.push(State { pose: *pose, cost: 0.0, before: None, curvature: 0.0 });
        }
    }
    while let Some(Reverse((_, id))) = open.pop() {
        let State { pose, cost, .. } = states[id];
        if states.len() > MAX_STATES {
            return None;
        }
        if near(pose.at)? < millimetres(8.0 * radius)
            && let Some((tail, room)) = arrive(layout, pose, &goals)
        {
            return Some((trace(&states, id, step, tail), room));
        }
        for curve in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            let curvature = curve / radius;
            if !layout.clearance.fits(&arc_points(pose, curvature, step)) {
                continue;
            }
            let next = pose.driven(curvature, step);
            let Some(h) = near(next.at) else { continue };
            let cost = cost + step * (1.0 + 0.05 * f64::abs(curve));
            let key = state_key(next);
            if seen.get(&key).is_none_or(|c| cost < *c - 1e-9) {
                seen.insert(key, cost);
                open.push(Reverse((millimetres(cost) + h + h / 4, states.len())));
                states.push(State { pose: next, cost, before: Some(id), curvature });
            }
        }
    }
    None
}

#[expect(clippy::cast_possible_truncation, reason = "metres of one field")]
fn state_key(pose: Pose) -> (i32, i32, i32) {
    let turn = (pose.heading.rem_euclid(TAU) / TAU * HEADINGS).round() % HEADINGS;
    ((pose.at.x / 0.4).round() as i32, (pose.at.y / 0.4).round() as i32, turn as i32)
}

fn arrive(layout: &Layout, pose: Pose, goals: &[(Pose, usize)]) -> Option<(Vec<Pt>, usize)> {
    let reach = 6.0 * layout.dimensions.radius;
    let mut best: Option<(f64, Vec<Pt>, usize)> = None;
    for (goal, room) in goals.iter().filter(|g| distance(g.0.at, pose.at) < reach) {
        for curve in dubins::curves(pose, *goal, layout.dimensions.radius).into_iter().take(2) {
            if curve.length() > best.as_ref().map_or(1.5 * reach, |b| b.0) {
                break;
            }
            let points = curve.sample(layout.dimensions.arc_step());
            if layout.clearance.fits(&points) {
                best = Some((curve.length(), points, *room));
            }
        }
    }
    best.map(|(_, points, room)| (points, room))
}

fn arc_points(from: Pose, curvature: f64, step: f64) -> Vec<Pt> {
    const PIECES: u32 = 4;
    (0..=PIECES).map(|k| from.driven(curvature, step * f64::from(k) / f64::from(PIECES)).at).collect()
}

fn trace(states: &[State], last: usize, step: f64, tail: Vec<Pt>) -> Vec<Pt> {
    let mut pieces = vec![tail];
    let mut here = Some(last);
    while let Some(id) = here {
        let state = states[id];
        here = state.before;
        if let Some(before) = here {
            pieces.push(arc_points(states[before].pose, state.curvature, step));
        }
    }
    let mut points: Vec<Pt> = pieces.into_iter().rev().flatten().collect();
    points.dedup_by(|a, b| distance(*a, *b) < 1e-6);
    points
}

/// A number for every cell of a field, where there is one.
struct Raster {
    low: Cell,
    cols: i32,
    rows: i32,
    /// `u64::MAX` where there is none.
    numbers: Vec<u64>,
}

impl Raster {
    /// Over a field and one cell around it.
    fn around(layout: &Layout) -> Self {
        let (low, high) = layout.clearance.bounds();
        let (low, high) = (cell(low), cell(high));
        let (cols, rows) = (high.0 - low.0 + 3, high.1 - low.1 + 3);
        #[expect(clippy::cast_sign_loss, reason = "high is not below low")]
        let numbers = vec![u64::MAX; cols as usize * rows as usize];
        Self { low: (low.0 - 1, low.1 - 1), cols, rows, numbers }
    }

    #[expect(clippy::cast_sign_loss, reason = "both are looked at")]
    fn place(&self, (x, y): Cell) -> Option<usize> {
        let (x, y) = (x - self.low.0, y - self.low.1);
        let within = (0..self.cols).contains(&x) && (0..self.rows).contains(&y);
        within.then(|| y as usize * self.cols as usize + x as usize)
    }

    fn get(&self, cell: Cell) -> Option<u64> {
        self.place(cell).map(|k| self.numbers[k]).filter(|number| *number < u64::MAX)
    }

    /// Takes a smaller number in; says whether it was smaller. Beyond the raster nothing is taken.
    fn lower(&mut self, cell: Cell, number: u64, allowed: impl FnOnce() -> bool) -> bool {
        let Some(k) = self.place(cell).filter(|k| number < self.numbers[*k]) else { return false };
        let lowered = allowed();
        if lowered {
            self.numbers[k] = number;
        }
        lowered
    }
}

/// Distance in millimetres to the goals through cells the robot's centre may be in, as far as the first starts and a
/// little beyond.
fn raster(layout: &Layout, goals: &[(Pose, usize)], starts: &[(Pose, usize)]) -> Raster {
    let at_start: BTreeSet<Cell> = starts.iter().map(|(p, _)| cell(p.at)).collect();
    let mut reached = Raster::around(layout);
    let mut open: BinaryHeap<Reverse<(u64, Cell)>> = BinaryHeap::new();
    for (pose, _) in goals {
        reached.lower(cell(pose.at), 0, || true);
        open.push(Reverse((0, cell(pose.at))));
    }
    let mut stop = u64::MAX;
    while let Some(Reverse((cost, here))) = open.pop() {
        if cost > stop {
            break;
        }
        if stop == u64::MAX && at_start.contains(&here) {
            stop = cost + millimetres(12.0 * layout.dimensions.radius);
        }
        if reached.get(here).is_some_and(|c| c < cost) {
            continue;
        }
        let middle = |c: Cell| Pt { x: (f64::from(c.0) + 0.5) * CELL_M, y: (f64::from(c.1) + 0.5) * CELL_M };
        for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
            let next = (here.0 + dx, here.1 + dy);
            let cost = cost + if dx != 0 && dy != 0 { 1414 } else { 1000 };
            if reached.lower(next, cost, || layout.clearance.roughly_fits(middle(next), CELL_M)) {
                open.push(Reverse((cost, next)));
            }
        }
    }
    reached
}
