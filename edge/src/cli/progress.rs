//! How far a run is: a bar at a terminal, a line every tenth elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Counts pictures.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: bool,
    frames: u64,
    done: u64,
    told: u64,
}

impl Progress {
    /// Of `frames` pictures; `quiet` shows nothing.
    pub(crate) fn new(frames: usize, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(frames as u64), ProgressDrawTarget::stderr_with_hz(5));
        if quiet || !terminal {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = "{bar:40} {pos}/{len} pictures {per_sec} {msg}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, lines: !quiet && !terminal, frames: frames as u64, done: 0, told: 0 }
    }

    /// One picture more.
    pub(crate) fn step(&mut self, message: impl FnOnce() -> String) {
        self.done += 1;
        self.bar.inc(1);
        let tenth = (10 * self.done).checked_div(self.frames).unwrap_or(0);
        if self.done.is_multiple_of(50) || tenth > self.told {
            let message = message();
            if self.lines && tenth > self.told {
                tracing::info!("{} of {} pictures, {message}", self.done, self.frames);
            }
            self.bar.set_message(message);
        }
        self.told = self.told.max(tenth);
    }

    /// No more.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
