//! The boom: valves with delays over the true ground.
//!
//! A permit energises a valve; spray comes `valve_open` later and ends `valve_close` after the valve is
//! released, each with a few milliseconds of scatter. Droplets land ahead of the nozzle by the rig's carry,
//! in proportion to the nozzle's true speed. What a fan wets is a rectangle that moves with the true pose.

use super::simulator::Shared;
use super::stream::normal;
use super::vehicle::{Trajectory, TrueMotion};
use super::wetted::WettedGround;
use crate::drivers::{BoomFault, NozzleCommand, NozzleDriver, ValveMove};
use crate::guard::Permit;
use kompas_field::rig::{Boom, Nozzle};
use kompas_field::units::{Metres, MetresPerSecond, Seconds};
use kompas_field::{FieldFrame, Point2, Pose2, RobotInstant};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Between two footprints of a fan; small against its length and against how far a turn moves a nozzle.
const STRIDE_M: f64 = 0.02;

/// A valve that was told to open.
#[derive(Debug, Clone, Copy)]
struct Opening {
    energised: RobotInstant,
    released: RobotInstant,
    /// Spray.
    from: RobotInstant,
    until: RobotInstant,
    /// Whether its move was told.
    told: bool,
}

/// What the boom did.
#[derive(Debug)]
pub(super) struct BoomTruth {
    openings: Vec<Vec<Opening>>,
    pub(super) wetted: WettedGround,
    /// Spraying time of all nozzles together.
    pub(super) open_s: f64,
    /// Of it, while the emergency stop was latched.
    pub(super) open_while_latched_s: f64,
    /// Commands that came after their opening time.
    pub(super) late: u64,
    /// Commands that ended before they began.
    pub(super) lost: u64,
    pub(super) commands: u64,
    rng: ChaCha8Rng,
    jitter_s: f64,
}

impl BoomTruth {
    pub(super) fn new(nozzles: usize, jitter_ms: f64, rng: ChaCha8Rng) -> Self {
        Self {
            openings: vec![Vec::new(); nozzles],
            wetted: WettedGround::default(),
            open_s: 0.0,
            open_while_latched_s: 0.0,
            late: 0,
            lost: 0,
            commands: 0,
            rng,
            jitter_s: jitter_ms / 1e3,
        }
    }

    fn take(&mut self, command: &NozzleCommand, nozzle: &Nozzle, now: RobotInstant) {
        self.commands += 1;
        self.late += u64::from(command.open_at < now);
        let energised = command.open_at.max(now);
        if command.close_at <= energised {
            self.lost += 1;
            return;
        }
        let mut delayed = |at: RobotInstant, delay: Seconds| {
            at.after(Seconds::new((delay.get() + normal(&mut self.rng) * self.jitter_s).max(0.0)))
        };
        let from = delayed(energised, nozzle.valve_open);
        let until = delayed(command.close_at, nozzle.valve_close);
        let openings = &mut self.openings[usize::from(command.nozzle)];
        // A valve that is still energised stays open without a gap.
        let held = openings.iter_mut().find(|opening| {
            opening.released >= now && opening.energised <= energised && energised <= opening.released
        });
        if let Some(opening) = held {
            opening.released = opening.released.max(command.close_at);
            opening.until = opening.until.max(until);
            return;
        }
        self.lost += u64::from(until <= from);
        openings.push(Opening { energised, released: command.close_at, from, until, told: false });
    }

    fn close_all(&mut self, boom: &Boom, now: RobotInstant) {
        for (openings, nozzle) in self.openings.iter_mut().zip(&boom.nozzles) {
            let last_drop = now.after(nozzle.valve_close);
            openings.retain_mut(|opening| {
                opening.released = opening.released.min(now);
                opening.until = opening.until.min(last_drop);
                opening.energised < now
            });
        }
    }

    /// Valves released since the last call and not after `until`, in order of release.
    fn moves_until(&mut self, until: RobotInstant) -> Vec<ValveMove> {
        let mut moves = Vec::new();
        for (nozzle, openings) in (0u16..).zip(&mut self.openings) {
            for opening in openings.iter_mut().filter(|opening| !opening.told && opening.released <= until) {
                opening.told = true;
                let Opening { energised: opened_at, released: closed_at, .. } = *opening;
                moves.push(ValveMove { opened_at, closed_at, nozzle });
            }
            openings.retain(|opening| !opening.told || opening.until > until);
        }
        moves.sort_by_key(|valve| (valve.closed_at, valve.nozzle));
        moves
    }

