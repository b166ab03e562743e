//! What the farmer decides, beside field, map and rig.

use crate::plan::Generation;
use crate::zones::SprayFreeZone;
use kompas_field::units::{LitresPerHectare, Metres};
use kompas_field::{FieldFrame, PlantRole, Point2, Prescription};
use serde::{Deserialize, Serialize};

/// Decisions that are neither geometry nor machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Counts the plans of the field.
    pub generation: Generation,
    /// Degrees clockwise from north; none lets the planner choose.
    pub swath_heading_deg: Option<f64>,
    /// A-B line: swaths are parallel to it, and one of them lies on it. Counts before [`Policy::swath_heading_deg`], which
    /// is the A+ heading.
    pub ab_line: Option<[Point2<FieldFrame>; 2]>,
    /// A line recorded by driving: swaths are parallel to it, and one of them lies on it. Counts before
    /// [`Policy::ab_line`]; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<Point2<FieldFrame>>,
    /// Where the robot comes in; none lets the planner choose.
    pub entry: Option<Point2<FieldFrame>>,
    /// Rate where a grid cell is treated.
    pub rate_l_per_ha: LitresPerHectare,
    /// A grid cell is treated from this many unwanted plants on.
    pub min_plants: u32,
    /// Whether swaths and headland passes with nothing to treat are left out. Only with a weed map or a
    /// prescription.
    pub selective: bool,
    /// What counts as unwanted.
    pub unwanted: Vec<PlantRole>,
    /// Position error the nozzle schedule must absorb, on every side of a grid cell.
    pub position_error: Metres,
    /// Rates that somebody else decided, on the field's grid: count instead of weed map, threshold and
    /// [`Policy::rate_l_per_ha`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prescription: Option<Prescription>,
    /// Where nothing may be sprayed.
    pub zones: Vec<SprayFreeZone>,
}

impl Policy {
    /// The reference job: weeds and volunteers, one plant is enough, 3 cm of position error (RTK).
    pub fn reference() -> Self {
        Self {
            generation: Generation(1),
            swath_heading_deg: None,
            ab_line: None,
            curve: vec![],
            entry: None,
            rate_l_per_ha: LitresPerHectare::new(200.0),
            min_plants: 1,
            selective: false,
            unwanted: vec![PlantRole::Weed, PlantRole::Volunteer],
            position_error: Metres::new(0.03),
            prescription: None,
            zones: vec![],
        }
    }
}
