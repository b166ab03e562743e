//! Strips of the plan over which nothing may be sprayed.

use geo::{BoundingRect, Coord, Distance, Euclidean, Line, Polygon, Rect};
use kompas_planner::SprayFreeZone;

/// The zones' lines, piece by piece; everything nearer to a piece than its width stays dry.
#[derive(Debug)]
pub(super) struct Zones(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    line: Line<f64>,
    width_m: f64,
}

impl Zones {
    pub(super) fn new(zones: &[SprayFreeZone]) -> Self {
        let pieces = zones.iter().flat_map(|zone| {
            // A line of one point is that point.
            let points = zone.line.first().into_iter().chain(&zone.line);
            let ends = points.clone().zip(points.skip(1));
            let width_m = zone.width_m.get();
            ends.map(move |(&from, &to)| Piece {
                line: Line::new(Coord::from(from), Coord::from(to)),
                width_m,
            })
        });
        Self(pieces.collect())
    }

    /// Whether any part of the ground lies in a zone. Ground that has no extent is refused.
    pub(super) fn touch(&self, ground: &Polygon<f64>) -> bool {
        let Some(extent) = ground.bounding_rect() else { return true };
        self.0.iter().any(|piece| {
            near(&extent, &piece.line, piece.width_m)
                && Euclidean.distance(&piece.line, ground) < piece.width_m
        })
    }
}

/// Cheap and never wrong with no: whether the boxes come nearer to each other than `width_m`.
fn near(extent: &Rect<f64>, line: &Line<f64>, width_m: f64) -> bool {
    let (low, high) = (extent.min(), extent.max());
    let (west, east) = (line.start.x.min(line.end.x), line.start.x.max(line.end.x));
    let (south, north) = (line.start.y.min(line.end.y), line.start.y.max(line.end.y));
    west - width_m < high.x && east + width_m > low.x && south - width_m < high.y && north + width_m > low.y
}
