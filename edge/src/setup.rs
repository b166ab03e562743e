//! From a checked job to a robot that can run: the only place that knows which driver is which.

use crate::clock::{GivenClock, LoopTime, SystemClock};
use crate::config::{Config, DriverChoice};
use crate::disk::writable;
use crate::drivers::folder::{DryBoom, Folder, FolderError, NoMachine};
use crate::drivers::{EmergencyStop, FixSource, FrameSource, NozzleDriver};
use crate::eyes::Eyes;
use crate::guard::{Guard, GuardRules};
use crate::job::Job;
use crate::logbook::Logbook;
use crate::mission::{MissionFile, MissionFileError, WrongMove};
use crate::nozzles::NozzleQueue;
use crate::plants::{KnownPlants, near};
use crate::pose::PoseHistory;
use crate::progress::Progress;
use crate::recorder::{OutboxSink, Recorder};
use crate::robot::{Memory, Robot};
use crate::sim::{SimError, Simulator};
use crate::sprayer::Sprayer;
use crate::tally::Tally;
use kompas_cloud_sync::{Outbox, OutboxError};
use kompas_field::ids::{FieldId, InvalidId, MissionId};
use kompas_field::record::{IncidentKind, MissionStarted};
use kompas_field::units::Metres;
use kompas_field::{Clock, ManualClock, RobotInstant, WeedMap};
use kompas_vision::TrackerRules;
use kompas_vision::onnx::ModelError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod mission;
mod segmenter;

use mission::{Standing, new_boot, origin, standing};
pub use mission::{give_up_mission, may_begin};
pub use segmenter::open_segmenter;

/// Why there is no robot to run.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The simulation.
    #[error(transparent)]
    Simulator(#[from] SimError),
    /// The folder of pictures.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The network that finds plants.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A network is wanted and nothing can run it.
    #[error(
        "libonnxruntime.so is not found: run vision/setup-onnxruntime.sh, or name it in segmenter.library"
    )]
    NoOnnxRuntime,
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Where the outbox shall be.
    #[error("cannot make or write {} for the outbox: give a file in a folder that takes it in records.outbox, or --outbox", path.display())]
    OutboxPlace {
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The stored mission.
    #[error(transparent)]
    MissionFile(#[from] MissionFileError),
    /// A mistake in the order of calls.
    #[error(transparent)]
    Mission(#[from] WrongMove),
    /// A name made here that is none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// An older plan than the field was last driven with.
    #[error("the plan is generation {given}, this field was last driven with {driven}: fetch the newer plan")]
    StalePlan {
        /// Of the plan.
        given: u32,
        /// Of the stored mission.
        driven: u32,
    },
    /// Another plan than the one that the field was begun with.
    #[error(
        "mission {mission} on field {field} is open: it stopped {progress_m:.1} m along the path of another plan, and this one would drive the field from its start, over what is treated. Finish it with the settings it was begun with, or go on by a plan of `kompas-plan resume`; or give it up: kompas-robot run --give-up-mission"
    )]
    OpenMission {
        /// The one that is open.
        mission: MissionId,
        /// Its field.
        field: FieldId,
        /// Along its plan's path.
        progress_m: f64,
    },
    /// The plan's path cannot be driven.
    #[error("{0}")]
    Route(String),
    /// The rig lost its camera between check and run.
    #[error("the rig has no camera: add a [camera] section to it")]
    NoCamera,
}

impl SetupError {
    /// Whether what was given cannot be worked with; else the machine failed, or this program.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Outbox(why) => is_of_others(why),
            Self::MissionFile(why) => !matches!(why, MissionFileError::Io { .. }),
            Self::Mission(_) | Self::Id(_) => false,
            Self::Simulator(_)
            | Self::Folder(_)
            | Self::Model(_)
            | Self::NoOnnxRuntime
            | Self::OutboxPlace { .. }
            | Self::StalePlan { .. }
            | Self::OpenMission { .. }
            | Self::Route(_)
            | Self::NoCamera => true,
        }
    }
}

/// Whether an outbox is none of this robot, or of a newer program.
pub const fn is_of_others(why: &OutboxError) -> bool {
    matches!(why, OutboxError::OtherRobot { .. } | OutboxError::NewerFormat { .. })
}

