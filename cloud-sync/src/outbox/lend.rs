//! Lending records to the uplink, and settling what the cloud says about them.

use super::damage::{self, Was};
use super::{Outbox, OutboxError, lost, quota};
use crate::wire::{Outcome, Receipt};
use kompas_field::ids::BootId;
use kompas_field::{Digest, RecordKey, RobotInstant};
use rusqlite::{Connection, Row, params};

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

/// What a waiting row turned out to be.
enum Found {
    Intact(Lent),
    /// Not the bytes that were written.
    Changed(Lent),
    /// The disk did not give it this time.
    NotGiven(u64),
    /// On a damaged page.
    OutOfReach(u64),
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
        for found in found {
            match found {
                Found::Intact(record) => {
                    self.loans.insert(record.key.seq, until);
                    lent.push(record);
                }
                Found::Changed(record) => {
                    self.bury(&record)
                        .map_err(|source| self.sql("keep an unreadable record apart", source))?;
                    tracing::error!(key = ?record.key, "a record changed on disk and is lost: see dead_letters");
                }
                Found::NotGiven(seq) => {
                    self.loans.insert(seq, until);
                    tracing::warn!(seq, "the disk did not give a record: it is read again later");
                }
                Found::OutOfReach(seq) => {
                    damage::pass_over(&mut self.db, seq, Was::Waiting)
                        .map_err(|source| self.sql("pass over an unreadable record", source))?;
                }
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

    /// Numbers come from the index and every row is read by itself, so that a damaged page costs its own rows only.
    fn first_waiting(&self, most: usize) -> rusqlite::Result<Vec<Found>> {
        let snapshot = self.db.unchecked_transaction()?;
        let mut line = snapshot.prepare_cached(
            "SELECT seq FROM records WHERE committed = 0 AND seq NOT IN (SELECT seq FROM unreadable)
             ORDER BY class, seq",
        )?;
        let seqs = line.query_map([], |row| row.get::<_, u64>(0))?;
        seqs.filter(|seq| !seq.as_ref().is_ok_and(|seq| self.loans.contains_key(seq)))
            .take(most)
            .map(|seq| self.find(seq?))
            .collect()
    }

    fn find(&self, seq: u64) -> rusqlite::Result<Found> {
        let row = "SELECT boot_id, class, envelope, sha256 FROM records WHERE seq = ?1";
        let found = self.db.prepare_cached(row)?.query_row([seq], |row| self.read(seq, row));
        match found {
            Err(error) if damage::of_row(&error) => Ok(Found::OutOfReach(seq)),
            Err(error) if damage::of_reading(&error) => Ok(Found::NotGiven(seq)),
            found => found,
        }
    }

    fn read(&self, seq: u64, row: &Row<'_>) -> rusqlite::Result<Found> {
        let boot: String = row.get(0)?;
        let boot_id = BootId::new(boot).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e))
        })?;
        let key = RecordKey { robot_id: self.robot.clone(), boot_id, seq };
        let (wire, sha256): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let intact = Digest::of_bytes(&wire).bytes()[..] == sha256[..];
        let record = Lent { key, class: row.get(1)?, wire };
        Ok(if intact { Found::Intact(record) } else { Found::Changed(record) })
    }

    fn bury(&mut self, record: &Lent) -> rusqlite::Result<()> {
        let seq = record.key.seq;
        damage::around(&mut self.db, |tx| {
            if damage::is_passed_over(tx, seq)? || !damage::is_listed(tx, seq, false)? {
                return Ok(()); // the other connection was faster
            }
            let buried = tx.execute(
                "INSERT INTO dead_letters(boot_id, kind, why, envelope)
                 SELECT boot_id, kind, 'changed on disk', envelope FROM records WHERE seq = ?1",
                [seq],
            );
            buried.map_err(damage::at(seq, Was::Waiting))?;
            let taken_out = tx.execute("DELETE FROM records WHERE seq = ?1", [seq]);
            taken_out.map_err(damage::at(seq, Was::Waiting))?;
            tx.execute("UPDATE facts SET value = value + 1 WHERE name = 'dropped'", [])?;
            lost::note(tx, lost::CHANGED)?;
            Ok(())
        })
    }
}

fn settle(db: &mut Connection, receipts: &[Receipt], kept_bytes: u64) -> rusqlite::Result<usize> {
    damage::around(db, |tx| {
        let (mut settled, mut quarantined) = (0, 0);
        let mut update = tx.prepare_cached(
            "UPDATE records SET committed = 1 WHERE seq = ?1 AND boot_id = ?2 AND committed = 0",
        )?;
        for receipt in receipts {
            if !damage::is_listed(tx, receipt.seq, false)? || damage::is_passed_over(tx, receipt.seq)? {
                continue; // old news
            }
            let news = update.execute(params![receipt.seq, receipt.boot_id.as_str()]);
            let news = news.map_err(damage::at(receipt.seq, Was::Settled))?;
            settled += news;
            if receipt.outcome == Outcome::Quarantined {
                quarantined += news;
            }
        }
        if settled > 0 {
            tx.execute("UPDATE facts SET value = value + ?1 WHERE name = 'quarantined'", [quarantined])?;
            quota::prune(tx, kept_bytes)?;
        }
        Ok(settled) // no sync for old news: nothing was written
    })
}