    /// Wets what was sprayed after `from` and not after `until`.
    pub(super) fn spray(
        &mut self,
        boom: &Boom,
        drive: &Trajectory,
        working_speed: MetresPerSecond,
        latched: &[(RobotInstant, RobotInstant)],
        (from, until): (RobotInstant, RobotInstant),
    ) {
        for (openings, nozzle) in self.openings.iter_mut().zip(&boom.nozzles) {
            for opening in openings.iter() {
                let (from, until) = (opening.from.max(from), opening.until.min(until));
                if from >= until {
                    continue;
                }
                self.open_s += until.since(from).get();
                self.open_while_latched_s +=
                    latched.iter().map(|&(a, b)| b.min(until).since(a.max(from)).get().max(0.0)).sum::<f64>();
                wet(&mut self.wetted, boom, nozzle, drive, working_speed, (from, until));
            }
        }
    }
}

fn wet(
    ground: &mut WettedGround,
    boom: &Boom,
    nozzle: &Nozzle,
    drive: &Trajectory,
    working_speed: MetresPerSecond,
    (from, until): (RobotInstant, RobotInstant),
) {
    let lasts = until.since(from);
    // A nozzle far out moves faster than the robot in a turn.
    let fastest = drive.at(from).speed.abs().max(drive.at(until).speed.abs()).get() * 2.0 + 0.1;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    let steps = (lasts.get() * fastest / STRIDE_M).ceil().max(1.0) as u32;
    let at = |step: u32| {
        let now = from.after(lasts * (f64::from(step) / f64::from(steps)));
        fan(boom, nozzle, &drive.at(now), working_speed)
    };
    let mut last = at(0);
    for step in 1..=steps {
        let next = at(step);
        let corners: Vec<_> = last.iter().chain(&next).copied().collect();
        ground.wet_hull(&corners);
        last = next;
    }
}

/// Corners of what a fan wets at an instant.
fn fan(
    boom: &Boom,
    nozzle: &Nozzle,
    motion: &TrueMotion,
    working_speed: MetresPerSecond,
) -> [Point2<FieldFrame>; 4] {
    let speed = MetresPerSecond::new(motion.speed.get() - motion.turn_rate.get() * nozzle.place.y);
    let carry = boom.carry * (speed / working_speed);
    let Pose2 { position, heading } = motion.pose;
    [(0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5)].map(|(along, across)| {
        let forward = Metres::new(nozzle.place.x) + carry + boom.fan_length * along;
        let left = Metres::new(nozzle.place.y) + boom.fan_width * across;
        position.moved(heading, forward, left)
    })
}

/// The simulated boom.
#[derive(Debug, Clone)]
pub struct SimBoom {
    shared: Arc<Shared>,
}

impl SimBoom {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl NozzleDriver for SimBoom {
    fn schedule(&mut self, permits: &[Permit]) -> Result<(), BoomFault> {
        let (boom, now) = (&self.shared.rig.boom, self.shared.now());
        let mut truth = self.shared.truth();
        for command in permits.iter().map(Permit::command) {
            let Some(nozzle) = boom.nozzles.get(usize::from(command.nozzle)) else {
                truth.boom.close_all(boom, now);
                let count = u16::try_from(boom.nozzles.len()).unwrap_or(u16::MAX);
                return Err(BoomFault::NoSuchNozzle { nozzle: command.nozzle, count });
            };
            truth.boom.take(&command, nozzle, now);
        }
        Ok(())
    }

    fn close_all(&mut self, now: RobotInstant) {
        self.shared.truth().boom.close_all(&self.shared.rig.boom, now);
    }

    /// Lets the world go on until then: ground is wetted, plants pass under the boom.
    fn openings_until(&mut self, until: RobotInstant) -> Vec<ValveMove> {
        self.shared.go_on_until(until);
        self.shared.truth().boom.moves_until(until)
    }
}
