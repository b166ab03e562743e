//! Where the robot was at a given moment: fixes and odometry as one smooth line.
//!
//! Each fix corrects the place that odometry predicts by a share that follows from both errors. So the line
//! from camera to nozzle is odometry's (centimetres of GNSS noise cancel) and the place on earth is GNSS's.
//! What moved further than motion and error explain is a jump: the line begins anew, and until
//! `settle_fixes` fixes agree with odometry again there is no pose at all. So does it after a gap too long to bridge,
//! across which no jump can be told from driving, and where the receiver's solution becomes a better one: a float
//! solution is off by decimetres, whatever error it claims. Moments of the line before have no pose any more: what was
//! seen then would be placed on a line that is not this one.

use crate::drivers::{Fix, FixQuality};
use kompas_field::frame::heading::wrap;
use kompas_field::geodetic::PlaneError;
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{FieldFrame, FieldPlane, Point2, Pose2, RobotInstant, Stamped};
use std::collections::VecDeque;

/// How fixes and odometry are joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoseRules {
    /// Between two fixes, or after the last one, odometry bridges this.
    pub max_gap: Seconds,
    /// Error of odometry as a share of the way driven, one standard deviation.
    pub odometry_share: f64,
    /// A step beyond so many standard deviations is a jump.
    pub jump_sigmas: f64,
    /// And beyond this, whatever the receiver claims.
    pub jump_floor: Metres,
    /// After a jump, or a gap, so many fixes must agree before there is a pose.
    pub settle_fixes: u32,
    /// Where the receiver claims more than this, or nothing, places are for a map at best: once it knows better again, the
    /// line begins anew, as it does with a solution of a better quality, whatever was claimed before.
    pub vague: Metres,
}

impl Default for PoseRules {
    fn default() -> Self {
        Self {
            max_gap: Seconds::new(0.5),
            odometry_share: 0.03,
            jump_sigmas: 4.0,
            jump_floor: Metres::new(0.05),
            settle_fixes: 5,
            vague: Metres::new(0.03),
        }
    }
}

/// Place, direction and motion at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Where.
    pub pose: Pose2<FieldFrame>,
    /// Over ground.
    pub speed: MetresPerSecond,
    /// Counter-clockwise.
    pub turn_rate: RadiansPerSecond,
    /// One standard deviation per axis, as the receiver claims it.
    pub sigma: Metres,
}

impl Motion {
    /// Where it leads within `time`, at constant speed and turn rate.
    pub fn after(&self, time: Seconds) -> Pose2<FieldFrame> {
        let turned = self.turn_rate.get() * time.get();
        let midway = Radians::new(self.pose.heading.get() + turned / 2.0);
        let position = self.pose.position.moved(midway, self.speed * time, Metres::ZERO);
        Pose2::new(position, wrap(Radians::new(self.pose.heading.get() + turned)))
    }
}

/// Whether a fix lies on the line of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It does, or it is the first, or none.
    GoesOn,
    /// The position jumped: the line begins anew.
    Jumped,
    /// Odometry does not reach back to the fix before, or that was a vague one or of a poorer quality: the line begins
    /// anew.
    Broken,
}

/// Why there is no pose at a moment.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PoseGap {
    /// No fix yet, or none so early on the line that holds now.
    #[error("no fix at or before that moment, on the line since the last jump or gap")]
    NoFix,
    /// Odometry alone would have to bridge too much.
    #[error("the nearest fix is {distance} away, {limit} may be bridged")]
    TooFar {
        /// To the fix before.
        distance: Seconds,
        /// [`PoseRules::max_gap`].
        limit: Seconds,
    },
    /// Position jumped, and fixes and odometry have not agreed since.
    #[error("the position jumped; {missing} more fixes must agree with odometry")]
    Jumped {
        /// Until it counts again.
        missing: u32,
    },
}

/// What the receiver said last, for the guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastFix {
    /// When.
    pub true_at: RobotInstant,
    /// How good.
    pub quality: FixQuality,
    /// As claimed.
    pub sigma: Metres,
    /// Of the correction data.
    pub correction_age: Seconds,
}

#[derive(Debug, Clone, Copy)]
struct State {
    motion: Motion,
    /// Of the fix that it was joined with.
    quality: FixQuality,
    /// Of the line itself, m² per axis.
    variance: f64,
    /// A line begins here: there is none from the state before.
    begins: bool,
}

