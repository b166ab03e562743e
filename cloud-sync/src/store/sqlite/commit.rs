//! One transaction of arrivals.

use super::super::{Disposition, Incoming, Refused, RefusedBecause, StoreError};
use super::{project, sql};
use kompas_field::RecordKey;
use rusqlite::{OptionalExtension, Transaction, params};

pub(super) fn all(
    tx: &Transaction<'_>,
    records: &[Incoming],
    refused: &[Refused],
) -> Result<Vec<Disposition>, StoreError> {
    for one in refused {
        quarantine(tx, one).map_err(sql("quarantine an arrival"))?;
    }
    records.iter().map(|record| store(tx, record)).collect()
}

fn store(tx: &Transaction<'_>, record: &Incoming) -> Result<Disposition, StoreError> {
    let key = &record.envelope.key;
    let known =
        if i64::try_from(key.seq).is_ok() { known(tx, key).map_err(sql("look for a record"))? } else { None };
    if let Some(known) = known {
        if known == record.sha256.bytes() {
            return Ok(Disposition::Again);
        }
        dispute(tx, record).map_err(sql("quarantine two records with one key"))?;
        return Ok(Disposition::Disputed);
    }
    step(tx, "SAVEPOINT one")?;
    match put(tx, record) {
        Ok(()) => {
            step(tx, "RELEASE one")?;
            let two = dispute_number(tx, record).map_err(sql("look for a number given out twice"))?;
            Ok(if two { Disposition::NewOfTwo } else { Disposition::New })
        }
        // One record that cannot be stored must not keep the others out.
        Err(StoreError::Database { doing, source }) if is_the_records_fault(&source) => {
            step(tx, "ROLLBACK TO one")?;
            step(tx, "RELEASE one")?;
            quarantine(tx, &refusal(record, RefusedBecause::Unstorable, format!("cannot {doing}: {source}")))
                .map_err(sql("quarantine a record"))?;
            Ok(Disposition::Unstorable)
        }
        Err(error) => Err(error),
    }
}

fn step(tx: &Transaction<'_>, statement: &'static str) -> Result<(), StoreError> {
    tx.prepare_cached(statement).and_then(|mut s| s.execute([])).map(|_| ()).map_err(sql(statement))
}

/// A number too large for SQL, or a constraint; anything else is the disk's fault.
fn is_the_records_fault(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::ToSqlConversionFailure(_))
        || error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

fn refusal(record: &Incoming, why: RefusedBecause, detail: String) -> Refused {
    Refused {
        topic: record.topic.clone(),
        why,
        detail,
        key: Some(record.envelope.key.clone()),
        sha256: record.sha256,
        wire: record.wire.clone(),
        received: record.received,
    }
}

fn put(tx: &Transaction<'_>, record: &Incoming) -> Result<(), StoreError> {
    let arrival = insert(tx, record).map_err(sql("store a record"))?;
    project::record(
        tx,
        &project::Stored {
            arrival,
            farm: record.farm.as_str(),
            received: record.received,
            envelope: &record.envelope,
            payload: record.payload.as_ref().ok(),
        },
    )
}

fn known(tx: &Transaction<'_>, key: &RecordKey) -> rusqlite::Result<Option<Vec<u8>>> {
    tx.prepare_cached("SELECT sha256 FROM records WHERE robot = ?1 AND boot = ?2 AND seq = ?3")?
        .query_row(params![key.robot_id.as_str(), key.boot_id.as_str(), key.seq], |r| r.get(0))
        .optional()
}

fn insert(tx: &Transaction<'_>, record: &Incoming) -> rusqlite::Result<i64> {
    let Incoming { farm, topic: _, envelope, payload, sha256, wire, received } = record;
    tx.prepare_cached(
        "INSERT INTO records(robot, boot, seq, farm, schema, kind, t_wall_ms, t_mono_ns, t_received_ms, sha256, wire)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        envelope.key.robot_id.as_str(),
        envelope.key.boot_id.as_str(),
        envelope.key.seq,
        farm.as_str(),
        envelope.schema,
        payload.as_ref().ok().map(kompas_field::Payload::kind),
        envelope.t_wall.unix_ms(),
        envelope.t_mono.nanos(),
        received.unix_ms(),
        sha256.bytes(),
        wire,
    ])?;
    Ok(tx.last_insert_rowid())
}

/// Marks what this robot wrote under one number in several runs; whether there is such.
fn dispute_number(tx: &Transaction<'_>, record: &Incoming) -> rusqlite::Result<bool> {
    let RecordKey { robot_id, boot_id, seq } = &record.envelope.key;
    let (farm, robot) = (record.farm.as_str(), robot_id.as_str());
    let others =
        "SELECT EXISTS(SELECT 1 FROM records WHERE robot = ?1 AND seq = ?2 AND farm = ?3 AND boot <> ?4)";
    let two: bool =
        tx.prepare_cached(others)?.query_row(params![robot, seq, farm, boot_id.as_str()], |r| r.get(0))?;
    if two {
        tx.prepare_cached("UPDATE records SET disputed = 1 WHERE robot = ?1 AND seq = ?2 AND farm = ?3")?
            .execute(params![robot, seq, farm])?;
    }
    Ok(two)
}

/// The first stays where it is, marked; both are in quarantine, for a person to decide.
fn dispute(tx: &Transaction<'_>, record: &Incoming) -> rusqlite::Result<()> {
    let key = &record.envelope.key;
    let name = params![key.robot_id.as_str(), key.boot_id.as_str(), key.seq];
    tx.execute("UPDATE records SET disputed = 1 WHERE robot = ?1 AND boot = ?2 AND seq = ?3", name)?;
    tx.execute(
        "INSERT OR IGNORE INTO quarantine(topic, why, detail, robot, boot, seq, t_received_ms, sha256, wire)
         SELECT 'v1/' || farm || '/' || robot || '/records', 'same_key', 'came first', robot, boot, seq,
                t_received_ms, sha256, wire
         FROM records WHERE robot = ?1 AND boot = ?2 AND seq = ?3",
        name,
    )?;
    quarantine(tx, &refusal(record, RefusedBecause::SameKey, "came later, with other content".to_owned()))
}

fn quarantine(tx: &Transaction<'_>, refused: &Refused) -> rusqlite::Result<()> {
    let Refused { topic, why, detail, key, sha256, wire, received } = refused;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO quarantine(topic, why, detail, robot, boot, seq, t_received_ms, sha256, wire)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        topic,
        why.as_str(),
        detail,
        key.as_ref().map(|key| key.robot_id.as_str()),
        key.as_ref().map(|key| key.boot_id.as_str()),
        key.as_ref().and_then(|key| i64::try_from(key.seq).ok()),
        received.unix_ms(),
        sha256.bytes(),
        wire,
    ])?;
    Ok(())
}
