//! When each valve must move, in absolute time.
//!
//! A plant is sprayed leaf by leaf: each spot is queued by its place in the field. While the robot drives, the moment
//! at which a nozzle's liquid reaches the spot's near edge is computed anew from the newest motion; only when the valve
//! must move within a short horizon is it handed on, once. With *d* from nozzle to edge, *c* the carry at *v − ω·y*, the
//! speed of the nozzle: `t_open = t + (d − c) / (v − ω·y) − t_valve_open`, closing likewise with the far edge and
//! `t_valve_close`. Nothing waits relative to "now". What is already late is a recorded miss, not a late shot.
//!
//! Over the stem of a crop plant, and over its leaves, nozzles stay shut (`shelter.rs`): a spot keeps what is left of
//! its window, and one whose middle lies there is a recorded miss, too.

use crate::guard::Wanted;
use crate::pose::Motion;
use kompas_field::decision::PlantNumber;
use kompas_field::rig::{Boom, Nozzle};
use kompas_field::units::{LitresPerHectare, Metres, MetresPerSecond, Seconds};
use kompas_field::{FieldFrame, Point2, RobotFrame, RobotInstant, Transform2};
use kompas_vision::Plant;
use round::{Ripe, Round};

mod round;
mod shelter;

/// What the schedule is made by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NozzleRules {
    /// Sprayed beyond a leaf on every side: position error, droplet spread, fan length.
    pub margin: Metres,
    /// Leaves farther than this from their plant's stem are left.
    pub max_radius: Metres,
    /// A valve that must move within this is committed; longer than the longest pause between two looks.
    pub horizon: Seconds,
    /// A valve does not close for less than this.
    pub min_pause: Seconds,
    /// Around a crop's stem nothing is sprayed.
    pub crop_distance: Metres,
    /// Nor this close to a crop's leaf.
    pub crop_leaf_margin: Metres,
    /// Slower than this no valve is told to open: one moment's speed says little of how far the robot will be when it
    /// closes, and every spot gets more than it should.
    pub min_speed: MetresPerSecond,
}

/// Ground to be sprayed for a plant: one of its leaves, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Which.
    pub plant: PlantNumber,
    /// Its middle.
    pub centre: Point2<FieldFrame>,
    /// Of the disc to wet, margin included.
    pub reach: Metres,
    /// Leaf on it, in cm².
    pub area_cm2: f64,
}

/// A target whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// Open these, now to be asked of the guard. Nozzles that are to be open over the whole time already are listed
    /// in `covered`. All is done at `until`.
    Open {
        /// The spot.
        target: Target,
        /// One per nozzle.
        wanted: Vec<Wanted>,
        /// Open for a neighbour.
        covered: Vec<u16>,
        /// When the last valve of both closes.
        until: RobotInstant,
    },
    /// Its middle cannot be wetted without wetting crop.
    Sheltered {
        /// The spot.
        target: Target,
        /// From its middle to the nearest leaf or stem of the crop.
        distance: Metres,
    },
    /// No nozzle passed over it.
    Beside {
        /// The spot.
        target: Target,
    },
    /// A valve would have had to move this long ago; zero where it was told something else already.
    Late {
        /// The spot.
        target: Target,
        /// By so much.
        by: Seconds,
    },
}

/// Targets so much farther than those due are looked at, too: valves may open for them in one go.
const HEED_M: f64 = 0.3;
/// A valve that would close with its liquid farther than this beyond the last spot is shut at once: the robot drives
/// faster than when the valve was told. Where a bend begins, outer nozzles gain up to 4 cm before they close; shutting
/// the whole boom for that would cost more plants than it spares.
const OVERRUN_M: f64 = 0.05;

/// On each side of a seam: robots with RTK leave neighbouring swaths a few centimetres apart, and nobody shall stand between
/// two booms.
const SEAM_M: f64 = 0.02;

/// Targets ahead of the boom, and how long each valve is taken.
#[derive(Debug)]
pub struct NozzleQueue {
    boom: Boom,
    rules: NozzleRules,
    waiting: Vec<Target>,
    /// Of each nozzle: the last stretch without a gap that it was told to be open.
    open: Vec<Told>,
}

