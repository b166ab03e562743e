//! The direction of the swaths.

use super::layout::Layout;
use super::swaths::swaths;
use crate::geometry::pose::{direction, distance};
use std::f64::consts::PI;

/// The heading with the least driving: worked length plus a turn per swath. Tries the directions of the
/// longest edges, where the last row fits best, and a fan of others.
pub(crate) fn best_heading(layout: &Layout) -> f64 {
    let mut best = (f64::MAX, 0.0);
    for heading in candidates(layout) {
        let cost = cost(layout, heading);
        if cost < best.0 - 1e-6 {
            best = (cost, heading);
        }
    }
    best.1
}

fn cost(layout: &Layout, heading: f64) -> f64 {
    let d = layout.dimensions;
    let turn = PI * d.radius + d.width.max(2.0 * d.radius) - 2.0 * d.radius + d.radius / 2.0;
    swaths(&layout.mainland, d.width, heading).iter().map(|s| s.length() + turn).sum()
}

fn candidates(layout: &Layout) -> Vec<f64> {
    const FAN: u32 = 36;
    const EDGES: usize = 40;
    let mut edges: Vec<(f64, f64)> = layout
        .mainland
        .iter()
        .flat_map(|p| p.exterior().lines())
        .map(|l| (distance(l.start, l.end), direction(l.start, l.end).rem_euclid(PI)))
        .collect();
    edges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let mut headings: Vec<f64> = Vec::new();
    for (_, heading) in edges {
        if headings.len() < EDGES && headings.iter().all(|h| (h - heading).abs() > 1e-4) {
            headings.push(heading);
        }
    }
    headings.extend((0..FAN).map(|k| PI * f64::from(k) / f64::from(FAN)));
    headings
}