/// A robot about to run, with what stands around it.
pub struct Ready {
    /// The robot.
    pub robot: Robot,
    /// The simulated world, for its truth.
    pub simulator: Option<Simulator>,
    /// Pictures to come.
    pub frames: usize,
    /// When a simulated drive ends, which is after its last picture.
    pub drive_end: Option<RobotInstant>,
    /// Set when this run goes on with a mission of another boot.
    pub resumed_from: Option<Metres>,
    /// Rows of a pose list that did not read.
    pub bad_rows: Vec<String>,
}

/// Camera, antenna, boom and stop, and the time they live in.
pub struct Drivers {
    /// Pictures.
    pub camera: Box<dyn FrameSource>,
    /// Places.
    pub gnss: Box<dyn FixSource>,
    /// Valves.
    pub boom: Box<dyn NozzleDriver>,
    /// The emergency stop.
    pub stop: Box<dyn EmergencyStop>,
    /// Moved by the loop.
    pub moments: Arc<ManualClock>,
    /// The simulated world, for its truth.
    pub simulator: Option<Simulator>,
    /// Pictures to come.
    pub frames: usize,
    /// Rows of a pose list that did not read.
    pub bad_rows: Vec<String>,
}

/// Opens drivers, outbox and mission, and writes down that the mission begins or goes on. An open mission of the field
/// that nobody goes on with is ended in the records, where it has done nothing yet or the plan is of a later generation.
///
/// # Errors
/// [`SetupError`].
pub fn ready(config: &Config, job: &Job, list: Option<Box<dyn Write>>) -> Result<Ready, SetupError> {
    ready_with(config, job, list, |calendar, start| Drivers::open(config, job, calendar, start))
}

/// As [`ready`], with drivers of the caller's choice; `open` is told how far along the path to begin.
///
/// # Errors
/// [`SetupError`].
pub fn ready_with(
    config: &Config,
    job: &Job,
    list: Option<Box<dyn Write>>,
    open: impl FnOnce(SystemClock, Metres) -> Result<Drivers, SetupError>,
) -> Result<Ready, SetupError> {
    let calendar = SystemClock::start();
    let boot = new_boot(calendar)?;
    let mission_path = MissionFile::path_beside(&config.records.outbox, &job.field.id);
    let Standing { mission, previous, left } = standing(config, job, &boot, calendar)?;
    let start = Metres::new(previous.as_ref().map_or(0.0, |_| mission.progress_m));

    let drivers = open(calendar, start)?;
    let clock = GivenClock::new(Arc::clone(&drivers.moments), calendar);
    let time = LoopTime::Given { clock, latency: config.frame_latency };
    let mut outbox = open_outbox(config)?;
    if let Some(damaged) = outbox.set_aside() {
        tracing::error!(
            "the outbox was damaged and moved to {}; a new one is in use, and what waited in it is lost: look at the disk",
            damaged.display()
        );
    }
    // What waited in it is lost, perhaps with the record that the mission began: the cloud needs its field.
    let tells_anew = outbox.set_aside().is_some();
    let origin = origin(config, job, boot);
    if let Some(left) = &left {
        mission::end(left, config, &mut outbox, &origin, time.clock())?;
        tracing::warn!("mission {} was open and is ended: this plan takes its place", left.mission);
    }
    let sink = OutboxSink { outbox, origin, mission: mission_path };
    let recorder = Recorder::start(sink, config.records.queue, time.waits());
    let mut logbook = Logbook::new(mission.mission.clone(), config.policy.product.clone(), recorder, list);

    let camera = job.rig.camera.as_ref().ok_or(SetupError::NoCamera)?;
    let segmenter = open_segmenter(&config.segmenter, Some(camera))?;
    let eyes = Eyes::new(camera, segmenter, config.remembers.then(|| job.field.boundary.clone()));
    // First: what is written first takes the loss to have been told.
    if previous.is_none() || tells_anew {
        begin(&mut logbook, &time, job, &mission, eyes.segmenter_id());
    }
    if let Some(previous) = &previous {
        let what = IncidentKind::Resumed { previous_boot: previous.clone() };
        logbook.incident(what, RobotInstant::START, time.clock());
    }

    let rules = GuardRules { max_speed: job.rig.robot.max_speed, ..config.policy.guard };
    let guard = Guard::new(rules, job.field.boundary.clone(), &job.plan.zones);
    let nozzles = config.policy.nozzle_rules(&job.rig.boom);
    let queue = NozzleQueue::new(job.rig.boom.clone(), nozzles);
    let near = near(&job.rig, nozzles.max_radius);
    let progress = match config.driver {
        DriverChoice::Simulator(_) => Progress::new(&job.plan.path, start),
        DriverChoice::Folder { .. } => Progress::free(),
    };
    let Drivers { camera, gnss, boom, stop, simulator, frames, bad_rows, .. } = drivers;
    let robot = Robot {
        time,
        stopwatch: calendar,
        camera,
        gnss,
        eyes,
        poses: PoseHistory::new(job.field.plane, config.policy.pose),
        plants: KnownPlants::new(TrackerRules::default(), job.field.crop, near),
        rules: config.policy.decision_rules(job.field.crop),
        prescription: job.plan.prescription.clone(),
        grid: job.field.grid(),
        sprayer: Sprayer::new(queue, guard, boom, stop),
        boom: job.rig.boom.clone(),
        progress,
        logbook,
        album: None,
        mission,
        weed_map: WeedMap::of(&job.field),
        tally: Tally::default(),
        memory: Memory::default(),
    };
    let drive_end = simulator.as_ref().map(Simulator::end);
    Ok(Ready { robot, simulator, frames, drive_end, resumed_from: previous.map(|_| start), bad_rows })
}

