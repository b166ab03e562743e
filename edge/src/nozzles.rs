//! When each valve must move, in absolute time.
//!
//! A plant is queued by its place in the field. While the robot drives, the moment at which a nozzle's liquid
//! reaches the plant's near edge is computed anew from the newest motion; only when the valve must move within
//! a short horizon is it handed on, once. With *d* from nozzle to edge, *c* the carry, *v − ω·y* the speed of
//! the nozzle: `t_open = t + (d − c) / (v − ω·y) − t_valve_open`, closing likewise with the far edge and
//! `t_valve_close`. Nothing waits relative to "now". What is already late is a recorded miss, not a late shot.

use crate::drivers::NozzleCommand;
use crate::guard::Wanted;
use crate::pose::Motion;
use kompas_field::decision::PlantNumber;
use kompas_field::rig::{Boom, Nozzle};
use kompas_field::units::{Metres, Seconds};
use kompas_field::{FieldFrame, Point2, RobotFrame, RobotInstant, Transform2};

/// What the schedule is made by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NozzleRules {
    /// Sprayed beyond the plant's edge on every side: position error, droplet spread, fan length.
    pub margin: Metres,
    /// A plant is taken for a disc of its leaf area, up to this radius.
    pub max_radius: Metres,
    /// A valve that must move within this is committed; longer than the longest pause between two looks.
    pub horizon: Seconds,
    /// A valve does not close for less than this.
    pub min_pause: Seconds,
}

/// A plant to be sprayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Which.
    pub plant: PlantNumber,
    /// Its middle.
    pub centre: Point2<FieldFrame>,
    /// Of the disc to wet, margin included.
    pub reach: Metres,
}

/// A target whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// Open these, now to be asked of the guard. Nozzles that are open over the whole time already are listed
    /// in `covered`.
    Open {
        /// The plant.
        target: Target,
        /// One per nozzle.
        wanted: Vec<Wanted>,
        /// Open for a neighbour.
        covered: Vec<u16>,
    },
    /// The first valve would have had to move this long ago.
    Late {
        /// The plant.
        target: Target,
        /// By so much.
        by: Seconds,
    },
}

/// Slower than this the robot stands, and no plant comes closer.
const STANDING_MPS: f64 = 0.02;

/// Targets ahead of the boom, and how long each valve is taken.
#[derive(Debug)]
pub struct NozzleQueue {
    boom: Boom,
    rules: NozzleRules,
    waiting: Vec<Target>,
    open_until: Vec<RobotInstant>,
}

/// When one nozzle must be open for a disc.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    nozzle: u16,
    open_at: RobotInstant,
    close_at: RobotInstant,
    /// Negative when the moment is past; `open_at` does not go below the start of time.
    lead: Seconds,
    near_m: f64,
    far_m: f64,
}

impl NozzleQueue {
    /// Nothing waits.
    pub fn new(boom: Boom, rules: NozzleRules) -> Self {
        let open_until = vec![RobotInstant::START; boom.nozzles.len()];
        Self { boom, rules, waiting: Vec::new(), open_until }
    }

    /// The disc to wet for a plant of this leaf area.
    pub fn reach_of(&self, area_cm2: f64) -> Metres {
        let radius = Metres::new((area_cm2.max(0.0) * 1e-4 / std::f64::consts::PI).sqrt());
        radius.min(self.rules.max_radius) + self.rules.margin
    }

    /// A plant nearer than this to the antenna, ahead, must be decided now: its first valve moves within the
    /// horizon, and `slack` is what the decision itself may take.
    pub fn decide_ahead(&self, motion: &Motion, slack: Seconds) -> Metres {
        let foremost = self.boom.nozzles.iter().map(|nozzle| nozzle.place.x).fold(f64::MIN, f64::max);
        let valve =
            self.boom.nozzles.iter().map(|nozzle| nozzle.valve_open).fold(Seconds::ZERO, Seconds::max);
        let way = motion.speed.max(kompas_field::units::MetresPerSecond::ZERO)
            * (valve + self.rules.horizon + slack);
        Metres::new(foremost) + self.boom.carry + self.rules.max_radius + self.rules.margin + way
    }

    /// Whether a nozzle passes over any part of a disc around a point of the robot frame.
    pub fn reaches(&self, centre: Point2<RobotFrame>, reach: Metres) -> bool {
        self.boom.nozzles.iter().any(|nozzle| self.overlap_m(nozzle, centre, reach).is_some())
    }

