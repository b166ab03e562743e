//! What happened, as records.

use super::{
    ClosedBecause, Decision, FieldFrame, IncidentKind, LitresPerHectare, MissionFile, NozzleOpening, Outcome,
    Plant, Point2, Robot, RobotFrame, RobotInstant, Rule, STORE_EVERY, Served, Sighting, Totals, Transform2,
    Verdict,
};
use crate::drivers::ValveMove;
use crate::nozzles::nozzle_speed;
use kompas_field::units::Seconds;

impl Robot {
    pub(super) fn decision(
        &self,
        plant: &Plant,
        verdict: Verdict,
        rule: Rule,
        rate: LitresPerHectare,
        now: RobotInstant,
    ) -> Decision {
        Decision {
            plant: plant.number,
            position: plant.position,
            cell: self.grid.cell_at(plant.position),
            class: plant.class(),
            confidence: plant.confidence(),
            area_cm2: plant.area_cm2,
            frames_seen: plant.frames_seen,
            verdict,
            rule,
            rate_l_per_ha: if verdict == Verdict::Treat { rate } else { LitresPerHectare::ZERO },
            nozzles: Vec::new(),
            decided_at: now,
        }
    }

    /// A decision that will not change any more.
    pub(super) fn decided(&mut self, decision: Decision, now: RobotInstant) {
        let seen = Sighting {
            position: decision.position,
            sigma: kompas_field::units::Metres::ZERO,
            class: decision.class,
            confidence: decision.confidence,
            area_cm2: decision.area_cm2,
        };
        if !self.weed_map.add(&seen) {
            tracing::debug!("plant {} stands off the grid", decision.plant.0);
        }
        self.told(decision, now);
    }

    /// A decision for the records and the counts, not for the weed map.
    pub(super) fn told(&mut self, decision: Decision, now: RobotInstant) {
        self.tally.decided(&decision);
        self.logbook.decided(decision, now);
    }

    pub(super) fn write_down(&mut self, now: RobotInstant, served: Served) {
        let Served { outcomes, change, moves } = served;
        if let Some(change) = change {
            let what = match change {
                Some(because) => IncidentKind::Closed { because },
                None => IncidentKind::Reopened,
            };
            self.logbook.incident(what, now, self.time.clock());
        }
        for (plant, outcome) in outcomes {
            let Some(mut decision) = self.memory.pending.remove(&plant) else { continue };
            match outcome {
                Outcome::Treated { nozzles } => decision.nozzles = nozzles,
                Outcome::Missed { rule } => {
                    decision.verdict = Verdict::Leave;
                    decision.rule = rule;
                    decision.rate_l_per_ha = LitresPerHectare::ZERO;
                }
            }
            self.decided(decision, now);
        }
        for one in moves {
            self.opened(one, now);
        }
    }

    /// One valve as it moved, with the ground it passed over.
    fn opened(&mut self, one: ValveMove, now: RobotInstant) {
        let ValveMove { opened_at, closed_at, nozzle } = one;
        let Some(mounted) = self.boom.nozzles.get(usize::from(nozzle)) else { return };
        let lands = |moment: RobotInstant| -> Option<Point2<FieldFrame>> {
            // After a jump there is no pose, but liquid came out all the same: the last line is the best there is.
            let motion = self.poses.line_at(moment)?;
            let carry = self.boom.carry_at(nozzle_speed(&motion, mounted));
            let place = Point2::<RobotFrame>::new(mounted.place.x + carry.get(), mounted.place.y);
            Some(Transform2::<FieldFrame, RobotFrame>::at(&motion.pose) * place)
        };
        // Liquid comes `valve_open` after the valve is energised and ends `valve_close` after its release.
        let tail = mounted.valve_close - mounted.valve_open;
        let open = (closed_at.since(opened_at) + tail).max(Seconds::ZERO);
        let volume_l = self.boom.litres_in(open);
        self.tally.openings += 1;
        self.tally.volume_l += volume_l;
        let (Some(from), Some(to)) =
            (lands(opened_at.after(mounted.valve_open)), lands(closed_at.after(mounted.valve_close)))
        else {
            tracing::error!(nozzle, seconds = open.get(), "a nozzle was open where nobody knows the place");
            return;
        };
        let middle = Point2::new(f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
        let cell = self.grid.cell_at(middle);
        let length_m = from.distance(to).get() + self.boom.fan_length.get();
        let area_m2 = self.boom.fan_width.get() * length_m;
        let opening = NozzleOpening {
            nozzle,
            opened_at,
            closed_at,
            from,
            to,
            cell,
            volume_ml: volume_l * 1e3,
            area_m2,
        };
        self.memory.cells.extend(opening.shares_ul().into_keys());
        self.logbook.opened(opening, now);
    }

    pub(super) fn store_progress(&mut self, now: RobotInstant) {
        if self.memory.stored_at.is_none_or(|at| now.since(at) >= STORE_EVERY) {
            self.memory.stored_at = Some(now);
            let mission = self.mission_now();
            self.logbook.store(mission, now, self.time.clock());
        }
    }

    /// The mission as it stands, with what this run added.
    pub(super) fn mission_now(&self) -> MissionFile {
        let before = self.memory.treated_at_start;
        let totals = Totals {
            frames: before.frames + self.tally.frames,
            frames_unusable: before.frames_unusable + self.tally.frames_unusable,
            plants: before.plants + self.tally.plants,
            plants_treated: before.plants_treated + self.tally.plants_treated,
            volume_l: before.volume_l + self.tally.volume_l,
            driven_m: before.driven_m + self.poses.driven().get(),
        };
        MissionFile { progress_m: self.progress.at().get(), totals, ..self.mission.clone() }
    }

    /// Everything not decided, and everything decided that waits: nothing will come of it.
    pub(super) fn decide_rest(&mut self, now: RobotInstant, because: ClosedBecause) {
        let pending = std::mem::take(&mut self.memory.pending);
        for mut decision in pending.into_values() {
            decision.verdict = Verdict::Leave;
            decision.rule = Rule::Closed { because };
            decision.rate_l_per_ha = LitresPerHectare::ZERO;
            self.decided(decision, now);
        }
        let (rest, parts) = self.plants.take_rest();
        self.tally.parts += parts;
        for plant in rest {
            let decision =
                self.decision(&plant, Verdict::Leave, Rule::OutOfReach, LitresPerHectare::ZERO, now);
            self.decided(decision, now);
        }
    }
}
