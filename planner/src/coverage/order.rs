//! Which swath after which: greedy by real turn cost, then 2-opt and Or-opt with neighbour lists.
//!
//! Between neighbouring rows of a convex field the cheapest turn skips a row when the radius asks for it,
//! so the greedy order is already "out on the odd rows, back on the even ones"; the moves repair what is
//! left over in corners, arms and around exclusions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A swath in the tour; driven from end `from` (0 or 1) to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) swath: usize,
    pub(crate) from: usize,
}

impl Visit {
    pub(crate) const fn enter(self) -> usize {
        2 * self.swath + self.from
    }
    pub(crate) const fn leave(self) -> usize {
        2 * self.swath + 1 - self.from
    }
    const fn turned(self) -> Self {
        Self { swath: self.swath, from: 1 - self.from }
    }
}

/// Costs between swath ends. An end is `2 × swath + (0|1)`.
pub(crate) struct EndCosts<F: Fn(usize, usize) -> f64> {
    /// Per end, the others near it with the real cost of the turn, cheapest first; symmetric.
    pub(crate) near: Vec<Vec<(usize, f64)>>,
    /// Far pairs that were measured on the road network, smaller end first.
    pub(crate) measured: RefCell<BTreeMap<(usize, usize), f64>>,
    /// Estimate for all other pairs; symmetric.
    pub(crate) far: F,
}

impl<F: Fn(usize, usize) -> f64> EndCosts<F> {
    fn between(&self, from: usize, to: usize) -> f64 {
        if let Some((_, cost)) = self.near[from].iter().find(|(end, _)| *end == to) {
            return *cost;
        }
        let pair = (from.min(to), from.max(to));
        self.measured.borrow().get(&pair).copied().unwrap_or_else(|| (self.far)(from, to))
    }

    pub(crate) fn is_measured(&self, from: usize, to: usize) -> bool {
        self.near[from].iter().any(|(end, _)| *end == to)
            || self.measured.borrow().contains_key(&(from.min(to), from.max(to)))
    }

    pub(crate) fn measure(&self, from: usize, to: usize, cost: f64) {
        self.measured.borrow_mut().insert((from.min(to), from.max(to)), cost);
    }

    /// Cost of all turns of a tour.
    pub(crate) fn total(&self, tour: &[Visit]) -> f64 {
        tour.windows(2).map(|w| self.between(w[0].leave(), w[1].enter())).sum()
    }
}

/// An order of all swaths, beginning where the search of a few starts found it cheapest, or at `first`.
pub(crate) fn order<F: Fn(usize, usize) -> f64>(
    count: usize,
    costs: &EndCosts<F>,
    first: Option<Visit>,
) -> Vec<Visit> {
    if count == 0 {
        return vec![];
    }
    let starts = first.map_or_else(
        || {
            let last = count - 1;
            let mut all = vec![];
            for swath in [0, last] {
                all.extend([Visit { swath, from: 0 }, Visit { swath, from: 1 }]);
            }
            all
        },
        |visit| vec![visit],
    );
    let mut best: Option<(f64, Vec<Visit>)> = None;
    for start in starts {
        let mut tour = greedy(count, costs, start);
        improve(&mut tour, costs, first.is_some());
        let cost = costs.total(&tour);
        if best.as_ref().is_none_or(|(b, _)| cost < b - 1e-9) {
            best = Some((cost, tour));
        }
    }
    best.map_or_else(Vec::new, |(_, tour)| tour)
}

fn greedy<F: Fn(usize, usize) -> f64>(count: usize, costs: &EndCosts<F>, start: Visit) -> Vec<Visit> {
    let mut open: BTreeSet<usize> = (0..count).filter(|s| *s != start.swath).collect();
    let mut tour = vec![start];
    let mut leave = start.leave();
    while !open.is_empty() {
        let near = costs.near[leave].iter().find(|(end, _)| open.contains(&(end / 2))).copied();
        let (end, _) = near.unwrap_or_else(|| {
            open.iter()
                .flat_map(|s| [2 * s, 2 * s + 1])
                .map(|end| (end, (costs.far)(leave, end)))
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .unwrap_or((0, 0.0))
        });
        let visit = Visit { swath: end / 2, from: end % 2 };
        open.remove(&visit.swath);
        leave = visit.leave();
        tour.push(visit);
    }
    tour
}

const MAX_ROUNDS: u32 = 30;

/// 2-opt and Or-opt until neither helps.
pub(crate) fn improve<F: Fn(usize, usize) -> f64>(
    tour: &mut Vec<Visit>,
    costs: &EndCosts<F>,
    fixed_start: bool,
) {
    for _ in 0..MAX_ROUNDS {
        let before = costs.total(tour);
        two_opt(tour, costs, fixed_start);
        or_opt(tour, costs, fixed_start);
        if costs.total(tour) > before - 1e-6 {
            break;
        }
    }
}

fn places(tour: &[Visit]) -> Vec<usize> {
    let mut at = vec![0; tour.len()];
    for (i, v) in tour.iter().enumerate() {
        at[v.swath] = i;
    }
    at
}