/// What a nozzle was told last.
#[derive(Debug, Clone, Copy)]
struct Told {
    from: RobotInstant,
    until: RobotInstant,
    /// What it may wet ends here, in its lane.
    end: Point2<FieldFrame>,
}

impl NozzleQueue {
    /// Nothing waits.
    pub fn new(boom: Boom, rules: NozzleRules) -> Self {
        let never =
            Told { from: RobotInstant::START, until: RobotInstant::START, end: Point2::new(0.0, 0.0) };
        let open = vec![never; boom.nozzles.len()];
        Self { boom, rules, waiting: Vec::new(), open }
    }

    /// Whether the boom passes over a stem there, or beside it by no more than neighbouring swaths may lie apart: who stands
    /// farther out is treated from the next swath, which reaches more of it.
    pub fn stands_under(&self, place: Point2<RobotFrame>) -> bool {
        let sides = self.boom.nozzles.iter().map(|nozzle| nozzle.place.y);
        let (right, left) = sides.fold((f64::MAX, f64::MIN), |(right, left), y| (right.min(y), left.max(y)));
        let beyond = self.boom.fan_width.get() / 2.0 + self.rules.margin.get() + SEAM_M;
        (right - beyond..=left + beyond).contains(&place.y)
    }

    /// From a plant's stem to the edge of what is wetted for it.
    pub fn reach_of(&self, plant: &Plant) -> Metres {
        plant.extent().max(plant.radius()).min(self.rules.max_radius) + self.rules.margin
    }

    /// What to wet for a plant, and whether it lies as near to the stem as the rules want.
    pub fn targets<'a>(&'a self, plant: &'a Plant) -> impl Iterator<Item = (Target, bool)> + 'a {
        plant.leaves().map(|leaf| {
            let target = Target {
                plant: plant.number,
                centre: leaf.place,
                reach: leaf.radius() + self.rules.margin,
                area_cm2: leaf.area_cm2,
            };
            (target, leaf.place.distance(plant.position) <= self.rules.max_radius)
        })
    }

    /// A plant whose near edge is nearer than this to the antenna, ahead, must be decided now: its first valve moves
    /// within the horizon, and `slack` is what the decision itself may take.
    pub fn decide_ahead(&self, motion: &Motion, slack: Seconds) -> Metres {
        let foremost = self.boom.nozzles.iter().map(|nozzle| nozzle.place.x).fold(f64::MIN, f64::max);
        let valve =
            self.boom.nozzles.iter().map(|nozzle| nozzle.valve_open).fold(Seconds::ZERO, Seconds::max);
        let speed = motion.speed.max(MetresPerSecond::ZERO);
        Metres::new(foremost) + self.boom.carry_at(speed) + speed * (valve + self.rules.horizon + slack)
    }

    /// From the middle of a spot to a crop's leaf or stem: with this no fan over the spot wets crop.
    pub fn clearance(&self) -> Metres {
        self.boom.fan_width + self.rules.crop_leaf_margin.max(self.rules.crop_distance)
    }

    /// Whether a nozzle passes over any part of a disc around a point of the robot frame.
    pub fn reaches(&self, centre: Point2<RobotFrame>, reach: Metres) -> bool {
        self.boom.nozzles.iter().any(|nozzle| self.overlap_m(nozzle, centre, reach).is_some())
    }

    /// Whether the hindmost landing line has left the whole disc behind, for a robot that moves like this.
    pub fn passed(&self, motion: &Motion, centre: Point2<RobotFrame>, reach: Metres) -> bool {
        let landing =
            |nozzle: &Nozzle| nozzle.place.x + self.boom.carry_at(nozzle_speed(motion, nozzle)).get();
        centre.x + reach.get() < self.boom.nozzles.iter().map(landing).fold(f64::MAX, f64::min)
    }

    /// Half the chord of the disc under a nozzle's fan; none beside it.
    fn overlap_m(&self, nozzle: &Nozzle, centre: Point2<RobotFrame>, reach: Metres) -> Option<f64> {
        let beside = ((centre.y - nozzle.place.y).abs() - self.boom.fan_width.get() / 2.0).max(0.0);
        (beside < reach.get()).then(|| (reach.get().powi(2) - beside.powi(2)).sqrt())
    }

