//! Robot and unfolded boom inside the boundary and out of every exclusion, all along the path.

use super::{Edges, TOLERANCE_M, place};
use crate::plan::Leg;
use kompas_field::{Field, Finding, Rig};

/// The rig's outline is a bar across the direction of travel and a disc, the body, around the antenna. No edge of the
/// field may come into what the bar sweeps along a chord, into the wedge it sweeps from one chord to the next, or
/// nearer to a chord than the body's half width; and the path begins inside.
pub(super) fn inside(path: &[Leg], field: &Field, rig: &Rig) -> Vec<Finding> {
    const MOST: usize = 20;
    let outline = Outline {
        bar: rig.half_width().get() - TOLERANCE_M,
        body: rig.robot.width.get() / 2.0 - TOLERANCE_M,
    };
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
        let mut before: Option<P> = None;
        for pair in leg.points.windows(2) {
            let (a, b) = (pair[0].to_array(), pair[1].to_array());
            if (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9 {
                continue;
            }
            if let Some((part, ring)) = outline.hit(&edges, a, b, before) {
                let what =
                    if ring == 0 { "the boundary".to_owned() } else { format!("exclusion {}", ring - 1) };
                let cause = format!("{part} meets {what}");
                found.push(Finding::error("plan.outside", place(i, pair[0]), cause, "make the plan again"));
                break;
            }
            before = Some(across(a, b));
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

type P = [f64; 2];

/// Unit vector to the left of the direction of travel.
fn across(a: P, b: P) -> P {
    let span = (b[0] - a[0]).hypot(b[1] - a[1]);
    [(a[1] - b[1]) / span, (b[0] - a[0]) / span]
}

struct Outline {
    bar: f64,
    body: f64,
}

impl Outline {
    /// What of the rig meets an edge between `a` and `b`, and the ring of the edge. `before` is the direction across
    /// the chord that led to `a`.
    fn hit(&self, edges: &Edges, a: P, b: P, before: Option<P>) -> Option<(&'static str, usize)> {
        let left = across(a, b);
        let off = |p: P, n: P, by: f64| [p[0] + n[0] * by, p[1] + n[1] * by];
        let bar = [
            off(a, left, -self.bar),
            off(b, left, -self.bar),
            off(b, left, self.bar),
            off(a, left, self.bar),
        ];
        let wedges = before.map(|n| {
            [self.bar, -self.bar].map(|by| {
                let (p, q) = (off(a, n, by), off(a, left, by));
                if turn(a, p, q) >= 0.0 { [a, p, q] } else { [a, q, p] }
            })
        });
        for edge in edges.near(a, b, self.bar.max(self.body)) {
            let (c, d) = (edge.geom().from, edge.geom().to);
            if enters(&bar, c, d) || wedges.iter().flatten().any(|w| enters(w, c, d)) {
                return Some(("the boom", edge.data));
            }
            if apart(a, b, c, d) < self.body {
                return Some(("the body", edge.data));
            }
        }
        None
    }
}

/// Positive when r lies left of p → q.
fn turn(p: P, q: P, r: P) -> f64 {
    (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
}

/// Whether the line c–d goes through the inside of a convex shape (corners counter-clockwise). Cyrus and Beck (1978).
fn enters(shape: &[P], c: P, d: P) -> bool {
    /// Shorter is a touch.
    const TOUCH: f64 = 1e-9;
    let (mut from, mut to) = (0.0f64, 1.0f64);
    for (k, p) in shape.iter().enumerate() {
        let q = shape[(k + 1) % shape.len()];
        let (at_c, at_d) = (turn(*p, q, c), turn(*p, q, d));
        if at_c <= 0.0 && at_d <= 0.0 {
            return false;
        }
        if at_c < 0.0 {
            from = from.max(at_c / (at_c - at_d));
        } else if at_d < 0.0 {
            to = to.min(at_c / (at_c - at_d));
        }
    }
    to - from > TOUCH
}

/// Distance between two straight lines; 0 where they cross.
fn apart(a: P, b: P, c: P, d: P) -> f64 {
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
