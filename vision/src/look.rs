//! Frame in, plants in pixels out: the vision half of the robot's tick.

use crate::plants::{Detection, PlantRules, find_plants};
use crate::segment::{SegmentError, Segmenter};
use crate::usable::{Unusable, unusable};
use image::RgbImage;

/// What one frame shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// The plants in it, in reading order; none on bare soil.
    Plants(Vec<Detection>),
    /// It shows nothing, and says why. Not the same as no plants.
    Unusable(Unusable),
}

/// A segmenter and the rules by which its pixels become plants.
pub struct PlantFinder {
    segmenter: Box<dyn Segmenter>,
    rules: PlantRules,
}

impl PlantFinder {
    /// With the given parts.
    pub fn new(segmenter: Box<dyn Segmenter>, rules: PlantRules) -> Self {
        Self { segmenter, rules }
    }

    /// What finds the plants, for records.
    pub fn segmenter_id(&self) -> &str {
        self.segmenter.id()
    }

    /// Looks at one frame.
    ///
    /// # Errors
    /// [`SegmentError`] when the segmenter fails; an unusable frame is not an error.
    pub fn look(&mut self, image: &RgbImage) -> Result<Look, SegmentError> {
        if let Some(reason) = unusable(image) {
            return Ok(Look::Unusable(reason));
        }
        Ok(Look::Plants(find_plants(&self.segmenter.segment(image)?, &self.rules)))
    }
}
