//! The emergency stop of the simulation: latched over scripted stretches of the path.
//!
//! The robot drives on and the valves stay powered: that way the truth shows whether the guard closed them.

use super::config::PathSpan;
use super::vehicle::Trajectory;
use crate::drivers::EmergencyStop;
use kompas_field::units::Metres;
use kompas_field::{Clock as _, ManualClock, RobotInstant};
use std::sync::Arc;

/// A scripted emergency stop.
#[derive(Debug, Clone)]
pub struct SimEstop {
    clock: Arc<ManualClock>,
    latched: Vec<(RobotInstant, RobotInstant)>,
}

impl SimEstop {
    pub(super) fn new(clock: Arc<ManualClock>, drive: &Trajectory, spans: &[PathSpan]) -> Self {
        let instant = |distance_m| drive.instant_at(Metres::new(distance_m));
        let latched = spans.iter().map(|span| (instant(span.from_m), instant(span.until_m))).collect();
        Self { clock, latched }
    }

    /// When it is latched, from and until.
    pub(super) fn spans(&self) -> &[(RobotInstant, RobotInstant)] {
        &self.latched
    }
}

impl EmergencyStop for SimEstop {
    fn is_latched(&self) -> bool {
        let now = self.clock.now();
        self.latched.iter().any(|&(from, until)| from <= now && now < until)
    }
}
