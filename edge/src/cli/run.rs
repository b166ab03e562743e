//! `kompas-robot run`.

use super::exit::{Failed, print};
use super::link::{Patience, stop_flag, until_sent, uplink, why_waiting};
use super::progress::Progress;
use super::{ConfigArgs, writable};
use anyhow::{Context, Result};
use kompas_cloud_sync::{Outbox, UplinkHandle, UplinkStatus};
use kompas_edge::clock::SystemClock;
use kompas_edge::config::Config;
use kompas_edge::drivers::folder::Album;
use kompas_edge::report::Report;
use kompas_edge::robot::Tick;
use kompas_edge::setup::{Ready, decision_list, give_up_mission, may_begin, ready};
use kompas_edge::sim::Simulator;
use kompas_field::units::{Metres, Seconds};
use kompas_field::{Clock, RobotInstant};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The summary as JSON on stdout.
    #[arg(long)]
    json: bool,
    /// The summary as JSON into a file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Every decision as a line of JSON into a file.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// The plan driven, as JSON into a file.
    #[arg(long, value_name = "FILE")]
    plan_out: Option<PathBuf>,
    /// Plants per grid cell as seen in this run, as JSON into a file: the weed map for the next plan. Written at the end of
    /// the run; one that goes on after a pause does not hold what was seen before.
    #[arg(long, value_name = "FILE")]
    weed_map_out: Option<PathBuf>,
    /// Keep pictures of the drive with their places in a new folder, as `driver.kind = "folder"` drives through them and
    /// `kompas-model adapt --images` learns from them.
    #[arg(long, value_name = "DIR")]
    keep_pictures: Option<PathBuf>,
    /// A picture is kept whenever the robot has moved on so far.
    #[arg(long, value_name = "METRES", default_value_t = 1.0, requires = "keep_pictures", value_parser = from_0)]
    keep_every_m: f64,
    /// Pause after so many pictures; the next run goes on.
    #[arg(long, value_name = "NUMBER")]
    max_frames: Option<u64>,
    /// At the end, wait at most this long for the cloud to take the records; the rest waits in the outbox, and `send`
    /// sends it [default: 60, but 5 without a connection].
    #[arg(long, value_name = "SECONDS", value_parser = from_0)]
    drain_s: Option<f64>,
    /// End the mission that is open on the field for good, and begin the field anew.
    #[arg(long)]
    give_up_mission: bool,
    /// Not faster than so many times real time; 0 is as fast as the machine can.
    #[arg(long, value_name = "TIMES", default_value_t = 0.0, value_parser = from_0)]
    pace: f64,
}

/// Without a word from a person: enough for the last records of a run over a farm's mobile network.
const DRAIN: Patience = Patience { most: Seconds::new(60.0), offline: Seconds::new(5.0) };

/// A year in seconds, and farther than any field: what a clock and a length can be counted with.
const MOST: f64 = 3.2e7;

fn from_0(text: &str) -> Result<f64, String> {
    let taken = text.parse().ok().filter(|number| (0.0..=MOST).contains(number));
    taken.ok_or_else(|| format!("a number from 0 to {MOST:.0}"))
}

