//! Poses that the search for dead ends has not looked at yet, and the steps that lead to them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone, Copy)]
pub(super) enum Before {
    Source(usize),
    Node(usize),
}

/// What a pose is on, where another one close to it will not do instead.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    Any,
    /// Straight on from a source: from a lane the boom stays flush with the edge beside.
    FromSource,
    /// The first arc to a line flush with an edge; the second one, and the edge's number.
    Onto((f64, f64), u32),
    /// Flush with this edge.
    Flush(u32),
}

/// A pose that may be driven to, not looked at yet.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) before: Before,
    pub(super) way: Way,
    pub(super) curvature: f64,
    pub(super) run: f64,
    pub(super) cost: f64,
}

/// Poses that wait, the cheapest first.
#[derive(Default)]
pub(super) struct Frontier {
    waiting: Vec<Candidate>,
    queue: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Frontier {
    /// `ahead` is what may still come, less what is won already.
    pub(super) fn offer(&mut self, candidate: Candidate, ahead: f64) {
        self.queue.push(Reverse((millimetres(candidate.cost + ahead), self.waiting.len())));
        self.waiting.push(candidate);
    }

    pub(super) fn pop(&mut self) -> Option<Candidate> {
        self.queue.pop().map(|Reverse((_, id))| self.waiting[id])
    }
}

/// Curvature and metres of every step that may be tried; `beside` is how far an edge beside the boom is from being
/// along the heading or square to it.
pub(super) fn moves(radius: f64, step: f64, beside: Option<f64>) -> impl Iterator<Item = (f64, f64)> {
    let curves = [0.0, 1.0 / radius, -1.0 / radius]
        .into_iter()
        .chain(beside.map(|off| off / step).filter(|c| c.abs() > 1e-6 && c.abs() < 0.999 / radius));
    curves.flat_map(move |curvature| [(curvature, step), (-curvature, -step)])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a distance in one field")]
fn millimetres(m: f64) -> u64 {
    // What is ahead may be worth more than the way.
    (m * 1e3 + 1e9) as u64
}
