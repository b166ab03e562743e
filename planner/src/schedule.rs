//! Which nozzle is open over which stretch of the path.

use crate::plan::{Gear, Leg, NozzleRun};
use crate::policy::Policy;
use crate::zones::Zones;
use kompas_field::units::LitresPerHectare;
use kompas_field::{FieldFrame, Grid, Point2, Prescription, Rig};

mod dry;

/// Path distance between two looks at the map; every run is widened by it, so that nothing opens too late.
const STEP_M: f64 = 0.1;

/// A nozzle runs while any part of what it wets, widened by `position_error` on every side, lies on a grid
/// cell with a rate and no part can fall into a spray-free zone. Only on legs with the implement on.
pub(crate) fn schedule(
    path: &[Leg],
    prescription: &Prescription,
    rig: &Rig,
    policy: &Policy,
) -> Vec<NozzleRun> {
    let rates = Rates::of(prescription);
    let zones = Zones::of(&policy.zones);
    let margin = policy.position_error.get();
    let mut runs = Vec::new();
    let mut valves = vec![Valve::default(); rig.boom.nozzles.len()];
    let mut driven = 0.0;
    for leg in path {
        let begin = driven;
        for pair in leg.points.windows(2) {
            let span = pair[0].distance(pair[1]).get();
            if leg.implement && span > 1e-9 {
                let line = Line { from: pair[0], to: pair[1], gear: leg.gear, begin: driven, span };
                for (number, valve) in (0u16..).zip(&mut valves) {
                    line.look(number, rig, &rates, (&zones, margin), |run| {
                        valve.extend(run, begin, &mut runs);
                    });
                }
            }
            driven += span;
        }
        if !leg.implement {
            continue;
        }
        // A run never reaches into the next leg: the boom may have to be closed there.
        for valve in &mut valves {
            valve.shut(driven, &mut runs);
        }
    }
    if policy.zones.is_empty() { runs } else { dry::dry(runs, path, rig, (&zones, margin)) }
}

/// A nozzle while its runs are found.
#[derive(Clone, Copy, Default)]
struct Valve {
    run: Option<NozzleRun>,
    /// Where its last finished run ends.
    shut_m: f64,
}

impl Valve {
    /// Is to be open over `run`, too, on a leg that begins at `begin`.
    fn extend(&mut self, run: NozzleRun, begin: f64, runs: &mut Vec<NozzleRun>) {
        if let Some(current) = &mut self.run
            && current.rate_l_per_ha == run.rate_l_per_ha
            && run.from_m <= current.to_m
        {
            current.to_m = run.to_m;
            return;
        }
        // A nozzle has one rate at a time. Where two cells meet, the higher one keeps its margin.
        let until = match self.run {
            Some(current) if current.rate_l_per_ha < run.rate_l_per_ha => run.from_m,
            _ => f64::MAX,
        };
        self.shut(until, runs);
        self.run = Some(NozzleRun { from_m: run.from_m.max(begin).max(self.shut_m), ..run });
    }

    /// Ends the run at `until` at the latest.
    fn shut(&mut self, until: f64, runs: &mut Vec<NozzleRun>) {
        let mm = |m: f64| (m * 1e3).round() / 1e3;
        let Some(run) = self.run.take() else { return };
        let to_m = run.to_m.min(until);
        if run.from_m < to_m {
            runs.push(NozzleRun { from_m: mm(run.from_m), to_m: mm(to_m), ..run });
            self.shut_m = to_m;
        }
    }
}

/// One straight piece of a leg.
struct Line {
    from: Point2<FieldFrame>,
    to: Point2<FieldFrame>,
    gear: Gear,
    begin: f64,
    span: f64,
}

