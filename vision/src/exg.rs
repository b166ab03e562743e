//! Excess green: the fallback that needs no model. Plant or soil, nothing more.
//!
//! ExG = 2g − r − b on chromatic coordinates r = R/(R+G+B) and so on (Woebbecke et al. 1995), from −1 to 2.
//! The threshold is Otsu's on the frame at hand, but never below a floor: bare soil has two noise classes
//! too, and they must not become plants.

use crate::segment::{ClassMap, SegmentError, Segmenter};
use image::RgbImage;
use kompas_field::PlantClass;

/// ExG from −1 to 2 in 256 steps.
const STEPS_PER_UNIT: f32 = 85.0;
/// Below this ExG nothing is a plant, whatever Otsu says: dry soil, straw and stones stay under it.
const FLOOR: f32 = 0.08;
/// Above this ExG everything is a plant: a closed canopy has no soil for Otsu to find.
const CEILING: f32 = 0.25;
/// R+G+B below this is shadow: chromatic coordinates of three small integers are noise.
const DARKEST_SUM: u16 = 36;

/// Green is plant, the rest is soil.
#[derive(Debug, Clone)]
pub struct ExcessGreen {
    plant: PlantClass,
    index: Vec<u8>,
}

impl Default for ExcessGreen {
    fn default() -> Self {
        Self::calling_plants(PlantClass::Weed)
    }
}

impl ExcessGreen {
    /// Every plant gets this class; excess green itself cannot tell crop from weed.
    pub const fn calling_plants(plant: PlantClass) -> Self {
        Self { plant, index: Vec::new() }
    }
}

impl Segmenter for ExcessGreen {
    fn id(&self) -> &'static str {
        "exg-1"
    }

    fn segment(&mut self, image: &RgbImage) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        self.index.clear();
        self.index.extend(image.as_raw().chunks_exact(3).map(|p| index_of(p[0], p[1], p[2])));
        let threshold = threshold_of(&histogram(&self.index));
        let soil = PlantClass::Soil.id();
        let plant = self.plant.id();
        let class_ids = self.index.iter().map(|&i| if i > threshold { plant } else { soil }).collect();
        let confidence = self.index.iter().map(|&i| confidence_of(i, threshold)).collect();
        ClassMap::new(width, height, class_ids, confidence)
    }
}

/// ExG in steps; 0 for shadow.
fn index_of(r: u8, g: u8, b: u8) -> u8 {
    let (r, g, b) = (u16::from(r), u16::from(g), u16::from(b));
    let sum = r + g + b;
    if sum < DARKEST_SUM {
        return 0;
    }
    // 2g − r − b = 3g − 1 on chromatic coordinates, so +1 makes it 3G/sum, never negative.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255 by construction")]
    let step = (f32::from(3 * g) / f32::from(sum) * STEPS_PER_UNIT) as u8;
    step
}

fn histogram(index: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for &i in index {
        counts[usize::from(i)] += 1;
    }
    counts
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "constants between −1 and 2")]
const fn step_of(exg: f32) -> u8 {
    ((exg + 1.0) * STEPS_PER_UNIT) as u8
}

fn threshold_of(counts: &[u32; 256]) -> u8 {
    otsu(counts).clamp(step_of(FLOOR), step_of(CEILING))
}

/// The step that separates the two classes of least variance within (Otsu 1979).
fn otsu(counts: &[u32; 256]) -> u8 {
    let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
    let moment: f64 = (0u32..).zip(counts).map(|(i, &n)| f64::from(i) * f64::from(n)).sum();
    let (mut below, mut below_moment, mut best) = (0.0, 0.0, (0.0, 0));
    for (step, &n) in (0u8..=255).zip(counts) {
        below += f64::from(n);
        below_moment += f64::from(step) * f64::from(n);
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = below_moment / below - (moment - below_moment) / above;
        let between = below * above * apart * apart;
        if between > best.0 {
            best = (between, step);
        }
    }
    best.1
}

/// Half at the threshold, sure 0.1 of ExG away from it.
fn confidence_of(index: u8, threshold: u8) -> u8 {
    let distance = u16::from(index.abs_diff(threshold)) * 15;
    #[expect(clippy::cast_possible_truncation, reason = "capped at 255")]
    let confidence = (128 + distance).min(255) as u8;
    confidence
}
