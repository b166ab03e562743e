//! The store in one SQLite file: WAL, full sync, one writer.

use super::{
    CellRange, CellView, Disposition, FORMAT, FieldView, IncidentChoice, IncidentView, Incoming,
    MissionChoice, MissionKey, MissionView, OpeningView, PlantView, QuarantineView, Refused, RobotView,
    Store, StoreCounts, StoreError, Stores, TrackView,
};
use kompas_field::ids::{FarmId, FieldId, MissionId};
use kompas_field::{Field, PlantClass};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod commit;
mod project;
mod read;

const TRUTH: &str = include_str!("truth.sql");
const PROJECTIONS: &str = include_str!("projections.sql");
const PROJECTION_TABLES: [&str; 10] = [
    "robots",
    "fields",
    "missions",
    "products",
    "plants",
    "openings",
    "sprayed",
    "track",
    "cells",
    "incidents",
];

/// Readers never wait for the writer (WAL); writers wait for each other for as long as a checkpoint may take.
const BUSY: Duration = Duration::from_secs(10);

fn sql(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}

/// One connection.
#[derive(Debug)]
pub struct SqliteStore {
    db: Connection,
}

/// Where connections come from.
#[derive(Debug, Clone)]
pub struct SqliteFile(PathBuf);

impl SqliteFile {
    /// The store at `path`, made when it is not there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Stores for SqliteFile {
    fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(SqliteStore::open(&self.0)?))
    }
}

impl SqliteStore {
    /// Opens or makes the store at `path`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = Connection::open(path).map_err(sql("open the store"))?;
        db.busy_timeout(BUSY).map_err(sql("open the store"))?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(sql("switch on the write-ahead log"))?;
        db.pragma_update(None, "synchronous", "FULL").map_err(sql("switch on full sync"))?;
        let mut store = Self { db };
        if store.format()? != FORMAT {
            store.make(path)?;
        }
        Ok(store)
    }

    fn format(&self) -> Result<i64, StoreError> {
        self.db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(sql("read the store's format"))
    }

    fn make(&mut self, path: &Path) -> Result<(), StoreError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql("begin making the store"))?;
        // Read again: another connection may have made it meanwhile.
        let found: i64 =
            tx.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(sql("read the store's format"))?;
        if found > FORMAT {
            let path = path.display().to_string();
            return Err(StoreError::NewerFormat { path, found, known: FORMAT });
        }
        if found < FORMAT {
            tx.execute_batch(TRUTH).map_err(sql("make the store"))?;
            let records: i64 = tx
                .query_row("SELECT count(*) FROM records", [], |r| r.get(0))
                .map_err(sql("count the records"))?;
            if records > 0 {
                let remedy = "wait; if it is ended now, it begins anew";
                tracing::warn!(records, found, FORMAT, "the map is made again for a newer format: {remedy}");
            }
            rebuild(&tx)?;
            tx.pragma_update(None, "user_version", FORMAT).map_err(sql("make the store"))?;
        }
        tx.commit().map_err(sql("make the store"))
    }
}

/// Deletes every projection and makes it again; how many records were read.
fn rebuild(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    for table in PROJECTION_TABLES {
        tx.execute_batch(&format!("DROP TABLE IF EXISTS {table}")).map_err(sql("delete a projection"))?;
    }
    tx.execute_batch(PROJECTIONS).map_err(sql("make the projections"))?;
    project::everything(tx)
}

impl Store for SqliteStore {
    fn commit(&mut self, records: &[Incoming], refused: &[Refused]) -> Result<Vec<Disposition>, StoreError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql("begin a commit"))?;
        let dispositions = commit::all(&tx, records, refused)?;
        tx.commit().map_err(sql("bring records to disk"))?;
        Ok(dispositions)
    }

    fn rebuild(&mut self) -> Result<u64, StoreError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql("begin a rebuild"))?;
        let read = rebuild(&tx)?;
        tx.commit().map_err(sql("bring projections to disk"))?;
        Ok(read)
    }

    fn id(&self) -> Result<String, StoreError> {
        let id = self.db.query_row("SELECT value FROM facts WHERE name = 'id'", [], |r| r.get(0));
        id.map_err(sql("read the store's name"))
    }

    fn counts(&self) -> Result<StoreCounts, StoreError> {
        read::counts(&self.db).map_err(sql("count records"))
    }

    fn robots(&self) -> Result<Vec<RobotView>, StoreError> {
        read::robots(&self.db).map_err(sql("read robots"))
    }

    fn fields(&self) -> Result<Vec<FieldView>, StoreError> {
        read::fields(&self.db).map_err(sql("read fields"))
    }

    fn field(&self, farm: &FarmId, id: &FieldId) -> Result<Option<Field>, StoreError> {
        read::field(&self.db, farm, id)
    }

    fn field_of(&self, mission: &MissionKey) -> Result<Option<Field>, StoreError> {
        read::field_of(&self.db, mission)
    }

    fn missions(&self, choice: &MissionChoice) -> Result<Vec<MissionView>, StoreError> {
        read::missions(&self.db, choice)
    }

    fn mission(&self, id: &MissionKey) -> Result<Option<MissionView>, StoreError> {
        read::mission(&self.db, id)
    }

    fn farms_with(&self, mission: &MissionId) -> Result<Vec<FarmId>, StoreError> {
        read::farms_with(&self.db, mission)
    }

    fn cells(&self, mission: &MissionKey) -> Result<Vec<CellView>, StoreError> {
        let crop = self.crop_of(mission)?;
        read::cells(&self.db, mission, crop).map_err(sql("read grid cells"))
    }

    fn plants(
        &self,
        mission: &MissionKey,
        within: Option<CellRange>,
        classes: &[PlantClass],
        most: usize,
    ) -> Result<Vec<PlantView>, StoreError> {
        read::plants(&self.db, mission, within, classes, most)
    }

    fn plant(
        &self,
        mission: &MissionKey,
        robot: &str,
        boot: &str,
        plant: u64,
    ) -> Result<Option<PlantView>, StoreError> {
        read::plant(&self.db, mission, robot, boot, plant)
    }

    fn openings(
        &self,
        mission: &MissionKey,
        within: Option<CellRange>,
        most: usize,
    ) -> Result<Vec<OpeningView>, StoreError> {
        read::openings(&self.db, mission, within, most)
    }

    fn track(&self, mission: &MissionKey) -> Result<Vec<TrackView>, StoreError> {
        read::track(&self.db, mission).map_err(sql("read the track"))
    }

    fn incidents(&self, choice: &IncidentChoice) -> Result<Vec<IncidentView>, StoreError> {
        read::incidents(&self.db, choice)
    }

    fn quarantine(&self, most: u32) -> Result<Vec<QuarantineView>, StoreError> {
        read::quarantine(&self.db, most).map_err(sql("read the quarantine"))
    }
}
