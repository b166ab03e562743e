//! Time is explicit: a value says when it was true, and clocks are handed in.

use crate::units::Seconds;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A moment on the robot's monotonic clock, in nanoseconds since the program's start.
/// Moments of different boots cannot be compared: the boot id beside them tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RobotInstant {
    nanos: u64,
}

impl RobotInstant {
    /// The program's start.
    pub const START: Self = Self { nanos: 0 };

    /// Nanoseconds since the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// Nanoseconds since the start.
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// Time from `earlier` to `self`; negative when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Seconds {
        #[expect(clippy::cast_possible_wrap, reason = "2^63 ns are 292 years of uptime")]
        let difference = self.nanos.wrapping_sub(earlier.nanos) as i64;
        Seconds::new(difference as f64 * 1e-9)
    }

    /// `self` moved by `by`, not before the start.
    #[must_use]
    pub fn after(self, by: Seconds) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "rounded to whole nanoseconds on purpose")]
        let step = (by.get() * 1e9).round() as i64;
        Self { nanos: self.nanos.saturating_add_signed(step) }
    }
}

/// Calendar time: milliseconds since 1970-01-01 UTC. For people and records, never for ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime {
    unix_ms: i64,
}

impl WallTime {
    /// From milliseconds since 1970-01-01 UTC.
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self { unix_ms }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn unix_ms(self) -> i64 {
        self.unix_ms
    }
}

/// Where the calendar time came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// Disciplined by GNSS.
    Gnss,
    /// Disciplined by network time.
    Ntp,
    /// Nobody vouches for it.
    None,
}

/// `true_at`: mid-exposure for an image, antenna time for a fix, on the robot's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped<T> {
    /// When `value` was true.
    pub true_at: RobotInstant,
    /// What was true.
    pub value: T,
}

impl<T> Stamped<T> {
    /// `value`, true at `true_at`.
    pub const fn new(true_at: RobotInstant, value: T) -> Self {
        Self { true_at, value }
    }

    /// The same moment, another value.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Stamped<U> {
        Stamped { true_at: self.true_at, value: to(self.value) }
    }

    /// How old the value is at `now`.
    pub fn age(&self, now: RobotInstant) -> Seconds {
        now.since(self.true_at)
    }
}

/// Where time comes from. The system's clock is one implementation, in the robot program only.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> RobotInstant;
    /// Calendar time.
    fn wall(&self) -> WallTime;
}

/// A clock that moves only when told: simulation, replay and tests.
#[derive(Debug)]
pub struct ManualClock {
    nanos: AtomicU64,
    wall_at_start_ms: AtomicI64,
}

impl ManualClock {
    /// Stands at [`RobotInstant::START`], which is `wall` on the calendar.
    pub const fn starting_at(wall: WallTime) -> Self {
        Self { nanos: AtomicU64::new(0), wall_at_start_ms: AtomicI64::new(wall.unix_ms) }
    }

    /// Moves on to `now`; a moment in the past is ignored, as a monotonic clock would.
    pub fn advance_to(&self, now: RobotInstant) {
        self.nanos.fetch_max(now.nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> RobotInstant {
        RobotInstant::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        #[expect(clippy::cast_possible_wrap, reason = "milliseconds of uptime fit")]
        let since_start_ms = (self.nanos.load(Ordering::SeqCst) / 1_000_000) as i64;
        WallTime::from_unix_ms(self.wall_at_start_ms.load(Ordering::SeqCst) + since_start_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_subtract_both_ways() {
        let (early, late) =
            (RobotInstant::from_nanos(1_000_000_000), RobotInstant::from_nanos(3_500_000_000));
        assert_eq!(late.since(early), Seconds::new(2.5));
        assert_eq!(early.since(late), Seconds::new(-2.5));
        assert_eq!(early.after(Seconds::new(2.5)), late);
        assert_eq!(early.after(Seconds::new(-9.0)), RobotInstant::START);
    }

    #[test]
    fn a_manual_clock_never_runs_back() {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(1_000));
        clock.advance_to(RobotInstant::from_nanos(2_000_000_000));
        clock.advance_to(RobotInstant::from_nanos(1_000_000_000));
        assert_eq!((clock.now().nanos(), clock.wall().unix_ms()), (2_000_000_000, 3_000));
    }
}
