//! The only door to the nozzles: law, fix, emergency stop and the age of every input.
//!
//! # Invariants
//! - A [`Permit`] is made here and nowhere else, and the boom takes nothing else.
//! - Every input has a maximum age. What is missing, stale or no measure at all closes; nothing is assumed.
//! - The geofence and the plan's spray-free zones hold for the wetted ground, widened by the position error, not for
//!   the robot's middle.
//! - Each change of the reason to stay shut is told once.

use crate::drivers::{FixQuality, NozzleCommand};
use crate::pose::{LastFix, Motion, PoseGap};
use geo::Contains;
use kompas_field::units::{Metres, MetresPerSecond, Seconds};
use kompas_field::{Boundary, ClosedBecause, FieldFrame, Point2, RobotInstant};
use kompas_planner::SprayFreeZone;

mod permit;
mod zones;

pub use permit::Permit;
use zones::Zones;

/// What must hold before anything opens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardRules {
    /// Poorer fixes close.
    pub min_quality: FixQuality,
    /// Largest claimed standard deviation per axis; a claim of zero or less is none, and closes.
    pub max_sigma: Metres,
    /// Oldest fix.
    pub max_fix_age: Seconds,
    /// Oldest correction data; a negative age is none, and closes.
    pub max_correction_age: Seconds,
    /// Oldest usable picture.
    pub max_frame_age: Seconds,
    /// Fastest; the rig's limit.
    pub max_speed: MetresPerSecond,
    /// So many standard deviations of position are kept clear of the boundary.
    pub geofence_sigmas: f64,
    /// And this beside them, for the valve's tail and drift.
    pub geofence_margin: Metres,
}

/// Everything the guard looks at, at one moment.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; no two make a state")]
pub struct Inputs {
    /// The moment.
    pub now: RobotInstant,
    /// Whether the emergency stop is latched.
    pub stopped: bool,
    /// Whether the mission treats.
    pub treating: bool,
    /// Whether records can be written.
    pub recording: bool,
    /// Whether the boom took the last commands.
    pub boom_answers: bool,
    /// Place and motion now.
    pub motion: Result<Motion, PoseGap>,
    /// What the receiver said last.
    pub fix: Option<LastFix>,
    /// Exposure of the last usable picture.
    pub last_frame: Option<RobotInstant>,
    /// Whether the plan treats here.
    pub implement: bool,
}

/// What one nozzle wets over one opening: the corners of a rectangle in the field, in order around it.
pub type WettedGround = [Point2<FieldFrame>; 4];

/// An opening somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Nozzle and times.
    pub command: NozzleCommand,
    /// Where the liquid lands.
    pub wets: WettedGround,
}

/// The guard.
#[derive(Debug)]
pub struct Guard {
    rules: GuardRules,
    boundary: Boundary,
    zones: Zones,
    closed: Option<ClosedBecause>,
}

impl Guard {
    /// For one field and the zones of its plan. Shut, until everything has been seen to be well.
    pub fn new(rules: GuardRules, boundary: Boundary, zones: &[SprayFreeZone]) -> Self {
        let closed = Some(ClosedBecause::MissionNotTreating);
        Self { rules, boundary, zones: Zones::new(zones), closed }
    }

