//! The simulation as a whole: one world, one drive, one clock, and the drivers that share them.

use super::boom::{BoomTruth, SimBoom};
use super::camera::SimCamera;
use super::config::SimConfig;
use super::estop::SimEstop;
use super::gnss::SimGnss;
use super::photos::PhotoError;
use super::render::Renderer;
use super::route::Route;
use super::stream::{Purpose, stream};
use super::truth::{self, Met, Score, ShareOf};
use super::vehicle::{Trajectory, TrueMotion};
use super::wetted::{convex_hull, in_hull};
use super::world::World;
use kompas_field::units::{Metres, MetresPerSecond, Seconds};
use kompas_field::{
    Clock as _, Field, FieldFrame, ManualClock, PlantRole, Point2, Pose2, Rig, RobotInstant, WallTime,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod triggers;

/// Between two looks at what passes under the boom.
const LOOK_M: f64 = 0.1;

/// Why there is no simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The rig has no camera.
    #[error("the rig {rig:?} has no camera: add a [camera] section to it")]
    NoCamera {
        /// Its name.
        rig: String,
    },
    /// The camera sees the horizon.
    #[error("the camera of rig {rig:?} sees the horizon: tilt it down, so that all of its picture is ground")]
    SeesHorizon {
        /// The rig's name.
        rig: String,
    },
    /// The photographs give no ground.
    #[error(transparent)]
    Photos(#[from] PhotoError),
}

/// What happened so far.
#[derive(Debug)]
pub(super) struct Truth {
    pub(super) boom: BoomTruth,
    met: Met,
    worked_m2: f64,
    /// Everything before is in `boom` and `met`.
    until: RobotInstant,
}

/// What all drivers of one simulation share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rig: Rig,
    world: Arc<World>,
    pub(super) drive: Arc<Trajectory>,
    clock: Arc<ManualClock>,
    estop: SimEstop,
    working_speed: MetresPerSecond,
    truth: Mutex<Truth>,
}

impl Shared {
    pub(super) fn now(&self) -> RobotInstant {
        self.clock.now()
    }

    /// The truth; a panic elsewhere does not make it less true.
    pub(super) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the world go on until `now`. The clock is the loop's.
    pub(super) fn go_on_until(&self, now: RobotInstant) {
        let mut truth = self.truth();
        let since = truth.until;
        if now > since {
            let Truth { boom, met, worked_m2, until } = &mut *truth;
            boom.spray(&self.rig.boom, &self.drive, self.working_speed, self.estop.spans(), (since, now));
            *worked_m2 += self.pass(met, since, now);
            *until = now;
        }
    }

    /// Marks the plants that the boom passed with the implement on; the ground it passed, in square metres.
    fn pass(&self, met: &mut Met, from: RobotInstant, until: RobotInstant) -> f64 {
        let (from_m, until_m) = (self.drive.at(from).distance, self.drive.at(until).distance);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
        let steps = ((until_m - from_m).get() / LOOK_M).ceil().max(0.0) as u32;
        let at = |step: u32| from_m + (until_m - from_m) * (f64::from(step) / f64::from(steps.max(1)));
        let mut worked_m2 = 0.0;
        for step in 0..steps {
            let (here, next) = (at(step), at(step + 1));
            if !self.drive.route().treats_at((here + next) / 2.0) {
                continue;
            }
            worked_m2 += (next - here).get() * self.rig.boom.width.get();
            let [a, b] = [here, next].map(|distance| self.boom_line(&self.drive.pose_at(distance)));
            let hull = convex_hull(&[a, b].concat());
            for number in self.world.around(&hull, Metres::ZERO) {
                if in_hull(&hull, self.world.plants()[number as usize].stem) {
                    met.passed[number as usize] = true;
                }
            }
        }
        worked_m2
    }

    fn boom_line(&self, pose: &Pose2<FieldFrame>) -> [Point2<FieldFrame>; 2] {
        let boom = &self.rig.boom;
        let forward = Metres::new(boom.nozzles.first().map_or(0.0, |nozzle| nozzle.place.x)) + boom.carry;
        [0.5, -0.5].map(|side| pose.position.moved(pose.heading, forward, boom.width * side))
    }

    /// Marks the plants in a picture with this outline on the ground.
    pub(super) fn see(&self, outline: &[Point2<FieldFrame>]) {
        let outline = convex_hull(outline);
        let mut truth = self.truth();
        for number in self.world.around(&outline, Metres::ZERO) {
            if in_hull(&outline, self.world.plants()[number as usize].stem) {
                truth.met.seen[number as usize] = true;
            }
        }
    }
}

/// One simulated drive over one simulated field.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    field: Field,
    config: SimConfig,
    triggers: Vec<Metres>,
}

