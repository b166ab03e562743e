//! A plant seen at a place.

use crate::frame::{FieldFrame, Point2};
use crate::plant::PlantClass;
use crate::units::Metres;
use serde::{Deserialize, Serialize};

/// How sure the recogniser is of the class: 0 (not at all) to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

/// A confidence outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a confidence: it lies between 0 and 1")]
pub struct NotAConfidence(pub f64);

impl Confidence {
    /// # Errors
    /// [`NotAConfidence`] below 0, above 1 or NaN.
    pub fn new(value: f64) -> Result<Self, NotAConfidence> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAConfidence(value)) }
    }

    /// `value` brought into 0 to 1; NaN becomes 0.
    pub const fn clamped(value: f64) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Confidence {
    type Error = NotAConfidence;
    fn try_from(value: f64) -> Result<Self, NotAConfidence> {
        Self::new(value)
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> f64 {
        confidence.0
    }
}

/// One plant seen in one frame, at its place in the field. When it was true stands beside it
/// ([`crate::time::Stamped`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Where the stem enters the ground.
    pub position: Point2<FieldFrame>,
    /// One standard deviation of the position, per axis.
    #[serde(rename = "sigma_m")]
    pub sigma: Metres,
    /// What it is.
    pub class: PlantClass,
    /// How sure.
    pub confidence: Confidence,
    /// Leaf area seen from above, on the ground plane.
    pub area_cm2: f64,
}
