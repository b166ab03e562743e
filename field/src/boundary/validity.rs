//! Rings → polygon, and everything that is wrong with them.
//!
//! Segments are compared through an R-tree, so a ring of 100,000 vertices costs O(n log n).

use super::{Boundary, RawBoundary};
use crate::finding::Finding;
use crate::frame::{FieldFrame, Point2};
use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{Area, Coord, Line, LineString, Polygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// Findings after which nothing more is looked for: a scribble would fill the screen.
const MAX_CROSSINGS: usize = 20;

/// The polygon (meaningful only when no finding is an error) and the findings.
pub(super) fn polygon_of(raw: &RawBoundary) -> (Polygon<f64>, Vec<Finding>) {
    let mut findings = Vec::new();
    let outer = ring_of("outer ring", &raw.outer, &mut findings);
    let exclusions: Vec<_> = raw
        .exclusions
        .iter()
        .enumerate()
        .map(|(i, ring)| ring_of(&exclusion_name(i), ring, &mut findings))
        .collect();
    let polygon = Polygon::new(outer, exclusions);
    if !findings.is_empty() {
        return (polygon, findings); // coordinates are not fit for geometry
    }
    findings.extend(crossings(&polygon));
    if findings.is_empty() {
        findings.extend(misplaced_exclusions(&polygon));
        findings.extend(area_out_of_range(&polygon));
    }
    (polygon, findings)
}

fn exclusion_name(index: usize) -> String {
    format!("exclusion {index}")
}

fn ring_name(index: usize) -> String {
    if index == 0 { "outer ring".to_owned() } else { exclusion_name(index - 1) }
}

/// Drops repeated points; finds NaN, a vertex out of reach, an open ring and a ring without an inside.
fn ring_of(name: &str, points: &[Point2<FieldFrame>], findings: &mut Vec<Finding>) -> LineString<f64> {
    if let Some(at) = points.iter().position(|point| !point.is_finite()) {
        let cause = format!("the coordinate is {:?}", points[at]);
        let remedy = "give two finite numbers";
        findings.push(Finding::error("boundary.not_finite", format!("{name}, vertex {at}"), cause, remedy));
        return LineString::new(vec![]);
    }
    let reach_m = Boundary::MAX_REACH.get();
    if let Some(at) = points.iter().position(|point| point.x.abs() > reach_m || point.y.abs() > reach_m) {
        let cause =
            format!("the coordinate {:?} is more than {} km from the datum", points[at], reach_m / 1e3);
        let remedy = "give metres from the field's own datum";
        findings.push(Finding::error("boundary.out_of_reach", format!("{name}, vertex {at}"), cause, remedy));
        return LineString::new(vec![]);
    }
    let mut coords: Vec<Coord<f64>> = points.iter().map(|&point| point.into()).collect();
    coords.dedup();
    if let (Some(first), Some(last)) = (points.first(), points.last())
        && first != last
    {
        let gap = first.distance(*last);
        let cause = format!("the ring is open: its ends are {gap:.3} apart");
        let remedy = "repeat the first vertex as the last one";
        findings.push(Finding::error("boundary.not_closed", name, cause, remedy));
    } else if coords.len() < 4 {
        let cause = format!("{} different vertices have no inside", coords.len().saturating_sub(1));
        let remedy = "draw at least three corners";
        findings.push(Finding::error("boundary.too_few_vertices", name, cause, remedy));
    }
    LineString::new(coords)
}

struct Segment {
    ring: usize,
    index: usize,
    ring_len: usize,
    line: Line<f64>,
}

impl Segment {
    fn adjoins(&self, other: &Self) -> bool {
        let apart = self.index.abs_diff(other.index);
        self.ring == other.ring && (apart == 1 || apart == self.ring_len - 1)
    }

    fn extent(&self) -> Rectangle<[f64; 2]> {
        let Line { start, end } = self.line;
        Rectangle::from_corners([start.x, start.y], [end.x, end.y])
    }

    fn place(&self) -> String {
        format!("{}, edge {}", ring_name(self.ring), self.index)
    }
}

fn segments(polygon: &Polygon<f64>) -> Vec<Segment> {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    rings
        .enumerate()
        .flat_map(|(ring, points)| {
            let ring_len = points.0.len() - 1;
            points.lines().enumerate().map(move |(index, line)| Segment { ring, index, ring_len, line })
        })
        .collect()
}

/// Rings that cross or touch themselves, and rings that cross each other or share an edge.
fn crossings(polygon: &Polygon<f64>) -> Vec<Finding> {
    let segments = segments(polygon);
    let tree = RTree::bulk_load(
        segments.iter().enumerate().map(|(i, segment)| GeomWithData::new(segment.extent(), i)).collect(),
    );
    let mut findings = Vec::new();
    for (i, one) in segments.iter().enumerate() {
        let reach = one.extent();
        let envelope = AABB::from_corners(reach.lower(), reach.upper());
        let mut others: Vec<usize> = tree
            .locate_in_envelope_intersecting(&envelope)
            .map(|entry| entry.data)
            .filter(|&j| j > i)
            .collect();
        others.sort_unstable(); // the tree's order is not the reader's
        for other in others.into_iter().map(|j| &segments[j]) {
            findings.extend(crossing(one, other));
            if findings.len() >= MAX_CROSSINGS {
                return findings;
            }
        }
    }
    findings
}

fn crossing(one: &Segment, other: &Segment) -> Option<Finding> {
    let remedy = "move or remove a vertex so that the line does not meet itself";
    let (at, what) = match line_intersection(one.line, other.line)? {
        LineIntersection::SinglePoint { .. } if one.adjoins(other) => return None,
        // Rings may touch in a point; whether an exclusion then leaves the field is looked at later.
        LineIntersection::SinglePoint { is_proper: false, .. } if one.ring != other.ring => return None,
        LineIntersection::SinglePoint { intersection, is_proper: true } => (intersection, "crosses"),
        LineIntersection::SinglePoint { intersection, .. } => (intersection, "touches"),
        LineIntersection::Collinear { intersection } => (intersection.start, "runs along"),
    };
    let code = if one.ring == other.ring { "boundary.self_intersection" } else { "boundary.rings_cross" };
    let cause = format!("{what} {} at ({:.3}, {:.3}) m", other.place(), at.x, at.y);
    Some(Finding::error(code, one.place(), cause, remedy))
}

/// Exclusions outside the outer ring or inside another exclusion. Rings do not cross here.
fn misplaced_exclusions(polygon: &Polygon<f64>) -> Vec<Finding> {
    let solid = |ring: &LineString<f64>| Polygon::new(ring.clone(), vec![]);
    let outer = solid(polygon.exterior());
    let mut findings = Vec::new();
    for (i, ring) in polygon.interiors().iter().enumerate() {
        // Touching points say nothing; the first vertex off the other ring decides, since rings do not cross.
        let side_of = |area: &Polygon<f64>| {
            ring.coords().map(|c| area.coordinate_position(c)).find(|&side| side != CoordPos::OnBoundary)
        };
        let some_outside = ring.coords().any(|c| outer.coordinate_position(c) == CoordPos::Outside);
        if some_outside {
            let cause = "lies outside the outer ring";
            let remedy = "remove it, or draw the outer ring around it";
            findings.push(Finding::error("boundary.exclusion_outside", exclusion_name(i), cause, remedy));
        }
        for (j, other) in polygon.interiors().iter().enumerate().filter(|&(j, _)| j != i) {
            if side_of(&solid(other)) == Some(CoordPos::Inside) {
                let cause = format!("lies inside exclusion {j}");
                let remedy = "remove the inner one";
                findings.push(Finding::error(
                    "boundary.exclusions_overlap",
                    exclusion_name(i),
                    cause,
                    remedy,
                ));
            }
        }
    }
    findings
}

fn area_out_of_range(polygon: &Polygon<f64>) -> Option<Finding> {
    let area_m2 = polygon.unsigned_area();
    if area_m2 < Boundary::MIN_AREA.get() {
        let cause = format!("{area_m2:.2} m² is less than {}", Boundary::MIN_AREA);
        let remedy = "check the coordinates: degrees read as metres give a field this small";
        return Some(Finding::error("boundary.too_small", "outer ring", cause, remedy));
    }
    if area_m2 > Boundary::MAX_AREA.get() {
        let cause = format!("{:.1} km² is more than {} km²", area_m2 / 1e6, Boundary::MAX_AREA.get() / 1e6);
        let remedy = "check the coordinates, or split the field";
        return Some(Finding::error("boundary.too_large", "outer ring", cause, remedy));
    }
    None
}
