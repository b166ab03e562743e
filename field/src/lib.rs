//! The shared vocabulary of Kompas: units, frames, time, ids, boundary, grid, plants, weed map,
//! prescription and records.
//!
//! No I/O, no async, no clock reads, no model code. Words are those of `GLOSSARY.md`.

pub mod boundary;
pub mod decision;
pub mod digest;
pub mod finding;
pub mod frame;
pub mod geodetic;
pub mod grid;
pub mod ids;
pub mod parcel;
pub mod plant;
pub mod prescription;
pub mod record;
pub mod rig;
pub mod sighting;
pub mod time;
pub mod units;
pub mod weed_map;

pub use boundary::{Boundary, RawBoundary};
pub use decision::{ClosedBecause, Decision, PlantNumber, Rule, Verdict};
pub use digest::Digest;
pub use finding::{Finding, Findings, Severity};
pub use frame::{FieldFrame, Point2, Pose2, RobotFrame, Transform2};
pub use geodetic::{Datum, FieldPlane, Geodetic};
pub use grid::{CellIndex, Grid};
pub use parcel::Field;
pub use plant::{FieldCrop, PlantClass, PlantRole};
pub use prescription::{FallbackRates, Prescription};
pub use record::{Envelope, Payload, RecordKey};
pub use rig::Rig;
pub use sighting::{Confidence, Sighting};
pub use time::{Clock, ClockQuality, ManualClock, RobotInstant, Stamped, WallTime};
pub use weed_map::{CellTally, WeedMap};