    /// Whether the hindmost landing line has left the whole disc behind.
    pub fn passed(&self, centre: Point2<RobotFrame>, reach: Metres) -> bool {
        let hindmost = self.boom.nozzles.iter().map(|nozzle| nozzle.place.x).fold(f64::MAX, f64::min);
        centre.x + reach.get() < hindmost + self.boom.carry.get()
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

    /// The next target whose first valve must move within the horizon, earliest first; ask until none comes.
    /// What is granted must be [`NozzleQueue::committed`] before the next is asked for.
    pub fn next_due(&mut self, now: RobotInstant, motion: &Motion) -> Option<Due> {
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose).inverse();
        let mut all: Vec<Vec<Window>> =
            self.waiting.iter().map(|target| self.windows(now, motion, target, &robot_from_field)).collect();
        let lead = |windows: &[Window]| windows.iter().map(|window| window.lead).reduce(Seconds::min);
        let (lead, plant, first) = all
            .iter()
            .zip(&self.waiting)
            .enumerate()
            .filter_map(|(i, (windows, target))| Some((lead(windows)?, target.plant, i)))
            .min_by(|a, b| a.0.get().total_cmp(&b.0.get()).then(a.1.cmp(&b.1)))?;
        if lead > self.rules.horizon {
            return None;
        }
        let target = self.waiting.swap_remove(first);
        debug_assert_eq!(target.plant, plant);
        let mut windows = all.swap_remove(first);
        if lead >= Seconds::ZERO {
            for window in &mut windows {
                self.begin_with_neighbours(window, &all);
            }
        }
        Some(self.come(now, motion, &target, &windows))
    }

    /// Commands of one nozzle do not overlap, so a valve that another waiting target wants open a little
    /// earlier opens then: the other finds it open.
    fn begin_with_neighbours(&self, window: &mut Window, others: &[Vec<Window>]) {
        let same = || others.iter().flatten().filter(|other| other.nozzle == window.nozzle);
        let touches = |other: &&Window| other.close_at.after(self.rules.min_pause) >= window.open_at;
        let before = |other: &&Window| other.open_at < window.open_at;
        if let Some(earliest) =
            same().filter(before).filter(touches).min_by_key(|other| other.open_at).copied()
        {
            window.open_at = earliest.open_at;
            window.lead = earliest.lead;
            window.near_m = window.near_m.min(earliest.near_m);
        }
    }

    fn windows(
        &self,
        now: RobotInstant,
        motion: &Motion,
        target: &Target,
        robot_from_field: &Transform2<RobotFrame, FieldFrame>,
    ) -> Vec<Window> {
        let centre = robot_from_field * target.centre;
        let carry = self.boom.carry.get();
        let window = |(number, nozzle): (u16, &Nozzle)| {
            let half = self.overlap_m(nozzle, centre, target.reach)?;
            let speed = motion.speed.get() - motion.turn_rate.get() * nozzle.place.y;
            if speed < STANDING_MPS {
                return None;
            }
            let (near_m, far_m) = (centre.x - half - nozzle.place.x, centre.x + half - nozzle.place.x);
            let lead = Seconds::new((near_m - carry) / speed) - nozzle.valve_open;
            let close = Seconds::new((far_m - carry) / speed) - nozzle.valve_close;
            Some(Window {
                nozzle: number,
                open_at: now.after(lead),
                close_at: now.after(close.max(lead + Seconds::new(1e-3))),
                lead,
                near_m: centre.x - half,
                far_m: centre.x + half,
            })
        };
        (0u16..).zip(&self.boom.nozzles).filter_map(window).collect()
    }

    /// A due target as commands that join what is open already, or as a miss.
    fn come(&self, now: RobotInstant, motion: &Motion, target: &Target, windows: &[Window]) -> Due {
        let (mut wanted, mut covered) = (Vec::new(), Vec::new());
        for window in windows {
            let open_until = self.open_until[usize::from(window.nozzle)];
            if open_until >= window.close_at {
                covered.push(window.nozzle);
                continue;
            }
            let joins = open_until > now && open_until.after(self.rules.min_pause) >= window.open_at;
            if !joins && window.lead < Seconds::ZERO {
                return Due::Late { target: *target, by: -window.lead };
            }
            let open_at = if joins { open_until } else { window.open_at };
            let command = NozzleCommand { open_at, close_at: window.close_at, nozzle: window.nozzle };
            wanted.push(Wanted { command, wets: self.wets(motion, window) });
        }
        Due::Open { target: *target, wanted, covered }
    }

    fn wets(&self, motion: &Motion, window: &Window) -> [Point2<FieldFrame>; 4] {
        let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose);
        let y = self.boom.nozzles[usize::from(window.nozzle)].place.y;
        let (half, tail) = (self.boom.fan_width.get() / 2.0, self.boom.fan_length.get() / 2.0);
        let (back, front) = (window.near_m - tail, window.far_m + tail);
        [(back, y - half), (front, y - half), (front, y + half), (back, y + half)]
            .map(|(x, y)| &field_from_robot * Point2::<RobotFrame>::new(x, y))
    }

    /// The guard agreed: the valve is taken until then.
    pub fn committed(&mut self, command: &NozzleCommand) {
        let until = &mut self.open_until[usize::from(command.nozzle)];
        *until = (*until).max(command.close_at);
    }

    /// Everything was shut at `now`: nothing is open and nothing waits. Returns what waited.
    pub fn clear(&mut self, now: RobotInstant) -> Vec<Target> {
        for until in &mut self.open_until {
            *until = (*until).min(now);
        }
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests;
