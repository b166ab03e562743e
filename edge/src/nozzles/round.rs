//! One look at the queue: what is due now, handed on one by one.

use super::shelter::Shelter;
use super::{Due, NozzleQueue, OVERRUN_M, Target, Told, nozzle_speed};
use crate::drivers::NozzleCommand;
use crate::guard::Wanted;
use crate::plants::CropMap;
use crate::pose::Motion;
use kompas_field::rig::Nozzle;
use kompas_field::units::{Metres, MetresPerSecond, Seconds};
use kompas_field::{FieldFrame, Point2, RobotFrame, RobotInstant, Transform2};
use std::collections::VecDeque;

/// When one nozzle must be open for a disc.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) nozzle: u16,
    pub(super) open_at: RobotInstant,
    pub(super) close_at: RobotInstant,
    /// Negative when the moment is past; `open_at` does not go below the start of time.
    pub(super) lead: Seconds,
    pub(super) near_m: f64,
    pub(super) far_m: f64,
}

/// A target whose time has come.
#[derive(Debug)]
pub(super) struct Ripe {
    pub(super) target: Target,
    pub(super) centre: Point2<RobotFrame>,
    /// Until its first valve moves; none where no nozzle passed over it.
    pub(super) lead: Option<Seconds>,
    pub(super) windows: Vec<Window>,
}

/// The targets due at one moment, earliest first.
pub struct Round {
    now: RobotInstant,
    motion: Motion,
    pub(super) robot_from_field: Transform2<RobotFrame, FieldFrame>,
    due: VecDeque<Ripe>,
    /// By nozzle: windows that are still to be handed on, now or later, with the turn in which that happens.
    lanes: Vec<Vec<(usize, Window)>>,
    /// A valve that stays open from the spot before wets at most this much more than the spot.
    bridge: Metres,
    turn: usize,
}

impl Round {
    pub(super) fn new(
        now: RobotInstant,
        motion: Motion,
        robot_from_field: Transform2<RobotFrame, FieldFrame>,
        nozzles: usize,
        bridge: Metres,
    ) -> Self {
        let lanes = vec![Vec::new(); nozzles];
        Self { now, motion, robot_from_field, due: VecDeque::new(), lanes, bridge, turn: 0 }
    }

    pub(super) fn take(&mut self, ripe: Ripe) {
        self.due.push_back(ripe);
    }

    /// Windows that are not due yet.
    pub(super) fn heed(&mut self, windows: Vec<Window>) {
        for window in windows {
            self.lanes[usize::from(window.nozzle)].push((usize::MAX, window));
        }
    }

    pub(super) fn sort(&mut self) {
        let lead = |ripe: &Ripe| ripe.lead.map_or(f64::MAX, Seconds::get);
        let due = self.due.make_contiguous();
        due.sort_by(|a, b| lead(a).total_cmp(&lead(b)).then(a.target.plant.cmp(&b.target.plant)));
        for (turn, ripe) in due.iter().enumerate() {
            for window in &ripe.windows {
                self.lanes[usize::from(window.nozzle)].push((turn, *window));
            }
        }
    }

    fn speed_of(&self, nozzle: &Nozzle) -> f64 {
        nozzle_speed(&self.motion, nozzle).get()
    }
}

impl NozzleQueue {
    /// The next target of `round`; ask until none comes. What is granted must be [`NozzleQueue::committed`] before the
    /// next is asked for. Over `crop` nothing opens.
    pub fn next_due(&self, round: &mut Round, crop: &CropMap) -> Option<Due> {
        let Ripe { target, centre, lead, mut windows } = round.due.pop_front()?;
        round.turn += 1;
        let Some(lead) = lead else { return Some(Due::Beside { target }) };
        let shelter =
            Shelter::around(&target, crop, &self.boom, &self.rules, round.bridge, &round.robot_from_field);
        let half_width = self.boom.fan_width.get() / 2.0;
        let over =
            |nozzle: u16| (self.boom.nozzles[usize::from(nozzle)].place.y - centre.y).abs() <= half_width;
        let reached = windows.iter().any(|window| over(window.nozzle));
        windows.retain_mut(|window| self.cut(window, centre, round, &shelter));
        if lead >= Seconds::ZERO {
            for window in &mut windows {
                self.begin_with_neighbours(window, round, &shelter);
            }
        }
        let due = self.come(round, &target, &windows, &shelter);
        let Due::Open { wanted, covered, .. } = &due else { return Some(due) };
        let mut opening = wanted.iter().map(|wanted| wanted.command.nozzle).chain(covered.iter().copied());
        // Of a disc between two fans, or beyond the last, no middle was to be wetted.
        let wetted = if reached { opening.any(over) } else { opening.next().is_some() };
        Some(if wetted {
            due
        } else if shelter.holds_any() {
            Due::Sheltered { target, distance: shelter.distance() }
        } else {
            // Its valves were told to open later already, and commands of one nozzle follow each other.
            Due::Late { target, by: Seconds::ZERO }
        })
    }

    /// Ground between two spots that one valve wets without closing in between.
    pub(super) fn longest_bridge(&self, motion: &Motion) -> Metres {
        let bridges = self.boom.nozzles.iter().map(|nozzle| {
            let time = self.rules.min_pause + nozzle.valve_open - nozzle.valve_close;
            nozzle_speed(motion, nozzle) * time
        });
        bridges.fold(Metres::ZERO, Metres::max)
    }

    fn lane(&self, window: &Window) -> &Nozzle {
        &self.boom.nozzles[usize::from(window.nozzle)]
    }

