//! What can go wrong with the outbox, and who must act.

use kompas_field::ids::RobotId;
use std::path::PathBuf;

/// Why records could not be written, lent or acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The guard closes every nozzle until a person frees space or the uplink drains.
    #[error(
        "outbox full: {used_bytes} bytes with this batch, {limit_bytes} allowed: free space or bring back the network"
    )]
    Full {
        /// Waiting and in the batch, after everything that may be given up is gone.
        used_bytes: u64,
        /// [`super::OutboxLimits::waiting_bytes`].
        limit_bytes: u64,
    },
    /// A mistake of the writer: batches must be smaller. The record is kept in `dead_letters`.
    #[error(
        "a {kind} record has {bytes} bytes, the wire takes {limit_bytes}: write smaller batches; it is kept as dead letter {letter}"
    )]
    TooLarge {
        /// Of the payload.
        kind: &'static str,
        /// Of the envelope.
        bytes: usize,
        /// [`crate::wire::MAX_RECORD_BYTES`].
        limit_bytes: usize,
        /// Its number there.
        letter: i64,
    },
    /// A store was copied, or two robots share a directory.
    #[error("{} is the outbox of {found}, not of {wanted}: give each robot its own", path.display())]
    OtherRobot {
        /// The file.
        path: PathBuf,
        /// In the file.
        found: String,
        /// Asked for.
        wanted: RobotId,
    },
    /// Written by a later version of this program.
    #[error("{} has format {found}, this program knows {known}: use the newer program", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
    /// The disk, its rights, or a lock held too long.
    #[error("cannot {doing} in {}", path.display())]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        #[source]
        source: rusqlite::Error,
    },
    /// The directory or the move of a damaged file.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A number that is not JSON (NaN or infinite) in a payload.
    #[error("a {kind} record has no JSON form")]
    NotJson {
        /// Of the payload.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}
