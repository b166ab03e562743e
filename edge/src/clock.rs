//! The only file that reads the system's clock.

use kompas_field::units::Seconds;
use kompas_field::{Clock, ManualClock, RobotInstant, WallTime};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Counts from its own making. Also the stopwatch for how long our own code takes, which is reported and
/// never decides anything.
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

/// Given moments, and the calendar of the machine: a simulated hour is recorded today.
#[derive(Debug, Clone)]
pub struct GivenClock {
    moments: Arc<ManualClock>,
    calendar: SystemClock,
}

impl GivenClock {
    /// Moments of `moments`, which the loop moves.
    pub const fn new(moments: Arc<ManualClock>, calendar: SystemClock) -> Self {
        Self { moments, calendar }
    }
}

impl Clock for GivenClock {
    fn now(&self) -> RobotInstant {
        self.moments.now()
    }

    fn wall(&self) -> WallTime {
        self.calendar.wall()
    }
}

/// Which time the loop lives in.
#[derive(Debug, Clone)]
pub enum LoopTime {
    /// Simulated or replayed: a picture is in the program's hands this long after its exposure. The loop
    /// moves the clock, so the same input gives the same decisions on any machine.
    Given {
        /// Moved by the loop.
        clock: GivenClock,
        /// From mid-exposure to decision.
        latency: Seconds,
    },
    /// A robot in a field.
    Real(SystemClock),
}

impl LoopTime {
    /// When a picture true at `frame_at`, which was just handed over, is in hand.
    pub fn after_frame(&self, frame_at: RobotInstant) -> RobotInstant {
        match self {
            Self::Given { latency, .. } => frame_at.after(*latency),
            Self::Real(clock) => clock.now(),
        }
    }

    /// Moves a given clock; the real one moves by itself.
    pub fn move_to(&self, now: RobotInstant) {
        if let Self::Given { clock, .. } = self {
            clock.moments.advance_to(now);
        }
    }

    /// As a clock, for records.
    pub const fn clock(&self) -> &dyn Clock {
        match self {
            Self::Given { clock, .. } => clock,
            Self::Real(clock) => clock,
        }
    }

    /// Whether waiting for a slow disk costs nothing, because the world waits too.
    pub const fn waits(&self) -> bool {
        matches!(self, Self::Given { .. })
    }
}

/// Splits time into stages.
#[derive(Debug)]
pub struct Stopwatch {
    clock: SystemClock,
    last: RobotInstant,
}

impl Stopwatch {
    /// Starts now.
    pub fn start(clock: SystemClock) -> Self {
        Self { clock, last: clock.now() }
    }

    /// Seconds since the last split.
    pub fn split(&mut self) -> f64 {
        let now = self.clock.now();
        let seconds = now.since(self.last).get();
        self.last = now;
        seconds
    }

    /// This moment.
    pub fn now(&self) -> RobotInstant {
        self.clock.now()
    }
}
