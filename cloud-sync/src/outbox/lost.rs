//! What the disk lost: noted by whoever finds it, told in class 1 records with the next append. The uplink finds most of
//! it and writes no records itself.

use kompas_field::Payload;
use kompas_field::record::{Incident, IncidentKind};
use kompas_field::time::RobotInstant;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::path::{Path, PathBuf};

/// A new outbox stands in for the one that is now at `aside`. Its numbers begin at `first_seq`, above every one that the
/// damaged outbox gave out: they are never used again.
pub(super) fn note_set_aside(tx: &Transaction<'_>, aside: &Path, first_seq: u64) -> rusqlite::Result<()> {
    let name = aside.file_name().unwrap_or(aside.as_os_str()).to_string_lossy();
    tx.execute("INSERT INTO facts VALUES ('set_aside', ?1), ('first_seq', ?2)", (name, first_seq))?;
    tx.execute("UPDATE facts SET value = ?1 WHERE name = 'next_seq'", [first_seq])?;
    Ok(())
}

/// Records that were changed on disk, and are dead letters now.
pub(super) const CHANGED: &str = "unreadable";
/// Records on damaged pages, which the table `unreadable` lists.
pub(super) const OUT_OF_REACH: &str = "out_of_reach";

/// Another record is lost, `how`: [`CHANGED`] or [`OUT_OF_REACH`].
pub(super) fn note(db: &Connection, how: &str) -> rusqlite::Result<()> {
    let note = "INSERT INTO facts VALUES (?1, 1) ON CONFLICT DO UPDATE SET value = value + 1";
    db.execute(note, [how]).map(|_| ())
}

/// Where the damaged outbox before the one at `path` is, until that is told.
pub(super) fn set_aside(db: &Connection, path: &Path) -> rusqlite::Result<Option<PathBuf>> {
    let name: Option<String> =
        db.query_row("SELECT value FROM facts WHERE name = 'set_aside'", [], |r| r.get(0)).optional()?;
    Ok(name.map(|name| path.with_file_name(name)))
}

/// What has to be told and is told now.
pub(super) fn untold(tx: &Transaction<'_>, true_at: RobotInstant) -> rusqlite::Result<Vec<Payload>> {
    let mut take = tx.prepare_cached(
        "DELETE FROM facts WHERE name IN ('set_aside', 'unreadable', 'out_of_reach')
         RETURNING iif(name = 'set_aside', NULL, value),
                   CASE name WHEN 'set_aside' THEN value WHEN 'unreadable' THEN 'dead_letters' ELSE 'unreadable' END",
    )?;
    let lost = take.query_map([], |row| {
        let what = IncidentKind::RecordsLost { records: row.get(0)?, kept_in: row.get(1)? };
        Ok(Payload::Incident(Incident { mission: None, true_at, what }))
    })?;
    lost.collect()
}
