//! The robot on one page: picture → plants → places → decisions → nozzles → records.

use crate::clock::{LoopTime, Stopwatch, SystemClock};
use crate::decide::{DecisionRules, Surroundings};
use crate::drivers::folder::Album;
use crate::drivers::{FixSource, Frame, FrameSource};
use crate::eyes::Eyes;
use crate::guard::Inputs;
use crate::logbook::Logbook;
use crate::mission::{MissionEvent, MissionFile, MissionState, Totals, WrongMove};
use crate::plants::KnownPlants;
use crate::pose::{Line, Motion, PoseGap, PoseHistory};
use crate::progress::Progress;
use crate::sprayer::{Outcome, Served, Sprayer};
use crate::tally::Tally;
use kompas_field::decision::PlantNumber;
use kompas_field::frame::heading::to_compass_deg;
use kompas_field::record::{IncidentKind, NozzleOpening, TrackPoint};
use kompas_field::rig::Boom;
use kompas_field::units::{LitresPerHectare, Metres, Seconds};
use kompas_field::{
    ClosedBecause, Decision, FieldFrame, Grid, Point2, Prescription, RobotFrame, RobotInstant, Rule,
    Sighting, Stamped, Transform2, Verdict, WeedMap,
};
use kompas_vision::Plant;
use std::collections::BTreeMap;

mod account;
mod end;

pub use end::RunEnd;

/// Between two looks at the boom when nothing else happens; the nozzle horizon is longer.
const STEP: Seconds = Seconds::new(0.05);
/// A pause longer than this is not lived through step by step: everything is stale by then.
const LONGEST_PAUSE: Seconds = Seconds::new(10.0);
/// How often progress is stored, on the robot's clock: what is driven again after a crash.
const STORE_EVERY: Seconds = Seconds::new(5.0);

/// What one turn of the loop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// There will be more.
    Looked,
    /// The camera has no more pictures.
    NoMorePictures,
}

/// Everything the loop works with; made by [`crate::setup`].
pub struct Robot {
    /// Which time it lives in.
    pub time: LoopTime,
    /// For measuring our own code.
    pub stopwatch: SystemClock,
    /// Pictures.
    pub camera: Box<dyn FrameSource>,
    /// Places.
    pub gnss: Box<dyn FixSource>,
    /// Pixels to plants on the ground.
    pub eyes: Eyes,
    /// Where the robot was.
    pub poses: PoseHistory,
    /// Plants met so far.
    pub plants: KnownPlants,
    /// What decides about them.
    pub rules: DecisionRules,
    /// Rates of the plan.
    pub prescription: Prescription,
    /// Of the field.
    pub grid: Grid,
    /// Queue, guard and boom.
    pub sprayer: Sprayer,
    /// The boom's measures, for what was applied.
    pub boom: Boom,
    /// Along the plan's path.
    pub progress: Progress,
    /// The way to the disk.
    pub logbook: Logbook,
    /// Pictures of the drive, for a person who wants them kept.
    pub album: Option<Album>,
    /// As stored.
    pub mission: MissionFile,
    /// Plants per grid cell, as decided.
    pub weed_map: WeedMap,
    /// Counts.
    pub tally: Tally,
    /// What happened in between.
    pub memory: Memory,
}

/// What the loop remembers from one turn to the next.
#[derive(Debug, Default)]
pub struct Memory {
    last_frame: Option<RobotInstant>,
    served_at: Option<RobotInstant>,
    stored_at: Option<RobotInstant>,
    driven: Option<Metres>,
    implement: bool,
    pending: BTreeMap<PlantNumber, Decision>,
    cells: std::collections::BTreeSet<kompas_field::CellIndex>,
    treated_at_start: Totals,
}

impl Robot {
    /// Starts treating, or goes on.
    ///
    /// # Errors
    /// [`WrongMove`] when the mission is over.
    pub fn start(&mut self) -> Result<(), WrongMove> {
        self.memory.treated_at_start = self.mission.totals;
        self.mission.state = self.mission.state.on(MissionEvent::Start)?;
        Ok(())
    }

