//! How many records there are, by state.

use rusqlite::Connection;

/// Records of one outbox since it was made. `written = waiting + committed + dropped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Appended.
    pub written: u64,
    /// Not yet committed by the cloud.
    pub waiting: u64,
    /// Committed by the cloud, quarantined ones included.
    pub committed: u64,
    /// Given up for lack of room, or unreadable on disk.
    pub dropped: u64,
    /// Of the committed: stored apart by the cloud. A person is needed.
    pub quarantined: u64,
    /// Too large for the wire, or unreadable on disk; kept apart here.
    pub dead_letters: u64,
}

pub(super) fn read(db: &Connection) -> rusqlite::Result<Counts> {
    // One statement: one snapshot, whatever the other connection does.
    let sql = "SELECT
        (SELECT value FROM facts WHERE name = 'next_seq') - coalesce((SELECT value FROM facts WHERE name = 'first_seq'), 1),
        (SELECT sum(records) FROM totals WHERE committed = 0) - (SELECT count(*) FROM unreadable WHERE counted_waiting),
        (SELECT value FROM facts WHERE name = 'dropped'),
        (SELECT value FROM facts WHERE name = 'quarantined'),
        (SELECT count(*) FROM dead_letters)";
    db.prepare_cached(sql)?.query_row([], |row| {
        let (written, waiting, dropped): (u64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let committed = written.saturating_sub(waiting).saturating_sub(dropped);
        Ok(Counts {
            written,
            waiting,
            committed,
            dropped,
            quarantined: row.get(3)?,
            dead_letters: row.get(4)?,
        })
    })
}
