//! The guard's leave to open one nozzle once. No permit, no spray.

use crate::drivers::NozzleCommand;

/// Leave to open one nozzle over one interval. Only the guard makes one; the boom takes nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    command: NozzleCommand,
}

impl Permit {
    /// What may be done.
    pub const fn command(&self) -> NozzleCommand {
        self.command
    }

    /// The guard's, and nobody else's.
    pub(super) const fn grant(command: NozzleCommand) -> Self {
        Self { command }
    }

    /// For tests of drivers, which have no guard.
    #[cfg(test)]
    pub(crate) const fn in_test(command: NozzleCommand) -> Self {
        Self { command }
    }
}
