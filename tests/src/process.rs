//! Programs as child processes that end with whoever started them.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Where the workspace lies: examples, rigs and shared data are found from here.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The model that comes with Kompas, 8 bits.
pub fn released_model() -> PathBuf {
    workspace().join("models/released/plants.int8.onnx")
}

/// The program `name`, built beside the one that runs now.
///
/// # Errors
/// When it is not built; says how.
pub fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("cannot find the running program")?;
    let found = here.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| {
        format!("{name} is not built beside {}: run `cargo build --workspace --bins`", here.display())
    })
}

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    child: Child,
}

impl Running {
    /// Takes charge of `child`.
    pub const fn new(name: &'static str, child: Child) -> Self {
        Self { name, child }
    }

    /// SIGKILL: no goodbye, no flush.
    ///
    /// # Errors
    /// When it cannot be killed or waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// Whether it ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask for {}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// After `limit` it is killed, and that is an error.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while waited < limit {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            std::thread::sleep(step);
            waited += step;
        }
        self.kill()?;
        bail!("{} did not end within {} s", self.name, limit.as_secs());
    }

    /// The child, for its pipes.
    pub const fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Nobody is left to tell when this fails; the system reaps it at our own end.
            drop(self.kill());
        }
    }
}

/// Asks `question` every 50 ms until it answers.
///
/// # Errors
/// Its error, or `what` when `limit` has passed.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut question: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        if let Some(answer) = question()? {
            return Ok(answer);
        }
        if waited >= limit {
            bail!("waited {} s for {what}", limit.as_secs());
        }
        std::thread::sleep(step);
        waited += step;
    }
}
