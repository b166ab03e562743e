//! The direction of the swaths.

use super::layout::Layout;
use super::swaths::swaths;
use crate::geometry::pose::{direction, distance};
use std::f64::consts::PI;

/// Headings with the least driving by estimate, best first, at most `most`: worked length plus a turn per swath.
/// Tries the directions of the longest edges, where the last row fits best, and a fan of others.
pub(crate) fn best_headings(layout: &Layout, most: usize) -> Vec<f64> {
    let mut rated: Vec<(f64, f64)> = candidates(layout).into_iter().map(|h| (cost(layout, h), h)).collect();
    rated.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    rated.into_iter().take(most).map(|r| r.1).collect()
}

fn cost(layout: &Layout, heading: f64) -> f64 {
    let d = layout.dimensions;
    // Rows skipped so that a half circle fits, then the way from end to end along a slanting headland.
    let rows = (2.0 * d.radius / d.width).ceil().max(1.0);
    let across = (rows * d.width - 2.0 * d.radius).max(0.0);
    let turn = |slack: [f64; 2]| PI * d.radius + across.hypot(rows * (slack[0] + slack[1]));
    swaths(&layout.mainland, d.width, heading).iter().map(|s| s.length() + turn(s.slack)).sum()
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
