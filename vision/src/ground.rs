//! From pixels to places in the field.

use crate::camera::Camera;
use crate::plants::{Detection, LeafPixels};
use kompas_field::units::Metres;
use kompas_field::{Confidence, FieldFrame, PlantClass, Point2, Pose2, RobotFrame, Sighting, Transform2};
use std::collections::BTreeMap;
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

/// Weeds that touch are one piece of a picture. One whose leaves reach farther than this from its stem is no plant but a
/// mat, and is taken apart.
const MAT_REACH_M: f64 = 0.5;
/// Side of the squares of the field by which it is: the same ones in every picture, so that each part is one plant over all
/// of them; small enough that no leaf is as far from its part's middle as a mat reaches.
const MAT_SQUARE_M: f64 = 0.3;

/// The detections on the ground, for a robot that stood at `pose` (with one standard deviation `sigma` per
/// axis) when the picture was taken. A detection whose stem does not meet the ground is left out; a mat of weeds becomes
/// one for each square of 30 cm of the field that it covers, in the middle of what it covers of it.
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
    let look = Look { camera, robot_from_field: field_from_robot.inverse(), sigma };
    let mut seen = Vec::with_capacity(detections.len());
    for detection in detections {
        let stem = camera.ground_from_pixel(detection.stem_px);
        let Some((stem, pixel_m2)) = stem.zip(camera.pixel_area_m2(detection.centroid_px)) else { continue };
        let area_cm2 = |area_px: u32| f64::from(area_px) * pixel_m2 * 1e4;
        let on_ground = |seen: &LeafPixels| {
            let place = &field_from_robot * camera.ground_from_pixel(seen.middle_px)?;
            Some(Leaf { place, area_cm2: area_cm2(seen.area_px) })
        };
        let leaves: Vec<Leaf> = detection.leaves.iter().filter_map(on_ground).collect();
        let (stem, resolution) = (&field_from_robot * stem, Metres::new(pixel_m2.sqrt()));
        let far = |leaf: &Leaf| leaf.place.distance(stem).get() > MAT_REACH_M;
        if detection.class == PlantClass::Weed && leaves.iter().any(far) {
            for (square, leaves) in by_square(leaves) {
                let area_cm2 = leaves.iter().map(|leaf| leaf.area_cm2).sum();
                let cut = detection.cut && !look.shows(square);
                seen.push(look.sighted(detection, middle_of(&leaves), resolution, area_cm2, cut, leaves));
            }
        } else {
            let area_cm2 = area_cm2(detection.area_px);
            seen.push(look.sighted(detection, stem, resolution, area_cm2, detection.cut, leaves));
        }
    }
    seen
}

/// A camera at a place in the field.
struct Look<'a> {
    camera: &'a Camera,
    robot_from_field: Transform2<RobotFrame, FieldFrame>,
    sigma: Metres,
}

impl Look<'_> {
    fn sighted(
        &self,
        detection: &Detection,
        position: Point2<FieldFrame>,
        resolution: Metres,
        area_cm2: f64,
        cut: bool,
        leaves: Vec<Leaf>,
    ) -> GroundDetection {
        let height = self.camera.height().get();
        let highest = (HEIGHT_PER_RADIUS * disc_radius_m(area_cm2)).min(0.5 * height);
        let out = (&self.robot_from_field * position).distance(self.camera.nadir()).get();
        let lean = Metres::new(out * highest / (height - highest));
        let sighting = Sighting {
            position,
            sigma: Metres::new(self.sigma.max(resolution).get().hypot(lean.get() / 2.0)),
            class: detection.class,
            confidence: Confidence::clamped(detection.confidence),
            area_cm2,
        };
        GroundDetection { sighting, cut, lean, leaves }
    }

    /// Whether a square of the field is in the picture as a whole.
    fn shows(&self, [column, row]: [i64; 2]) -> bool {
        let inside = |at: f64, size: u32| (0.0..=f64::from(size)).contains(&at);
        let [width, height] = self.camera.size_px();
        [[0, 0], [1, 0], [0, 1], [1, 1]].into_iter().all(|[east, north]| {
            let corner =
                Point2::new((column + east) as f64 * MAT_SQUARE_M, (row + north) as f64 * MAT_SQUARE_M);
            let pixel = self.camera.pixel_from_ground(&self.robot_from_field * corner);
            pixel.is_some_and(|pixel| inside(pixel[0], width) && inside(pixel[1], height))
        })
    }
}

