//! The drone's mission over a field: parallel lines so close that pictures overlap as asked.

use crate::coverage::swaths::{Spacing, swaths};
use crate::export::qgroundcontrol::{Item, Mission};
use crate::geometry::offset::roughly_dilated;
use geo::{ConvexHull, Simplify};
use kompas_field::{Field, Geodetic, Point2};
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_PI_2, PI};

/// A survey drone as a file: `rigs/drone-survey.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroneToml {
    /// For people.
    pub name: String,
    /// Picture width in pixels, across the flight direction.
    pub width_px: f64,
    /// Picture height in pixels, along it.
    pub height_px: f64,
    /// Focal length in pixels.
    pub focal_px: f64,
    /// Above ground.
    pub altitude_m: f64,
    /// Share of a picture that the next one on the line repeats, 0 to 0.95.
    pub front_overlap: f64,
    /// Share that the neighbouring line repeats, 0 to 0.95.
    pub side_overlap: f64,
    /// Over ground.
    pub speed_mps: f64,
    /// Whether lines are flown beyond the boundary, so that turns lie off the crop.
    pub turns_outside: bool,
}

/// Why there is no survey.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SurveyError {
    /// A number out of its range.
    #[error("{key} = {value}: allowed is {low} to {high}")]
    OutOfRange {
        /// In the drone file.
        key: &'static str,
        /// As given.
        value: f64,
        /// Allowed.
        low: f64,
        /// Allowed.
        high: f64,
    },
}

/// What a survey will take, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SurveySummary {
    /// Parallel lines.
    pub lines: usize,
    /// Metres per pixel.
    pub ground_sampling_m: f64,
    /// Between lines.
    pub spacing_m: f64,
    /// Between pictures.
    pub trigger_m: f64,
    /// Lines and turns, without the way there and back.
    pub flight_m: f64,
}

/// Lines over the whole parcel, exclusions included: a picture of a pond harms nobody. The outermost lines lie at most
/// half a spacing from the edge. The fence is the convex hull of parcel and lines, 5 m wider: every straight way between
/// two places of the mission lies in it.
///
/// # Errors
/// [`SurveyError`].
pub fn survey(field: &Field, drone: &DroneToml) -> Result<(Mission, SurveySummary), SurveyError> {
    for (key, value, low, high) in [
        ("width_px", drone.width_px, 16.0, 1e5),
        ("height_px", drone.height_px, 16.0, 1e5),
        ("focal_px", drone.focal_px, 16.0, 1e6),
        ("altitude_m", drone.altitude_m, 1.0, 120.0),
        ("front_overlap", drone.front_overlap, 0.0, 0.95),
        ("side_overlap", drone.side_overlap, 0.0, 0.95),
        ("speed_mps", drone.speed_mps, 0.1, 30.0),
    ] {
        if !(low..=high).contains(&value) {
            return Err(SurveyError::OutOfRange { key, value, low, high });
        }
    }
    let ground_sampling_m = drone.altitude_m / drone.focal_px;
    let spacing_m = ground_sampling_m * drone.width_px * (1.0 - drone.side_overlap);
    let trigger_m = ground_sampling_m * drone.height_px * (1.0 - drone.front_overlap);
    let outline = geo::Polygon::new(field.boundary.polygon().exterior().clone(), vec![]);
    let area = geo::MultiPolygon::new(vec![outline]);
    let lines_at = |heading: f64| swaths(&area, spacing_m, (heading, Spacing::Even), 0.0);
    let flight = |heading: &f64| {
        lines_at(*heading).iter().map(|l| l.length() + spacing_m + 4.0 * drone.speed_mps).sum::<f64>()
    };
    let heading = (0..90)
        .map(|k| PI * f64::from(k) / 90.0)
        .min_by(|a, b| flight(a).total_cmp(&flight(b)))
        .unwrap_or(FRAC_PI_2);
    let mut lines = lines_at(heading);
    lines.sort_by_key(|l| l.row);
    // Where turns may lie outside, every line ends a picture beyond the edge.
    let beyond = if drone.turns_outside { ground_sampling_m * drone.height_px } else { 0.0 };
    let place = |p: geo::Coord<f64>| field.plane.to_geodetic(Point2::new(p.x, p.y));
    let mut items = Vec::new();
    let mut flown: Vec<geo::Coord<f64>> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let (from, to) = if i % 2 == 0 { (0, 1) } else { (1, 0) };
        let ends = [line.leaving(from).ahead(beyond).at, line.leaving(to).ahead(beyond).at];
        if i == 0 {
            items.push(Item::TakeOff { at: place(ends[0]), altitude_m: drone.altitude_m });
            items.push(Item::Speed { mps: drone.speed_mps });
        }
        items.push(Item::Waypoint { at: place(ends[0]), altitude_m: drone.altitude_m });
        items.push(Item::Trigger { every_m: (trigger_m * 100.0).round() / 100.0 });
        items.push(Item::Waypoint { at: place(ends[1]), altitude_m: drone.altitude_m });
        items.push(Item::Trigger { every_m: 0.0 });
        flown.extend(ends);
    }
    items.push(Item::Return);
    let home = flown.first().map_or(field.plane.origin(), |p| place(*p));
    let fence = vec![around(field, &flown)];
    let summary = SurveySummary {
        lines: lines.len(),
        ground_sampling_m,
        spacing_m,
        trigger_m,
        flight_m: crate::geometry::pose::length(&flown),
    };
    Ok((Mission { items, fence, home, vehicle_type: 2, speed_mps: drone.speed_mps }, summary))
}

/// A fence around the parcel and what is flown, without the closing point. Lines end beyond slanted edges, and the way from
/// line to line leads over the notch of a concave parcel.
fn around(field: &Field, flown: &[geo::Coord<f64>]) -> Vec<Geodetic> {
    /// What a receiver without corrections is off by, and a multicopter flies on in a turn.
    const ROOM_M: f64 = 5.0;
    /// Corners that change less are left out: autopilots take tens of them, not thousands.
    const CORNER_M: f64 = 0.5;
    let corners = field.boundary.polygon().exterior().coords().chain(flown);
    let hull = corners.copied().collect::<geo::MultiPoint>().convex_hull().simplify(CORNER_M);
    let wide = roughly_dilated(&geo::MultiPolygon::new(vec![hull]), ROOM_M + CORNER_M);
    let ring = wide.iter().flat_map(|part| part.exterior().coords().skip(1));
    ring.map(|p| field.plane.to_geodetic((*p).into())).collect()
}
