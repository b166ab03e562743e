//! What the store tells readers.

use kompas_field::decision::Decision;
use kompas_field::record::{Incident, MissionFinished, NozzleOpening};
use kompas_field::{CellIndex, FieldCrop, FieldFrame, Point2};
use serde::Serialize;

/// What has arrived, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StoreCounts {
    /// Stored, each once.
    pub records: u64,
    /// Of these: of a schema, or with a content, that this program does not know. On no map until a newer one reads it.
    pub unread: u64,
    /// Of these: another record came with the same key, or with the same number from another run.
    pub disputed: u64,
    /// Stored apart.
    pub quarantined: u64,
}

/// A robot as the cloud knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RobotView {
    /// Its id.
    pub robot: String,
    /// Whose it is.
    pub farm: String,
    /// Stored records.
    pub records: u64,
    /// Of these: as in [`StoreCounts::disputed`]. Two robots may share this name.
    pub disputed: u64,
    /// The last arrival, the cloud's clock.
    pub last_received_ms: i64,
    /// The last writing, the robot's clock.
    pub last_wall_ms: i64,
}

/// A field without its geometry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldView {
    /// Whose it is.
    pub farm: String,
    /// Its name in the farmer's books.
    pub field: String,
    /// What grows there.
    pub crop: String,
    /// Without exclusions.
    pub area_m2: f64,
    /// Jobs done or running on it.
    pub missions: u64,
    /// The last record about it, the robot's clock.
    pub last_wall_ms: Option<i64>,
}

/// A job with its totals so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissionView {
    /// Whose it is.
    pub farm: String,
    /// Its id, of this farm only.
    pub mission: String,
    /// Who does it.
    pub robot: String,
    /// Where; none until the record that says so has arrived. The same for the next five.
    pub field: Option<String>,
    /// What grew there then.
    pub crop: Option<FieldCrop>,
    /// Without exclusions, as the field was then.
    pub area_m2: Option<f64>,
    /// The plan driven.
    pub plan: Option<String>,
    /// The rig's name.
    pub rig: Option<String>,
    /// What recognises plants.
    pub segmenter: Option<String>,
    /// What was sprayed, as entered by a person, each once; none is plain water.
    pub products: Vec<Option<String>>,
    /// The first record, the robot's clock.
    pub first_wall_ms: i64,
    /// The last record, the robot's clock.
    pub last_wall_ms: i64,
    /// The last arrival, the cloud's clock.
    pub last_received_ms: i64,
    /// Stored records about it.
    pub records: u64,
    /// The robot's own totals, once it is done.
    pub finished: Option<MissionFinished>,
    /// Plants decided.
    pub plants: u64,
    /// Of these to be treated.
    pub treated: u64,
    /// Of these weeds and volunteers.
    pub unwanted: u64,
    /// Nozzle openings.
    pub openings: u64,
    /// Liquid.
    pub volume_l: f64,
    /// Ground wetted, overlaps counted twice.
    pub wetted_m2: f64,
    /// Grid cells in which a plant was seen or a nozzle opened.
    pub cells_seen: u64,
    /// Grid cells in which a nozzle opened.
    pub cells_treated: u64,
    /// Grows with every record.
    pub version: u64,
}

/// What was seen and done in one grid cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CellView {
    /// Which.
    #[serde(flatten)]
    pub cell: CellIndex,
    /// Weeds and volunteers.
    pub unwanted: u32,
    /// Plants that are neither.
    pub protected: u32,
    /// Plants to be treated.
    pub treated: u32,
    /// Nozzle openings that crossed it.
    pub openings: u32,
    /// Of their liquid, the part that fell here.
    pub volume_ul: u64,
}

/// A decided plant and who decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlantView {
    /// Of the record.
    pub robot: String,
    /// Of the record.
    pub boot: String,
    /// When, on the robot's calendar.
    pub decided_wall_ms: i64,
    /// What and why.
    #[serde(flatten)]
    pub decision: Decision,
}

/// A nozzle opening and who recorded it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpeningView {
    /// Of the record.
    pub robot: String,
    /// Of the record.
    pub boot: String,
    /// When, on the robot's calendar.
    pub opened_wall_ms: i64,
    /// As entered by a person; none is plain water.
    pub product: Option<String>,
    /// Of its volume, in the grid cells asked for.
    pub here_ml: f64,
    /// What was done.
    #[serde(flatten)]
    pub opening: NozzleOpening,
}

/// A pose.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackView {
    /// Poses of different boots are different lines.
    pub boot: String,
    /// On that boot's clock.
    pub at_ns: u64,
    /// Where.
    pub position: Point2<FieldFrame>,
    /// Compass heading.
    pub heading_deg: f64,
    /// One standard deviation.
    pub sigma_m: f64,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentView {
    /// Whose robot.
    pub farm: String,
    /// Who reported.
    pub robot: String,
    /// In which run.
    pub boot: String,
    /// When, on the robot's calendar.
    pub at_wall_ms: i64,
    /// Its place in the list.
    pub cursor: String,
    /// What.
    #[serde(flatten)]
    pub incident: Incident,
}

/// Something that was stored apart, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineView {
    /// Its number.
    pub id: i64,
    /// Where it was sent.
    pub topic: String,
    /// In one word.
    pub why: String,
    /// For people.
    pub detail: String,
    /// When it came first.
    pub received_ms: i64,
    /// Its size.
    pub bytes: u64,
}