fn by_square(leaves: Vec<Leaf>) -> BTreeMap<[i64; 2], Vec<Leaf>> {
    #[expect(clippy::cast_possible_truncation, reason = "metres in a field over 0.3 fit in i64")]
    let square_of =
        |place: Point2<FieldFrame>| [place.x, place.y].map(|at| (at / MAT_SQUARE_M).floor() as i64);
    let mut parts: BTreeMap<[i64; 2], Vec<Leaf>> = BTreeMap::new();
    for leaf in leaves {
        parts.entry(square_of(leaf.place)).or_default().push(leaf);
    }
    parts
}

/// By area; of leaves that have some.
fn middle_of(leaves: &[Leaf]) -> Point2<FieldFrame> {
    let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
    for Leaf { place, area_cm2 } in leaves {
        (x, y, area) = (x + area_cm2 * place.x, y + area_cm2 * place.y, area + area_cm2);
    }
    Point2::new(x / area, y / area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plants::PixelBox;
    use crate::tracking::{Tracker, TrackerRules};
    use kompas_field::RobotInstant;
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

    /// A carpet of weeds over the whole picture, 1.02 m by 0.77 m of ground, for a robot that drives along x.
    fn carpet(driven_m: f64) -> Vec<GroundDetection> {
        const SIDE: u32 = 20;
        let squares = (0..960 / SIDE).flat_map(|row| (0..1280 / SIDE).map(move |column| [column, row]));
        let leaf = |at: [u32; 2]| LeafPixels {
            middle_px: at.map(|at| f64::from(SIDE * at) + f64::from(SIDE) / 2.0),
            area_px: SIDE * SIDE,
        };
        let seen = Detection {
            class: PlantClass::Weed,
            cut: true,
            leaves: squares.map(leaf).collect(),
            ..detection([640.0, 480.0], 1280 * 960)
        };
        let pose = Pose2::new(Point2::new(driven_m, 0.0), Radians::ZERO);
        project(&[seen], &level_camera(), &pose, Metres::new(0.01))
    }

    #[test]
    fn a_mat_of_weeds_is_taken_apart_and_nothing_of_it_is_lost() {
        let parts = carpet(0.0);
        let area: f64 = parts.iter().map(|part| part.sighting.area_cm2).sum();
        assert!((area - 1024.0 * 768.0 / 100.0).abs() < 1e-6, "{area}");
        let reach = |part: &GroundDetection| {
            part.leaves
                .iter()
                .map(|leaf| leaf.place.distance(part.sighting.position).get())
                .fold(0.0, f64::max)
        };
        assert!(parts.iter().all(|part| reach(part) < MAT_REACH_M && part.sighting.area_cm2 <= 900.0 + 50.0));
        // Squares along the edge of the picture are cut, those within are whole.
        let whole: Vec<_> = parts.iter().filter(|part| !part.cut).collect();
        assert!(whole.len() >= 2 && whole.len() < parts.len());
        // The crop keeps its plants, however they touch.
        let one = detection([640.0, 480.0], 1280 * 960);
        let leaves = vec![LeafPixels { middle_px: [5.0, 5.0], area_px: 9 }];
        let crop = project(
            &[Detection { leaves, ..one }],
            &level_camera(),
            &Pose2::new(Point2::new(0.0, 0.0), Radians::ZERO),
            Metres::new(0.01),
        );
        assert_eq!(crop.len(), 1);
    }

    #[test]
    fn parts_of_a_mat_are_the_same_plants_in_every_picture() {
        let mut tracker = Tracker::new(TrackerRules::default());
        for k in 0..30 {
            tracker.update(RobotInstant::START, &carpet(0.1 * f64::from(k)));
        }
        // 3.67 m by 1.02 m in squares of 30 cm, those along the edges in part.
        let squares = (3.67_f64 / 0.3 + 2.0).ceil() * (1.02_f64 / 0.3 + 2.0).ceil();
        let plants = tracker.plants().len() as f64;
        assert!(plants <= squares && plants >= 3.67 * 1.02 / 0.09, "{plants} plants, {squares} squares");
    }
}
