//! `kompas-cloud` as a process, and what it answers.

use crate::process::{Running, program, wait_for};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Records are small and the link is loopback: longer than this is a fault.
const DRAIN_LIMIT: Duration = Duration::from_mins(2);

/// Where the cloud can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Addresses {
    /// The farmer's map.
    pub map_url: String,
    /// For robots.
    pub broker_url: String,
}

/// A running cloud with the embedded broker.
#[derive(Debug)]
pub struct Cloud {
    process: Running,
    data: PathBuf,
    /// Where it can be reached.
    pub at: Addresses,
}

impl Cloud {
    /// Starts it on `data` with both ports free.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_at(data, "127.0.0.1:0", "127.0.0.1:0")
    }

    /// Starts it on `data`, listening at `http` and `mqtt`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_at(data: &Path, http: &str, mqtt: &str) -> Result<Self> {
        Self::start_with(data, http, &["--broker", "embedded", "--mqtt-listen", mqtt])
    }

    /// Starts it on `data`, with the broker at `broker`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_on(data: &Path, broker: &str) -> Result<Self> {
        Self::start_with(data, "127.0.0.1:0", &["--broker", broker])
    }

    fn start_with(data: &Path, http: &str, broker: &[&str]) -> Result<Self> {
        let mut child = Command::new(program("kompas-cloud")?)
            .args(["serve", "--json", "--listen", http])
            .args(broker)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start kompas-cloud")?;
        let stdout = child.stdout.take().context("kompas-cloud has no stdout")?;
        let process = Running::new("kompas-cloud", child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("cannot read kompas-cloud's addresses")?;
        ensure!(!line.is_empty(), "kompas-cloud ended before it listened: see its words above");
        let at = serde_json::from_str(&line).with_context(|| format!("{line:?} are no addresses"))?;
        Ok(Self { process, data: data.to_owned(), at })
    }

    /// SIGKILL, then the same again on the same data and ports.
    ///
    /// # Errors
    /// When it cannot be killed or does not start again.
    pub fn kill_and_restart(&mut self, away: Duration) -> Result<()> {
        self.process.kill()?;
        std::thread::sleep(away);
        let host = |url: &str| url.split("//").nth(1).unwrap_or_default().trim_end_matches('/').to_owned();
        let again = Self::start_at(&self.data, &host(&self.at.map_url), &host(&self.at.broker_url))?;
        ensure!(again.at == self.at, "it came back elsewhere: {:?}", again.at);
        *self = again;
        Ok(())
    }

    /// Whether the process ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.ended()?.is_some())
    }

    /// The answer to GET `path`.
    ///
    /// # Errors
    /// No answer, not 200, or not JSON.
    pub fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.at.map_url);
        let mut answer = ureq::get(&url).call().with_context(|| format!("GET {url}"))?;
        let text = answer.body_mut().read_to_string().with_context(|| format!("GET {url}"))?;
        serde_json::from_str(&text).with_context(|| format!("GET {url}: not JSON: {text:.200}"))
    }

    /// Records stored, each once.
    ///
    /// # Errors
    /// No answer.
    pub fn records(&self) -> Result<u64> {
        let status = self.get("api/status")?;
        status["counts"]["records"].as_u64().with_context(|| format!("no record count in {status}"))
    }

    /// Waits until `wanted` records are stored; returns how many are.
    ///
    /// # Errors
    /// When they do not arrive.
    pub fn wait_for_records(&self, wanted: u64) -> Result<u64> {
        wait_for(&format!("{wanted} records in the cloud"), DRAIN_LIMIT, || {
            Ok(Some(self.records()?).filter(|&stored| stored >= wanted))
        })
    }

    /// The only mission there is, with its totals.
    ///
    /// # Errors
    /// None or several.
    pub fn mission(&self) -> Result<Value> {
        let missions = self.get("api/missions")?;
        let one = missions.as_array().filter(|list| list.len() == 1).and_then(|list| list.first());
        one.cloned().with_context(|| format!("wanted one mission: {missions}"))
    }

    /// How many features a layer of the only mission has.
    ///
    /// # Errors
    /// No answer.
    pub fn features(&self, layer: &str) -> Result<usize> {
        let mission = self.mission()?;
        let id = mission["mission"].as_str().context("a mission without id")?;
        let layer = self.get(&format!("api/missions/{id}/{layer}"))?;
        layer["features"].as_array().map(Vec::len).context("a layer without features")
    }
}