/// Reverses stretches of the tour while that helps.
fn two_opt<F: Fn(usize, usize) -> f64>(tour: &mut [Visit], costs: &EndCosts<F>, fixed_start: bool) {
    let mut at = places(tour);
    let n = tour.len();
    for i in 0..n {
        // Reverse (i, j]: the leave end of i meets the leave end of j.
        let leave = tour[i].leave();
        let candidates: Vec<usize> = costs.near[leave].iter().map(|c| at[c.0 / 2]).collect();
        for j in candidates.into_iter().chain([n - 1]) {
            reverse_if_better(tour, &mut at, costs, i + 1, j);
        }
        // Reverse [i, j): the enter end of i meets the enter end of j.
        if i > 0 || !fixed_start {
            let enter = tour[i].enter();
            let candidates: Vec<usize> = costs.near[enter].iter().map(|c| at[c.0 / 2]).collect();
            for j in candidates {
                if j > i {
                    reverse_if_better(tour, &mut at, costs, i, j - 1);
                }
            }
        }
    }
}

fn reverse_if_better<F: Fn(usize, usize) -> f64>(
    tour: &mut [Visit],
    at: &mut [usize],
    costs: &EndCosts<F>,
    first: usize,
    last: usize,
) {
    if first > last || last >= tour.len() {
        return;
    }
    let mut gain = 0.0;
    if first > 0 {
        let p = tour[first - 1].leave();
        gain += costs.between(p, tour[first].enter()) - costs.between(p, tour[last].leave());
    }
    if last + 1 < tour.len() {
        let q = tour[last + 1].enter();
        gain += costs.between(tour[last].leave(), q) - costs.between(tour[first].enter(), q);
    }
    if gain > 1e-6 {
        tour[first..=last].reverse();
        for (k, visit) in tour.iter_mut().enumerate().take(last + 1).skip(first) {
            *visit = visit.turned();
            at[visit.swath] = k;
        }
    }
}

/// Moves short stretches elsewhere, in either direction.
fn or_opt<F: Fn(usize, usize) -> f64>(tour: &mut Vec<Visit>, costs: &EndCosts<F>, fixed_start: bool) {
    let mut at = places(tour);
    for size in 1..=3 {
        let mut i = usize::from(fixed_start);
        while i + size <= tour.len() {
            if move_if_better(tour, &at, costs, (i, size), fixed_start) {
                at = places(tour);
            } else {
                i += 1;
            }
        }
    }
}

fn move_if_better<F: Fn(usize, usize) -> f64>(
    tour: &mut Vec<Visit>,
    at: &[usize],
    costs: &EndCosts<F>,
    (i, size): (usize, usize),
    fixed_start: bool,
) -> bool {
    let n = tour.len();
    let (first, last) = (tour[i], tour[i + size - 1]);
    let before = i.checked_sub(1).map(|k| tour[k].leave());
    let after = tour.get(i + size).map(|v| v.enter());
    let link = |a: Option<usize>, b: Option<usize>| match (a, b) {
        (Some(a), Some(b)) => costs.between(a, b),
        _ => 0.0,
    };
    let freed = link(before, Some(first.enter())) + link(Some(last.leave()), after) - link(before, after);
    if freed < 1e-6 {
        return false;
    }
    let inside = |k: usize| k >= i && k < i + size;
    let mut best: Option<(f64, usize, bool)> = None;
    // `gap` k lies before tour[k]; the stretch goes in as it is or turned.
    let mut consider = |gap: usize, turned: bool| {
        if gap > n || (fixed_start && gap == 0) || (gap >= i && gap <= i + size) {
            return;
        }
        let left = gap.checked_sub(1).map(|k| tour[k].leave());
        let right = tour.get(gap).map(|v| v.enter());
        let (head, tail) = if turned { (last.leave(), first.enter()) } else { (first.enter(), last.leave()) };
        let added = link(left, Some(head)) + link(Some(tail), right) - link(left, right);
        if best.is_none_or(|b| added < b.0 - 1e-9) {
            best = Some((added, gap, turned));
        }
    };
    for (end, turned) in [(first.enter(), false), (last.leave(), true)] {
        for &(other, _) in &costs.near[end] {
            let k = at[other / 2];
            if !inside(k) && tour[k].leave() == other {
                consider(k + 1, turned);
            }
        }
    }
    for (end, turned) in [(last.leave(), false), (first.enter(), true)] {
        for &(other, _) in &costs.near[end] {
            let k = at[other / 2];
            if !inside(k) && tour[k].enter() == other {
                consider(k, turned);
            }
        }
    }
    let Some((added, gap, turned)) = best else { return false };
    if freed - added < 1e-6 {
        return false;
    }
    let mut moved: Vec<Visit> = tour.drain(i..i + size).collect();
    if turned {
        moved.reverse();
        for visit in &mut moved {
            *visit = visit.turned();
        }
    }
    let gap = if gap > i { gap - size } else { gap };
    tour.splice(gap..gap, moved);
    true
}
