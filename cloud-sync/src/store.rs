//! The cloud's truth and what is drawn from it.
//!
//! # Invariants
//! - [`Store::commit`] returns after everything in it is on disk, or nothing is.
//! - A record is stored once, under (robot, boot, seq); the bytes stay as they came.
//! - Projections follow from the records alone: [`Store::rebuild`] gives the same rows.
//! - Nothing that arrived is thrown away: what cannot be stored as a record is quarantined.

use kompas_field::ids::{FarmId, FieldId, MissionId};
use kompas_field::{Digest, Envelope, Field, Payload, PlantClass, RecordKey, WallTime};

mod choices;
pub(crate) mod possible;
pub mod sqlite;
mod views;

pub use choices::{CellRange, IncidentChoice, IncidentCursor, MissionChoice, MissionKey, NoMissionKey};

pub use views::{
    CellView, FieldView, IncidentView, MissionView, OpeningView, PlantView, QuarantineView, RobotView,
    StoreCounts, TrackView,
};

/// Of truth and projections together: whoever changes either, or what projections hold, counts it up. A store of
/// an older format makes its projections again, and reads what an older program could not; a reader's copy of an answer
/// is of its format. Records of an enum that got a variant are such: count up then, too.
pub const FORMAT: i64 = 15;

/// A record as it arrived, read as far as this program can.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Of the topic.
    pub farm: FarmId,
    /// Of the topic; whoever sends under another's name is refused before.
    pub topic: String,
    /// The record.
    pub envelope: Envelope,
    /// What it says, or why this program cannot read it: of a schema, or with a content, that a newer robot writes.
    pub payload: Result<Payload, String>,
    /// Of `wire`.
    pub sha256: Digest,
    /// As it came.
    pub wire: Vec<u8>,
    /// The cloud's clock.
    pub received: WallTime,
}

/// Something that arrived and is no record.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Where it was sent.
    pub topic: String,
    /// In one word, for counting.
    pub why: RefusedBecause,
    /// For people.
    pub detail: String,
    /// Its name, where it has one.
    pub key: Option<RecordKey>,
    /// Of `wire`.
    pub sha256: Digest,
    /// As it came.
    pub wire: Vec<u8>,
    /// The cloud's clock.
    pub received: WallTime,
}

/// Why something is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBecause {
    /// Not an envelope.
    NotARecord,
    /// Larger than the wire allows.
    TooLarge,
    /// The envelope names another robot than the topic.
    OtherSender,
    /// The payload is not what the envelope's hash says: changed on the way. Not receipted, so it is sent again.
    ChangedOnTheWay,
    /// It reads, but a number in it cannot be.
    Impossible,
    /// It reads, but holds a number that no store can.
    Unstorable,
    /// Another record has the same key.
    SameKey,
}

impl RefusedBecause {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotARecord => "not_a_record",
            Self::TooLarge => "too_large",
            Self::OtherSender => "other_sender",
            Self::ChangedOnTheWay => "changed_on_the_way",
            Self::Impossible => "impossible",
            Self::Unstorable => "unstorable",
            Self::SameKey => "same_key",
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Stored now.
    New,
    /// Stored now, but another run of this robot has written a record with this number, which no outbox gives out twice:
    /// two robots share a name, or an outbox was copied, restored or lost. Both stay, and are disputed.
    NewOfTwo,
    /// Was stored before, byte for byte.
    Again,
    /// Another one is stored under its key: both are in quarantine.
    Disputed,
    /// It reads, but holds a number that no store can: in quarantine.
    Unstorable,
}

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("cannot {doing}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// Its words.
        #[source]
        source: rusqlite::Error,
    },
    /// A stored value that this program cannot read: a newer version wrote it, or the disk changed it.
    #[error("a stored {what} does not read")]
    Unreadable {
        /// Which kind of value.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a later version of this program.
    #[error("{path} has format {found}, this program knows {known}: use the newer program")]
    NewerFormat {
        /// The file.
        path: String,
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
}

/// Opens connections to one store; each reader has its own.
pub trait Stores: Send + Sync {
    /// # Errors
    /// [`StoreError`].
    fn open(&self) -> Result<Box<dyn Store>, StoreError>;
}

/// One connection to the cloud's truth. Lists come sorted and without geometry.
pub trait Store: Send {
    /// Stores all of it in one transaction; what became of each record, in order, after it is on disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is stored.
    fn commit(&mut self, records: &[Incoming], refused: &[Refused]) -> Result<Vec<Disposition>, StoreError>;

    /// Deletes every projection and makes it again from the records; how many were read.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed.
    fn rebuild(&mut self) -> Result<u64, StoreError>;

    /// A random name of eight letters and digits that this store was made with, and no other has.
    ///
    /// # Errors
    /// [`StoreError`].
    fn id(&self) -> Result<String, StoreError>;

    /// # Errors
    /// [`StoreError`].
    fn counts(&self) -> Result<StoreCounts, StoreError>;

    /// By farm and name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn robots(&self) -> Result<Vec<RobotView>, StoreError>;

    /// By farm and name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn fields(&self) -> Result<Vec<FieldView>, StoreError>;

    /// As the mission that began last had it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn field(&self, farm: &FarmId, id: &FieldId) -> Result<Option<Field>, StoreError>;

    /// As this mission had it: a boundary or a crop that changed since does not change what was done.
    ///
    /// # Errors
    /// [`StoreError`].
    fn field_of(&self, mission: &MissionKey) -> Result<Option<Field>, StoreError>;

    /// The last one first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn missions(&self, choice: &MissionChoice) -> Result<Vec<MissionView>, StoreError>;

    /// # Errors
    /// [`StoreError`].
    fn mission(&self, id: &MissionKey) -> Result<Option<MissionView>, StoreError>;

    /// The farms that have a mission of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn farms_with(&self, mission: &MissionId) -> Result<Vec<FarmId>, StoreError>;

    /// Grid cells in which something was seen or done, by column and row.
    ///
    /// # Errors
    /// [`StoreError`].
    fn cells(&self, mission: &MissionKey) -> Result<Vec<CellView>, StoreError>;

    /// Plants of these classes (none: of all) in these grid cells (none: everywhere), by robot, boot and number, at
    /// most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn plants(
        &self,
        mission: &MissionKey,
        within: Option<CellRange>,
        classes: &[PlantClass],
        most: usize,
    ) -> Result<Vec<PlantView>, StoreError>;

    /// One plant by its name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn plant(
        &self,
        mission: &MissionKey,
        robot: &str,
        boot: &str,
        plant: u64,
    ) -> Result<Option<PlantView>, StoreError>;

    /// Nozzle openings that crossed these grid cells (none: everywhere), in order of recording, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn openings(
        &self,
        mission: &MissionKey,
        within: Option<CellRange>,
        most: usize,
    ) -> Result<Vec<OpeningView>, StoreError>;

    /// In time order, boot by boot.
    ///
    /// # Errors
    /// [`StoreError`].
    fn track(&self, mission: &MissionKey) -> Result<Vec<TrackView>, StoreError>;

    /// The last ones first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn incidents(&self, choice: &IncidentChoice) -> Result<Vec<IncidentView>, StoreError>;

    /// What needs a person, the last first, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn quarantine(&self, most: u32) -> Result<Vec<QuarantineView>, StoreError>;
}
