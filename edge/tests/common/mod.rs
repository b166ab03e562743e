//! A small job in a folder of its own: quick enough to drive several times.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::allow_attributes, reason = "expect would complain in the binaries that use all of it")]

use kompas_edge::config::Config;
use kompas_edge::job::Job;
use kompas_edge::report::Report;
use kompas_edge::robot::Tick;
use kompas_edge::setup::{Ready, decision_list, ready};
use kompas_field::{Envelope, Payload};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const RIG: &str = r#"
name = "small"
[robot]
width_m = 1.6
min_turning_radius_m = 1.5
may_reverse = false
max_speed_mps = 2.0
[boom]
width_m = 2.0
forward_m = 0.0
nozzle_count = 20
nozzle_pitch_m = 0.1
fan_width_m = 0.11
fan_length_m = 0.02
carry_m = 0.05
valve_open_ms = 20.0
valve_close_ms = 10.0
flow_l_per_min = 0.1
[camera]
width_px = 640
height_px = 480
focal_x_px = 400.0
focal_y_px = 400.0
centre_x_px = 320.0
centre_y_px = 240.0
distortion = [0.0, 0.0, 0.0, 0.0, 0.0]
height_m = 1.4
forward_m = 1.4
left_m = 0.0
pitch_deg = 0.0
roll_deg = 0.0
yaw_deg = 0.0
"#;

/// 30 m by 16 m.
const FIELD: &str = r#"{"type":"Polygon","coordinates":[[[6.9463,52.8741],[6.946746,52.8741],[6.946746,52.874244],
[6.9463,52.874244],[6.9463,52.8741]]]}"#;

const CONFIG: &str = r#"
farm_id = "kompas"
robot_id = "r-1"
rig = "rig.toml"
[field]
file = "field.geojson"
crop = "sugar_beet"
[segmenter]
kind = "exg"
[driver]
kind = "simulator"
[simulator]
seed = 11
[records]
outbox = "outbox.db"
[policy]
max_frame_age_s = 3.0
"#;

/// A folder with rig, field and configuration.
pub(crate) struct Yard {
    /// Gone with the test.
    pub(crate) folder: tempfile::TempDir,
    /// The job's file.
    pub(crate) config: PathBuf,
}

impl Yard {
    /// With `more` at the end of the configuration.
    pub(crate) fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("rig.toml", RIG);
        write("field.geojson", FIELD);
        write("job.toml", &(CONFIG.to_owned() + more));
        let config = folder.path().join("job.toml");
        Self { folder, config }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn load(&self) -> (Config, Job) {
        let read = Config::read(&self.config, vec![]);
        assert!(read.findings.is_empty(), "{:#?}", read.findings);
        let config = read.config.unwrap();
        let (job, _) = Job::load(&config).unwrap();
        (config, job)
    }

    /// Runs until the pictures end, or pauses after `most`.
    pub(crate) fn run(&self, decisions: &str, most: Option<u64>) -> Report {
        let (config, job) = self.load();
        let list = decision_list(&self.path(decisions)).unwrap();
        let Ready { mut robot, simulator, drive_end, resumed_from, .. } =
            ready(&config, &job, Some(list)).unwrap();
        robot.start().unwrap();
        let mut looked = 0;
        while most.is_none_or(|most| looked < most) && robot.tick() == Tick::Looked {
            looked += 1;
        }
        let end = robot.end(most.is_some(), drive_end).unwrap();
        let truth = simulator.map(|world| world.score());
        Report::of(
            &end,
            resumed_from.map(kompas_field::units::Metres::get),
            truth,
            Self::counts(&config),
            None,
        )
    }

    fn counts(config: &Config) -> kompas_cloud_sync::Counts {
        let records = &config.records;
        let outbox = kompas_cloud_sync::Outbox::open(&records.outbox, &config.robot, records.limits).unwrap();
        outbox.counts().unwrap()
    }

    /// Every record that waits, in order.
    pub(crate) fn records(&self) -> Vec<Envelope> {
        let (config, _) = self.load();
        let records = &config.records;
        let mut outbox =
            kompas_cloud_sync::Outbox::open(&records.outbox, &config.robot, records.limits).unwrap();
        let now = kompas_field::RobotInstant::START;
        let until = now.after(kompas_field::units::Seconds::new(1e6));
        let lent = outbox.lend(100_000, now, until).unwrap();
        let mut all: Vec<Envelope> =
            lent.iter().map(|record| serde_json::from_slice(&record.wire).unwrap()).collect();
        all.sort_by_key(|envelope| envelope.key.seq);
        all
    }

    /// Every payload that waits, in order.
    pub(crate) fn payloads(&self) -> Vec<Payload> {
        self.records().iter().map(|envelope| envelope.open().unwrap()).collect()
    }
}

/// Where cargo put the program: it says so, except through some compiler caches; then it lies above this test.
fn program() -> PathBuf {
    option_env!("CARGO_BIN_EXE_kompas-robot").map_or_else(
        || std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("kompas-robot"),
        PathBuf::from,
    )
}

/// The program, with both of its outputs kept.
pub(crate) fn robot(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it said.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `check` says of the job.
pub(crate) fn check(yard: &Yard) -> Output {
    robot(&["check", "--config", yard.config.to_str().unwrap()]).output().unwrap()
}
