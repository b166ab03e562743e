//! The file: making, opening, and setting a damaged one aside.

use super::{OutboxError, lost};
use crate::clock::SystemClock;
use kompas_field::Clock;
use kompas_field::ids::RobotId;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FORMAT: i64 = 1;

/// The longest wait for the other connection: a group commit on a slow card takes tens of milliseconds.
const BUSY: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE facts(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE records(
  seq INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL,
  class INTEGER NOT NULL,
  kind TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  committed INTEGER NOT NULL DEFAULT 0,
  envelope BLOB NOT NULL
);
CREATE INDEX line ON records(committed, class, seq);
CREATE TABLE totals(
  committed INTEGER NOT NULL, class INTEGER NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY(committed, class)
) WITHOUT ROWID;
INSERT INTO totals SELECT c.value, k.value, 0, 0 FROM json_each('[0,1]') c, json_each('[1,2,3]') k;
CREATE TRIGGER in_ AFTER INSERT ON records BEGIN
  UPDATE totals SET records = records + 1, bytes = bytes + new.bytes WHERE committed = new.committed AND class = new.class;
END;
CREATE TRIGGER out_ AFTER DELETE ON records BEGIN
  UPDATE totals SET records = records - 1, bytes = bytes - old.bytes WHERE committed = old.committed AND class = old.class;
END;
CREATE TRIGGER move_ AFTER UPDATE OF committed ON records BEGIN
  UPDATE totals SET records = records - 1, bytes = bytes - old.bytes WHERE committed = old.committed AND class = old.class;
  UPDATE totals SET records = records + 1, bytes = bytes + new.bytes WHERE committed = new.committed AND class = new.class;
END;
CREATE TABLE dead_letters(
  letter INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL, envelope BLOB NOT NULL
);
";

pub(super) fn open(path: &Path, robot: &RobotId) -> Result<(Connection, Option<PathBuf>), OutboxError> {
    let db = match connect(path, robot, None) {
        Err(OutboxError::Database { source, .. }) if is_damage(&source) => {
            let aside = set_aside(path)?;
            connect(path, robot, Some(&aside))
        }
        opened => opened,
    }?;
    // Another connection may have moved it.
    let doing = "read whether an outbox was set aside";
    let untold = lost::set_aside(&db, path);
    let untold = untold.map_err(|source| OutboxError::Database { doing, path: path.to_owned(), source })?;
    Ok((db, untold))
}

/// Opens the outbox, or makes one; `instead_of` a damaged one that is there now.
fn connect(path: &Path, robot: &RobotId, instead_of: Option<&Path>) -> Result<Connection, OutboxError> {
    let sql = |doing| move |source| OutboxError::Database { doing, path: path.to_owned(), source };
    let mut db = Connection::open(path).map_err(sql("open the outbox"))?;
    db.busy_timeout(BUSY).map_err(sql("open the outbox"))?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(sql("switch on the write-ahead log"))?;
    db.pragma_update(None, "synchronous", "FULL").map_err(sql("switch on full sync"))?;
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(sql("begin"))?;
    let format: i64 =
        tx.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(sql("read the format"))?;
    if format > FORMAT {
        return Err(OutboxError::NewerFormat { path: path.to_owned(), found: format, known: FORMAT });
    }
    if format == 0 {
        tx.execute_batch(TABLES).map_err(sql("make the tables"))?;
        let facts =
            "INSERT INTO facts VALUES ('robot', ?1), ('next_seq', 1), ('dropped', 0), ('quarantined', 0)";
        tx.execute(facts, [robot.as_str()]).map_err(sql("make the tables"))?;
        if let Some(aside) = instead_of {
            // Nobody knows how far the damaged one had counted: a record a millisecond since 1970 is above it.
            let first_seq = u64::try_from(SystemClock::start().wall().unix_ms()).unwrap_or(0).max(1);
            lost::note_set_aside(&tx, aside, first_seq).map_err(sql("make the tables"))?;
        }
        tx.pragma_update(None, "user_version", FORMAT).map_err(sql("make the tables"))?;
    }
    let found: Option<String> = tx
        .query_row("SELECT value FROM facts WHERE name = 'robot'", [], |r| r.get(0))
        .optional()
        .map_err(sql("read whose outbox it is"))?;
    if found.as_deref() != Some(robot.as_str()) {
        let found = found.unwrap_or_else(|| "nobody".to_owned());
        return Err(OutboxError::OtherRobot { path: path.to_owned(), found, wanted: robot.clone() });
    }
    tx.commit().map_err(sql("commit the opening"))?;
    Ok(db)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Moves the file and its log to the first free `NAME.damaged-N`.
fn set_aside(path: &Path) -> Result<PathBuf, OutboxError> {
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let aside = (1..1000)
        .map(|n| beside(&format!(".damaged-{n}")))
        .find(|free| !free.exists())
        .unwrap_or_else(|| beside(".damaged"));
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (beside(suffix), PathBuf::from(format!("{}{suffix}", aside.display())));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|source| OutboxError::File {
                doing: "set aside",
                path: from,
                source,
            })?;
        }
    }
    Ok(aside)
}
