//! Mosquitto, the broker that a farm runs, as a process.

use crate::process::{Running, wait_for};
use anyhow::{Context, Result};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where distributions put it.
const PROGRAMS: [&str; 3] = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];

/// A running broker.
#[derive(Debug)]
pub struct Mosquitto {
    _process: Running,
    address: SocketAddr,
}

impl Mosquitto {
    /// Starts it on a free port of this machine, with its files in `folder`; `None` where it is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(folder: &Path) -> Result<Option<Self>> {
        let Some(program) = PROGRAMS.into_iter().find(|program| Path::new(program).exists()) else {
            return Ok(None);
        };
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("no port")?;
        let file = folder.join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nmessage_size_limit 131072\n",
            address.port()
        );
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let child = Command::new(program).arg("-c").arg(&file).stderr(Stdio::null()).spawn();
        let process = Running::new("mosquitto", child.context("cannot start mosquitto")?);
        let listens = || Ok(TcpStream::connect(address).is_ok().then_some(()));
        wait_for("mosquitto to listen", Duration::from_secs(10), listens)?;
        Ok(Some(Self { _process: process, address }))
    }

    /// For robots and cloud.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
}
