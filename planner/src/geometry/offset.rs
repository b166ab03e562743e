//! Polygons moved inwards and outwards, with rounded corners of a stated accuracy.

use super::pose::{Pt, direction, distance, wrap};
use geo::algorithm::buffer::{Buffer, BufferStyle, LineCap, LineJoin};
use geo::{Area, BooleanOps, LineString, MultiPolygon, Polygon, Simplify};

/// How far a chord may stand off its arc.
const SAGITTA_M: f64 = 0.001;

fn arc_step(radius: f64) -> f64 {
    (8.0 * SAGITTA_M / radius.max(0.05)).sqrt().clamp(0.02, 0.12)
}

fn style(distance: f64) -> BufferStyle<f64> {
    let step = arc_step(distance.abs());
    BufferStyle::new(distance).line_join(LineJoin::Round(step)).line_cap(LineCap::Round(step))
}

/// The part of `polygons` at least `by` away from every ring.
pub(crate) fn eroded(polygons: &MultiPolygon<f64>, by: f64) -> MultiPolygon<f64> {
    cleaned(polygons.buffer_with_style(style(-by)))
}

/// Everything within `by` of `polygons`.
pub(crate) fn dilated(polygons: &MultiPolygon<f64>, by: f64) -> MultiPolygon<f64> {
    cleaned(polygons.buffer_with_style(style(by)))
}

/// The union of all discs of `radius` that lie in `polygons`: corners rounded, necks and slivers gone.
pub(crate) fn opened(polygons: &MultiPolygon<f64>, radius: f64) -> MultiPolygon<f64> {
    dilated(&eroded(polygons, radius), radius)
}

/// The area within `half_width` of a line, good to 1 % of that. Finer, the inner side of a bend tighter than the band
/// becomes hundreds of chords that all cross each other.
pub(crate) fn swept(line: &LineString<f64>, half_width: f64) -> MultiPolygon<f64> {
    let rough = line.simplify(chord_off(half_width));
    cleaned(rough.buffer_with_style(rough_style(half_width)))
}

/// Everything within `by` of `polygons`, good to 1 % of that, for the same reason.
pub(crate) fn roughly_dilated(polygons: &MultiPolygon<f64>, by: f64) -> MultiPolygon<f64> {
    cleaned(polygons.simplify(chord_off(by)).buffer_with_style(rough_style(by)))
}

fn chord_off(by: f64) -> f64 {
    (by / 100.0).clamp(0.01, 0.1)
}

fn rough_style(by: f64) -> BufferStyle<f64> {
    const JOIN_RAD: f64 = 0.15;
    BufferStyle::new(by).line_join(LineJoin::Round(JOIN_RAD)).line_cap(LineCap::Round(JOIN_RAD))
}

/// Drops slivers that are below any use and could upset later boolean operations.
fn cleaned(polygons: MultiPolygon<f64>) -> MultiPolygon<f64> {
    const MIN_AREA_M2: f64 = 1e-3;
    let area = |ring: &LineString<f64>| Polygon::new(ring.clone(), vec![]).unsigned_area();
    polygons
        .into_iter()
        .filter(|p| p.unsigned_area() > MIN_AREA_M2)
        .map(|p| {
            let (outer, holes) = p.into_inner();
            Polygon::new(outer, holes.into_iter().filter(|h| area(h) > MIN_AREA_M2).collect())
        })
        .collect()
}

/// Where the centre of a robot may drive at `clearance` from every ring, with every bend of the border
/// at least `radius`: the border of the result is a drivable lane.
///
/// Around a corner that sticks into the field the plain offset bends with radius `clearance`; where that
/// is tighter than `radius`, a disc of `radius` that keeps `clearance` from the corner is taken out.
pub(crate) fn drivable(field: &Polygon<f64>, clearance: f64, radius: f64) -> MultiPolygon<f64> {
    let mut free = eroded(&MultiPolygon::new(vec![field.clone()]), clearance);
    if clearance < radius {
        let discs: Vec<Polygon<f64>> = corners_into(field)
            .flat_map(|(corner, into_obstacle)| {
                let back = radius - clearance;
                let centre =
                    Pt { x: corner.x + back * into_obstacle.x, y: corner.y + back * into_obstacle.y };
                geo::Point::from(centre).buffer_with_style(style(radius))
            })
            .collect();
        if !discs.is_empty() {
            free = cleaned(free.difference(&geo::unary_union(&discs)));
        }
    }
    opened(&free, radius)
}

/// Vertices at which an obstacle sticks into the field by more than a few degrees, with the unit vector
/// that points into the obstacle. Needs rings oriented with the field on their left.
fn corners_into(field: &Polygon<f64>) -> impl Iterator<Item = (Pt, Pt)> {
    const MIN_TURN_RAD: f64 = 0.07;
    std::iter::once(field.exterior()).chain(field.interiors()).flat_map(|ring| {
        let mut points: Vec<Pt> = ring.0.clone();
        points.dedup_by(|a, b| distance(*a, *b) < 1e-9);
        points.pop();
        let n = points.len();
        (0..n).filter_map(move |i| {
            let (a, v, b) = (points[(i + n - 1) % n], points[i], points[(i + 1) % n]);
            let (h0, h1) = (direction(a, v), direction(v, b));
            let turn = wrap(h1 - h0);
            let middle = h0 + turn / 2.0 - std::f64::consts::FRAC_PI_2;
            (turn < -MIN_TURN_RAD).then(|| (v, Pt { x: middle.cos(), y: middle.sin() }))
        })
    })
}
