//! Excess green (ExG): the fallback that needs no model. Plant or soil, nothing more.
//!
//! The index is 2g − r − b on chromatic coordinates r = R/(R+G+B) and so on (Woebbecke et al. 1995), with two
//! changes that measuring on photographs of four cameras asked for:
//!
//! - it is taken of the mean of 5×5 pixels: JPEG keeps colour coarsely, and single pixels of soil are green;
//! - 0.6 of the frame's median brightness is added to the denominator (and to the scale): in shadow the
//!   three channels are small integers, and their ratio is noise.
//!
//! The threshold is Otsu's on the frame at hand within limits. Where Otsu's two classes lie too close
//! together to be plant and soil, the frame is taken for bare soil, and only what stands far out is a plant.

use crate::consensus::FieldMemory;
use crate::segment::{ClassMap, SegmentError, Segmenter};
use image::RgbImage;
use kompas_field::PlantClass;

mod index;
mod threshold;

pub use index::IndexMap;
pub use threshold::threshold_of;

/// Green is plant, the rest is soil.
#[derive(Debug, Clone)]
pub struct ExcessGreen {
    plant: PlantClass,
    index: IndexMap,
}

impl Default for ExcessGreen {
    /// Every plant is a weed.
    fn default() -> Self {
        Self::calling_plants(PlantClass::Weed)
    }
}

impl ExcessGreen {
    /// Every plant gets this class; excess green itself cannot tell crop from weed.
    pub fn calling_plants(plant: PlantClass) -> Self {
        Self { plant, index: IndexMap::default() }
    }
}

impl Segmenter for ExcessGreen {
    fn id(&self) -> &'static str {
        "exg-2"
    }

    fn segment_in(&mut self, image: &RgbImage, _field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        self.index.fill(image);
        let steps = self.index.steps();
        let threshold = threshold_of(&self.index.histogram());
        let (soil, plant) = (PlantClass::Soil.id(), self.plant.id());
        let class_ids = steps.iter().map(|&step| if step > threshold { plant } else { soil }).collect();
        let confidence = steps.iter().map(|&step| confidence_of(step, threshold)).collect();
        ClassMap::new(width, height, class_ids, confidence)
    }
}

/// Half at the threshold; 0.99 from 0.1 of ExG away from it.
fn confidence_of(step: u8, threshold: u8) -> u8 {
    128 + 6 * step.abs_diff(threshold).min(21)
}

#[cfg(test)]
mod tests;