/// Long enough for the slowest camera: 20 s at 20 Hz.
const KEPT: usize = 400;
/// Odometry that was not heard for longer says nothing of the way driven.
const LONGEST_SILENCE: Seconds = Seconds::new(10.0);
/// Share of a fix's heading that corrects the gyro's: dual antennas are noisy and gyros drift slowly.
const HEADING_SHARE: f64 = 0.2;

/// The line.
#[derive(Debug)]
pub struct PoseHistory {
    plane: FieldPlane,
    rules: PoseRules,
    states: VecDeque<Stamped<State>>,
    last_fix: Option<LastFix>,
    /// Odometry as last heard, with or without a position.
    heard: Option<Stamped<MetresPerSecond>>,
    /// Since when the line holds; none where it is the first.
    began_at: Option<RobotInstant>,
    missing: u32,
    jumps: u64,
    driven_m: f64,
}

impl PoseHistory {
    /// Without any fix.
    pub const fn new(plane: FieldPlane, rules: PoseRules) -> Self {
        let states = VecDeque::new();
        Self {
            plane,
            rules,
            states,
            last_fix: None,
            heard: None,
            began_at: None,
            missing: 0,
            jumps: 0,
            driven_m: 0.0,
        }
    }

    /// Takes the next fix; what it is to the line of those before it.
    ///
    /// # Errors
    /// [`PlaneError`]: the fix is no place on this field's plane. It is not used.
    pub fn take(&mut self, fix: &Stamped<Fix>) -> Result<Line, PlaneError> {
        let Fix { place, heading, quality, sigma, correction_age, speed, turn_rate } = fix.value;
        self.last_fix = Some(LastFix { true_at: fix.true_at, quality, sigma, correction_age });
        self.drove(Stamped::new(fix.true_at, speed));
        if quality == FixQuality::None {
            return Ok(Line::GoesOn);
        }
        let position = match self.plane.to_field(place) {
            Ok(position) => position,
            Err(why) => {
                self.last_fix =
                    Some(LastFix { true_at: fix.true_at, quality: FixQuality::None, sigma, correction_age });
                return Err(why);
            }
        };
        let given = Motion { pose: Pose2::new(position, wrap(heading)), speed, turn_rate, sigma };
        let (state, line) = self.joined(fix.true_at, given, quality);
        if self.states.back().is_some_and(|last| last.true_at > fix.true_at) {
            self.states.clear(); // a clock was set back: nothing can be found by time any more
        }
        if line != Line::GoesOn {
            self.missing = self.rules.settle_fixes;
            self.began_at = Some(fix.true_at);
        }
        self.states.push_back(Stamped::new(fix.true_at, state));
        if self.states.len() > KEPT {
            self.states.pop_front();
        }
        Ok(line)
    }

    /// Wheels turn whether or not there is a position.
    fn drove(&mut self, now: Stamped<MetresPerSecond>) {
        if let Some(before) = self.heard.replace(now) {
            let time = now.true_at.since(before.true_at).max(Seconds::ZERO);
            // Two logs in one folder may lie an hour apart.
            let time = if time > LONGEST_SILENCE { Seconds::ZERO } else { time };
            self.driven_m += (f64::midpoint(before.value.get(), now.value.get()) * time.get()).abs();
        }
    }

