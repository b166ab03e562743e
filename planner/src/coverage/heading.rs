//! The direction of the swaths.

use super::layout::Layout;
use super::swaths::{Spacing, swaths};
use crate::geometry::pose::{direction, distance};
use std::f64::consts::PI;

/// A way around an exclusion costs as much search as this many swaths.
pub(super) const PER_EXCLUSION: usize = 40;

/// Headings and spacings with the least driving by estimate, best first, as many as `swaths_in_all` allows: worked
/// length plus a turn per swath. Tries the directions of the longest edges, where the last row fits best, and a fan
/// of others.
pub(crate) fn best_headings(layout: &Layout, swaths_in_all: usize) -> Vec<(f64, Spacing)> {
    const FEWEST: usize = 2;
    const MOST: usize = 8;
    let even: Vec<_> = candidates(layout).into_iter().map(|h| (h, Spacing::Even)).collect();
    let mut few = rated(layout, even);
    let Some((_, (heading, spacing))) = few.first().copied() else { return vec![] };
    let count = swaths(&layout.sketch, layout.dimensions.width, (heading, spacing), layout.undone).len();
    let most = (swaths_in_all / (count + PER_EXCLUSION * layout.exclusions()).max(1)).clamp(FEWEST, MOST);
    few.truncate(3 * most);
    let all = few.into_iter().flat_map(|(_, (h, _))| spacings(h)).collect();
    let mut best: Vec<(f64, Spacing)> = Vec::new();
    let mut least = f64::MAX;
    for (estimate, (heading, spacing)) in rated(layout, all) {
        // The estimate is good to a percent.
        least = least.min(estimate);
        if estimate > 1.012 * least {
            break;
        }
        // Two directions closer than a tenth of a degree are one try.
        if best.len() < most && best.iter().all(|(h, _)| (h - heading).abs() > 2e-3) {
            best.push((heading, spacing));
        }
    }
    // The estimate misleads at times: the unrefined stay in.
    let finer: Vec<_> = best.iter().take(most.div_ceil(2)).map(|(h, s)| refined(layout, *h, *s)).collect();
    best.extend(finer);
    best
}

/// Goes downhill from a good try: a fraction of a degree, or of a strip, can save the last row.
fn refined(layout: &Layout, mut heading: f64, mut spacing: Spacing) -> (f64, Spacing) {
    let mut least = cost(layout, heading, spacing);
    for (turn, shift) in [(0.004, 0.06), (0.0015, 0.03), (0.0005, 0.015)] {
        for _ in 0..4 {
            let share = if let Spacing::Full(share) = spacing { share } else { 0.0 };
            let tries =
                [(turn, 0.0), (-turn, 0.0), (0.0, shift), (0.0, -shift), (turn, shift), (-turn, -shift)]
                    .map(|(t, s)| (heading + t, Spacing::Full((share + s).rem_euclid(1.0))));
            let before = least;
            for (h, s) in tries {
                let cost = cost(layout, h, s);
                if cost < least - 1e-6 {
                    (least, heading, spacing) = (cost, h, s);
                }
            }
            if least >= before {
                break;
            }
        }
    }
    (heading, spacing)
}

/// The spacing with the least driving at a given heading.
pub(crate) fn best_spacing(layout: &Layout, heading: f64) -> (f64, Spacing) {
    rated(layout, spacings(heading)).first().map_or((heading, Spacing::Even), |best| best.1)
}

fn spacings(heading: f64) -> Vec<(f64, Spacing)> {
    const SHARES: u32 = 10;
    let full = (0..SHARES).map(|k| Spacing::Full(f64::from(k) / f64::from(SHARES)));
    std::iter::once(Spacing::Even).chain(full).map(|s| (heading, s)).collect()
}

/// With their costs, cheapest first.
fn rated(layout: &Layout, tries: Vec<(f64, Spacing)>) -> Vec<(f64, (f64, Spacing))> {
    let mut rated: Vec<(f64, (f64, Spacing))> =
        tries.into_iter().map(|t| (cost(layout, t.0, t.1), t)).collect();
    rated.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.0.total_cmp(&b.1.0)));
    rated
}

fn cost(layout: &Layout, heading: f64, spacing: Spacing) -> f64 {
    let d = layout.dimensions;
    // Rows skipped so that a half circle fits, then the way from end to end along a slanting headland.
    let rows = (2.0 * d.radius / d.width).ceil().max(1.0);
    let across = (rows * d.width - 2.0 * d.radius).max(0.0);
    let turn = |slack: [f64; 2]| PI * d.radius + across.hypot(rows * (slack[0] + slack[1]));
    swaths(&layout.sketch, d.width, (heading, spacing), layout.undone)
        .iter()
        .map(|s| s.length() + turn(s.slack))
        .sum()
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
