//! Strips along water and other borders over which nothing may be sprayed.

use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Point2};
use serde::{Deserialize, Serialize};

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

impl SprayFreeZone {
    /// Distance from a place to the line; infinite for a line without points.
    pub(crate) fn distance(&self, place: Point2<FieldFrame>) -> f64 {
        let single = || self.line.first().map_or(f64::INFINITY, |p| p.distance(place).get());
        self.line
            .windows(2)
            .map(|w| crate::geometry::pose::point_segment_sq(place.into(), w[0].into(), w[1].into()).sqrt())
            .fold(single(), f64::min)
    }
}

/// Whether `reach` around a place touches any zone.
pub(crate) fn touches(zones: &[SprayFreeZone], place: Point2<FieldFrame>, reach: f64) -> bool {
    zones.iter().any(|zone| zone.distance(place) < zone.width_m.get() + reach)
}