pub(super) fn run(args: &RunArgs) -> Result<()> {
    let outputs = [&args.report, &args.decisions, &args.plan_out, &args.weed_map_out];
    for path in outputs.into_iter().flatten() {
        writable(path)?;
    }
    let (config, job, warnings) = args.config.load()?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if !args.give_up_mission {
        // Before anything of an earlier run is written over.
        may_begin(&config, &job)?;
    }
    if let Some(path) = &args.plan_out {
        write(path, &job.plan.to_json())?;
    }
    let list = args
        .decisions
        .as_ref()
        .map(|path| decision_list(path).with_context(|| format!("cannot make {}", path.display())));
    // Before the mission begins: a folder that cannot be filled is no reason for a mission of nothing. Simulation and
    // replay wait for it.
    let every = Metres::new(args.keep_every_m);
    let album = args.keep_pictures.as_ref().map(|folder| Album::begin(folder, every, job.field.plane, true));
    let album = album.transpose()?;
    let stop = stop_flag()?;
    if args.give_up_mission
        && let Some(given_up) = give_up_mission(&config, &job)?
    {
        tracing::warn!("mission {} is given up after {:.1} m", given_up.mission, given_up.progress_m);
    }
    let Ready { mut robot, simulator, frames, drive_end, resumed_from, bad_rows } =
        ready(&config, &job, list.transpose()?)?;
    robot.album = album;
    for row in &bad_rows {
        tracing::warn!("row left out: {row}");
    }
    if let Some(start) = resumed_from {
        tracing::info!("goes on {start:.1} along the path, where the run before it stopped");
        if let Some(path) = &args.weed_map_out {
            tracing::warn!(
                "{} will hold what this run sees, not what the runs before it saw: keep a file of each",
                path.display()
            );
        }
    }
    // A link that does not start is no reason not to work: records wait.
    let uplink = config.broker.clone().map(|broker| uplink(&config, broker)).transpose();
    let uplink = uplink.unwrap_or_else(|why| {
        tracing::warn!("no uplink, records wait in the outbox: {:#}", anyhow::Error::from(why));
        None
    });
    robot.start()?;
    let mut progress = Progress::new(frames, args.json && !cfg!(debug_assertions));
    let (mut looked, mut paused) = (0, false);
    let pace = Pace { times: args.pace, clock: SystemClock::start() };
    while robot.tick() == Tick::Looked {
        looked += 1;
        progress.step(|| format!("{} plants treated", robot.tally.plants_treated));
        pace.wait(robot.time.clock().now());
        if stop.load(Ordering::SeqCst) || args.max_frames.is_some_and(|most| looked >= most) {
            paused = true;
            break;
        }
    }
    progress.finish();
    let end = robot.end(paused, drive_end)?;
    let uplink = uplink.map(|uplink| drain(args, &config, uplink, &stop)).transpose()?;
    let counts = Outbox::open(&config.records.outbox, &config.robot, config.records.limits)?.counts()?;
    let truth = simulator.as_ref().map(Simulator::score);
    let report = Report::of(&end, resumed_from.map(Metres::get), truth, counts, uplink);
    if let Some(path) = &args.report {
        write(path, &serde_json::to_string_pretty(&report)?)?;
    }
    if let Some(path) = &args.weed_map_out {
        write(path, &serde_json::to_string(&end.weed_map)?)?;
    }
    if args.json {
        print(&serde_json::to_string_pretty(&report)?);
    } else {
        report.lines().iter().for_each(|line| print(line));
    }
    tell_waiting(args, &config, &report);
    let records = (report.records_unwritten > 0).then(|| {
        let cause = end.records.cause.unwrap_or_else(|| "the disk took too long".to_owned());
        format!("{} records could not be written: {cause}", report.records_unwritten)
    });
    let list = end.list.err().map(|why| format!("{:#}", anyhow::Error::from(why)));
    let failed: Vec<String> = records.into_iter().chain(list).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failed(failed.join("; ")).into()) }
}

/// Holds a simulated run back to a multiple of real time, for people who want to watch it.
struct Pace {
    times: f64,
    clock: SystemClock,
}

impl Pace {
    fn wait(&self, simulated: RobotInstant) {
        if self.times > 0.0 {
            let ahead_s = simulated.since(RobotInstant::START).get() / self.times
                - self.clock.now().since(RobotInstant::START).get();
            std::thread::sleep(Duration::try_from_secs_f64(ahead_s).unwrap_or(Duration::ZERO));
        }
    }
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Gives the link time to empty the outbox: as long as a person says, else a short while and less without a connection.
/// A person who stops the program is not made to wait.
fn drain(args: &RunArgs, config: &Config, uplink: UplinkHandle, stop: &AtomicBool) -> Result<UplinkStatus> {
    let outbox = Outbox::open(&config.records.outbox, &config.robot, config.records.limits)?;
    let given = args.drain_s.map(|most| Patience { most: Seconds::new(most), ..Patience::ENDLESS });
    until_sent(&outbox, &uplink, given.unwrap_or(DRAIN), stop, |_, _, _| {})?;
    Ok(uplink.stop())
}

/// What is on the robot only must be known to whoever switches it off.
fn tell_waiting(args: &RunArgs, config: &Config, report: &Report) {
    let waiting = report.outbox.waiting;
    if waiting > 0 {
        let why = match (&config.broker, &report.uplink) {
            (None, _) => "no broker is named (uplink.broker, --broker)".to_owned(),
            (Some(_), None) => "there is no link".to_owned(),
            (Some(broker), Some(status)) => why_waiting(status, broker),
        };
        let (file, command) = (config.records.outbox.display(), args.config.records.send_command(config));
        tracing::warn!("{waiting} records are on this robot only, in {file}: {why}; {command} sends them");
    }
}