impl Simulator {
    /// Grows the field and puts the robot at the beginning of `route`, which is `wall` on the calendar.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn new(
        field: &Field,
        route: &Route,
        rig: &Rig,
        config: &SimConfig,
        wall: WallTime,
    ) -> Result<Self, SimError> {
        Self::start_at(field, route, rig, config, wall, Metres::ZERO)
    }

    /// As [`Simulator::new`], with `start` of the path already behind the robot: the same world and drive,
    /// after a restart. What the boom wetted before is not known.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn start_at(
        field: &Field,
        route: &Route,
        rig: &Rig,
        config: &SimConfig,
        wall: WallTime,
        start: Metres,
    ) -> Result<Self, SimError> {
        let settings = config.get();
        let camera = rig.camera.as_ref().ok_or_else(|| SimError::NoCamera { rig: rig.name().to_owned() })?;
        let triggers =
            triggers::along(route, camera, rig.boom.nozzles.first(), settings.camera.overlap_share)
                .ok_or_else(|| SimError::SeesHorizon { rig: rig.name().to_owned() })?;
        let world = Arc::new(World::grow(field, route, settings)?);
        for finding in settings.findings_for(route) {
            tracing::warn!("{finding}");
        }
        for line in world.photo_report().into_iter().flat_map(|report| &report.skipped) {
            tracing::warn!("photograph skipped: {line}");
        }
        let drive = Arc::new(Trajectory::new(route.clone(), &settings.vehicle, settings.seed, start));
        let clock = Arc::new(ManualClock::starting_at(wall));
        let estop = SimEstop::new(Arc::clone(&clock), &drive, &settings.estop);
        let valves = stream(settings.seed, Purpose::Valves);
        let truth = Truth {
            boom: BoomTruth::new(rig.boom.nozzles.len(), settings.boom.valve_jitter_ms, valves),
            met: Met::none_of(world.plants().len()),
            worked_m2: 0.0,
            until: RobotInstant::START,
        };
        let shared = Shared {
            rig: rig.clone(),
            world,
            drive,
            clock,
            estop,
            working_speed: rig.boom.carry_speed.unwrap_or(MetresPerSecond::new(settings.vehicle.speed_mps)),
            truth: Mutex::new(truth),
        };
        let triggers = triggers.into_iter().filter(|&at| at >= start).collect();
        Ok(Self { shared: Arc::new(shared), field: field.clone(), config: config.clone(), triggers })
    }

    /// Virtual time: the robot loop moves it.
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.shared.clock)
    }

    /// The camera.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn camera(&self) -> Result<SimCamera, SimError> {
        let rig = &self.shared.rig;
        let camera = rig.camera.as_ref().ok_or_else(|| SimError::NoCamera { rig: rig.name().to_owned() })?;
        let renderer = Renderer::new(Arc::clone(&self.shared.world), camera, self.config.get())
            .ok_or_else(|| SimError::SeesHorizon { rig: rig.name().to_owned() })?;
        let ahead = self.config.get().camera.render_ahead;
        Ok(SimCamera::new(Arc::clone(&self.shared), renderer, self.triggers.clone(), ahead.into()))
    }

    /// The receiver with odometry.
    pub fn gnss(&self) -> SimGnss {
        let settings = self.config.get();
        SimGnss::new(Arc::clone(&self.shared.drive), self.field.plane, settings.gnss.clone(), settings.seed)
    }

    /// The boom.
    pub fn boom(&self) -> SimBoom {
        SimBoom::new(Arc::clone(&self.shared))
    }

    /// The emergency stop.
    pub fn estop(&self) -> SimEstop {
        self.shared.estop.clone()
    }

    /// The field's truth.
    pub fn world(&self) -> &World {
        &self.shared.world
    }

    /// Frames that a drive from here takes.
    pub const fn frame_count(&self) -> usize {
        self.triggers.len()
    }

    /// Length of the whole path.
    pub fn path_length(&self) -> Metres {
        self.shared.drive.route().length()
    }

    /// What is true of the robot at `now`.
    pub fn motion_at(&self, now: RobotInstant) -> TrueMotion {
        self.shared.drive.at(now)
    }

    /// When the robot stands at the end of the path.
    pub fn end(&self) -> RobotInstant {
        self.shared.drive.instant_at(self.path_length())
    }

    /// What the truth says of everything until now.
    pub fn score(&self) -> Score {
        let shared = &self.shared;
        let truth = shared.truth();
        let classes = truth::classes(&shared.world, &truth.met, &self.config.get().score, &truth.boom.wetted);
        let boom = &truth.boom;
        let of_weeds = |count: fn(&truth::ClassScore) -> u64| {
            truth::sum(&classes, &[PlantRole::Weed, PlantRole::Volunteer], count)
        };
        let (weeds, weeds_treated) = (of_weeds(|score| score.judged), of_weeds(|score| score.treated));
        let large_treated = of_weeds(|score| score.large_treated);
        let crop = truth::sum(&classes, &[PlantRole::Crop], |score| score.judged);
        let crop_hit = truth::sum(&classes, &[PlantRole::Crop], |score| score.treated);
        Score {
            weeds,
            weeds_treated,
            weeds_treated_share: ShareOf::new(weeds_treated, weeds),
            large_weeds_treated_share: ShareOf::new(large_treated, of_weeds(|score| score.large)),
            crop,
            crop_hit,
            crop_hit_share: ShareOf::new(crop_hit, crop),
            classes,
            worked_m2: truth.worked_m2,
            sprayed_m2: boom.wetted.area().get(),
            sprayed_l: shared.rig.boom.litres_in(Seconds::new(boom.open_s)),
            open_s: boom.open_s,
            open_while_latched_s: boom.open_while_latched_s,
            commands: boom.commands,
            late_commands: boom.late,
            lost_commands: boom.lost,
        }
    }
}

#[cfg(test)]
mod tests;
