//! `kompas-robot` as a process.

use crate::process::{Running, program, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// A demo field takes about two minutes on two cores; a loaded machine some more.
const RUN_LIMIT: Duration = Duration::from_mins(30);

/// What to run, and where its files go.
#[derive(Debug, Clone)]
pub struct Job {
    /// The configuration.
    pub config: PathBuf,
    /// Outbox, report, decisions and plan land here.
    pub folder: PathBuf,
    /// More arguments of `kompas-robot run`.
    pub arguments: Vec<String>,
}

impl Job {
    /// The demo's simulated field, files in `folder`.
    pub fn demo(folder: &Path) -> Self {
        Self {
            config: workspace().join("edge/demo/simulator.toml"),
            folder: folder.to_owned(),
            arguments: Vec::new(),
        }
    }

    /// With one more argument and its value.
    #[must_use]
    pub fn with(mut self, argument: &str, value: &impl ToString) -> Self {
        self.arguments.extend([argument.to_owned(), value.to_string()]);
        self
    }

    /// The outbox, the robot's durable truth.
    pub fn outbox(&self) -> PathBuf {
        self.folder.join("outbox.sqlite")
    }

    /// Every decision, a line each.
    pub fn decisions(&self) -> PathBuf {
        self.folder.join("decisions.jsonl")
    }

    /// The plan driven.
    pub fn plan(&self) -> PathBuf {
        self.folder.join("plan.json")
    }

    fn report(&self) -> PathBuf {
        self.folder.join("robot.json")
    }

    /// Starts it; progress goes to this program's stderr.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self) -> Result<Robot> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make {}", self.folder.display()))?;
        let child = Command::new(program("kompas-robot")?)
            .arg("run")
            .arg("--config")
            .arg(&self.config)
            .arg("--outbox")
            .arg(self.outbox())
            .arg("--report")
            .arg(self.report())
            .arg("--decisions")
            .arg(self.decisions())
            .arg("--plan-out")
            .arg(self.plan())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start kompas-robot")?;
        Ok(Robot { process: Running::new("kompas-robot", child), report: self.report() })
    }

    /// Sends what runs left to `broker`, until nothing waits; returns what the program says of it.
    ///
    /// # Errors
    /// When it does not start, fails, or says nothing.
    pub fn send(&self, broker: &str) -> Result<Value> {
        let output = Command::new(program("kompas-robot")?)
            .args(["send", "--json", "--broker", broker, "--config"])
            .arg(&self.config)
            .arg("--outbox")
            .arg(self.outbox())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start kompas-robot")?;
        ensure!(output.status.success(), "kompas-robot send ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("what kompas-robot send says is no JSON")
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it does not start, fails, or leaves no report.
    pub fn run(&self) -> Result<Value> {
        self.start()?.finish()
    }
}

/// A running robot.
#[derive(Debug)]
pub struct Robot {
    process: Running,
    report: PathBuf,
}

impl Robot {
    /// SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Whether it ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.ended()
    }

    /// Waits for its end and reads its report.
    ///
    /// # Errors
    /// A non-zero exit code, or no report.
    pub fn finish(mut self) -> Result<Value> {
        let status = self.process.wait(RUN_LIMIT)?;
        ensure!(status.success(), "kompas-robot ended with {status}");
        let text = std::fs::read_to_string(&self.report)
            .with_context(|| format!("kompas-robot left no {}", self.report.display()))?;
        serde_json::from_str(&text).context("kompas-robot's report is no JSON")
    }
}
