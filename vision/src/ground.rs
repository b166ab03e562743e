//! From pixels to places in the field.

use crate::camera::Camera;
use crate::plants::Detection;
use kompas_field::units::Metres;
use kompas_field::{Confidence, FieldFrame, Pose2, RobotFrame, Sighting, Transform2};

/// A detection at its place in the field.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundDetection {
    /// Place, class, confidence and area.
    pub sighting: Sighting,
    /// The edge of the picture cuts it: place and area belong to the part that was seen.
    pub cut: bool,
}

/// The detections on the ground, for a robot that stood at `pose` (with one standard deviation `sigma` per
/// axis) when the picture was taken. A detection whose stem does not meet the ground is left out.
pub fn project(
    detections: &[Detection],
    camera: &Camera,
    pose: &Pose2<FieldFrame>,
    sigma: Metres,
) -> Vec<GroundDetection> {
    let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(pose);
    let place = |detection: &Detection| {
        let stem = camera.ground_from_pixel(detection.stem_px)?;
        let pixel_m2 = camera.pixel_area_m2(detection.centroid_px)?;
        let sighting = Sighting {
            position: &field_from_robot * stem,
            sigma: sigma.max(Metres::new(pixel_m2.sqrt())),
            class: detection.class,
            confidence: Confidence::clamped(detection.confidence),
            area_cm2: f64::from(detection.area_px) * pixel_m2 * 1e4,
        };
        Some(GroundDetection { sighting, cut: detection.cut })
    };
    detections.iter().filter_map(place).collect()
}
