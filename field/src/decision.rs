//! What was decided about a plant, and why. The reason is a rule with its numbers, not a sentence.

use crate::frame::{FieldFrame, Point2};
use crate::grid::CellIndex;
use crate::plant::{PlantClass, PlantRole};
use crate::sighting::Confidence;
use crate::time::RobotInstant;
use crate::units::LitresPerHectare;
use serde::{Deserialize, Serialize};

/// A plant followed over frames: numbered from 0 within one boot of one robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlantNumber(pub u64);

/// What the robot was told to do with a plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Spray it.
    Treat,
    /// Leave it.
    Leave,
}

/// Why the guard kept a nozzle shut. In the order in which the guard asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBecause {
    /// The emergency stop is latched.
    EmergencyStop,
    /// The mission is not in treatment (not started, paused, done).
    MissionNotTreating,
    /// No record can be written: treatment without a record does not happen.
    RecorderUnavailable,
    /// The boom's controller does not answer.
    BoomUnavailable,
    /// No pose, or one older than allowed.
    PoseStale,
    /// No fix, or one of a quality below the policy.
    FixTooPoor,
    /// Reported position error above the policy.
    PositionErrorTooLarge,
    /// Position moved further than motion and error explain.
    PositionJumped,
    /// The camera gives nothing usable, or its last frame is older than allowed.
    CameraStale,
    /// The spray would land outside the boundary or in an exclusion.
    OutsideGeofence,
    /// The robot drives faster than the boom can follow.
    TooFast,
    /// The robot stands over what is to be sprayed, or drives so slowly that a nozzle would give more than is allowed.
    TooSlow,
    /// The plan's swath does not treat here (turning, transit).
    ImplementOff,
}

/// The rule that decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Rule {
    /// A weed or volunteer, certain and large enough, in a cell with a rate.
    TreatUnwanted {
        /// What it is here.
        role: PlantRole,
    },
    /// The field's crop, or another cultivated plant.
    ProtectCrop {
        /// What it is here.
        role: PlantRole,
    },
    /// An unwanted plant so close to a crop plant that the spray would hit both.
    CropTooClose {
        /// From its stem to the nearest crop stem; or, where half of its leaf could not be sprayed, from the first leaf
        /// left out to the nearest stem or leaf of the crop.
        distance_m: f64,
        /// What is needed.
        wanted_m: f64,
    },
    /// Not certain enough.
    ConfidenceTooLow {
        /// What is needed.
        wanted: Confidence,
    },
    /// Smaller than what is worth a shot.
    TooSmall {
        /// Leaf area seen; in JSON under a name of its own beside the decision's `area_cm2`.
        #[serde(rename = "seen_cm2")]
        area_cm2: f64,
        /// What is needed.
        wanted_cm2: f64,
    },
    /// The plan gives this cell no product.
    CellNotPrescribed,
    /// Seen too late: the nozzle would have had to open before now.
    TooLate {
        /// By how much.
        late_ms: f64,
    },
    /// No nozzle passes over it on this swath.
    OutOfReach,
    /// The guard kept the nozzle shut.
    Closed {
        /// Why.
        because: ClosedBecause,
    },
}

/// One plant, decided once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Which plant.
    pub plant: PlantNumber,
    /// Its place, metres in the field's frame.
    pub position: Point2<FieldFrame>,
    /// The grid cell it stands in; none off the grid.
    pub cell: Option<CellIndex>,
    /// What it was taken for.
    pub class: PlantClass,
    /// How surely.
    pub confidence: Confidence,
    /// Leaf area seen from above.
    pub area_cm2: f64,
    /// Frames it was seen in.
    pub frames_seen: u32,
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    #[serde(flatten)]
    pub rule: Rule,
    /// What lands on wetted ground while the nozzle is open, by its flow, its fan and the speed when it was decided; 0
    /// when left.
    pub rate_l_per_ha: LitresPerHectare,
    /// Nozzles told to open for it.
    pub nozzles: Vec<u16>,
    /// When it was decided.
    pub decided_at: RobotInstant,
}