    /// The first reason to keep every nozzle shut; `None` when there is none.
    pub fn reason(&self, inputs: &Inputs) -> Option<ClosedBecause> {
        let Inputs { now, stopped, treating, recording, boom_answers, motion, fix, last_frame, implement } =
            inputs;
        let too_old = |then: RobotInstant, limit: Seconds| {
            let age = now.since(then);
            // From the future is as wrong as stale: some clock is not ours.
            age > limit || age < Seconds::new(-limit.get())
        };
        let rules = &self.rules;
        if *stopped {
            return Some(ClosedBecause::EmergencyStop);
        }
        if !treating {
            return Some(ClosedBecause::MissionNotTreating);
        }
        if !recording {
            return Some(ClosedBecause::RecorderUnavailable);
        }
        if !boom_answers {
            return Some(ClosedBecause::BoomUnavailable);
        }
        let Some(fix) = fix else { return Some(ClosedBecause::PoseStale) };
        if too_old(fix.true_at, rules.max_fix_age) {
            return Some(ClosedBecause::PoseStale);
        }
        if fix.quality < rules.min_quality || fix.quality == FixQuality::None {
            return Some(ClosedBecause::FixTooPoor);
        }
        // Receivers write -1 where there are no corrections, and 0 or less where nobody knows the error.
        if !(Seconds::ZERO..=rules.max_correction_age).contains(&fix.correction_age) {
            return Some(ClosedBecause::FixTooPoor);
        }
        if fix.sigma <= Metres::ZERO || fix.sigma > rules.max_sigma {
            return Some(ClosedBecause::PositionErrorTooLarge);
        }
        let motion = match motion {
            Ok(motion) => motion,
            Err(PoseGap::Jumped { .. }) => return Some(ClosedBecause::PositionJumped),
            Err(PoseGap::NoFix | PoseGap::TooFar { .. }) => return Some(ClosedBecause::PoseStale),
        };
        if last_frame.is_none_or(|then| too_old(then, rules.max_frame_age)) {
            return Some(ClosedBecause::CameraStale);
        }
        if motion.speed > rules.max_speed {
            return Some(ClosedBecause::TooFast);
        }
        (!implement).then_some(ClosedBecause::ImplementOff)
    }

    /// Takes in the state of this moment; `Some(change)` when the reason to stay shut is another than before
    /// (`Some(None)`: the last reason is gone).
    pub fn watch(&mut self, inputs: &Inputs) -> Option<Option<ClosedBecause>> {
        let reason = self.reason(inputs);
        (reason != self.closed).then(|| {
            self.closed = reason;
            reason
        })
    }

    /// Why everything is shut now.
    pub const fn closed(&self) -> Option<ClosedBecause> {
        self.closed
    }

    /// Leave to do `wanted`, or why not.
    ///
    /// # Errors
    /// The first reason that holds.
    pub fn permit(&self, wanted: &Wanted, inputs: &Inputs) -> Result<Permit, ClosedBecause> {
        if let Some(reason) = self.reason(inputs) {
            return Err(reason);
        }
        let NozzleCommand { open_at, close_at, nozzle: _ } = wanted.command;
        let sigma = inputs.fix.map_or(Metres::ZERO, |fix| fix.sigma);
        let clear = sigma * self.rules.geofence_sigmas + self.rules.geofence_margin;
        if close_at <= open_at || !self.may_wet(&wanted.wets, clear) {
            return Err(ClosedBecause::OutsideGeofence);
        }
        Ok(Permit::grant(wanted.command))
    }

    /// Whether the ground, widened by `clear` on every side, lies in the boundary, in no exclusion and in no zone.
    fn may_wet(&self, ground: &WettedGround, clear: Metres) -> bool {
        if ground.iter().any(|corner| !corner.is_finite()) {
            return false;
        }
        let unit = |from: Point2<FieldFrame>, to: Point2<FieldFrame>| {
            let length = from.distance(to).get().max(1e-9);
            [(to.x - from.x) / length, (to.y - from.y) / length]
        };
        let [first, second, _, fourth] = *ground;
        let (along, across) = (unit(first, second), unit(first, fourth));
        let sides = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let widened = ground.iter().zip(sides).map(|(corner, (a, b))| geo::Coord {
            x: corner.x + clear.get() * (a * along[0] + b * across[0]),
            y: corner.y + clear.get() * (a * along[1] + b * across[1]),
        });
        let ring = geo::LineString::new(widened.collect());
        let ground = geo::Polygon::new(ring, vec![]);
        self.boundary.polygon().contains(&ground) && !self.zones.touch(&ground)
    }
}

#[cfg(test)]
mod tests;