    /// One picture, and everything that follows from it. A fault of a driver or of the disk is no reason to stop: it is
    /// counted, and nozzles stay shut.
    pub fn tick(&mut self) -> Tick {
        let mut watch = Stopwatch::start(self.stopwatch);
        let Some(frame) = self.camera.next_frame() else { return Tick::NoMorePictures };
        self.tally.stages.frame += watch.split();
        let in_hand = watch.now();
        let now = self.time.after_frame(frame.true_at);
        let others = |robot: &Self| robot.tally.stages.decide + robot.tally.stages.record;
        let others_before = others(self);
        self.live_until(now); // fixes come in, valves move
        self.tally.stages.nozzle += watch.split();
        self.look(&frame, &mut watch); // plants to places, places to plants known
        self.serve(now); // decisions, and valves again
        self.tally.latency(in_hand, watch.now());
        self.tally.stages.nozzle += watch.split() - (others(self) - others_before);
        self.store_progress(now);
        self.tally.stages.record += watch.split();
        Tick::Looked
    }

    /// What the picture shows, where it was taken. What cannot be used is counted and closes the nozzles.
    fn look(&mut self, frame: &Stamped<Frame>, watch: &mut Stopwatch) {
        self.tally.frames += 1;
        let motion = self.poses.at(frame.true_at);
        let seen = match &frame.value.image {
            Ok(image) => self.eyes.look(image, motion.as_ref().ok(), &mut self.tally.stages, watch),
            Err(fault) => Err(fault.to_string()),
        };
        let detections = match seen {
            Ok(detections) => detections,
            Err(cause) => {
                self.tally.frames_unusable += 1;
                self.memory.last_frame = None;
                let what = IncidentKind::FrameUnusable { frame: frame.value.name.clone(), cause };
                return self.logbook.incident(what, frame.true_at, self.time.clock());
            }
        };
        match motion {
            Ok(motion) => {
                // Only a picture with a place tells what lies before the boom.
                self.memory.last_frame = Some(frame.true_at);
                if let (Some(album), Ok(image)) = (&mut self.album, &frame.value.image) {
                    album.show(frame.true_at, image, &motion, self.poses.last_fix());
                }
                let seen = self.eyes.project(&detections, &motion);
                self.tally.stages.ground += watch.split();
                self.plants.see(frame.true_at, &seen);
                self.tally.stages.track += watch.split();
            }
            Err(gap) => {
                self.tally.frames_without_pose += 1;
                tracing::debug!("{} is not placed: {gap}", frame.value.name);
            }
        }
    }

    /// Lives from the last look at the boom to `now`: each fix is taken when it was true.
    fn live_until(&mut self, now: RobotInstant) {
        for fix in self.gnss.fixes_until(now) {
            self.step_to(fix.true_at);
            let usable = fix.value.quality != crate::drivers::FixQuality::None;
            let taken = self.poses.take(&fix);
            if let Err(why) = &taken
                && self.tally.fixes_unusable == 0
            {
                tracing::warn!("a fix cannot be used, nozzles stay shut: {why}");
            }
            self.tally.fixes_unusable += u64::from(!usable || taken.is_err());
            if let Some(album) = &mut self.album {
                let motion = self.poses.at(fix.true_at).ok();
                album.passed(fix.true_at, motion.as_ref(), self.poses.last_fix());
            }
            match taken {
                Ok(Line::Jumped) => self.forget_the_old_line(fix.true_at, ClosedBecause::PositionJumped),
                Ok(Line::Broken) => self.forget_the_old_line(fix.true_at, ClosedBecause::PoseStale),
                Ok(Line::GoesOn) | Err(_) => {}
            }
        }
        self.step_to(now);
    }

    fn step_to(&mut self, until: RobotInstant) {
        if let Some(mut at) = self.memory.served_at
            && until.since(at) <= LONGEST_PAUSE
        {
            while at.after(STEP) < until {
                at = at.after(STEP);
                self.serve(at);
            }
        }
        if self.memory.served_at.is_none_or(|at| until > at) {
            self.serve(until);
        }
    }

