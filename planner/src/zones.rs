//! Strips along water and other borders over which nothing may be sprayed.

use crate::geometry::pose::{Pt, point_segment_sq};
use geo::{Distance, Euclidean, LineString};
use kompas_field::units::Metres;
use kompas_field::{Field, FieldFrame, Finding, Point2};
use rstar::{AABB, PointDistance, RTree, RTreeObject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A strip on both sides of a line. Law is data: who says so, and when somebody last looked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SprayFreeZone {
    /// What it is measured from, for example the top of the bank.
    pub line: Vec<Point2<FieldFrame>>,
    /// Everything nearer than this stays dry, position error included.
    pub width_m: Metres,
    /// Name of the rule.
    pub rule: String,
    /// Where the rule stands.
    pub source: String,
    /// Date on which a person compared it with the text in force.
    pub checked: String,
}

/// Zones by place: a parcel's plan asks millions of times, and a ditch from a register has thousands of points.
pub(crate) struct Zones(Vec<OfOneWidth>);

struct OfOneWidth {
    width: f64,
    pieces: RTree<Piece>,
}

impl Zones {
    pub(crate) fn of(zones: &[SprayFreeZone]) -> Self {
        let mut by_width: BTreeMap<u64, Vec<Piece>> = BTreeMap::new();
        for zone in zones {
            let pieces = by_width.entry(zone.width_m.get().to_bits()).or_default();
            match zone.line[..] {
                [only] => pieces.push(Piece(only.into(), only.into())),
                _ => pieces.extend(zone.line.windows(2).map(|w| Piece(w[0].into(), w[1].into()))),
            }
        }
        let tree =
            |(width, pieces)| OfOneWidth { width: f64::from_bits(width), pieces: RTree::bulk_load(pieces) };
        Self(by_width.into_iter().map(tree).collect())
    }

    /// Whether `reach` around a place touches any zone.
    pub(crate) fn touches(&self, place: Point2<FieldFrame>, reach: f64) -> bool {
        /// The tree compares squares.
        const ROUNDING: f64 = 1.0 + 1e-9;
        self.0.iter().any(|OfOneWidth { width, pieces }| {
            let far = (width + reach).max(0.0);
            let mut near = pieces.locate_within_distance(place.to_array(), far * far * ROUNDING);
            near.any(|piece| piece.distance(place) < width + reach)
        })
    }

    /// Metres to the edge of the nearest zone, below 0 inside; very far without zones.
    pub(crate) fn beyond(&self, place: Point2<FieldFrame>) -> f64 {
        let edge = |zones: &OfOneWidth| {
            let nearest = zones.pieces.nearest_neighbor(&place.to_array())?;
            Some(nearest.distance(place) - zones.width)
        };
        self.0.iter().filter_map(edge).fold(f64::MAX, f64::min)
    }
}

/// Zones that touch nothing of the field: most likely another field's, and then this one's are missing.
pub(crate) fn apart(zones: &[SprayFreeZone], field: &Field) -> impl Iterator<Item = Finding> {
    zones.iter().enumerate().filter_map(|(i, zone)| {
        let line: LineString = zone.line.iter().map(|p| (p.x, p.y)).collect();
        let off = Euclidean.distance(field.boundary.polygon(), &line);
        (off > zone.width_m.get()).then(|| {
            Finding::warning(
                "plan.zone_apart",
                format!("zones[{i}], {}", zone.rule),
                format!(
                    "lies {off:.0} m from the field and is {:.2} m wide: it keeps nothing dry",
                    zone.width_m.get()
                ),
                "give the zones of this field",
            )
        })
    })
}

/// A straight piece of a zone's line.
struct Piece(Pt, Pt);

impl Piece {
    fn distance(&self, place: Point2<FieldFrame>) -> f64 {
        point_segment_sq(place.into(), self.0, self.1).sqrt()
    }
}

impl RTreeObject for Piece {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners([self.0.x, self.0.y], [self.1.x, self.1.y])
    }
}

impl PointDistance for Piece {
    fn distance_2(&self, point: &[f64; 2]) -> f64 {
        point_segment_sq(Pt { x: point[0], y: point[1] }, self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Distance from a place to a zone's line, every piece looked at.
    fn plainly(zone: &SprayFreeZone, place: Point2<FieldFrame>) -> f64 {
        let pieces = zone.line.windows(2).map(|w| Piece(w[0].into(), w[1].into()).distance(place));
        pieces.fold(zone.line.first().map_or(f64::INFINITY, |p| p.distance(place).get()), f64::min)
    }

    fn zones() -> impl Strategy<Value = Vec<SprayFreeZone>> {
        let point = (-50.0..50.0, -50.0..50.0).prop_map(|(x, y)| Point2::new(x, y));
        let zone = (vec(point, 0..40), 0u8..4).prop_map(|(line, width)| SprayFreeZone {
            line,
            width_m: Metres::new(f64::from(width) * 1.5),
            rule: String::new(),
            source: String::new(),
            checked: String::new(),
        });
        vec(zone, 0..5)
    }

    proptest! {
        #[test]
        fn a_place_is_as_far_from_zones_as_when_every_piece_is_looked_at(
            zones in zones(), x in -80.0..80.0, y in -80.0..80.0, reach in 0.0..20.0,
        ) {
            let (index, place) = (Zones::of(&zones), Point2::new(x, y));
            let near = |zone: &SprayFreeZone| plainly(zone, place) < zone.width_m.get() + reach;
            prop_assert_eq!(index.touches(place, reach), zones.iter().any(near));
            let beyond = zones.iter().map(|zone| plainly(zone, place) - zone.width_m.get());
            let (given, plain) = (index.beyond(place), beyond.fold(f64::MAX, f64::min));
            prop_assert!((given - plain).abs() < 1e-9, "{} for {}", given, plain);
        }
    }
}
