//! Rows on damaged pages of the file: they can be neither read nor deleted. The table `unreadable` lists them, and loans
//! and quota pass them over. Their room stays taken.
//!
//! After SQLite has met a damaged page it writes nothing more in that transaction: work that meets one is rolled back,
//! the rows are listed, and it begins anew.

use super::lost;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, ffi};
use std::collections::BTreeSet;

/// Whether SQLite says that the file is damaged.
pub(super) fn of_file(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Whether the disk did not give a page this time: it may the next.
pub(super) fn of_reading(error: &rusqlite::Error) -> bool {
    let not_given = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS];
    error.sqlite_error().is_some_and(|why| not_given.contains(&why.extended_code))
}

/// Whether damage keeps a row from being read: also columns that are not what was written, and a row that the index has
/// and the table has not.
pub(super) fn of_row(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::SqliteFailure(..) => of_file(error),
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows => true,
        _ => false,
    }
}

/// What a row was when it was found to be out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    /// It waited, and is lost.
    Waiting,
    /// It waited for a receipt, which came: the cloud has it.
    Settled,
    /// A copy of what the cloud has.
    Copy,
}

/// Why work on many rows ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    /// At a row that is out of reach.
    At { seq: u64, was: Was, source: rusqlite::Error },
    /// Not by one row.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Tells whether what went wrong with row `seq` is damage.
pub(super) fn at(seq: u64, was: Was) -> impl Fn(rusqlite::Error) -> Stopped {
    move |source| if of_row(&source) { Stopped::At { seq, was, source } } else { Stopped::Sql(source) }
}

/// So many rows are passed over for one piece of work: where more stand in its way it is the file, not the rows.
const MOST_ROUNDS: usize = 200;

/// Does `work` in one transaction, around the rows that are out of reach.
pub(super) fn around<T>(
    db: &mut Connection,
    mut work: impl FnMut(&Transaction<'_>) -> Result<T, Stopped>,
) -> rusqlite::Result<T> {
    let mut rounds = Rounds::default();
    loop {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stopped = match work(&tx) {
            Ok(done) => {
                tx.commit()?;
                return Ok(done);
            }
            Err(stopped) => stopped,
        };
        drop(tx); // rolls back
        rounds.go_around(db, stopped)?;
    }
}

/// How often a piece of work has begun anew.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Rows that stopped it.
    met: BTreeSet<u64>,
}

impl Rounds {
    /// Passes over the row that stopped the work, which was rolled back.
    ///
    /// # Errors
    /// No row did, the same did before, or too many did.
    pub(super) fn go_around(&mut self, db: &mut Connection, stopped: Stopped) -> rusqlite::Result<()> {
        match stopped {
            Stopped::At { seq, was, source } => {
                if self.met.len() == MOST_ROUNDS || !self.met.insert(seq) {
                    return Err(source);
                }
                pass_over(db, seq, was)
            }
            Stopped::Sql(error) => Err(error),
        }
    }
}

/// Whether row `seq` is passed over. It is asked by itself: within another statement SQLite would look for the row first.
pub(super) fn is_passed_over(db: &Connection, seq: u64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM unreadable WHERE seq = ?1")?.exists([seq])
}

/// Whether the index, alone, has row `seq` among the committed ones or those that wait.
pub(super) fn is_listed(db: &Connection, seq: u64, committed: bool) -> rusqlite::Result<bool> {
    let entry =
        "SELECT 1 FROM records INDEXED BY line WHERE committed = ?1 AND class IN (1, 2, 3) AND seq = ?2";
    db.prepare_cached(entry)?.exists((committed, seq))
}

/// Passes over row `seq`, and those after it that cannot be read either; what is lost is told.
pub(super) fn pass_over(db: &mut Connection, seq: u64, was: Was) -> rusqlite::Result<()> {
    if is_passed_over(db, seq)? {
        return Ok(());
    }
    // Read before the transaction: in it, the first of them would be the last thing done.
    let mut with_it = vec![seq];
    if was != Was::Settled {
        with_it.extend(unreadable_after(db, seq, was == Was::Copy)?);
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut news = 0;
    for seq in with_it {
        // The other connection may have removed or settled it.
        if is_passed_over(&tx, seq)? || !is_listed(&tx, seq, was == Was::Copy)? {
            continue;
        }
        // What waited still counts as waiting in `totals`.
        let list = "INSERT INTO unreadable(seq, counted_waiting) VALUES (?1, ?2)";
        news += tx.prepare_cached(list)?.execute((seq, was != Was::Copy))?;
        if was == Was::Waiting {
            tx.execute("UPDATE facts SET value = value + 1 WHERE name = 'dropped'", [])?;
            lost::note(&tx, lost::OUT_OF_REACH)?;
        }
    }
    tx.commit()?;
    if news > 0 {
        tracing::error!(
            seq,
            ?was,
            rows = news,
            "records lie on damaged pages of the outbox: look at the disk"
        );
    }
    Ok(())
}

/// The rows next in line that cannot be read: a page holds several, and one that leads to pages holds thousands.
fn unreadable_after(db: &Connection, mut seq: u64, committed: bool) -> rusqlite::Result<Vec<u64>> {
    let mut unreadable = Vec::new();
    while let Some(next) = next_in_line(db, seq, committed)? {
        match read(db, next) {
            Err(error) if of_row(&error) => unreadable.push(next),
            Err(error) if !of_reading(&error) => return Err(error),
            Ok(_) | Err(_) => break,
        }
        seq = next;
    }
    Ok(unreadable)
}

/// The next number after `seq`, of any class, by the index alone.
fn next_in_line(db: &Connection, seq: u64, committed: bool) -> rusqlite::Result<Option<u64>> {
    let mut of_class = db.prepare_cached(
        "SELECT min(seq) FROM records INDEXED BY line WHERE committed = ?1 AND class = ?2 AND seq > ?3",
    )?;
    let mut next: Option<u64> = None;
    for class in 1..=3 {
        let found: Option<u64> = of_class.query_row((committed, class, seq), |row| row.get(0))?;
        next = next.into_iter().chain(found).min();
    }
    Ok(next)
}

fn read(db: &Connection, seq: u64) -> rusqlite::Result<Vec<u8>> {
    db.prepare_cached("SELECT envelope FROM records WHERE seq = ?1")?.query_row([seq], |row| row.get(0))
}
