//! Queue, guard and boom together: from "treat this plant" to a valve that moved, or the reason why not.

use crate::drivers::{EmergencyStop, NozzleDriver, ValveMove};
use crate::guard::{Guard, Inputs, Permit};
use crate::nozzles::{Due, NozzleQueue, Target};
use kompas_field::decision::PlantNumber;
use kompas_field::{ClosedBecause, RobotInstant, Rule};

/// What became of a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nozzles were open over it as wanted.
    Treated {
        /// Which.
        nozzles: Vec<u16>,
    },
    /// Nothing, or not all, came out; the rule says why.
    Missed {
        /// Why.
        rule: Rule,
    },
}

/// What one look at the boom gave.
#[derive(Debug, Default)]
pub struct Served {
    /// Targets that are done, one way or the other.
    pub outcomes: Vec<(PlantNumber, Outcome)>,
    /// Set when the guard's mind changed: the new reason to stay shut, or none.
    pub change: Option<Option<ClosedBecause>>,
    /// What valves did.
    pub moves: Vec<ValveMove>,
}

/// Commands on their way for one plant.
#[derive(Debug)]
struct InFlight {
    plant: PlantNumber,
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
}

impl Sprayer {
    /// Shut.
    pub const fn new(
        queue: NozzleQueue,
        guard: Guard,
        boom: Box<dyn NozzleDriver>,
        stop: Box<dyn EmergencyStop>,
    ) -> Self {
        Self { queue, guard, boom, stop, answers: true, in_flight: Vec::new() }
    }

    /// The queue, for where plants must be decided.
    pub const fn queue(&self) -> &NozzleQueue {
        &self.queue
    }

    /// Why everything is shut now.
    pub const fn closed(&self) -> Option<ClosedBecause> {
        self.guard.closed()
    }

    /// Takes a plant to be sprayed; its outcome comes out of [`Sprayer::serve`] once.
    pub fn add(&mut self, target: Target) {
        self.queue.add(target);
    }

    /// Asks the guard, moves valves whose time has come, and says what happened since the last time. What
    /// `inputs` says of stop and boom is filled in here.
    pub fn serve(&mut self, inputs: Inputs) -> Served {
        if !self.answers {
            self.answers = self.boom.schedule(&[]).is_ok();
        }
        let inputs = Inputs { stopped: self.stop.is_latched(), boom_answers: self.answers, ..inputs };
        let mut served = Served { change: self.guard.watch(&inputs), ..Served::default() };
        self.settle(inputs.now, &mut served);
        match (self.guard.closed(), inputs.motion) {
            (None, Ok(motion)) => {
                while let Some(due) = self.queue.next_due(inputs.now, &motion) {
                    self.open(due, &inputs, &mut served);
                }
            }
            (closed, _) => self.shut(inputs.now, closed.unwrap_or(ClosedBecause::PoseStale), &mut served),
        }
        served.moves = self.boom.openings_until(inputs.now);
        served
    }

    /// The end of a mission: shuts, and gives back what waited.
    pub fn end(&mut self, now: RobotInstant) -> Served {
        let mut served = Served::default();
        self.settle(now, &mut served);
        self.shut(now, ClosedBecause::MissionNotTreating, &mut served);
        served.moves = self.boom.openings_until(now);
        served
    }

    fn settle(&mut self, now: RobotInstant, served: &mut Served) {
        let (done, going) = std::mem::take(&mut self.in_flight).into_iter().partition(|f| f.done_at <= now);
        self.in_flight = going;
        let done: Vec<InFlight> = done;
        served.outcomes.extend(done.into_iter().map(|f| (f.plant, Outcome::Treated { nozzles: f.nozzles })));
    }

    fn shut(&mut self, now: RobotInstant, because: ClosedBecause, served: &mut Served) {
        if !self.in_flight.is_empty() || served.change.is_some() {
            self.boom.close_all(now);
        }
        let cut = std::mem::take(&mut self.in_flight).into_iter().map(|f| f.plant);
        let waited = self.queue.clear(now).into_iter().map(|target| target.plant);
        let missed = || Outcome::Missed { rule: Rule::Closed { because } };
        served.outcomes.extend(cut.chain(waited).map(|plant| (plant, missed())));
    }

    fn open(&mut self, due: Due, inputs: &Inputs, served: &mut Served) {
        let (target, wanted, covered) = match due {
            Due::Open { target, wanted, covered } => (target, wanted, covered),
            Due::Late { target, by } => {
                let rule = Rule::TooLate { late_ms: by.get() * 1e3 };
                served.outcomes.push((target.plant, Outcome::Missed { rule }));
                return;
            }
        };
        let mut permits: Vec<Permit> = Vec::new();
        let mut refused = None;
        for wanted in &wanted {
            match self.guard.permit(wanted, inputs) {
                Ok(permit) => permits.push(permit),
                Err(because) => refused = Some(because),
            }
        }
        // A plant that may be wetted in part only is left: half a dose in a forbidden strip helps nobody.
        if let Some(because) = refused {
            served.outcomes.push((target.plant, Outcome::Missed { rule: Rule::Closed { because } }));
            return;
        }
        if let Err(why) = self.boom.schedule(&permits) {
            tracing::error!("the boom does not take commands, everything stays shut: {why}");
            self.answers = false;
            let rule = Rule::Closed { because: ClosedBecause::BoomUnavailable };
            served.outcomes.push((target.plant, Outcome::Missed { rule }));
            return;
        }
        let mut nozzles = covered;
        let mut done_at = inputs.now;
        for permit in &permits {
            let command = permit.command();
            self.queue.committed(&command);
            nozzles.push(command.nozzle);
            done_at = done_at.max(command.close_at);
        }
        nozzles.sort_unstable();
        self.in_flight.push(InFlight { plant: target.plant, nozzles, done_at });
    }
}
