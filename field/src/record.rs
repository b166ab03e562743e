//! Versioned facts that leave the robot: envelope and payloads.
//!
//! # Compatibility
//! The schema name carries the version. A reader ignores keys it does not know and keeps records of
//! schemas it does not know, and of this schema with words (variants) it does not know: a newer reader reads
//! them. `tests/golden/records` in the workspace pins the bytes of every payload.

use crate::decision::{ClosedBecause, Decision};
use crate::digest::Digest;
use crate::frame::{FieldFrame, Point2};
use crate::geodetic::Datum;
use crate::grid::CellIndex;
use crate::ids::{BootId, MissionId, PlanId, RobotId};
use crate::parcel::Field;
use crate::time::{ClockQuality, RobotInstant, WallTime};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod opening;

/// A record's name in the whole world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// Who wrote it.
    pub robot_id: RobotId,
    /// In which run of the program.
    pub boot_id: BootId,
    /// Counted per robot, only upwards, never reused.
    pub seq: u64,
}

/// One record as it leaves the robot, at most 64 KiB of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// [`Envelope::SCHEMA`] for those written here.
    pub schema: String,
    /// Robot, boot, sequence.
    #[serde(flatten)]
    pub key: RecordKey,
    /// Calendar time of writing; for people, never for order.
    pub t_wall: WallTime,
    /// Monotonic time of writing.
    pub t_mono: RobotInstant,
    /// Who vouches for the calendar time.
    pub clock_quality: ClockQuality,
    /// What positions in the payload refer to.
    pub datum: Datum,
    /// Of the payload's bytes.
    pub payload_sha256: Digest,
    /// A [`Payload`] of this or another version.
    pub payload: Box<RawValue>,
}

/// Why an envelope's payload is not read.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// A version this program does not know: keep it, flag it.
    #[error("schema {0:?} is not known here")]
    UnknownSchema(String),
    /// Changed or cut on the way.
    #[error("the payload's SHA-256 is {found}, the envelope says {stated}")]
    DigestMismatch {
        /// In the envelope.
        stated: Digest,
        /// Of the bytes.
        found: Digest,
    },
    /// The schema is ours, the content is not.
    #[error("the payload does not read as {schema}", schema = Envelope::SCHEMA)]
    Payload(#[source] serde_json::Error),
}

impl Envelope {
    /// Name and version.
    pub const SCHEMA: &'static str = "kompas.record/1";

    /// The payload, checked.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open(&self) -> Result<Payload, EnvelopeError> {
        let found = Digest::of_bytes(self.payload.get().as_bytes());
        if found != self.payload_sha256 {
            return Err(EnvelopeError::DigestMismatch { stated: self.payload_sha256, found });
        }
        if self.schema != Self::SCHEMA {
            return Err(EnvelopeError::UnknownSchema(self.schema.clone()));
        }
        serde_json::from_str(self.payload.get()).map_err(EnvelopeError::Payload)
    }
}

/// What happened. Class 1 is never dropped, class 3 goes first when the room for waiting records runs out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Payload {
    /// A mission began on a field with a plan. Class 1.
    MissionStarted(MissionStarted),
    /// Where the robot was, a batch. Class 2.
    Track(Track),
    /// Plants decided, a batch. Class 3.
    Plants(Plants),
    /// What nozzles did, a batch. Class 1.
    AsApplied(AsApplied),
    /// Something a person should know. Class 1.
    Incident(Incident),
    /// A mission ended, with its totals. Class 1.
    MissionFinished(MissionFinished),
}

/// How a record is treated when room runs out: what can be measured again goes before what cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8")]
pub enum PriorityClass {
    /// Never dropped.
    Safety,
    /// Dropped after classes 3 and 4.
    Aggregate,
    /// Oldest first.
    Detection,
}

impl From<PriorityClass> for u8 {
    fn from(class: PriorityClass) -> u8 {
        match class {
            PriorityClass::Safety => 1,
            PriorityClass::Aggregate => 2,
            PriorityClass::Detection => 3,
        }
    }
}

impl Payload {
    /// What may happen to it when room runs out.
    pub const fn priority(&self) -> PriorityClass {
        match self {
            Self::MissionStarted(_) | Self::AsApplied(_) | Self::Incident(_) | Self::MissionFinished(_) => {
                PriorityClass::Safety
            }
            Self::Track(_) => PriorityClass::Aggregate,
            Self::Plants(_) => PriorityClass::Detection,
        }
    }

