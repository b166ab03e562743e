//! Queue, guard and boom together: from "treat this plant" to a valve that moved, or the reason why not.

use crate::drivers::{EmergencyStop, NozzleDriver, ValveMove};
use crate::guard::{Guard, Inputs, Permit};
use crate::nozzles::{Due, NozzleQueue, Target};
use crate::plants::CropMap;
use crate::pose::Motion;
use kompas_field::decision::PlantNumber;
use kompas_field::{ClosedBecause, FieldFrame, Point2, RobotInstant, Rule};
use kompas_vision::Plant;
use std::collections::BTreeMap;

mod account;

use account::Account;

/// What became of a plant.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nozzles were open as wanted over half of its leaf or more.
    Treated {
        /// Which.
        nozzles: Vec<u16>,
    },
    /// Less, or nothing, came out; the rule says why.
    Missed {
        /// Why.
        rule: Rule,
    },
}

/// What one look at the boom gave.
#[derive(Debug, Default)]
pub struct Served {
    /// Plants that are done, one way or the other.
    pub outcomes: Vec<(PlantNumber, Outcome)>,
    /// Set when the guard's mind changed: the new reason to stay shut, or none.
    pub change: Option<Option<ClosedBecause>>,
    /// What valves did.
    pub moves: Vec<ValveMove>,
}

/// Commands on their way for one spot.
#[derive(Debug)]
struct InFlight {
    target: Target,
    nozzles: Vec<u16>,
    done_at: RobotInstant,
}

/// The boom and everything that stands before it.
pub struct Sprayer {
    queue: NozzleQueue,
    guard: Guard,
    boom: Box<dyn NozzleDriver>,
    stop: Box<dyn EmergencyStop>,
    answers: bool,
    in_flight: Vec<InFlight>,
    accounts: BTreeMap<PlantNumber, Account>,
    /// Of the last look.
    now: RobotInstant,
}

impl Sprayer {
    /// Shut.
    pub const fn new(
        queue: NozzleQueue,
        guard: Guard,
        boom: Box<dyn NozzleDriver>,
        stop: Box<dyn EmergencyStop>,
    ) -> Self {
        Self {
            queue,
            guard,
            boom,
            stop,
            answers: true,
            in_flight: Vec::new(),
            accounts: BTreeMap::new(),
            now: RobotInstant::START,
        }
    }

    /// The queue, for where plants must be decided.
    pub const fn queue(&self) -> &NozzleQueue {
        &self.queue
    }

    /// Why everything is shut now.
    pub const fn closed(&self) -> Option<ClosedBecause> {
        self.guard.closed()
    }

    /// Takes a plant to be sprayed, those of its leaves that stand where `prescribed`; its outcome comes out of
    /// [`Sprayer::serve`] once.
    pub fn add(&mut self, plant: &Plant, prescribed: impl Fn(Point2<FieldFrame>) -> bool) {
        let account = self.accounts.entry(plant.number).or_default();
        let targets: Vec<(Target, bool)> = self.queue.targets(plant).collect();
        for (target, near) in targets {
            // Leaves that are too far out are left, but belong to the plant: with few of them wetted it is not treated.
            account.expect(target.area_cm2);
            if !near {
                account.too_far();
            } else if prescribed(target.centre) {
                self.queue.add(target);
            } else {
                account.missed(Rule::CellNotPrescribed);
            }
        }
    }

    /// Asks the guard, moves valves whose time has come, and says what happened since the last time. What
    /// `inputs` says of stop and boom is filled in here. Over `crop` nothing is sprayed.
    pub fn serve(&mut self, inputs: Inputs, crop: &CropMap) -> Served {
        if !self.answers {
            self.answers = self.boom.schedule(&[]).is_ok();
        }
        let inputs = Inputs { stopped: self.stop.is_latched(), boom_answers: self.answers, ..inputs };
        self.now = inputs.now;
        let mut change = self.guard.watch(&inputs);
        self.settle(inputs.now);
        match (self.guard.closed(), inputs.motion) {
            (None, Ok(motion)) => {
                if let Some(because) = self.no_longer_fits(inputs.now, &motion) {
                    self.boom.close_all(inputs.now);
                    self.queue.shut(inputs.now);
                    self.cut_off(because);
                }
                let mut round = self.queue.due(inputs.now, &motion);
                while let Some(due) = self.queue.next_due(&mut round, crop) {
                    self.open(due, &inputs);
                }
                if !self.answers {
                    change = self.guard.watch(&Inputs { boom_answers: false, ..inputs }).or(change);
                    self.shut(inputs.now, ClosedBecause::BoomUnavailable, true);
                }
            }
            (closed, _) => {
                self.shut(inputs.now, closed.unwrap_or(ClosedBecause::PoseStale), change.is_some());
            }
        }
        Served { outcomes: self.outcomes(), change, moves: self.boom.openings_until(inputs.now) }
    }