    /// When each nozzle passes over a disc.
    pub(super) fn windows(&self, round: &Round, centre: Point2<RobotFrame>, reach: Metres) -> Vec<Window> {
        let now = round.now;
        let window = |(number, nozzle): (u16, &Nozzle)| {
            let half = self.overlap_m(nozzle, centre, reach)?;
            let speed = round.speed_of(nozzle);
            if speed < self.rules.min_speed.get() {
                return None;
            }
            let carry = self.boom.carry_at(MetresPerSecond::new(speed)).get();
            let (near_m, far_m) = (centre.x - half - nozzle.place.x, centre.x + half - nozzle.place.x);
            let lead = Seconds::new((near_m - carry) / speed) - nozzle.valve_open;
            let close = Seconds::new((far_m - carry) / speed) - nozzle.valve_close;
            // A valve that cannot close in time over so small a chord wets what lies behind.
            if (lead + SHORTEST - close).get() * speed > OVERRUN_M / 2.0 {
                return None;
            }
            Some(Window {
                nozzle: number,
                open_at: now.after(lead),
                close_at: now.after(close.max(lead + SHORTEST)),
                lead,
                near_m: centre.x - half,
                far_m: centre.x + half,
            })
        };
        (0u16..).zip(&self.boom.nozzles).filter_map(window).collect()
    }

    /// Takes from a window what would wet crop; false when nothing beside `centre` is left.
    fn cut(&self, window: &mut Window, centre: Point2<RobotFrame>, round: &Round, shelter: &Shelter) -> bool {
        let lane = self.lane(window);
        let Some((near, far)) = shelter.clear_around(lane.place.y, centre.x, (window.near_m, window.far_m))
        else {
            return false;
        };
        let speed = round.speed_of(lane);
        let later = Seconds::new((near - window.near_m) / speed);
        window.open_at = window.open_at.after(later);
        window.lead = window.lead + later;
        window.close_at = window.close_at.after(Seconds::new((far - window.far_m) / speed));
        (window.near_m, window.far_m) = (near, far);
        // Less than a valve can do would wet what lies behind.
        window.close_at >= window.open_at.after(SHORTEST)
    }

    /// Commands of one nozzle follow each other, so a valve that another waiting target wants open earlier opens then and
    /// stays open: the other finds it open, where it would come too late after this one. No more is wetted in between than
    /// the target is round: its first valve moves before any of the other's.
    fn begin_with_neighbours(&self, window: &mut Window, round: &Round, shelter: &Shelter) {
        let y = self.lane(window).place.y;
        let same = round.lanes[usize::from(window.nozzle)].iter();
        let waiting = same.filter(|(turn, _)| *turn >= round.turn).map(|(_, other)| other);
        let before = |other: &&Window| other.open_at < window.open_at;
        if let Some(earliest) = waiting.filter(before).min_by_key(|other| other.open_at)
            && shelter.is_clear(y, (earliest.near_m, window.near_m))
        {
            window.open_at = earliest.open_at;
            window.lead = earliest.lead;
            window.near_m = window.near_m.min(earliest.near_m);
        }
    }

    /// A due target as commands that join what is open already, or as a miss.
    fn come(&self, round: &Round, target: &Target, windows: &[Window], shelter: &Shelter) -> Due {
        let (mut wanted, mut covered, mut until) = (Vec::new(), Vec::new(), round.now);
        for window in windows {
            let lane = self.lane(window);
            let Told { from: open_from, until: open_until, .. } = self.open[usize::from(window.nozzle)];
            let paused = open_until.after(self.rules.min_pause);
            let told = open_until >= window.close_at;
            if told && open_from <= window.open_at.after(self.rules.min_pause) {
                covered.push(window.nozzle);
                until = until.max(window.close_at);
                continue;
            }
            let joins = !told && open_until > round.now && paused >= window.open_at;
            if !joins && window.lead < Seconds::ZERO {
                return Due::Late { target: *target, by: -window.lead };
            }
            if told {
                continue; // told to open later, and close later: commands of one nozzle follow each other
            }
            // Where the liquid of the opening before ends.
            let gap = window.open_at.since(open_until) + lane.valve_open - lane.valve_close;
            let left_m = (window.near_m - round.speed_of(lane) * gap.get()).min(window.near_m);
            let (open_at, near_m) = if !joins {
                (window.open_at, window.near_m)
            } else if shelter.is_clear(lane.place.y, (left_m, window.near_m)) {
                (open_until, left_m)
            } else if paused < window.close_at {
                (paused.max(window.open_at), window.near_m)
            } else {
                continue;
            };
            let command = NozzleCommand { open_at, close_at: window.close_at, nozzle: window.nozzle };
            until = until.max(window.close_at);
            wanted.push(Wanted { command, wets: self.wets(&round.motion, &Window { near_m, ..*window }) });
        }
        Due::Open { target: *target, wanted, covered, until }
    }

    fn wets(&self, motion: &Motion, window: &Window) -> [Point2<FieldFrame>; 4] {
        let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose);
        let y = self.lane(window).place.y;
        let (half, tail) = (self.boom.fan_width.get() / 2.0, self.boom.fan_length.get() / 2.0);
        let (back, front) = (window.near_m - tail, window.far_m + tail);
        [(back, y - half), (front, y - half), (front, y + half), (back, y + half)]
            .map(|(x, y)| &field_from_robot * Point2::<RobotFrame>::new(x, y))
    }
}

/// A valve is not told to be open for less.
const SHORTEST: Seconds = Seconds::new(1e-3);