    /// Takes a target; it comes out of [`NozzleQueue::next_due`] once.
    pub fn add(&mut self, target: Target) {
        self.waiting.push(target);
    }

    /// Targets that wait.
    pub const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is due at `now`, for a robot that moves like this: taken out of the queue.
    pub fn due(&mut self, now: RobotInstant, motion: &Motion) -> Round {
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose).inverse();
        let ahead = self.decide_ahead(motion, Seconds::ZERO).get() + HEED_M;
        let bridge = self.longest_bridge(motion);
        let mut round = Round::new(now, *motion, robot_from_field, self.boom.nozzles.len(), bridge);
        let waiting = std::mem::take(&mut self.waiting);
        for target in waiting {
            let centre = &round.robot_from_field * target.centre;
            if centre.x - target.reach.get() > ahead {
                self.waiting.push(target);
                continue;
            }
            let windows = self.windows(&round, centre, target.reach);
            let lead = windows.iter().map(|window| window.lead).reduce(Seconds::min);
            let beside = lead.is_none() && !self.crawls(motion) && self.passed(motion, centre, target.reach);
            if beside || lead.is_some_and(|lead| lead <= self.rules.horizon) {
                round.take(Ripe { target, centre, lead, windows });
            } else {
                round.heed(windows);
                self.waiting.push(target);
            }
        }
        round.sort();
        round
    }

    /// The guard agreed: the valve is taken until then.
    pub fn committed(&mut self, wanted: &Wanted) {
        let (command, [_, front, other, _]) = (wanted.command, wanted.wets);
        let told = &mut self.open[usize::from(command.nozzle)];
        if command.open_at > told.until {
            told.from = command.open_at;
        }
        if command.close_at >= told.until {
            told.until = command.close_at;
            told.end = Point2::new(f64::midpoint(front.x, other.x), f64::midpoint(front.y, other.y));
        }
    }

    /// Whether any nozzle is told to be open at or after `now`.
    pub fn is_told(&self, now: RobotInstant) -> bool {
        self.open.iter().any(|told| told.until > now)
    }

    /// Whether the robot drives so slowly that nothing may open.
    pub fn crawls(&self, motion: &Motion) -> bool {
        motion.speed < self.rules.min_speed
    }

    /// Whether a valve, closing when it was told to, would wet ground beyond what it was opened for, because the robot
    /// has become faster since.
    pub fn overruns(&self, now: RobotInstant, motion: &Motion) -> bool {
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose).inverse();
        self.open.iter().zip(&self.boom.nozzles).filter(|(told, _)| told.until > now).any(|(told, nozzle)| {
            let speed = nozzle_speed(motion, nozzle);
            let front = self.boom.carry_at(speed) + self.boom.fan_length / 2.0;
            let left_m = (&robot_from_field * told.end).x - nozzle.place.x - front.get();
            let way_m = (speed * (told.until.since(now) + nozzle.valve_close)).get();
            way_m > left_m + OVERRUN_M
        })
    }

    /// Everything was shut at `now`; what waits goes on waiting.
    pub fn shut(&mut self, now: RobotInstant) {
        for told in &mut self.open {
            told.until = told.until.min(now);
        }
    }

    /// Everything was shut at `now`: nothing is open and nothing waits. Returns what waited.
    pub fn clear(&mut self, now: RobotInstant) -> Vec<Target> {
        self.shut(now);
        std::mem::take(&mut self.waiting)
    }

    /// What lands on wetted ground at this speed, or at the slowest at which anything opens.
    pub fn rate_at(&self, speed: MetresPerSecond) -> LitresPerHectare {
        self.boom.rate_at(speed.max(self.rules.min_speed))
    }
}

/// Of a nozzle over ground: in a turn the outer ones are faster.
pub(crate) fn nozzle_speed(motion: &Motion, nozzle: &Nozzle) -> MetresPerSecond {
    MetresPerSecond::new(motion.speed.get() - motion.turn_rate.get() * nozzle.place.y)
}

#[cfg(test)]
mod tests;
