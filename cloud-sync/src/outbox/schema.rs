//! The file: making, opening, and setting a damaged one aside.

use super::{OutboxError, damage, lost};
use crate::clock::SystemClock;
use kompas_field::Clock;
use kompas_field::ids::RobotId;
use rusqlite::{Connection, OptionalExtension};
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

/// Rows on damaged pages ([`super::damage`]); an outbox of before has none, and an older program does without.
const LATER: &str =
    "CREATE TABLE IF NOT EXISTS unreadable(seq INTEGER PRIMARY KEY, counted_waiting INTEGER NOT NULL);";

pub(super) fn open(path: &Path, robot: &RobotId) -> Result<(Connection, Option<PathBuf>), OutboxError> {
    let db = match connect(path, robot, None) {
        Err(OutboxError::Database { source, .. }) if damage::of_file(&source) => {
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
            let clock_ms = u64::try_from(SystemClock::start().wall().unix_ms()).unwrap_or(0);
            let random: u64 = tx
                .query_row("SELECT random() & 9223372036854775807", [], |r| r.get(0))
                .map_err(sql("make the tables"))?;
            let first_seq = first_seq(clock_ms.max(last_written_ms(aside)), place_of(aside), random);
            lost::note_set_aside(&tx, aside, first_seq).map_err(sql("make the tables"))?;
        }
        tx.pragma_update(None, "user_version", FORMAT).map_err(sql("make the tables"))?;
    }
    tx.execute_batch(LATER).map_err(sql("make the tables"))?;
    let found: Option<String> = tx
        .query_row("SELECT value FROM facts WHERE name = 'robot'", [], |r| r.get(0))
        .optional()
        .map_err(sql("read whose outbox it is"))?;
    if found.as_deref() != Some(robot.as_str()) {
        let found = found.unwrap_or_else(|| "nobody".to_owned());
        return Err(OutboxError::OtherRobot { path: path.to_owned(), found, wanted: robot.clone() });
    }
    probe(&tx).map_err(sql("read where records are added"))?;
    tx.commit().map_err(sql("commit the opening"))?;
    Ok(db)
}

/// Reads the page to which the next row goes, and the index whole (some twenty bytes a record): where these are damaged
/// nothing could be written, or found.
fn probe(db: &Connection) -> rusqlite::Result<()> {
    let last_row = "SELECT boot_id FROM records ORDER BY seq DESC LIMIT 1";
    // Whatever stands there: what a row says is looked at when it is lent.
    db.query_row(last_row, [], |row| row.get_ref(0).map(|_| ())).optional()?;
    let index = "SELECT count(*) FROM records INDEXED BY line WHERE committed IN (0, 1)";
    db.query_row(index, [], |row| row.get::<_, u64>(0))?;
    db.query_row("SELECT sum(records) FROM totals", [], |row| row.get_ref(0).map(|_| ()))
}

/// Before it, a clock was never set. 2020-01-01, in milliseconds since 1970.
const CLOCK_IS_SET_MS: u64 = 1_577_836_800_000;

/// More than an outbox without a clock ever counts to: ten records a second for three years.
const ONE_OUTBOX: u64 = 1_000_000_000;

/// Where numbers begin that no damaged outbox has given out; nobody knows how far it had counted. `known_ms` is the
/// latest moment that is known, by the clock or by the damaged file: a record a millisecond since 1970 is above every
/// number. A robot that never had a clock counts its damaged outboxes instead, `nth` from 1, and a random part keeps
/// numbers apart where a person took the older ones away. Both stay below what a clock gives that is set later.
fn first_seq(known_ms: u64, nth: u64, random: u64) -> u64 {
    if known_ms >= CLOCK_IS_SET_MS {
        return known_ms;
    }
    let most = CLOCK_IS_SET_MS / ONE_OUTBOX / 2 - 1;
    (2 * nth.clamp(1, most) - 1) * ONE_OUTBOX + random % ONE_OUTBOX
}

/// When the damaged outbox was last written, by the robot's clock of then; 0 where nothing tells.
fn last_written_ms(aside: &Path) -> u64 {
    let wal = PathBuf::from(format!("{}-wal", aside.display()));
    let written = [aside, &wal].map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok());
    let since_1970 = |moment: std::time::SystemTime| moment.duration_since(std::time::UNIX_EPOCH).ok();
    let latest = written.into_iter().flatten().filter_map(since_1970).max().unwrap_or_default();
    u64::try_from(latest.as_millis()).unwrap_or(0)
}

/// The N of `NAME.damaged-N`; the last where it has none.
fn place_of(aside: &Path) -> u64 {
    let name = aside.extension().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    const IN_2026: u64 = 1_795_000_000_000;

    #[test]
    fn numbers_after_a_damaged_outbox_are_above_those_before_also_without_a_clock() {
        let half_a_minute = 30_000;
        assert_eq!(first_seq(IN_2026, 1, 7), IN_2026);
        for random in [0, u64::MAX, 123_456_789_012] {
            let mut before = ONE_OUTBOX - 1; // what an outbox that began at 1 may have reached
            for nth in 1..=700 {
                let first = first_seq(half_a_minute, nth, random);
                assert!(first > before && first < CLOCK_IS_SET_MS, "{nth}: {first} after {before}");
                before = first_seq(half_a_minute, nth, u64::MAX - 1) + ONE_OUTBOX / 2;
            }
            assert!(first_seq(half_a_minute, u64::MAX, random) < CLOCK_IS_SET_MS);
        }
    }

    #[test]
    fn a_damaged_outbox_tells_its_place_and_when_it_was_written() {
        let directory = tempfile::TempDir::new().unwrap();
        let aside = directory.path().join("outbox.sqlite.damaged-12");
        assert_eq!((place_of(&aside), last_written_ms(&aside)), (12, 0));
        std::fs::write(&aside, "x").unwrap();
        assert!(last_written_ms(&aside) > IN_2026 - 10 * 31_557_600_000);
        assert_eq!(place_of(Path::new("outbox.sqlite.damaged")), u64::MAX);
    }
}
