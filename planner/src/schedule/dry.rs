//! Takes out of the nozzle runs what could fall into a spray-free zone.

use crate::drive::PathSampler;
use crate::plan::{Leg, NozzleRun};
use crate::zones::Zones;
use kompas_field::Rig;
use kompas_field::units::Metres;

/// Path distance between two looks close to a zone.
const STEP_M: f64 = 0.02;
/// Shorter runs than this are not worth a valve's while.
const SHORT_M: f64 = 0.05;

/// Every run without the stretches over which any part of what the nozzle wets, position error included, could lie in a
/// zone. Looks where the nozzle really is: on a bend the outer end of the boom moves faster than the antenna.
pub(super) fn dry(
    runs: Vec<NozzleRun>,
    path: &[Leg],
    rig: &Rig,
    (zones, margin): (&Zones, f64),
) -> Vec<NozzleRun> {
    let sampler = PathSampler::of_legs(path);
    let wet = rig.boom.fan_width.get().hypot(rig.boom.fan_length.get()) / 2.0;
    let reach = wet + margin;
    let turning = rig.robot.min_turning_radius.get().max(0.3);
    let mut kept = Vec::with_capacity(runs.len());
    for run in runs {
        let Some(nozzle) = rig.boom.nozzles.get(usize::from(run.nozzle)) else { continue };
        // Metres the nozzle may move per metre of path.
        let pace = 1.0 + nozzle.place.x.hypot(nozzle.place.y) / turning;
        // How far outside the nearest zone the footprint is.
        let spare = |at: f64| {
            let Some(on) = sampler.at(Metres::new(at)) else { return f64::MIN };
            let (x, y) = (Metres::new(nozzle.place.x), Metres::new(nozzle.place.y));
            let spot = on.pose.position.moved(on.pose.heading, x, y);
            zones.beyond(spot) - reach
        };
        let mut begin: Option<f64> = None;
        let mut at = run.from_m;
        let mut close = |begin: &mut Option<f64>, end: f64| {
            if let Some(from_m) = begin.take()
                && end - from_m >= SHORT_M
            {
                kept.push(NozzleRun { from_m, to_m: end, ..run });
            }
        };
        loop {
            let spare = spare(at);
            // Two steps of nozzle movement: one back to the last look, one on to the next.
            if spare > 2.0 * STEP_M * pace {
                begin.get_or_insert(at);
            } else {
                close(&mut begin, at - STEP_M);
            }
            if at >= run.to_m {
                break;
            }
            at = (at + (spare / pace - 2.0 * STEP_M).max(STEP_M)).min(run.to_m);
        }
        close(&mut begin, run.to_m);
    }
    kept
}
