//! Why there is no plan, for people.

use crate::coverage::curve::CurveError;
use kompas_field::Findings;
use kompas_field::prescription::PrescriptionError;
use kompas_field::weed_map::WeedMapError;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The unfolded boom fits nowhere, or nowhere with room to turn.
    #[error(
        "the rig is {width_m:.2} m wide and turns with {radius_m:.2} m: no way round fits into field {field}: use a narrower rig, or one that turns shorter"
    )]
    NoRoom {
        /// The field.
        field: String,
        /// Widest part, boom unfolded.
        width_m: f64,
        /// Turning radius.
        radius_m: f64,
    },
    /// The unfolded boom gets to a part of the field only.
    #[error(
        "the rig is {width_m:.2} m wide and reaches {share_pct:.0} % of field {field} only: narrow places part the rest from it; make each part a field of its own, or use a narrower rig"
    )]
    FallsApart {
        /// The field.
        field: String,
        /// Widest part, boom unfolded.
        width_m: f64,
        /// What it reaches.
        share_pct: f64,
    },
    /// Boom and antenna are too far apart along the robot.
    #[error(
        "rig {rig}: boom.forward_m = {forward_m}: a boom more than {limit_m} m ahead of or behind the antenna would leave the field in turns: mount the antenna above the boom, and measure again"
    )]
    BoomAhead {
        /// Its name.
        rig: String,
        /// As measured.
        forward_m: f64,
        /// What turns are planned for.
        limit_m: f64,
    },
    /// The weed map is of another field.
    #[error(transparent)]
    ForeignMap(#[from] WeedMapError),
    /// The prescription lies on another grid than the field's.
    #[error(
        "the prescription lies on a grid of {given_cols} × {given_rows} cells, the field on {field_cols} × {field_rows}, or elsewhere: give one on this field's grid"
    )]
    ForeignPrescription {
        /// Of the prescription.
        given_cols: u32,
        /// Of the prescription.
        given_rows: u32,
        /// Of the field.
        field_cols: u32,
        /// Of the field.
        field_rows: u32,
    },
    /// A selective plan for a map without anything to treat.
    #[error(
        "outside of spray-free zones nothing in field {field} reaches the threshold of {min_plants} unwanted plants per grid cell: there is nothing to drive for"
    )]
    NothingToTreat {
        /// The field.
        field: String,
        /// The policy's threshold.
        min_plants: u32,
    },
    /// A selective plan for a prescription without a rate.
    #[error(
        "outside of spray-free zones the prescription has no rate above 0 for field {field}: there is nothing to drive for"
    )]
    NothingPrescribed {
        /// The field.
        field: String,
    },
    /// A selective plan for a map with nothing to treat where the rig gets.
    #[error(
        "{cells} grid cells to treat in field {field}, one of them at ({x_m:.1}, {y_m:.1}) m in its plane, all lie where the rig finds no way over them: treat them by hand or with a rig that gets there"
    )]
    BeyondReach {
        /// The field.
        field: String,
        /// How many.
        cells: usize,
        /// Middle of the first.
        x_m: f64,
        /// Middle of the first.
        y_m: f64,
    },
    /// Nothing leads from where the robot stands to the path.
    #[error(
        "no way leads from ({x_m:.1}, {y_m:.1}) m to the rest of the path: drive the robot onto the headland and try again"
    )]
    NoWay {
        /// Where it stands, in the field's plane.
        x_m: f64,
        /// Where it stands, in the field's plane.
        y_m: f64,
    },
    /// Swaths cannot follow the recorded line.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// A full load does not last for one piece of work and the ways to it.
    #[error(
        "leg {leg} with its ways needs {needed_l:.0} litres and {needed_m:.0} metres, more than a full load: put the supply nearer, or use a larger tank or battery"
    )]
    OutOfSupply {
        /// Index into the plan's path.
        leg: usize,
        /// From the last filling.
        needed_l: f64,
        /// From the last charging, with the way back.
        needed_m: f64,
    },
    /// The plan to go on with is of another field, crop or rig.
    #[error("the plan cannot be gone on with here:\n{0}")]
    Foreign(#[source] Findings),
    /// There is no generation after the plan's.
    #[error(
        "the plan is of generation {generation}, the last there is: finish the robot's mission, then make the plan again with a lower --generation"
    )]
    LastGeneration {
        /// Of the plan.
        generation: u32,
    },
    /// A rate in the policy is negative.
    #[error("the policy asks for an impossible rate")]
    Rate(#[from] PrescriptionError),
    /// The finished plan breaks a promise: a fault of the planner, kept from the robot.
    #[error(
        "the planner made a plan that its checker refuses, so there is none; please report this field:\n{0}"
    )]
    Refused(#[source] Findings),
}