    /// The end of a mission: shuts, and gives back what waited.
    pub fn end(&mut self, now: RobotInstant) -> Served {
        self.settle(now);
        self.shut(now, ClosedBecause::MissionNotTreating, false);
        Served { outcomes: self.outcomes(), change: None, moves: self.boom.openings_until(now) }
    }

    /// Plants of which every spot is told of.
    fn outcomes(&mut self) -> Vec<(PlantNumber, Outcome)> {
        let told = |(plant, account): (&PlantNumber, &Account)| Some((*plant, account.outcome()?));
        let outcomes: Vec<_> = self.accounts.iter().filter_map(told).collect();
        for (plant, _) in &outcomes {
            self.accounts.remove(plant);
        }
        outcomes
    }

    fn missed(&mut self, target: &Target, rule: Rule) {
        if let Some(account) = self.accounts.get_mut(&target.plant) {
            account.missed(rule);
        }
    }

    fn settle(&mut self, now: RobotInstant) {
        let (done, going) = std::mem::take(&mut self.in_flight).into_iter().partition(|f| f.done_at <= now);
        self.in_flight = going;
        let done: Vec<InFlight> = done;
        for InFlight { target, nozzles, .. } in done {
            if let Some(account) = self.accounts.get_mut(&target.plant) {
                account.wetted(target.area_cm2, nozzles);
            }
        }
    }

    fn shut(&mut self, now: RobotInstant, because: ClosedBecause, just_closed: bool) {
        if !self.in_flight.is_empty() || just_closed {
            self.boom.close_all(now);
        }
        self.cut_off(because);
        for target in self.queue.clear(now) {
            self.missed(&target, Rule::Closed { because });
        }
    }

    /// Why what valves were told no longer fits how the robot drives: it drove off, or braked and stands over one spot.
    fn no_longer_fits(&self, now: RobotInstant, motion: &Motion) -> Option<ClosedBecause> {
        let too_slow = self.queue.crawls(motion) && self.queue.is_told(now);
        let too_fast = || self.queue.overruns(now, motion).then_some(ClosedBecause::TooFast);
        too_slow.then_some(ClosedBecause::TooSlow).or_else(too_fast)
    }

    /// Valves were shut over what was being wetted.
    fn cut_off(&mut self, because: ClosedBecause) {
        for InFlight { target, .. } in std::mem::take(&mut self.in_flight) {
            self.missed(&target, Rule::Closed { because });
        }
    }

    fn open(&mut self, due: Due, inputs: &Inputs) {
        let (target, wanted, covered, until) = match due {
            Due::Open { target, wanted, covered, until } => (target, wanted, covered, until),
            Due::Sheltered { target, distance } => {
                let wanted_m = self.queue.clearance().max(distance).get();
                return self.missed(&target, Rule::CropTooClose { distance_m: distance.get(), wanted_m });
            }
            Due::Beside { target } => return self.missed(&target, Rule::OutOfReach),
            Due::Late { target, by } => {
                return self.missed(&target, Rule::TooLate { late_ms: by.get() * 1e3 });
            }
        };
        if !self.answers {
            // It failed in this round: nothing more is asked of it until it has answered.
            return self.missed(&target, Rule::Closed { because: ClosedBecause::BoomUnavailable });
        }
        let mut permits: Vec<Permit> = Vec::new();
        let mut refused = None;
        for wanted in &wanted {
            match self.guard.permit(wanted, inputs) {
                Ok(permit) => permits.push(permit),
                Err(because) => refused = Some(because),
            }
        }
        // A spot that may be wetted in part only is left: half a dose in a forbidden strip helps nobody.
        if let Some(because) = refused {
            return self.missed(&target, Rule::Closed { because });
        }
        if let Err(why) = self.boom.schedule(&permits) {
            tracing::error!("the boom does not take commands, everything stays shut: {why}");
            self.answers = false;
            return self.missed(&target, Rule::Closed { because: ClosedBecause::BoomUnavailable });
        }
        let mut nozzles = covered;
        for wanted in &wanted {
            self.queue.committed(wanted);
            nozzles.push(wanted.command.nozzle);
        }
        self.in_flight.push(InFlight { target, nozzles, done_at: until });
    }
}

/// However the loop ends, valves are shut.
impl Drop for Sprayer {
    fn drop(&mut self) {
        self.boom.close_all(self.now);
    }
}

#[cfg(test)]
mod tests;
