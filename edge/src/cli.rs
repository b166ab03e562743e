//! The command line: parse, wire, run.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use kompas_edge::config::{Config, Overrides, ReadConfig};
use kompas_edge::disk::too_little_for;
use kompas_edge::job::Job;
use kompas_field::{Finding, Findings, Severity};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

mod bench;
mod check;
pub(crate) mod exit;
mod link;
mod progress;
mod run;
mod send;
mod survey;

/// The robot's program: camera and position in, nozzles and records out.
#[derive(Debug, Parser)]
#[command(name = "kompas-robot", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a configuration, its rig, field and plan, and whether model and pictures open.
    Check(check::CheckArgs),
    /// Run the job, or go on with it where it stopped.
    Run(run::RunArgs),
    /// Send what runs left in the outbox to the cloud.
    Send(send::SendArgs),
    /// Measure the loop on this machine.
    Bench(bench::BenchArgs),
    /// Make a weed map from a drone's photographs.
    Survey(survey::SurveyArgs),
}

/// The configuration, and what goes before its keys of records.
#[derive(Debug, clap::Args)]
struct RecordsArgs {
    /// The job's configuration (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Keep records here instead of `records.outbox`.
    #[arg(long, value_name = "FILE")]
    outbox: Option<PathBuf>,
    /// Send records there instead of `uplink.broker`: mqtt://HOST:PORT.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
}

/// The configuration, and what goes before its keys.
#[derive(Debug, clap::Args)]
struct ConfigArgs {
    #[command(flatten)]
    records: RecordsArgs,
    /// Photographs instead of drawn ground (simulator), or the pictures to drive through (folder).
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// `exg`, or a model file (ONNX) with its card beside it, instead of `segmenter`.
    #[arg(long, value_name = "exg|FILE")]
    segmenter: Option<PathBuf>,
    /// The simulator's seed instead of `simulator.seed`.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u32>,
}

impl RecordsArgs {
    fn overrides(&self) -> Result<Overrides> {
        let mut overrides: Overrides = Vec::new();
        if let Some(outbox) = &self.outbox {
            overrides.push(("records.outbox", path(outbox)?));
        }
        if let Some(broker) = &self.broker {
            overrides.push(("uplink.broker", toml::Value::String(broker.clone())));
        }
        Ok(overrides)
    }

    /// The configuration with what is found, or everything that is wrong with it.
    fn read(&self, overrides: Overrides) -> Result<(Config, Vec<Finding>), Findings> {
        let ReadConfig { config, findings } = Config::read(&self.config, overrides);
        let Some(config) = config else { return Err(Findings(findings)) };
        Findings(findings.clone()).into_result((config, findings))
    }

    /// The command that sends what a run with these arguments leaves.
    fn send_command(&self, config: &Config) -> String {
        let mut words = vec![format!("kompas-robot send --config {}", self.config.display())];
        words.extend(self.outbox.as_ref().map(|file| format!("--outbox {}", file.display())));
        let named = self.broker.as_deref().or_else(|| config.broker.is_none().then_some("mqtt://HOST:PORT"));
        words.extend(named.map(|broker| format!("--broker {broker}")));
        words.join(" ")
    }
}

/// A path on the command line is relative to where the command is given.
fn path(path: &Path) -> Result<toml::Value> {
    let path = std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
    Ok(toml::Value::String(path.display().to_string()))
}

/// Told before an hour of work, not after it.
fn writable(path: &Path) -> Result<()> {
    kompas_edge::disk::writable(path).with_context(|| {
        exit::BadInput(format!("cannot make {}: give a file in a folder that takes it", path.display()))
    })
}

impl ConfigArgs {
    fn overrides(&self) -> Result<Overrides> {
        let mut overrides = self.records.overrides()?;
        if let Some(seed) = self.seed {
            overrides.push(("simulator.seed", toml::Value::Integer(seed.into())));
        }
        if let Some(segmenter) = &self.segmenter {
            let excess_green = segmenter.as_os_str() == "exg";
            let kind = if excess_green { "exg" } else { "onnx" };
            overrides.push(("segmenter.kind", toml::Value::String(kind.to_owned())));
            if !excess_green {
                overrides.push(("segmenter.model", path(segmenter)?));
            }
        }
        if let Some(images) = &self.images {
            let text = std::fs::read_to_string(&self.records.config).unwrap_or_default();
            let folder = toml::from_str::<toml::Table>(&text).is_ok_and(|table| {
                table.get("driver").and_then(|d| d.get("kind")?.as_str()) == Some("folder")
            });
            overrides.push((if folder { "driver.folder" } else { "simulator.photos.folder" }, path(images)?));
        }
        Ok(overrides)
    }

    /// Configuration and job, with the warnings; or everything that is wrong with any of them.
    fn load(&self) -> Result<(Config, Job, Vec<Finding>)> {
        let read = Config::read(&self.records.config, self.overrides()?);
        let mut findings = read.findings;
        let Some(config) = read.config else { return Err(Findings(findings).into()) };
        findings.extend(too_little_for(&config.records));
        let job = match Job::load(&config) {
            Ok((job, warnings)) => {
                findings.extend(warnings);
                Some(job)
            }
            Err(found) => {
                findings.extend(found.0);
                None
            }
        };
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        match job {
            Some(job) if !failed => Ok((config, job, findings)),
            _ => Err(Findings(findings).into()),
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new("warn,kompas_edge=info,kompas_robot=info")
        .context("log filter")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match &args.command {
        Command::Check(args) => check::check(args),
        Command::Run(args) => run::run(args),
        Command::Send(args) => send::send(args),
        Command::Bench(args) => bench::bench(args),
        Command::Survey(args) => survey::survey(args),
    }
}
