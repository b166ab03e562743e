//! Room: who goes first when it runs out.

use super::OutboxError;
use super::damage::{self, Stopped, Was};
use kompas_field::Payload;
use kompas_field::record::{Incident, IncidentKind};
use kompas_field::time::RobotInstant;
use rusqlite::Transaction;

/// Kept free for the class 1 records that tell what was given up.
const TELLING_BYTES: u64 = 2048;

/// Classes that may be given up, first to go first.
const EXPENDABLE: [u8; 2] = [3, 2];

/// Classes of the local copy, first to go first: what was treated is kept longest.
const COPIES: [u8; 3] = [3, 2, 1];

/// Gives up waiting records until `limit_bytes` holds, and returns what has to be told about it.
pub(super) fn make_room(
    tx: &Transaction<'_>,
    limit_bytes: u64,
    true_at: RobotInstant,
) -> Result<Vec<Payload>, Stopped> {
    let mut told = Vec::new();
    if used_bytes(tx, false)? <= limit_bytes {
        return Ok(told);
    }
    for class in EXPENDABLE {
        let excess = (used_bytes(tx, false)? + TELLING_BYTES).saturating_sub(limit_bytes);
        let (records, bytes) = remove_oldest(tx, false, class, excess)?;
        if records > 0 {
            tx.execute("UPDATE facts SET value = value + ?1 WHERE name = 'dropped'", [records])?;
            let what = IncidentKind::RecordsDropped { class, records, bytes };
            told.push(Payload::Incident(Incident { mission: None, true_at, what }));
        }
    }
    Ok(told)
}

/// Whether what is left fits.
pub(super) fn check(tx: &Transaction<'_>, limit_bytes: u64) -> rusqlite::Result<Result<(), OutboxError>> {
    let used_bytes = used_bytes(tx, false)?;
    Ok(if used_bytes <= limit_bytes { Ok(()) } else { Err(OutboxError::Full { used_bytes, limit_bytes }) })
}

/// Removes the oldest copies of committed records until `kept_bytes` holds.
pub(super) fn prune(tx: &Transaction<'_>, kept_bytes: u64) -> Result<(), Stopped> {
    for class in COPIES {
        let excess = used_bytes(tx, true)?.saturating_sub(kept_bytes);
        remove_oldest(tx, true, class, excess)?;
    }
    Ok(())
}

fn used_bytes(tx: &Transaction<'_>, committed: bool) -> rusqlite::Result<u64> {
    tx.prepare_cached("SELECT sum(bytes) FROM totals WHERE committed = ?1")?
        .query_row([committed], |r| r.get(0))
}

/// Removes the oldest of a class until `bytes` are free or none is left: how many, and their size.
fn remove_oldest(
    tx: &Transaction<'_>,
    committed: bool,
    class: u8,
    bytes: u64,
) -> Result<(u64, u64), Stopped> {
    let was = if committed { Was::Copy } else { Was::Waiting };
    let mut delete = tx.prepare_cached("DELETE FROM records WHERE seq = ?1 RETURNING bytes")?;
    let (mut records, mut freed) = (0, 0);
    while freed < bytes {
        let oldest = oldest(tx, committed, class)?;
        if oldest.is_empty() {
            break;
        }
        for seq in oldest {
            if freed >= bytes {
                break;
            }
            let size: u64 = delete.query_row([seq], |row| row.get(0)).map_err(damage::at(seq, was))?;
            records += 1;
            freed += size;
        }
    }
    Ok((records, freed))
}

/// Numbers of the oldest records of a class that can be read, by the index alone.
fn oldest(tx: &Transaction<'_>, committed: bool, class: u8) -> rusqlite::Result<Vec<u64>> {
    let mut line = tx.prepare_cached(
        "SELECT seq FROM records WHERE committed = ?1 AND class = ?2 AND seq NOT IN (SELECT seq FROM unreadable)
         ORDER BY seq LIMIT 256",
    )?;
    line.query_map((committed, class), |row| row.get(0))?.collect()
}
