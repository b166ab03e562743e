//! What the robot's eyes, antenna and boom are. Every real driver and its simulator pass the same contract.
//!
//! Contract
//! - Times are mid-exposure, antenna time and valve time, on the robot's monotonic clock.
//! - A driver never blocks the loop for longer than the next frame takes to arrive.
//! - A fault is a value: the loop counts it, closes the nozzles and goes on.
//!
//! Order of calls in one turn of the loop, all on one thread:
//! 1. `next_frame` → a picture, true at `f`. It will be in hand at `now = f + latency` (simulated or replayed:
//!    `driver.frame_latency_ms`, up to 5 s; real: the clock).
//! 2. `fixes_until(now)`: fixes may be asked for past the last picture, by that latency.
//! 3. The loop lives from the turn before to `now` in steps of at most 50 ms, fix by fix. At each moment `at`
//!    it moves the clock to `at`, then asks `is_latched`, then `schedule` or `close_all(at)`, then
//!    `openings_until(at)`.
//!
//! **Simulated time belongs to the loop.** `next_frame` renders the next picture and moves nothing else: its
//! exposure lies in the clock's future, and the loop still has commands to give for the way there. The world
//! (valves, wetted ground, truth) goes on to `at` in `openings_until(at)`; `schedule` and `is_latched` see the
//! clock's moment, which only the loop moves (`ManualClock::advance_to`).
//!
//! **A loop that keeps real time by itself is not there yet.** `setup::ready_with` takes drivers of the caller's choice and
//! runs them on the time that their pictures say (`LoopTime::Given`): right for a simulator, a log or a folder. On a
//! machine it would ask for the emergency stop only when a picture comes, so do not connect valves to it before the loop
//! looks every 50 ms of real time.
//!
//! One simulated world that is camera, antenna, boom and stop at once hands out one handle for each; the loop
//! owns four boxes and does not know.

pub mod folder;

use crate::guard::Permit;
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{Geodetic, RobotInstant, Stamped};

/// How good the position is. There is no default: a robot without a fix has [`FixQuality::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixQuality {
    /// No position.
    None,
    /// Code position, metres.
    Single,
    /// Carrier phase, ambiguities not solved: decimetres.
    Float,
    /// Carrier phase, ambiguities solved: centimetres.
    Fixed,
}

/// What antenna and odometry say of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Antenna, with its datum. Means nothing when `quality` is [`FixQuality::None`].
    pub place: Geodetic,
    /// Where the robot points, from east, counter-clockwise.
    pub heading: Radians,
    /// How good.
    pub quality: FixQuality,
    /// One standard deviation per axis, as the receiver claims it; zero or less where it claims none.
    pub sigma: Metres,
    /// Age of the correction data; negative where there are none.
    pub correction_age: Seconds,
    /// Over ground, from odometry; negative in reverse.
    pub speed: MetresPerSecond,
    /// Counter-clockwise, from a gyro or the wheels.
    pub turn_rate: RadiansPerSecond,
}

/// One picture, or why there is none.
#[derive(Debug, Clone)]
pub struct Frame {
    /// As people find it again: a file name or a count.
    pub name: String,
    /// The picture, or what was wrong with it.
    pub image: Result<image::RgbImage, FrameFault>,
}

/// Why a picture cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The bytes are no picture.
    #[error("does not decode: {0}")]
    Undecodable(String),
    /// Not the size that the camera of the rig has.
    #[error(
        "is {width} × {height} pixels, the rig's camera has {wanted_width} × {wanted_height}: keep pictures as the camera gives them, or mend the rig file"
    )]
    WrongSize {
        /// As found.
        width: u32,
        /// As found.
        height: u32,
        /// Of the rig.
        wanted_width: u32,
        /// Of the rig.
        wanted_height: u32,
    },
    /// Announced, but not there.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Nobody says when and where it was taken.
    #[error("has no row in the pose list, so nobody knows when and where it was taken")]
    WithoutPose,
}

/// Where pictures come from.
pub trait FrameSource {
    /// The next picture; `None` when there will be no more.
    fn next_frame(&mut self) -> Option<Stamped<Frame>>;
}

/// Where positions come from.
pub trait FixSource {
    /// Every fix after the last one given out and not after `until`, in time order.
    fn fixes_until(&mut self, until: RobotInstant) -> Vec<Stamped<Fix>>;
}

/// One nozzle opening, told ahead in absolute time. Times are those of the electric command; liquid follows
/// by the valve's delays, which the caller has taken into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct NozzleCommand {
    /// Energise the valve.
    pub open_at: RobotInstant,
    /// Release it.
    pub close_at: RobotInstant,
    /// Numbered from 0 at the left.
    pub nozzle: u16,
}

/// One valve as it really moved, from the boom's own feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ValveMove {
    /// Energised.
    pub opened_at: RobotInstant,
    /// Released: as commanded, or earlier by `close_all` or the emergency stop.
    pub closed_at: RobotInstant,
    /// Numbered from 0 at the left.
    pub nozzle: u16,
}

/// The boom's valves. They take permits only, and only [`crate::guard`] makes those.
pub trait NozzleDriver {
    /// Takes openings that lie in the future, each once. Those of one nozzle do not overlap; one that begins
    /// at the moment when another of the same nozzle ends keeps the valve open without a gap.
    ///
    /// # Errors
    /// [`BoomFault`]: the boom closes everything by itself then.
    fn schedule(&mut self, permits: &[Permit]) -> Result<(), BoomFault>;

    /// Shuts every nozzle now and forgets what was scheduled. Cannot fail: a boom that loses contact shuts.
    fn close_all(&mut self, now: RobotInstant);

    /// What valves did: every opening that ended after the last call and not after `until`, in order of
    /// `closed_at`. An opening that went on without a gap is one move.
    fn openings_until(&mut self, until: RobotInstant) -> Vec<ValveMove>;
}

/// Why the boom did not take commands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoomFault {
    /// The boom's controller does not answer.
    #[error("the boom's controller does not answer: {0}")]
    NoAnswer(String),
    /// A nozzle that the boom does not have.
    #[error("nozzle {nozzle} of {count}")]
    NoSuchNozzle {
        /// Asked for.
        nozzle: u16,
        /// There are.
        count: u16,
    },
}

/// The emergency stop: latched outside this program, which can read it and never clear it.
pub trait EmergencyStop {
    /// Whether it is latched.
    fn is_latched(&self) -> bool;
}
