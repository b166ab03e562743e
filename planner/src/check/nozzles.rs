//! The nozzle schedule stays on working legs, names nozzles that exist and rates that were prescribed.

use crate::plan::Plan;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Finding, Rig};

/// Of places along the path.
const ROUNDING_M: f64 = 0.002;

pub(super) fn nozzles(plan: &Plan, rig: &Rig) -> Vec<Finding> {
    const MOST: usize = 20;
    let working = working(plan);
    let highest = plan
        .prescription
        .cells()
        .map(|(_, rate)| rate)
        .fold(plan.prescription.fallback().default_l_per_ha, LitresPerHectare::max);
    let mut found = Vec::new();
    // Where each nozzle shuts last.
    let mut shut_m = vec![f64::NEG_INFINITY; rig.boom.nozzles.len()];
    for (i, run) in plan.schedule.iter().enumerate() {
        let cause = if usize::from(run.nozzle) >= rig.boom.nozzles.len() {
            Some(format!("nozzle {} of {}", run.nozzle, rig.boom.nozzles.len()))
        } else if !(run.from_m.is_finite() && run.to_m.is_finite() && run.from_m < run.to_m + 1e-9) {
            Some(format!("from {} m to {} m is no stretch", run.from_m, run.to_m))
        } else if run.from_m < shut_m[usize::from(run.nozzle)] - ROUNDING_M {
            let shut_m = shut_m[usize::from(run.nozzle)];
            Some(format!("opens at {:.2} m, and shuts at {shut_m:.2} m only", run.from_m))
        } else if run.rate_l_per_ha > highest {
            Some(format!("{:.1}, nothing above {highest:.1} was prescribed", run.rate_l_per_ha))
        } else if !within(&working, run.from_m, run.to_m) {
            Some(format!("open from {:.2} m to {:.2} m, where the boom must not work", run.from_m, run.to_m))
        } else {
            None
        };
        if let Some(shut_m) = shut_m.get_mut(usize::from(run.nozzle)) {
            *shut_m = shut_m.max(run.to_m);
        }
        if let Some(cause) = cause {
            found.push(Finding::error(
                "plan.schedule",
                format!("schedule[{i}]"),
                cause,
                "make the plan again",
            ));
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// Stretches of the path with the implement on.
fn working(plan: &Plan) -> Vec<(f64, f64)> {
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    let mut driven = 0.0;
    for leg in &plan.path {
        let begin = driven;
        driven += leg.points.windows(2).map(|w| (w[0].x - w[1].x).hypot(w[0].y - w[1].y)).sum::<f64>();
        if leg.implement {
            match stretches.last_mut() {
                Some(last) if begin - last.1 < 1e-9 => last.1 = driven,
                _ => stretches.push((begin, driven)),
            }
        }
    }
    stretches
}

fn within(stretches: &[(f64, f64)], from: f64, to: f64) -> bool {
    let i = stretches.partition_point(|s| s.1 + ROUNDING_M < to);
    stretches.get(i).is_some_and(|s| s.0 - ROUNDING_M <= from && to <= s.1 + ROUNDING_M)
}
