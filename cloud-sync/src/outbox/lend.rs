//! Lending records to the uplink, and settling what the cloud says about them.

use super::{Outbox, OutboxError, lost, quota};
use crate::wire::{Outcome, Receipt};
use kompas_field::ids::BootId;
use kompas_field::{Digest, RecordKey, RobotInstant};
use rusqlite::{Connection, Row, TransactionBehavior, params};

/// A record on loan, in the bytes in which it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// Its name.
    pub key: RecordKey,
    /// Priority, 1 first.
    pub class: u8,
    /// The envelope as JSON.
    pub wire: Vec<u8>,
}

impl Outbox {
    /// Lends at most `most` waiting records until `until`: class order, then oldest first. Records already
    /// on loan at `now` are passed over. A loan saves work; it is not what makes delivery correct.
    ///
    /// # Errors
    /// The disk's.
    pub fn lend(
        &mut self,
        most: usize,
        now: RobotInstant,
        until: RobotInstant,
    ) -> Result<Vec<Lent>, OutboxError> {
        self.loans.retain(|_, expires_at| *expires_at > now);
        let found = self.first_waiting(most).map_err(|source| self.sql("read waiting records", source))?;
        let mut lent = Vec::with_capacity(found.len());
        for (record, intact) in found {
            if intact {
                self.loans.insert(record.key.seq, until);
                lent.push(record);
            } else {
                self.bury(&record).map_err(|source| self.sql("keep an unreadable record apart", source))?;
                tracing::error!(key = ?record.key, "a record changed on disk and is lost: see dead_letters");
            }
        }
        Ok(lent)
    }

    /// Lets a loan end at `until` instead: a record that gets no receipt must not hold up the others.
    pub fn postpone(&mut self, seq: u64, until: RobotInstant) {
        if let Some(expires_at) = self.loans.get_mut(&seq) {
            *expires_at = until;
        }
    }

    /// Takes what the cloud committed out of the line, on disk, in one transaction. Receipts for records that
    /// are unknown or settled are no news. Returns how many were.
    ///
    /// # Errors
    /// The disk's; then nothing is settled.
    pub fn settle(&mut self, receipts: &[Receipt]) -> Result<usize, OutboxError> {
        let kept_bytes = self.limits.kept_bytes;
        let settled = settle(&mut self.db, receipts, kept_bytes);
        let settled = settled.map_err(|source| self.sql("settle receipts", source))?;
        for receipt in receipts {
            self.loans.remove(&receipt.seq);
        }
        Ok(settled)
    }

    fn first_waiting(&self, most: usize) -> rusqlite::Result<Vec<(Lent, bool)>> {
        let mut statement = self.db.prepare_cached(
            "SELECT seq, boot_id, class, envelope, sha256 FROM records WHERE committed = 0 ORDER BY class, seq",
        )?;
        let rows = statement.query_and_then([], |row| self.read(row))?;
        rows.filter(|row| !row.as_ref().is_ok_and(|(lent, _)| self.loans.contains_key(&lent.key.seq)))
            .take(most)
            .collect()
    }

    fn read(&self, row: &Row<'_>) -> rusqlite::Result<(Lent, bool)> {
        let boot: String = row.get(1)?;
        let boot_id = BootId::new(boot).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(e))
        })?;
        let key = RecordKey { robot_id: self.robot.clone(), boot_id, seq: row.get(0)? };
        let (wire, sha256): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let intact = Digest::of_bytes(&wire).bytes()[..] == sha256[..];
        Ok((Lent { key, class: row.get(2)?, wire }, intact))
    }

    fn bury(&mut self, record: &Lent) -> rusqlite::Result<()> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute(
            "INSERT INTO dead_letters(boot_id, kind, why, envelope)
             SELECT boot_id, kind, 'changed on disk', envelope FROM records WHERE seq = ?1",
            [record.key.seq],
        )?;
        tx.execute("DELETE FROM records WHERE seq = ?1", [record.key.seq])?;
        tx.execute("UPDATE facts SET value = value + 1 WHERE name = 'dropped'", [])?;
        lost::note_record(&tx)?;
        tx.commit()
    }
}

fn settle(db: &mut Connection, receipts: &[Receipt], kept_bytes: u64) -> rusqlite::Result<usize> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut settled, mut quarantined) = (0, 0);
    {
        let mut update = tx.prepare_cached(
            "UPDATE records SET committed = 1 WHERE seq = ?1 AND boot_id = ?2 AND committed = 0",
        )?;
        for receipt in receipts {
            let news = update.execute(params![receipt.seq, receipt.boot_id.as_str()])?;
            settled += news;
            if receipt.outcome == Outcome::Quarantined {
                quarantined += news;
            }
        }
    }
    if settled == 0 {
        return Ok(0); // rolls back: no sync for old news
    }
    tx.execute("UPDATE facts SET value = value + ?1 WHERE name = 'quarantined'", [quarantined])?;
    quota::prune(&tx, kept_bytes)?;
    tx.commit()?;
    Ok(settled)
}
