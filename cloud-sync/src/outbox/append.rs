//! Writing: envelopes are made, numbered and stored in one transaction.

use super::damage::{Rounds, Stopped};
use super::{Draft, Origin, Outbox, OutboxError, lost, quota};
use crate::wire::MAX_RECORD_BYTES;
use kompas_field::{Digest, Envelope, Payload, RecordKey};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

/// A record in the form in which it waits and travels.
struct Sealed {
    key: RecordKey,
    class: u8,
    kind: &'static str,
    wire: Vec<u8>,
}

/// Why a batch was not written.
enum Failed {
    /// No room could be made: a row is out of reach, or SQLite failed.
    Room(Stopped),
    Outbox(OutboxError),
}

impl From<OutboxError> for Failed {
    fn from(error: OutboxError) -> Self {
        Self::Outbox(error)
    }
}

pub(super) fn append(
    outbox: &mut Outbox,
    origin: &Origin,
    drafts: &[Draft],
) -> Result<Vec<RecordKey>, OutboxError> {
    let mut rounds = Rounds::default();
    loop {
        match try_to_append(outbox, origin, drafts) {
            Ok(keys) => return Ok(keys),
            Err(Failed::Outbox(error)) => return Err(error),
            Err(Failed::Room(stopped)) => {
                rounds
                    .go_around(&mut outbox.db, stopped)
                    .map_err(|source| outbox.sql("make room", source))?;
            }
        }
    }
}

fn try_to_append(outbox: &mut Outbox, origin: &Origin, drafts: &[Draft]) -> Result<Vec<RecordKey>, Failed> {
    let Outbox { db, path, robot, limits, .. } = outbox;
    let sql = |doing| {
        let path = path.clone();
        move |source| OutboxError::Database { doing, path, source }
    };
    let Some(last) = drafts.last() else { return Ok(Vec::new()) };

    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql("begin an append"))?;
    let first = next_seq(&tx).map_err(sql("read the next number"))?;
    let seal = |seq: u64, draft: &Draft| {
        seal(RecordKey { robot_id: robot.clone(), boot_id: origin.boot.clone(), seq }, origin, draft)
    };
    let mut keys = Vec::with_capacity(drafts.len());
    for (seq, draft) in (first..).zip(drafts) {
        let sealed = seal(seq, draft)?;
        if sealed.wire.len() > MAX_RECORD_BYTES {
            drop(tx); // rolls back
            let too_large = keep_apart(db, &sealed).map_or_else(sql("keep a dead letter"), |letter| {
                let (kind, bytes) = (sealed.kind, sealed.wire.len());
                OutboxError::TooLarge { kind, bytes, limit_bytes: MAX_RECORD_BYTES, letter }
            });
            return Err(too_large.into());
        }
        insert(&tx, &sealed).map_err(sql("append a record"))?;
        keys.push(sealed.key);
    }
    let mut next = first + drafts.len() as u64;
    let mut tell = |told: Vec<Payload>| -> Result<(), OutboxError> {
        for payload in told {
            let draft = Draft { payload, t_mono: last.t_mono, t_wall: last.t_wall };
            insert(&tx, &seal(next, &draft)?).map_err(sql("append a record"))?;
            next += 1;
        }
        Ok(())
    };
    tell(lost::untold(&tx, last.t_mono).map_err(sql("read what was lost"))?)?;
    let given_up = quota::make_room(&tx, limits.waiting_bytes, last.t_mono);
    tell(given_up.map_err(Failed::Room)?)?;
    quota::check(&tx, limits.waiting_bytes).map_err(sql("measure the outbox"))??;
    tx.execute("UPDATE facts SET value = ?1 WHERE name = 'next_seq'", [next])
        .map_err(sql("store the next number"))?;
    tx.commit().map_err(sql("bring records to disk"))?;
    Ok(keys)
}

fn seal(key: RecordKey, origin: &Origin, draft: &Draft) -> Result<Sealed, OutboxError> {
    let Draft { payload, t_mono, t_wall } = draft;
    let Origin { boot: _, clock_quality, datum } = origin;
    let not_json = |source| OutboxError::NotJson { kind: payload.kind(), source };
    let raw = serde_json::value::to_raw_value(payload).map_err(not_json)?;
    let envelope = Envelope {
        schema: Envelope::SCHEMA.to_owned(),
        key: key.clone(),
        t_wall: *t_wall,
        t_mono: *t_mono,
        clock_quality: *clock_quality,
        datum: *datum,
        payload_sha256: Digest::of_bytes(raw.get().as_bytes()),
        payload: raw,
    };
    let wire = serde_json::to_vec(&envelope).map_err(not_json)?;
    Ok(Sealed { key, class: payload.priority().into(), kind: payload.kind(), wire })
}

fn next_seq(tx: &Transaction<'_>) -> rusqlite::Result<u64> {
    tx.prepare_cached("SELECT value FROM facts WHERE name = 'next_seq'")?.query_row([], |r| r.get(0))
}

fn insert(tx: &Transaction<'_>, sealed: &Sealed) -> rusqlite::Result<()> {
    let Sealed { key, class, kind, wire } = sealed;
    tx.prepare_cached(
        "INSERT INTO records(seq, boot_id, class, kind, bytes, sha256, envelope) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key.seq,
        key.boot_id.as_str(),
        class,
        kind,
        wire.len(),
        Digest::of_bytes(wire).bytes(),
        wire
    ])?;
    Ok(())
}

fn keep_apart(db: &Connection, sealed: &Sealed) -> rusqlite::Result<i64> {
    let why = "too large for the wire";
    db.execute(
        "INSERT INTO dead_letters(boot_id, kind, why, envelope) VALUES (?1, ?2, ?3, ?4)",
        params![sealed.key.boot_id.as_str(), sealed.kind, why, sealed.wire],
    )?;
    Ok(db.last_insert_rowid())
}
