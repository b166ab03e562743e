//! Figures of the whole chain, as `tests/figures/chain` prints them.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use kompas_edge::bench::{self, BenchError};
use kompas_edge::config::{Config, Overrides};
use kompas_edge::job::Job as EdgeJob;
use kompas_edge::setup::SetupError;
use kompas_tests::cloud::Cloud;
use kompas_tests::process::{released_model, wait_for, workspace};
use kompas_tests::robot::Job;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// A robot loop slower than this misses pictures at working speed, whatever finds its plants.
const FRAMES_PER_S_AIM: f64 = 30.0;
/// Fewer of either in the first 150 pictures of the field, and too little happened for a story to tell anything: the
/// whole field has ten times as much.
const LEAST_RECORDS: u64 = 20;
const LEAST_TREATED: u64 = 50;

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

    /// Written on the robot's disk and stored in the cloud, each once, of a run in which something happened.
    fn settled(&mut self, what: &str, robot: &Value, cloud: &Cloud) -> Result<Value> {
        let written = robot["outbox"]["written"].as_u64().context("no written records in the report")?;
        let treated = robot["plants_treated"].as_u64().context("no treated plants in the report")?;
        let committed = cloud.wait_for_records(written)?;
        let counts = &cloud.get("api/status")?["counts"];
        let apart =
            [&counts["disputed"], &counts["quarantined"]].iter().filter_map(|n| n.as_u64()).sum::<u64>();
        let settled = Settled { written, committed, apart, treated };
        self.short.extend(settled.short(self.quick).map(|why| format!("{what}: {why}")));
        Ok(json!({
            "records_written": written, "records_committed": committed, "records_set_apart": apart,
            "plants_treated_in_the_last_run": treated,
        }))
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
        self.short.extend(began_anew(&second["resumed_from_m"]));
        figures["resumed_from_m"] = second["resumed_from_m"].clone();
        Ok(figures)
    }

    /// The same pictures through the loop with each recogniser, by its name: milliseconds with one are tenths of a second with the other.
    fn robot_loop(&mut self) -> Result<Value> {
        let word = |text: &str| toml::Value::String(text.to_owned());
        let model = released_model();
        let network = vec![
            ("segmenter.kind", word("onnx")),
            ("segmenter.model", word(model.to_str().context("the workspace's path is no text")?)),
        ];
        let excess_green = vec![("segmenter.kind", word("exg"))];
        Ok(json!({
            "excess green": self.loop_with("excess green", excess_green)?,
            "plants.int8.onnx": self.loop_with("plants.int8.onnx", network)?,
        }))
    }

    fn loop_with(&mut self, recogniser: &str, overrides: Overrides) -> Result<Value> {
        let file = workspace().join("edge/demo/simulator.toml");
        let config = Config::read(&file, overrides)
            .config
            .context("the demonstration's configuration does not read")?;
        let (job, _warnings) = EdgeJob::load(&config)?;
        match bench::measure(&config, &job, if self.quick { 60 } else { 240 }) {
            Err(BenchError::Setup(SetupError::NoOnnxRuntime)) => {
                Ok(Value::from("skipped: needs ONNX Runtime (vision/setup-onnxruntime.sh)"))
            }
            figures => {
                let figures = figures?;
                self.short.extend(slow(recogniser, figures.frames_per_s_without_decoding));
                Ok(serde_json::to_value(figures)?)
            }
        }
    }
}

/// What a story leaves behind.
struct Settled {
    written: u64,
    committed: u64,
    apart: u64,
    treated: u64,
}

impl Settled {
    /// What falls short. A robot that wrote nothing lost nothing either: that is no proof.
    fn short(&self, quick: bool) -> impl Iterator<Item = String> {
        let Self { written, committed, apart, treated } = *self;
        let share = if quick { 1 } else { 10 };
        let [records, plants] = [LEAST_RECORDS, LEAST_TREATED].map(|least| least * share);
        let apart = (committed != written || apart != 0)
            .then(|| format!("{written} written, {committed} committed, {apart} set apart"));
        let few = (written < records).then(|| format!("{written} records, at least {records}"));
        let idle = (treated < plants).then(|| format!("{treated} plants treated, at least {plants}"));
        [apart, few, idle].into_iter().flatten()
    }
}

/// A killed robot that drives its field again from the start has lost its place.
fn began_anew(resumed_from_m: &Value) -> Option<String> {
    let went_on = resumed_from_m.as_f64().is_some_and(|metres| metres > 0.0);
    (!went_on).then(|| format!("robot killed: resumed from {resumed_from_m} m, aim more than 0"))
}

fn slow(recogniser: &str, frames_per_s: f64) -> Option<String> {
    (frames_per_s < FRAMES_PER_S_AIM)
        .then(|| format!("robot loop with {recogniser}: {frames_per_s:.1} frames/s, aim {FRAMES_PER_S_AIM}"))
}

fn flow(cloud: &Cloud, records: u64) -> Result<()> {
    wait_for("records to flow", Duration::from_mins(5), || Ok((cloud.records()? >= records).then_some(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_in_which_nothing_happened_proves_nothing() {
        let short = |written, committed, apart, treated, quick| {
            Settled { written, committed, apart, treated }.short(quick).collect::<Vec<_>>()
        };
        assert_eq!(short(4386, 4386, 0, 9308, false), Vec::<String>::new());
        assert_eq!(short(30, 30, 0, 60, true), Vec::<String>::new());
        assert_eq!(short(0, 0, 0, 0, true), ["0 records, at least 20", "0 plants treated, at least 50"]);
        assert_eq!(short(30, 30, 0, 600, false), ["30 records, at least 200"]);
        assert_eq!(short(400, 399, 1, 600, false), ["400 written, 399 committed, 1 set apart"]);
    }

    #[test]
    fn a_killed_robot_that_begins_anew_falls_short() {
        assert_eq!(began_anew(&json!(316.62)), None);
        for anew in [json!(0.0), Value::Null] {
            assert!(began_anew(&anew).is_some_and(|why| why.contains("aim more than 0")), "{anew}");
        }
    }

    #[test]
    fn each_recogniser_is_judged_by_name() {
        assert_eq!(slow("excess green", 135.9), None);
        let told = "robot loop with plants.int8.onnx: 7.2 frames/s, aim 30";
        assert_eq!(slow("plants.int8.onnx", 7.21).as_deref(), Some(told));
    }
}