    /// One look at the boom: decide what is near, ask the guard, move valves, write down what happened.
    fn serve(&mut self, now: RobotInstant) {
        self.time.move_to(now);
        let motion = self.poses.at(now);
        if let Ok(motion) = &motion {
            self.follow(now, motion);
            if self.memory.implement && self.mission.state == MissionState::Treating {
                let mut watch = Stopwatch::start(self.stopwatch);
                self.decide(now, motion);
                self.tally.stages.decide += watch.split();
            }
        }
        let served = self.sprayer.serve(self.inputs(now, motion), self.plants.crop_map());
        self.write_down(now, served);
        let mut watch = Stopwatch::start(self.stopwatch);
        self.logbook.turn_page(now, false, self.time.clock());
        self.tally.stages.record += watch.split();
        if let (Some(because), Some(before)) = (self.sprayer.closed(), self.memory.served_at) {
            self.tally.shut(because, now.since(before));
        }
        self.memory.served_at = Some(now);
    }

    fn inputs(&self, now: RobotInstant, motion: Result<Motion, PoseGap>) -> Inputs {
        Inputs {
            now,
            stopped: true,       // the sprayer asks the stop itself
            boom_answers: false, // and the boom
            treating: self.mission.state == MissionState::Treating,
            recording: self.logbook.is_available(),
            motion,
            fix: self.poses.last_fix(),
            last_frame: self.memory.last_frame,
            implement: self.memory.implement,
        }
    }

    fn follow(&mut self, now: RobotInstant, motion: &Motion) {
        let driven = self.poses.driven();
        let step = driven - self.memory.driven.replace(driven).unwrap_or(Metres::ZERO);
        let place = self.progress.follow(motion.pose.position, step);
        self.memory.implement = place.implement;
        self.logbook.passed(TrackPoint {
            true_at: now,
            position: motion.pose.position,
            heading_deg: to_compass_deg(motion.pose.heading),
            sigma_m: motion.sigma.get(),
        });
    }

    /// Decides the plants whose first valve must soon move. Each once; who stands beside the boom waits for
    /// the next swath.
    fn decide(&mut self, now: RobotInstant, motion: &Motion) {
        let queue = self.sprayer.queue();
        let ahead = queue.decide_ahead(motion, STEP);
        let queue_rate = queue.rate_at(motion.speed);
        let ripe = self.plants.take_ripe(&motion.pose, |plant, place| {
            let reach = queue.reach_of(plant);
            place.x - reach.get() < ahead.get()
                && !queue.passed(motion, place, reach + JUST_PASSED)
                && queue.stands_under(place)
        });
        for plant in ripe {
            let surroundings = Surroundings {
                nearest_crop: self.plants.crop_map().nearest_stem(plant.position),
                rate: self.prescription.rate_at(Some(plant.position)),
            };
            let (verdict, rule) = self.rules.decide(&plant, &surroundings);
            let decision = self.decision(&plant, verdict, rule, queue_rate, now);
            if verdict == Verdict::Treat {
                let prescription = &self.prescription;
                self.sprayer.add(&plant, |leaf| prescription.rate_at(Some(leaf)) > LitresPerHectare::ZERO);
                self.memory.pending.insert(plant.number, decision);
            } else {
                self.decided(decision, now);
            }
        }
    }

    /// The position jumped, or may have: plants seen around here lie on another line than the robot from now on. What
    /// waits for a valve goes with the guard's closing; what was not decided is told, and nothing opens before a picture
    /// has shown the ground anew. What lies ahead will be seen again, so the weed map does not count it now.
    fn forget_the_old_line(&mut self, now: RobotInstant, because: ClosedBecause) {
        self.memory.last_frame = None;
        let Some(motion) = self.poses.line_at(now) else { return };
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&motion.pose).inverse();
        for plant in self.plants.begin_anew(motion.pose.position) {
            let queue = self.sprayer.queue();
            let passed = queue.passed(&motion, &robot_from_field * plant.position, queue.reach_of(&plant));
            let rule = Rule::Closed { because };
            let decision = self.decision(&plant, Verdict::Leave, rule, LitresPerHectare::ZERO, now);
            if passed { self.decided(decision, now) } else { self.told(decision, now) }
        }
    }
}

/// A plant that the boom passed by more than this, with the implement off, waits for another swath; one passed
/// by less was seen too late, and that is told.
const JUST_PASSED: Metres = Metres::new(0.3);
