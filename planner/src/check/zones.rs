//! No drop into a spray-free zone: the footprint of every open nozzle, with the declared position error.

use crate::drive::PathSampler;
use crate::plan::Plan;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, Finding, Point2, Rig};

/// Looks at every run each 5 cm and at both of its ends. The footprint is a disc around the corner of what one nozzle
/// wets; half a step is added for what lies between two looks.
pub(super) fn zones(plan: &Plan, rig: &Rig) -> Vec<Finding> {
    const STEP_M: f64 = 0.05;
    const MOST: usize = 20;
    let mut found = Vec::new();
    if plan.zones.is_empty() {
        return found;
    }
    let sampler = PathSampler::new(plan);
    let wet = rig.boom.fan_width.get().hypot(rig.boom.fan_length.get()) / 2.0;
    let reach = wet + plan.position_error_m.get();
    for (i, run) in plan.schedule.iter().enumerate() {
        let Some(nozzle) = rig.boom.nozzles.get(usize::from(run.nozzle)) else { continue };
        let mut at = run.from_m;
        while let Some(on) = sampler.at(Metres::new(at)) {
            let place = on.pose.position.moved(
                on.pose.heading,
                Metres::new(nozzle.place.x),
                Metres::new(nozzle.place.y),
            );
            let bad = plan.zones.iter().find(|z| nearest(&z.line, place) < z.width_m.get() + reach - 0.001);
            if let Some(zone) = bad {
                let cause =
                    format!("nozzle {} sprays into the zone of {} ({})", run.nozzle, zone.rule, zone.source);
                let place = format!("schedule[{i}] at ({:.2}, {:.2}) m", place.x, place.y);
                found.push(Finding::error("plan.spray_free_zone", place, cause, "make the plan again"));
                break;
            }
            if at >= run.to_m {
                break;
            }
            at = (at + STEP_M).min(run.to_m);
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

fn nearest(line: &[Point2<FieldFrame>], p: Point2<FieldFrame>) -> f64 {
    let to_piece = |a: Point2<FieldFrame>, b: Point2<FieldFrame>| {
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let square = dx * dx + dy * dy;
        let share =
            if square > 0.0 { (((p.x - a.x) * dx + (p.y - a.y) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
        (p.x - a.x - share * dx).hypot(p.y - a.y - share * dy)
    };
    line.windows(2).map(|w| to_piece(w[0], w[1])).fold(f64::INFINITY, f64::min)
}