impl Line {
    /// Calls `found` with a short run wherever the nozzle has to be open.
    fn look(
        &self,
        number: u16,
        rig: &Rig,
        rates: &Rates,
        (zones, margin): (&Zones, f64),
        mut found: impl FnMut(NozzleRun),
    ) {
        let Some(nozzle) = rig.boom.nozzles.get(usize::from(number)) else { return };
        let (ux, uy) = ((self.to.x - self.from.x) / self.span, (self.to.y - self.from.y) / self.span);
        // The nose looks backwards along the line in reverse.
        let nose = if self.gear == Gear::Forward { 1.0 } else { -1.0 };
        let (ahead, left) = (nozzle.place.x * nose, nozzle.place.y * nose);
        let half = rig.boom.fan_width.get() / 2.0 + margin;
        let along = rig.boom.fan_length.get() / 2.0 + margin + STEP_M;
        let wet = rig.boom.fan_width.get().hypot(rig.boom.fan_length.get()) / 2.0;
        let run = |at: f64, rate_l_per_ha| NozzleRun {
            nozzle: number,
            from_m: at - along,
            to_m: at + along,
            rate_l_per_ha,
        };
        if let Some(rate) = rates.everywhere {
            if rate > LitresPerHectare::ZERO {
                found(NozzleRun { to_m: self.begin + self.span, ..run(self.begin + along, rate) });
            }
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "short pieces of a path")]
        let (steps, probes) = ((self.span / STEP_M).ceil() as u32, (half * 4.0).ceil() as u32 + 1);
        for k in 0..=steps {
            let t = self.span * f64::from(k) / f64::from(steps);
            let mut rate = LitresPerHectare::ZERO;
            for probe in 0..=probes {
                let y = left - half + 2.0 * half * f64::from(probe) / f64::from(probes);
                let place = Point2::new(
                    self.from.x + ux * (t + ahead) - uy * y,
                    self.from.y + uy * (t + ahead) + ux * y,
                );
                rate = rate.max(rates.at(place));
            }
            let middle = Point2::new(
                self.from.x + ux * (t + ahead) - uy * left,
                self.from.y + uy * (t + ahead) + ux * left,
            );
            if rate > LitresPerHectare::ZERO && !zones.touches(middle, wet + margin + along) {
                found(run(self.begin + t, rate));
            }
        }
    }
}

/// The prescription as a plain array: it is read millions of times.
struct Rates {
    grid: Grid,
    cells: Vec<LitresPerHectare>,
    /// Where no cell has a rate of its own.
    everywhere: Option<LitresPerHectare>,
}

impl Rates {
    fn of(prescription: &Prescription) -> Self {
        let grid = prescription.grid();
        let default = prescription.fallback().default_l_per_ha;
        if prescription.cells().next().is_none() {
            return Self { grid, cells: vec![], everywhere: Some(default) };
        }
        let mut cells = vec![default; grid.cols as usize * grid.rows as usize];
        for (cell, rate) in prescription.cells() {
            cells[grid.position(cell)] = rate;
        }
        Self { grid, cells, everywhere: None }
    }

    fn at(&self, place: Point2<FieldFrame>) -> LitresPerHectare {
        self.grid.cell_at(place).map_or(LitresPerHectare::ZERO, |cell| self.cells[self.grid.position(cell)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 10 cm, each opens 30 cm to both sides: low, high, low for one look, and high again.
    #[test]
    fn a_nozzle_has_one_rate_at_a_time() {
        let (mut valve, mut runs) = (Valve::default(), Vec::new());
        for (i, rate) in (0_u8..).zip([80., 80., 80., 120., 120., 80., 120., 120., 80., 80., 80., 80., 80.]) {
            let at = 10.0 + 0.1 * f64::from(i);
            let rate_l_per_ha = LitresPerHectare::new(rate);
            valve.extend(
                NozzleRun { nozzle: 0, from_m: at - 0.3, to_m: at + 0.3, rate_l_per_ha },
                9.9,
                &mut runs,
            );
        }
        valve.shut(12.0, &mut runs);
        let found: Vec<_> = runs.iter().map(|run| (run.from_m, run.to_m, run.rate_l_per_ha.get())).collect();
        assert_eq!(found, [(9.9, 10.0, 80.), (10.0, 10.7, 120.), (10.7, 11.0, 120.), (11.0, 11.5, 80.)]);
    }
}