/// Opens the outbox, in a folder that is made where it is not there.
fn open_outbox(config: &Config) -> Result<Outbox, SetupError> {
    let path = &config.records.outbox;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| writable(path))
        .map_err(|source| SetupError::OutboxPlace { path: path.clone(), source })?;
    Ok(Outbox::open(path, &config.robot, config.records.limits)?)
}

fn begin(logbook: &mut Logbook, time: &LoopTime, job: &Job, mission: &MissionFile, segmenter: &str) {
    let started = MissionStarted {
        mission: mission.mission.clone(),
        field: job.field.clone(),
        plan: job.plan.id.clone(),
        rig: job.rig.name().to_owned(),
        segmenter: segmenter.to_owned(),
    };
    logbook.started(started, time.clock());
}

impl Drivers {
    /// As the configuration says.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn open(
        config: &Config,
        job: &Job,
        calendar: SystemClock,
        start: Metres,
    ) -> Result<Self, SetupError> {
        match &config.driver {
            DriverChoice::Simulator(sim) => {
                let route = job.route().map_err(|finding| SetupError::Route(finding.to_string()))?;
                let world = Simulator::start_at(&job.field, &route, &job.rig, sim, calendar.wall(), start)?;
                Ok(Self {
                    camera: Box::new(world.camera()?),
                    gnss: Box::new(world.gnss()),
                    boom: Box::new(world.boom()),
                    stop: Box::new(world.estop()),
                    moments: world.clock(),
                    frames: world.frame_count(),
                    simulator: Some(world),
                    bad_rows: Vec::new(),
                })
            }
            DriverChoice::Folder { folder, datum } => {
                let folder = Folder::open(folder, *datum)?;
                let frames = folder.frame_count();
                let Folder { camera, gnss, bad_rows } = folder;
                Ok(Self {
                    camera: Box::new(camera),
                    gnss: Box::new(gnss),
                    boom: Box::new(DryBoom),
                    stop: Box::new(NoMachine),
                    moments: Arc::new(ManualClock::starting_at(calendar.wall())),
                    frames,
                    simulator: None,
                    bad_rows,
                })
            }
        }
    }
}

/// Where a run leaves its list of decisions; a file that cannot be made is a usage error.
///
/// # Errors
/// The system's.
pub fn decision_list(path: &Path) -> std::io::Result<Box<dyn Write>> {
    Ok(Box::new(std::io::BufWriter::new(std::fs::File::create(path)?)))
}
