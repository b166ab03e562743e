//! How far a rig can drive straight ahead, by its outline: the boom across, the body around the antenna.

use super::pose::{Pose, Pt, direction, point_segment_sq};
use crate::coverage::layout::Dimensions;
use geo::Polygon;

/// Kept from every edge ahead, metres.
const MARGIN_M: f64 = 0.03;
/// Kept beside: a headland lane runs only millimetres farther from its edge.
const BESIDE_M: f64 = 0.001;

/// The edges of a field, for a rig.
pub(crate) struct Outline {
    edges: Vec<(Pt, Pt)>,
    half: f64,
    body: f64,
}

impl Outline {
    pub(crate) fn new(field: &Polygon<f64>, dimensions: Dimensions) -> Self {
        let edges = std::iter::once(field.exterior())
            .chain(field.interiors())
            .flat_map(|ring| ring.lines().map(|l| (l.start, l.end)))
            .collect();
        Self { edges, half: dimensions.half, body: dimensions.body }
    }

    /// Direction of the edge nearest to `p`, radians.
    pub(crate) fn along_edge(&self, p: Pt) -> f64 {
        self.edges
            .iter()
            .min_by(|e, f| point_segment_sq(p, e.0, e.1).total_cmp(&point_segment_sq(p, f.0, f.1)))
            .map_or(0.0, |e| direction(e.0, e.1))
    }

    /// Metres straight ahead of `pose` until boom or body meet an edge, at most `limit`; 0 where something is beside
    /// the boom already.
    pub(crate) fn room_ahead(&self, pose: Pose, limit: f64) -> f64 {
        let (sin, cos) = pose.heading.sin_cos();
        let local = |p: Pt| {
            let (dx, dy) = (p.x - pose.at.x, p.y - pose.at.y);
            Pt { x: dx * cos + dy * sin, y: dy * cos - dx * sin }
        };
        let mut room = limit;
        for (a, b) in &self.edges {
            let (a, b) = (local(*a), local(*b));
            if let Some(x) = first_in_band(a, b, self.half + BESIDE_M) {
                room = room.min(x - MARGIN_M);
            }
            if let Some(x) = first_in_band(a, b, self.body + BESIDE_M) {
                room = room.min(x - self.body - MARGIN_M);
            }
        }
        room.max(0.0)
    }
}

/// The smallest x ≥ 0 of a line within `half` of the x axis.
fn first_in_band(a: Pt, b: Pt, half: f64) -> Option<f64> {
    let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
    if low.y > half || high.y < -half {
        return None;
    }
    let at = |y: f64| {
        let share = if high.y > low.y { ((y - low.y) / (high.y - low.y)).clamp(0.0, 1.0) } else { 0.0 };
        low.x + share * (high.x - low.x)
    };
    let ends = if high.y > low.y { [at(-half), at(half)] } else { [a.x, b.x] };
    let (near, far) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    (far >= 0.0).then_some(near.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn a_boom_reaches_the_edge_and_the_body_stops_before_it() {
        let field = polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.0, y: 40.0), (x: 0.0, y: 40.0)];
        let dimensions = |half| Dimensions {
            width: 2.0 * half,
            half,
            body: 1.0,
            margin: 0.0,
            radius: 6.0,
            may_reverse: true,
            steering: None,
            cusp_cost: 10.0,
        };
        let pose = Pose::new(Pt { x: 50.0, y: 20.0 }, 0.0);
        let room = Outline::new(&field, dimensions(13.5)).room_ahead(pose, 1e3);
        assert!((room - 48.97).abs() < 1e-9, "{room}");
        // Too near the side for this boom: no way ahead at all.
        assert!(Outline::new(&field, dimensions(20.5)).room_ahead(pose, 1e3) < 1e-9);
    }
}