    /// The next point of the line.
    fn joined(&mut self, true_at: RobotInstant, given: Motion, quality: FixQuality) -> (State, Line) {
        let fresh = State { motion: given, quality, variance: given.sigma.get().powi(2), begins: true };
        let Some(before) = self.states.back() else { return (fresh, Line::GoesOn) };
        let time = true_at.since(before.true_at);
        if time == Seconds::ZERO {
            return (before.value, Line::GoesOn); // told twice: a picture taken at the moment of a fix
        }
        let vague = |motion: &Motion| motion.sigma <= Metres::ZERO || motion.sigma > self.rules.vague;
        let known_again = vague(&before.value.motion) && !vague(&given) || quality > before.value.quality;
        if time < Seconds::ZERO || time > self.rules.max_gap || known_again {
            return (fresh, Line::Broken);
        }
        let mean = Motion {
            speed: (before.value.motion.speed + given.speed) / 2.0,
            turn_rate: (before.value.motion.turn_rate + given.turn_rate) / 2.0,
            ..before.value.motion
        };
        let way_m = (mean.speed * time).abs().get();
        let predicted = mean.after(time);
        let variance = before.value.variance + (self.rules.odometry_share * way_m).powi(2) + 1e-9;
        let (dx, dy) =
            (given.pose.position.x - predicted.position.x, given.pose.position.y - predicted.position.y);
        let fix_variance = given.sigma.get().powi(2).max(1e-8);
        let explained =
            self.rules.jump_sigmas * (variance + fix_variance).sqrt() + self.rules.jump_floor.get();
        if dx.hypot(dy) > explained {
            self.jumps += 1;
            return (fresh, Line::Jumped);
        }
        self.missing = self.missing.saturating_sub(1);
        let share = variance / (variance + fix_variance);
        let position = Point2::new(predicted.position.x + share * dx, predicted.position.y + share * dy);
        let off = wrap(Radians::new(given.pose.heading.get() - predicted.heading.get()));
        let heading = wrap(Radians::new(predicted.heading.get() + HEADING_SHARE * off.get()));
        let motion = Motion { pose: Pose2::new(position, heading), ..given };
        (State { motion, quality, variance: (1.0 - share) * variance, begins: false }, Line::GoesOn)
    }

    /// Place and motion at `moment`: between two fixes the line between them, after the last one odometry.
    ///
    /// # Errors
    /// [`PoseGap`].
    pub fn at(&self, moment: RobotInstant) -> Result<Motion, PoseGap> {
        if self.missing > 0 {
            return Err(PoseGap::Jumped { missing: self.missing });
        }
        if self.began_at.is_some_and(|began| moment < began) {
            return Err(PoseGap::NoFix);
        }
        let Some((before, motion)) = self.on_line(moment) else { return Err(PoseGap::NoFix) };
        let (distance, limit) = (moment.since(before), self.rules.max_gap);
        if distance > limit {
            return Err(PoseGap::TooFar { distance, limit });
        }
        Ok(motion)
    }

    /// Place and motion at `moment` by the line that held then, for what has happened already: a nozzle that was open
    /// while the position jumped wetted ground all the same. `None` before the first fix.
    pub fn line_at(&self, moment: RobotInstant) -> Option<Motion> {
        self.on_line(moment).map(|(_, motion)| motion)
    }

    /// The last fix at or before `moment`, and the motion there; where no line leads to the fix after it, odometry's.
    fn on_line(&self, moment: RobotInstant) -> Option<(RobotInstant, Motion)> {
        let next = self.states.partition_point(|state| state.true_at <= moment);
        let before = next.checked_sub(1).map(|i| &self.states[i])?;
        let (motion, distance) = (before.value.motion, moment.since(before.true_at));
        let motion = match self.states.get(next).filter(|after| !after.value.begins) {
            Some(after) => {
                between(&motion, &after.value.motion, distance / after.true_at.since(before.true_at))
            }
            None => Motion { pose: motion.after(distance), ..motion },
        };
        Some((before.true_at, motion))
    }

    /// What the receiver said last.
    pub const fn last_fix(&self) -> Option<LastFix> {
        self.last_fix
    }

    /// Way driven by odometry, either direction.
    pub const fn driven(&self) -> Metres {
        Metres::new(self.driven_m)
    }

    /// Jumps so far.
    pub const fn jumps(&self) -> u64 {
        self.jumps
    }
}

fn between(from: &Motion, to: &Motion, share: f64) -> Motion {
    let blend = |a: f64, b: f64| a + share * (b - a);
    let turn = wrap(Radians::new(to.pose.heading.get() - from.pose.heading.get())).get();
    let position = Point2::new(
        blend(from.pose.position.x, to.pose.position.x),
        blend(from.pose.position.y, to.pose.position.y),
    );
    Motion {
        pose: Pose2::new(position, wrap(Radians::new(from.pose.heading.get() + share * turn))),
        speed: MetresPerSecond::new(blend(from.speed.get(), to.speed.get())),
        turn_rate: RadiansPerSecond::new(blend(from.turn_rate.get(), to.turn_rate.get())),
        sigma: from.sigma.max(to.sigma),
    }
}

#[cfg(test)]
mod tests;
