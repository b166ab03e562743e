//! The durable truth on the robot: every record between its writing and the cloud's commit.
//!
//! # Invariants
//! - [`Outbox::append`] returns after the rows are on disk (WAL, `synchronous=FULL`), not before; a batch
//!   is there whole or not at all, and costs one sync.
//! - `seq` only grows, over boots and crashes, and is never reused; an outbox that stands in for a damaged one begins
//!   above it, also on a robot whose clock was never set; where a set clock was lost it may begin below, where that one
//!   never counted.
//! - A row waits until the cloud said *committed*; a broker's receipt is not that. Committed rows stay as
//!   the farmer's local copy until their quota is used up, oldest out first.
//! - A record too large for the wire never waits: it is kept apart ([`OutboxError::TooLarge`]).
//! - When room runs out class 3 goes before class 2, oldest first, counted, and told in a class 1 record.
//!   Class 1 is never given up: [`OutboxError::Full`], and treatment stops.
//! - `written = waiting + committed + dropped`, always.
//! - What the disk damaged is told in a class 1 record, with the next append. Damaged rows do not hold up the rest; a
//!   damaged index does, until the outbox is opened anew: it is set aside then.
//! - A loan ([`Outbox::lend`]) lives in the lender's memory only: after a crash nothing is on loan.
//!
//! # Tables
//! `records(seq, boot_id, class, kind, bytes, sha256, committed, envelope)`, key `seq`; `totals` per class,
//! kept by triggers; `facts(name, value)` for what outlives rows; `dead_letters`;
//! `unreadable(seq, counted_waiting)`, rows that damaged pages hold back.
//!
//! Several connections may be open on one file: the recorder appends while the uplink lends and acks.

use kompas_field::ids::{BootId, RobotId};
use kompas_field::{ClockQuality, Datum, Payload, RecordKey, RobotInstant, WallTime};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod append;
mod counts;
mod damage;
mod error;
mod lend;
mod lost;
mod quota;
mod schema;

pub use counts::Counts;
pub use error::OutboxError;
pub use lend::Lent;

/// How much room records may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimits {
    /// All waiting records together. Beyond, classes 3 and 2 are given up, then treatment stops.
    pub waiting_bytes: u64,
    /// Committed records kept as the local copy.
    pub kept_bytes: u64,
}

impl Default for OutboxLimits {
    /// 4 GiB waiting: about a month of treating offline. 1 GiB kept.
    fn default() -> Self {
        Self { waiting_bytes: 4 << 30, kept_bytes: 1 << 30 }
    }
}

/// What all records of one run of the program have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// This run.
    pub boot: BootId,
    /// Who vouches for its calendar time.
    pub clock_quality: ClockQuality,
    /// What positions in payloads refer to.
    pub datum: Datum,
}

/// A record about to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What happened.
    pub payload: Payload,
    /// Monotonic time of writing.
    pub t_mono: RobotInstant,
    /// Calendar time of writing.
    pub t_wall: WallTime,
}

/// One connection to a robot's outbox.
#[derive(Debug)]
pub struct Outbox {
    db: Connection,
    path: PathBuf,
    robot: RobotId,
    limits: OutboxLimits,
    loans: BTreeMap<u64, RobotInstant>,
    set_aside: Option<PathBuf>,
}

impl Outbox {
    /// Opens or makes the outbox of `robot` at `path`.
    ///
    /// A file that is no database is moved beside itself and a new one is made, because a robot that
    /// cannot record cannot work: [`Outbox::set_aside`] says so, and a person should look.
    ///
    /// # Errors
    /// [`OutboxError`]: no access, no disk, the outbox of another robot, or of a newer program.
    pub fn open(path: &Path, robot: &RobotId, limits: OutboxLimits) -> Result<Self, OutboxError> {
        let (db, set_aside) = schema::open(path, robot)?;
        let path = path.to_owned();
        Ok(Self { db, path, robot: robot.clone(), limits, loans: BTreeMap::new(), set_aside })
    }

    /// Where a damaged outbox was moved to, until the first append tells the cloud; `None` normally.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Whose records these are.
    pub const fn robot(&self) -> &RobotId {
        &self.robot
    }

    /// Appends records as one transaction and returns their keys, in order, after they are on disk.
    ///
    /// # Errors
    /// [`OutboxError::TooLarge`] (that record is kept apart, none of the batch waits), [`OutboxError::Full`],
    /// or the disk's own. After any error nothing of the batch waits and no `seq` is used.
    pub fn append(&mut self, origin: &Origin, drafts: &[Draft]) -> Result<Vec<RecordKey>, OutboxError> {
        append::append(self, origin, drafts)
    }

    /// How many records there are, by state.
    ///
    /// # Errors
    /// The disk's.
    pub fn counts(&self) -> Result<Counts, OutboxError> {
        counts::read(&self.db).map_err(|source| self.sql("count records", source))
    }

    fn sql(&self, doing: &'static str, source: rusqlite::Error) -> OutboxError {
        OutboxError::Database { doing, path: self.path.clone(), source }
    }
}
