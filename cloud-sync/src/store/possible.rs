//! What a readable payload may say. A number that no field, boom or calendar has would spoil every total and map
//! that it enters, so such a record is set apart.

use kompas_field::decision::Decision;
use kompas_field::record::{MissionFinished, NozzleOpening};
use kompas_field::{Boundary, FieldFrame, Payload, Point2};
use std::ops::RangeInclusive;

/// Milliseconds that a browser's calendar has, on either side of 1970.
pub(crate) const CALENDAR_MS: i64 = 8_640_000_000_000_000;

/// As far from the datum as a boundary may reach.
const PLACE_M: RangeInclusive<f64> = -Boundary::MAX_REACH.get()..=Boundary::MAX_REACH.get();
/// A nozzle open from one end of the largest field to the other.
const OPENING_M: RangeInclusive<f64> = 0.0..=5e3;
/// More than a tank through one nozzle. A sum of these has no end in 64 bits: nine thousand million openings fit.
const OPENING_ML: RangeInclusive<f64> = 0.0..=1e6;
const OPENING_M2: RangeInclusive<f64> = 0.0..=1e4;
const RATE_L_PER_HA: RangeInclusive<f64> = 0.0..=1e5;
/// A hectare of leaf taken for one plant.
const PLANT_CM2: RangeInclusive<f64> = 0.0..=1e8;
/// A job's totals.
const TOTAL: RangeInclusive<f64> = 0.0..=1e9;

/// The first number in `payload` that cannot be: where it stands and what would be possible.
pub(crate) fn impossible(payload: &Payload) -> Option<String> {
    match payload {
        Payload::MissionStarted(_) | Payload::Incident(_) => None,
        Payload::Track(track) => first("points", &track.points, |point| place("position", point.position)),
        Payload::Plants(plants) => first("decisions", &plants.decisions, decision),
        Payload::AsApplied(applied) => first("openings", &applied.openings, opening),
        Payload::MissionFinished(MissionFinished { volume_l, driven_m, .. }) => {
            outside("volume_l", *volume_l, &TOTAL).or_else(|| outside("driven_m", *driven_m, &TOTAL))
        }
    }
}

fn first<T>(list: &str, items: &[T], impossible: impl Fn(&T) -> Option<String>) -> Option<String> {
    let found = |(index, item)| impossible(item).map(|what| format!("{list}[{index}].{what}"));
    items.iter().enumerate().find_map(found)
}

fn decision(decision: &Decision) -> Option<String> {
    place("position", decision.position)
        .or_else(|| outside("rate_l_per_ha", decision.rate_l_per_ha.get(), &RATE_L_PER_HA))
        .or_else(|| outside("area_cm2", decision.area_cm2, &PLANT_CM2))
}

fn opening(opening: &NozzleOpening) -> Option<String> {
    let NozzleOpening { from, to, volume_ml, area_m2, .. } = opening;
    place("from", *from)
        .or_else(|| place("to", *to))
        .or_else(|| outside("from to its to, in metres,", from.distance(*to).get(), &OPENING_M))
        .or_else(|| outside("volume_ml", *volume_ml, &OPENING_ML))
        .or_else(|| outside("area_m2", *area_m2, &OPENING_M2))
}

fn place(name: &str, point: Point2<FieldFrame>) -> Option<String> {
    let axis = |axis, value| outside(&format!("{name}.{axis}"), value, &PLACE_M);
    axis("x", point.x).or_else(|| axis("y", point.y))
}

fn outside(name: &str, value: f64, possible: &RangeInclusive<f64>) -> Option<String> {
    let (least, most) = (possible.start(), possible.end());
    (!possible.contains(&value)).then(|| format!("{name} is {value}, {least} to {most} is possible"))
}
