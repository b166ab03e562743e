//! Rows on damaged pages of the file: they can be neither read nor deleted. The table `unreadable` lists them, and loans
//! and quota pass them over. Their room stays taken.
//!
//! After SQLite has met a damaged page it writes nothing more in that transaction: work that meets one is rolled back,
//! the rows are listed, and it begins anew.

use super::lost;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, ffi};

/// Whether SQLite says that the file is damaged.
pub(super) fn of_file(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Whether damage keeps a row from being read: also a page that the disk does not give, columns that are not what was
/// written, and a row that the index has and the table has not.
pub(super) fn of_row(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    let not_given = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS];
    match error {
        Error::SqliteFailure(why, _) => of_file(error) || not_given.contains(&why.extended_code),
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

/// Does `work` in one transaction, around the rows that are out of reach.
pub(super) fn around<T>(
    db: &mut Connection,
    mut work: impl FnMut(&Transaction<'_>) -> Result<T, Stopped>,
) -> rusqlite::Result<T> {
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
        go_around(db, stopped)?;
    }
}

/// Passes over the row that stopped the work, which was rolled back.
///
/// # Errors
/// No row did, or it was passed over before and that did not help.
pub(super) fn go_around(db: &mut Connection, stopped: Stopped) -> rusqlite::Result<()> {
    match stopped {
        Stopped::At { seq, was, source } => pass_over(db, seq, was)?.then_some(()).ok_or(source),
        Stopped::Sql(error) => Err(error),
    }
}

/// Passes over row `seq`, and those after it that cannot be read either; what is lost is told. `false` if they were.
pub(super) fn pass_over(db: &mut Connection, seq: u64, was: Was) -> rusqlite::Result<bool> {
    // Read before the transaction: in it, the first of them would be the last thing done.
    let mut with_it = vec![seq];
    if was != Was::Settled {
        with_it.extend(unreadable_after(db, seq, was)?);
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut news = 0;
    for seq in with_it {
        // What waited still counts as waiting in `totals`.
        let list = "INSERT OR IGNORE INTO unreadable(seq, counted_waiting) VALUES (?1, ?2)";
        let listed = tx.prepare_cached(list)?.execute((seq, was != Was::Copy))?;
        if listed > 0 && was == Was::Waiting {
            tx.execute("UPDATE facts SET value = value + 1 WHERE name = 'dropped'", [])?;
            lost::note(&tx, lost::OUT_OF_REACH)?;
        }
        news += listed;
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
    Ok(news > 0)
}

/// The rows next in line that cannot be read: a page holds several, and one that leads to pages holds thousands.
fn unreadable_after(db: &Connection, seq: u64, was: Was) -> rusqlite::Result<Vec<u64>> {
    let mut line = db.prepare_cached(
        "SELECT n.seq FROM records n, (SELECT DISTINCT class FROM totals) k
         WHERE n.committed = ?1 AND n.class = k.class AND n.seq > ?2 AND n.seq NOT IN (SELECT seq FROM unreadable)
         ORDER BY n.seq",
    )?;
    let mut unreadable = Vec::new();
    for next in line.query_map((was == Was::Copy, seq), |row| row.get(0))? {
        let next = next?;
        match read(db, next) {
            Err(error) if of_row(&error) => unreadable.push(next),
            read => {
                read?;
                break;
            }
        }
    }
    Ok(unreadable)
}

fn read(db: &Connection, seq: u64) -> rusqlite::Result<Vec<u8>> {
    db.prepare_cached("SELECT envelope FROM records WHERE seq = ?1")?.query_row([seq], |row| row.get(0))
}
