//! Boundary, rig and weed map to a checked, drivable treatment plan.
//!
//! # The public API in one screen
//!
//! ```text
//! import::field_from_file(path, FieldId, FieldCrop)    -> Result<(Field, warnings), ImportError>
//! plan(&Field, Option<&WeedMap>, &Rig, &Policy)        -> Result<Plan, PlanError>     pure, deterministic
//! resume(&Plan, &Pose2, driven, &Field, map, &Rig, &Policy) the rest, from where the robot stands, after new weeds
//! crew(&Plan, robots, &Field, map, &Rig, &Policy)      -> Result<Vec<Plan>, PlanError>, finished at the same time
//! with_stops(&Plan, &Supply, &Field, map, &Rig, &Policy)   ways to tank and battery before they run out
//! check(&Plan, &Field, &Rig)                           -> Vec<Finding>                shares only the types with plan
//! Plan::to_json() / Plan::from_json(text)              from_json refuses a changed plan
//! PathSampler::new(&plan).at(Metres) -> OnPath         pose, leg, implement, gear by distance driven
//! export::path_geojson::path_geojson(&plan)            -> GeoJSON text, lines in driving order
//! ```
//!
//! A [`Plan`] is data: [`Plan::path`] is a list of legs (points in [`kompas_field::FieldFrame`], gear, implement on
//! or off), [`Plan::swaths`] the straight passes, [`Plan::prescription`] the rate per grid cell, and
//! [`Plan::schedule`] the stretches of path over which each nozzle is open by that rate: for machines that treat square
//! metres, and for litres and stops. A robot that sees plants takes path, zones and the cells with a rate, and decides for
//! every plant in them itself. Before driving, it compares [`Plan::made_for`] with its own field and rig and runs
//! [`check()`] again.

pub mod check;
mod coverage;
pub mod crew;
pub mod crs;
pub mod drive;
pub mod export;
mod geometry;
pub mod import;
pub mod plan;
mod planner;
pub mod policy;
pub mod prescribe;
pub mod resume;
mod schedule;
pub mod selective;
mod steady;
pub mod supply;
pub mod survey;
pub mod zones;

pub use check::check;
pub use coverage::curve::CurveError;
pub use crew::crew;
pub use drive::{OnPath, PathSampler};
pub use plan::{
    Gear, Generation, Leg, LegKind, MadeFor, NozzleRun, Plan, PlanFileError, PlannedSwath, Summary,
};
pub use planner::{PlanError, plan};
pub use policy::Policy;
pub use resume::resume;
pub use supply::{Supply, with_stops};
pub use zones::SprayFreeZone;
