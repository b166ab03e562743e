//! From pixels to places in the field.

use crate::camera::Camera;
use crate::plants::{Detection, LeafPixels};
use kompas_field::units::Metres;
use kompas_field::{Confidence, FieldFrame, Point2, Pose2, RobotFrame, Sighting, Transform2};
use std::f64::consts::PI;

/// A detection at its place in the field.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundDetection {
    /// Place, class, confidence and area.
    pub sighting: Sighting,
    /// The edge of the picture cuts it: place and area belong to the part that was seen.
    pub cut: bool,
    /// How far its place may lie too far out, because leaves stand above the ground.
    pub lean: Metres,
    /// Where its leaves are; those that do not meet the ground are left out.
    pub leaves: Vec<Leaf>,
}

/// Leaf of one plant on a small piece of ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaf {
    /// Its middle.
    pub place: Point2<FieldFrame>,
    /// How much there is, in cm².
    pub area_cm2: f64,
}

impl Leaf {
    /// Of the disc as large as it is.
    pub fn radius(&self) -> Metres {
        Metres::new(disc_radius_m(self.area_cm2))
    }
}

/// Of a disc of this area.
pub(crate) fn disc_radius_m(area_cm2: f64) -> f64 {
    (area_cm2.max(0.0) * 1e-4 / PI).sqrt()
}

/// Leaves stand up to this high over the radius of the disc as large as their area: a rosette with upright
/// leaves. Flat ones lean less than is allowed for.
const HEIGHT_PER_RADIUS: f64 = 1.0;

/// The detections on the ground, for a robot that stood at `pose` (with one standard deviation `sigma` per
/// axis) when the picture was taken. A detection whose stem does not meet the ground is left out.
///
/// A leaf at height p lands x · p / (H − p) too far out. Nobody knows p, so a sighting far from the point under
/// the lens is less sure of its place: one standard deviation is half of the largest lean.
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
        let area_m2 = f64::from(detection.area_px) * pixel_m2;
        let highest = (HEIGHT_PER_RADIUS * (area_m2 / PI).sqrt()).min(0.5 * camera.height().get());
        let out = stem.distance(camera.nadir()).get();
        let lean = Metres::new(out * highest / (camera.height().get() - highest));
        let sighting = Sighting {
            position: &field_from_robot * stem,
            sigma: Metres::new(sigma.get().max(pixel_m2.sqrt()).hypot(lean.get() / 2.0)),
            class: detection.class,
            confidence: Confidence::clamped(detection.confidence),
            area_cm2: area_m2 * 1e4,
        };
        let on_ground = |seen: &LeafPixels| {
            let place = &field_from_robot * camera.ground_from_pixel(seen.middle_px)?;
            Some(Leaf { place, area_cm2: f64::from(seen.area_px) * pixel_m2 * 1e4 })
        };
        let leaves = detection.leaves.iter().filter_map(on_ground).collect();
        Some(GroundDetection { sighting, cut: detection.cut, lean, leaves })
    };
    detections.iter().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plants::PixelBox;
    use kompas_field::PlantClass;
    use kompas_field::rig::CameraRig;
    use kompas_field::units::Radians;

    fn level_camera() -> Camera {
        Camera::new(&CameraRig {
            width_px: 1280,
            height_px: 960,
            focal_x_px: 1000.0,
            focal_y_px: 1000.0,
            centre_x_px: 640.0,
            centre_y_px: 480.0,
            distortion: [0.0; 5],
            height_m: 0.8,
            forward_m: 1.5,
            left_m: 0.0,
            pitch_deg: 0.0,
            roll_deg: 0.0,
            yaw_deg: 0.0,
        })
    }

    fn detection(stem_px: [f64; 2], area_px: u32) -> Detection {
        let bounds = PixelBox { left: 0, top: 0, right: 1, bottom: 1 };
        let class = PlantClass::SugarBeet;
        let leaves = vec![LeafPixels { middle_px: [stem_px[0] + 10.0, stem_px[1]], area_px }];
        Detection {
            class,
            confidence: 0.9,
            area_px,
            centroid_px: stem_px,
            stem_px,
            bounds,
            cut: false,
            leaves,
        }
    }

    /// By hand: 0.8 mm per pixel; 100 px above the middle is 8 cm further on, and the robot drives north.
    #[test]
    fn pixels_become_metres_in_the_field() {
        let north = Pose2::new(Point2::new(100.0, 200.0), Radians::new(std::f64::consts::FRAC_PI_2));
        let seen = project(&[detection([740.0, 380.0], 10_000)], &level_camera(), &north, Metres::new(0.01));
        let sighting = &seen[0].sighting;
        assert!(sighting.position.distance(Point2::new(100.08, 201.58)).get() < 1e-9);
        assert!((sighting.area_cm2 - 64.0).abs() < 1e-9);
        // 64 cm² are a disc of 4.51 cm; 11.3 cm out, leaves as high land 0.68 cm too far from 80 cm.
        let lean = 0.08 * 2_f64.sqrt() * 0.045_135 / (0.8 - 0.045_135);
        assert!((seen[0].lean.get() - lean).abs() < 1e-6);
        assert!((sighting.sigma.get() - 0.01_f64.hypot(lean / 2.0)).abs() < 1e-6);
        assert_eq!(sighting.class, PlantClass::SugarBeet);
        // To the right in the picture is east for a robot that drives north.
        assert!(seen[0].leaves[0].place.distance(Point2::new(100.088, 201.58)).get() < 1e-9);
        assert!((seen[0].leaves[0].area_cm2 - 64.0).abs() < 1e-9);
    }
}
