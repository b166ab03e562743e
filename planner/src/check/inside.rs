//! Robot and unfolded boom inside the boundary and out of every exclusion, all along the path.

use super::{Edges, TOLERANCE_M, place};
use crate::plan::Leg;
use kompas_field::{Field, FieldFrame, Finding, Point2, Rig};

/// The widest part of the rig, swept round the path, is a band; it stays inside exactly when no driven chord
/// comes closer to an edge than half its width, and the path begins inside.
pub(super) fn inside(path: &[Leg], field: &Field, rig: &Rig) -> Vec<Finding> {
    const MOST: usize = 20;
    let half = rig.half_width().get();
    let edges = Edges::of(field);
    let mut found = Vec::new();
    if let Some(first) = path.first().and_then(|leg| leg.points.first())
        && !field.boundary.contains(*first)
    {
        found.push(Finding::error(
            "plan.outside",
            place(0, *first),
            "the path begins off the field",
            "make the plan again",
        ));
    }
    for (i, leg) in path.iter().enumerate() {
        let worst = leg
            .points
            .windows(2)
            .filter_map(|pair| {
                nearest(&edges, pair[0], pair[1], half).map(|(gap, ring)| (gap, ring, pair[0]))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((gap, ring, at)) = worst
            && gap < half - TOLERANCE_M
        {
            let what = if ring == 0 { "the boundary".to_owned() } else { format!("exclusion {}", ring - 1) };
            let cause = format!("{gap:.3} m from {what}, half of the rig is {half:.3} m");
            found.push(Finding::error("plan.outside", place(i, at), cause, "make the plan again"));
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

fn nearest(edges: &Edges, a: Point2<FieldFrame>, b: Point2<FieldFrame>, reach: f64) -> Option<(f64, usize)> {
    let (a, b) = (a.to_array(), b.to_array());
    edges
        .near(a, b, reach)
        .map(|edge| (apart(a, b, edge.geom().from, edge.geom().to), edge.data))
        .min_by(|x, y| x.0.total_cmp(&y.0))
}

type P = [f64; 2];

/// Distance between two straight lines; 0 where they cross.
fn apart(a: P, b: P, c: P, d: P) -> f64 {
    let turn = |p: P, q: P, r: P| (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
    let crosses = turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0;
    if crosses {
        return 0.0;
    }
    [foot(a, c, d), foot(b, c, d), foot(c, a, b), foot(d, a, b)].into_iter().fold(f64::MAX, f64::min)
}

fn foot(p: P, a: P, b: P) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let share =
        if square > 0.0 { ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / square } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (p[0] - a[0] - share * along[0]).hypot(p[1] - a[1] - share * along[1])
}
