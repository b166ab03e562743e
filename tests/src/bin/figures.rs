//! Figures of the whole chain, as `tests/figures/chain` prints them.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use kompas_edge::bench;
use kompas_edge::config::Config;
use kompas_edge::job::Job as EdgeJob;
use kompas_tests::cloud::Cloud;
use kompas_tests::process::{wait_for, workspace};
use kompas_tests::robot::Job;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// A robot loop slower than this misses pictures at working speed.
const FRAMES_PER_S_AIM: f64 = 30.0;

/// Reproduce the figures of the whole chain: one JSON line, exit code 0 only if all hold.
#[derive(Debug, Parser)]
#[command(name = "kompas-figures", version)]
struct Args {
    /// The first 150 pictures of the field instead of all.
    #[arg(long)]
    quick: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let mut topic = Topic { quick: args.quick, short: Vec::new() };
    let figures = json!({
        "drawn_field": topic.field("drawn field", None)?,
        "real_photographs": topic.photographs()?,
        "cloud_killed": topic.cloud_killed()?,
        "robot_killed": topic.robot_killed()?,
        "robot_loop": topic.robot_loop()?,
    });
    let holds = topic.short.is_empty();
    print(&json!({ "topic": "chain", "holds": holds, "figures": figures, "short": topic.short }));
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the topic's one JSON line")]
fn print(line: &Value) {
    println!("{line}");
}

struct Topic {
    quick: bool,
    short: Vec<String>,
}

impl Topic {
    fn job(&self, folder: &Path, cloud: &Cloud) -> Job {
        let job = Job::demo(folder).with("--broker", &cloud.at.broker_url).with("--drain-s", &300);
        if self.quick { job.with("--max-frames", &150) } else { job }
    }

    /// Written on the robot's disk and stored in the cloud, each once.
    fn settled(&mut self, what: &str, robot: &Value, cloud: &Cloud) -> Result<Value> {
        let written = robot["outbox"]["written"].as_u64().context("no written records in the report")?;
        let committed = cloud.wait_for_records(written)?;
        let counts = &cloud.get("api/status")?["counts"];
        let apart =
            [&counts["disputed"], &counts["quarantined"]].iter().filter_map(|n| n.as_u64()).sum::<u64>();
        if committed != written || apart != 0 {
            self.short.push(format!("{what}: {written} written, {committed} committed, {apart} set apart"));
        }
        Ok(json!({ "records_written": written, "records_committed": committed, "records_set_apart": apart }))
    }

    /// The demonstration, on drawn ground or on photographs.
    fn field(&mut self, what: &str, images: Option<&Path>) -> Result<Value> {
        let folder = tempfile::TempDir::new()?;
        let cloud = Cloud::start(&folder.path().join("cloud"))?;
        let mut job = self.job(&folder.path().join("robot"), &cloud);
        if let Some(images) = images {
            job = job.with("--images", &images.display());
        }
        let robot = job.run()?;
        let mut figures = self.settled(what, &robot, &cloud)?;
        let truth = &robot["truth"];
        for key in ["frames", "driven_m", "plants", "volume_l", "frame_to_decision_ms"] {
            figures[key] = robot[key].clone();
        }
        figures["segmenter"] = cloud.mission()?["segmenter"].clone();
        figures["cells_treated"] = cloud.mission()?["cells_treated"].clone();
        for key in ["weeds_treated_share", "large_weeds_treated_share", "crop_hit_share"] {
            figures[key] = truth[key].clone();
        }
        Ok(figures)
    }

    fn photographs(&mut self) -> Result<Value> {
        let images = workspace().join("../shared/data/plants/beet_maize_phone");
        if images.is_dir() {
            self.field("real photographs", Some(&images))
        } else {
            Ok(Value::from("skipped: needs ../shared/data/plants/beet_maize_phone"))
        }
    }

    /// The cloud dies while records flow, and comes back after a second.
    fn cloud_killed(&mut self) -> Result<Value> {
        let folder = tempfile::TempDir::new()?;
        let mut cloud = Cloud::start(&folder.path().join("cloud"))?;
        let robot = self.job(&folder.path().join("robot"), &cloud).with("--pace", &8).start()?;
        let mut kills = 0;
        for records in if self.quick { [20, 60] } else { [200, 1500] } {
            flow(&cloud, records)?;
            cloud.kill_and_restart(Duration::from_secs(1))?;
            kills += 1;
        }
        let report = robot.finish()?;
        let mut figures = self.settled("cloud killed", &report, &cloud)?;
        figures["kills"] = kills.into();
        Ok(figures)
    }

    /// The robot dies while it treats, and the next run goes on.
    fn robot_killed(&mut self) -> Result<Value> {
        let folder = tempfile::TempDir::new()?;
        let cloud = Cloud::start(&folder.path().join("cloud"))?;
        let job = self.job(&folder.path().join("robot"), &cloud);
        let mut first = job.clone().with("--pace", &8).start()?;
        flow(&cloud, if self.quick { 20 } else { 800 })?;
        ensure!(first.ended()?.is_none(), "the robot was done before it was killed");
        first.kill()?;
        let second = job.run()?;
        let mut figures = self.settled("robot killed", &second, &cloud)?;
        figures["resumed_from_m"] = second["resumed_from_m"].clone();
        Ok(figures)
    }

    fn robot_loop(&mut self) -> Result<Value> {
        let file = workspace().join("edge/demo/simulator.toml");
        let config =
            Config::read(&file, vec![]).config.context("the demonstration's configuration does not read")?;
        let (job, _warnings) = EdgeJob::load(&config)?;
        let figures = bench::measure(&config, &job, if self.quick { 60 } else { 240 })?;
        if figures.frames_per_s_without_decoding < FRAMES_PER_S_AIM {
            let found = figures.frames_per_s_without_decoding;
            self.short.push(format!("robot loop: {found:.1} frames/s, aim {FRAMES_PER_S_AIM}"));
        }
        Ok(serde_json::to_value(figures)?)
    }
}

fn flow(cloud: &Cloud, records: u64) -> Result<()> {
    wait_for("records to flow", Duration::from_mins(5), || Ok((cloud.records()? >= records).then_some(())))
}
