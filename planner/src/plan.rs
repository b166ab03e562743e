//! The plan: immutable, versioned data that a robot can drive without choosing anything.

use crate::zones::SprayFreeZone;
use kompas_field::ids::{FieldId, PlanId};
use kompas_field::prescription::Prescription;
use kompas_field::units::{LitresPerHectare, Metres};
use kompas_field::{Digest, FieldFrame, FieldPlane, Finding, Point2};
use serde::{Deserialize, Serialize};

/// Counts the plans of one field; a robot refuses one older than it has driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

/// What a plan was made from. Another field, map or rig has another digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFor {
    /// [`kompas_field::Field::digest`].
    pub field: Digest,
    /// Digest of the weed map's JSON form; none where the whole field is treated.
    pub weed_map: Option<Digest>,
    /// Digest of the rig's JSON form.
    pub rig: Digest,
}

/// Gear of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gear {
    /// Nose first.
    Forward,
    /// Backwards: the heading is opposite to the direction of the points.
    Reverse,
}

/// What a leg is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegKind {
    /// Along the boundary or around an exclusion; `pass` 0 is the outermost.
    Headland {
        /// Counted inwards from the edge.
        pass: u32,
    },
    /// One swath: index into [`Plan::swaths`].
    Swath {
        /// The swath.
        swath: u32,
    },
    /// Into a corner or an arm that the rig leaves backwards.
    Spur,
    /// A turn, or a way without work.
    Turn,
}

/// A piece of the path with one gear and one state of the implement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// What it is for.
    pub kind: LegKind,
    /// Whether the boom may work here.
    pub implement: bool,
    /// Gear.
    pub gear: Gear,
    /// Driven line of the point under the antenna; begins where the leg before ends. Bends are sampled at
    /// chords of at most an eighth of the turning radius.
    pub points: Vec<Point2<FieldFrame>>,
}

/// One straight pass over the mainland.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSwath {
    /// Strip of the mainland, counted across; an exclusion cuts a row into several swaths.
    pub row: u32,
    /// Where work begins.
    pub from: Point2<FieldFrame>,
    /// Where it ends.
    pub to: Point2<FieldFrame>,
}

/// One nozzle open over one stretch of the path, before valve delays and carry, which the robot adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NozzleRun {
    /// Left to right, from 0.
    pub nozzle: u16,
    /// Path distance of the antenna at which the nozzle reaches the first edge.
    pub from_m: f64,
    /// Path distance at which it leaves the last edge.
    pub to_m: f64,
    /// What is wanted there.
    pub rate_l_per_ha: LitresPerHectare,
}

/// Lengths and areas, for people; all follow from the rest of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Whole path.
    pub path_m: f64,
    /// With the implement on.
    pub work_m: f64,
    /// Direction of the swaths, degrees clockwise from north, 0 to 180.
    pub swath_heading_deg: f64,
    /// At the rig's top speed, turns included.
    pub drive_time_s: f64,
    /// Grid cells with a rate above zero.
    pub cells_to_treat: u32,
    /// Wetted area of the schedule, m²; overlap between nozzles counts twice.
    pub sprayed_m2: f64,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`Plan::SCHEMA`].
    pub schema: String,
    /// SHA-256 of the plan with this id left empty.
    pub id: PlanId,
    /// Counts the plans of the field.
    pub generation: Generation,
    /// The field.
    pub field_id: FieldId,
    /// Where its plane lies, so that the path can be exported without the field.
    pub datum: FieldPlane,
    /// What it was made from.
    pub made_for: MadeFor,
    /// Straight passes, in the order of the path.
    pub swaths: Vec<PlannedSwath>,
    /// The whole drive.
    pub path: Vec<Leg>,
    /// Rate per grid cell.
    pub prescription: Prescription,
    /// When which nozzle is open, in path order per nozzle.
    pub schedule: Vec<NozzleRun>,
    /// Legs, by their place in the path, whose line bends faster than a rig that states its steering rate can steer: it
    /// slows down or stands there. Empty for rigs that state none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curvature_jumps: Vec<u32>,
    /// Position error that the schedule absorbs.
    pub position_error_m: Metres,
    /// Where nothing may be sprayed.
    pub zones: Vec<SprayFreeZone>,
    /// For people.
    pub summary: Summary,
    /// What a person should know before driving; never of severity error.
    pub findings: Vec<Finding>,
}

impl Plan {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "kompas.plan/1";

    /// The id that belongs to the contents.
    ///
    /// # Panics
    /// Never: a digest's text is a valid id.
    pub fn id_of_contents(&self) -> PlanId {
        let blank = PlanId::new("unsigned").expect("a valid id");
        let text = Digest::of_json(&Self { id: blank, ..self.clone() }).to_string();
        PlanId::new(text).expect("64 hexadecimal digits are a valid id")
    }

    /// The JSON form.
    ///
    /// # Panics
    /// Never: all keys are text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a plan has a JSON form")
    }

    /// Reads a plan and makes sure that nobody changed it.
    ///
    /// # Errors
    /// [`PlanFileError`].
    pub fn from_json(text: &str) -> Result<Self, PlanFileError> {
        let plan: Self = serde_json::from_str(text)?;
        if plan.schema != Self::SCHEMA {
            return Err(PlanFileError::Schema { given: plan.schema });
        }
        let contents = plan.id_of_contents();
        if contents != plan.id {
            return Err(PlanFileError::Changed { id: plan.id, contents });
        }
        Ok(plan)
    }
}

/// Why a text is not a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not the JSON of a plan.
    #[error("the text is not a plan")]
    Json(#[from] serde_json::Error),
    /// A version this program does not read.
    #[error("the schema is {given:?}: this program reads {}: make the plan again", Plan::SCHEMA)]
    Schema {
        /// As given.
        given: String,
    },
    /// The contents do not belong to the id.
    #[error("plan {id} was changed after it was made (its contents are {contents}): make it again")]
    Changed {
        /// As written.
        id: PlanId,
        /// As computed.
        contents: PlanId,
    },
}
