//! The polygon worked, with the holes not to enter.

use crate::finding::{Finding, Findings};
use crate::frame::{FieldFrame, Point2};
use crate::units::{Metres, SquareMetres};
use geo::{Area, BoundingRect, Contains, Intersects, Orient, orient::Direction};
use serde::{Deserialize, Serialize};

mod validity;

/// Rings as they came in, closed (last point = first), in [`FieldFrame`] metres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawBoundary {
    /// The outside.
    pub outer: Vec<Point2<FieldFrame>>,
    /// The holes.
    #[serde(default)]
    pub exclusions: Vec<Vec<Point2<FieldFrame>>>,
}

/// A valid simple polygon: finite, near its datum, closed, no ring crosses or touches itself, exclusions inside the outer
/// ring and apart from each other (touching in a point is allowed), at least 10 m² and at most 2,000 ha.
/// The outer ring runs counter-clockwise, exclusions clockwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBoundary", into = "RawBoundary")]
pub struct Boundary {
    polygon: geo::Polygon<f64>,
}

impl Boundary {
    /// Below this a robot cannot even turn: a parcel this small is a drawing mistake.
    pub const MIN_AREA: SquareMetres = SquareMetres::new(10.0);
    /// Ten times the largest parcel in our data: beyond, the unit is wrong or the plane no longer local.
    pub const MAX_AREA: SquareMetres = SquareMetres::new(2e7);
    /// Along each axis, ten times as far from the datum as its plane holds. Within, sums and products stay finite.
    pub const MAX_REACH: Metres = Metres::new(1e5);

    /// Checks the rings. Repeated points are dropped and are no finding.
    ///
    /// # Errors
    /// Every finding at once, codes `boundary.*`, each with ring and vertex.
    pub fn new(raw: &RawBoundary) -> Result<Self, Findings> {
        let (polygon, findings) = validity::polygon_of(raw);
        Findings(findings).into_result(Self { polygon: polygon.orient(Direction::Default) })
    }

    /// What [`Boundary::new`] would find; empty for a valid one.
    pub fn findings(raw: &RawBoundary) -> Vec<Finding> {
        validity::polygon_of(raw).1
    }

    /// The polygon, for algorithms of `geo`.
    pub const fn polygon(&self) -> &geo::Polygon<f64> {
        &self.polygon
    }

    /// Area without the exclusions.
    pub fn area(&self) -> SquareMetres {
        SquareMetres::new(self.polygon.unsigned_area())
    }

    /// Whether `point` lies strictly inside and in no exclusion.
    pub fn contains(&self, point: Point2<FieldFrame>) -> bool {
        self.polygon.contains(&geo::Point::from(geo::Coord::from(point)))
    }

    /// Whether `point` lies in or on an exclusion.
    pub fn in_exclusion(&self, point: Point2<FieldFrame>) -> bool {
        let point = geo::Point::from(geo::Coord::from(point));
        self.polygon.interiors().iter().any(|ring| geo::Polygon::new(ring.clone(), vec![]).intersects(&point))
    }

    /// South-west and north-east corner of the bounding rectangle.
    ///
    /// # Panics
    /// Never: a valid boundary has vertices.
    pub fn extent(&self) -> (Point2<FieldFrame>, Point2<FieldFrame>) {
        let rect = self.polygon.bounding_rect().expect("a valid polygon is not empty");
        (rect.min().into(), rect.max().into())
    }
}

impl TryFrom<RawBoundary> for Boundary {
    type Error = Findings;
    fn try_from(raw: RawBoundary) -> Result<Self, Findings> {
        Self::new(&raw)
    }
}

impl From<Boundary> for RawBoundary {
    fn from(boundary: Boundary) -> Self {
        let points = |ring: &geo::LineString<f64>| ring.coords().map(|&c| c.into()).collect::<Vec<_>>();
        Self {
            outer: points(boundary.polygon.exterior()),
            exclusions: boundary.polygon.interiors().iter().map(points).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
