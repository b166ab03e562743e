//! The machine's clock, for the two ends of the link. The robot loop has its own.

use kompas_field::{Clock, RobotInstant, WallTime};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Counts from its own making.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts at [`RobotInstant::START`].
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed to the others")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> RobotInstant {
        RobotInstant::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed to the others")]
    fn wall(&self) -> WallTime {
        // A clock before 1970 is a clock that was never set.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime::from_unix_ms(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }
}