    /// The name in the JSON key `kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MissionStarted(_) => "mission_started",
            Self::Track(_) => "track",
            Self::Plants(_) => "plants",
            Self::AsApplied(_) => "as_applied",
            Self::Incident(_) => "incident",
            Self::MissionFinished(_) => "mission_finished",
        }
    }
}

/// A mission began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissionStarted {
    /// The job.
    pub mission: MissionId,
    /// The field, whole: the cloud may never have seen it.
    pub field: Field,
    /// The plan driven.
    pub plan: PlanId,
    /// The rig's name.
    pub rig: String,
    /// What recognises plants: `exg`, or a model's id.
    pub segmenter: String,
}

/// A batch of poses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// The job.
    pub mission: MissionId,
    /// In time order.
    pub points: Vec<TrackPoint>,
}

/// Where the robot was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackPoint {
    /// When.
    pub true_at: RobotInstant,
    /// Where.
    pub position: Point2<FieldFrame>,
    /// Compass heading.
    pub heading_deg: f64,
    /// One standard deviation as the receiver claims it.
    pub sigma_m: f64,
}

/// A batch of decided plants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plants {
    /// The job.
    pub mission: MissionId,
    /// Each plant once.
    pub decisions: Vec<Decision>,
}

/// A batch of nozzle openings: what was really done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AsApplied {
    /// The job.
    pub mission: MissionId,
    /// The product as entered by a person; none is plain water (tests, demonstration).
    pub product: Option<String>,
    /// In order of opening.
    pub openings: Vec<NozzleOpening>,
}

/// One nozzle, once open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NozzleOpening {
    /// Numbered from 0 at the left.
    pub nozzle: u16,
    /// Valve energised.
    pub opened_at: RobotInstant,
    /// Valve released.
    pub closed_at: RobotInstant,
    /// Where its liquid began to land: after the valve's delay, ahead of the nozzle by the carry of its droplets.
    pub from: Point2<FieldFrame>,
    /// Where the last of it landed.
    pub to: Point2<FieldFrame>,
    /// The grid cell under its middle; none off the grid.
    pub cell: Option<CellIndex>,
    /// Flow × time.
    pub volume_ml: f64,
    /// Wetted ground, m².
    pub area_m2: f64,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The job, where one runs.
    pub mission: Option<MissionId>,
    /// When.
    pub true_at: RobotInstant,
    /// What.
    #[serde(flatten)]
    pub what: IncidentKind,
}

/// What a person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "incident")]
pub enum IncidentKind {
    /// Nozzles were kept shut from here on.
    Closed {
        /// Why.
        because: ClosedBecause,
    },
    /// The last reason to keep nozzles shut is gone.
    Reopened,
    /// A picture that cannot be used.
    FrameUnusable {
        /// Which, as the driver names it.
        frame: String,
        /// Why.
        cause: String,
    },
    /// Records were given up: more were waiting to be sent than the robot keeps room for.
    RecordsDropped {
        /// [`PriorityClass`] as a number.
        class: u8,
        /// How many.
        records: u64,
        /// Their size.
        bytes: u64,
    },
    /// Records were damaged on the robot's disk: they never come.
    RecordsLost {
        /// How many; none: all that waited in a damaged outbox, which nobody can count.
        records: Option<u64>,
        /// Where what is left of them is kept on the robot, for a person.
        kept_in: String,
    },
    /// The program before this one did not end its mission.
    Resumed {
        /// The boot that stopped.
        previous_boot: BootId,
    },
}

/// A mission ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissionFinished {
    /// The job.
    pub mission: MissionId,
    /// Whether the whole path was driven.
    pub completed: bool,
    /// Pictures looked at.
    pub frames: u64,
    /// Pictures that could not be used.
    pub frames_unusable: u64,
    /// Plants decided.
    pub plants: u64,
    /// Of these treated.
    pub plants_treated: u64,
    /// Liquid, from nozzle openings.
    pub volume_l: f64,
    /// Path driven.
    pub driven_m: f64,
}

#[cfg(test)]
mod tests;
