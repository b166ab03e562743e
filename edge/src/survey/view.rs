//! From where a photograph was taken, and which ground it shows.

use super::refusal::Refusal;
use super::tags::Tags;
use kompas_field::frame::heading::from_compass_deg;
use kompas_field::rig::CameraRig;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, FieldPlane, Geodetic, Point2, Pose2, RobotFrame, Transform2};
use kompas_vision::{Camera, PlantRules};
use std::ops::RangeInclusive;

/// Further off straight down, leaves hide ground behind them and the flat ground is no longer a good model.
const MOST_TILT_DEG: f64 = 10.0;
/// Heights above the ground that a photograph is used from, metres. Lower, the drone stands on the ground; higher, its
/// tags are wrong: drones stay under 120 m by law.
pub const HEIGHTS_M: RangeInclusive<f64> = 0.5..=500.0;
/// A satellite position without correction data, as consumer drones have it.
pub(super) const ASSUMED_SIGMA_M: f64 = 2.0;
/// Diagonal of the 36 mm × 24 mm that "35 mm film" means.
const DIAGONAL_35MM: f64 = 43.267;
/// Half of a large plant: nearer to its edge a photograph may show only a part of one.
const EDGE_M: f64 = 0.15;

/// A photograph on its place above the field. The camera looks down the way the tags say; the ground is flat,
/// the lens has no distortion.
pub(super) struct View {
    /// Pixels to metres, for [`kompas_vision::project`].
    pub(super) camera: Camera,
    /// The point under the lens, and where the gimbal points by its yaw.
    pub(super) pose: Pose2<FieldFrame>,
    /// One standard deviation of the position, per axis.
    pub(super) sigma: Metres,
    /// Whether the photograph itself states [`View::sigma`].
    pub(super) sigma_stated: bool,
    /// Metres of ground per pixel in the middle of the picture.
    pub(super) gsd_m: f64,
    robot_from_field: Transform2<RobotFrame, FieldFrame>,
}

impl View {
    /// As the tags say. `height` above the ground counts before the tags' own, which is above the place of
    /// take-off. Positions are taken to be in the field's datum.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn new(tags: &Tags, height: Option<Metres>, plane: &FieldPlane) -> Result<Self, Refusal> {
        let remedy = "give --height-m, the flying height above the ground";
        let height_m = height.map(Metres::get).or(tags.altitude_m);
        let height_m =
            height_m.ok_or(Refusal::Missing { tag: "height (XMP drone-dji:RelativeAltitude)", remedy })?;
        if !HEIGHTS_M.contains(&height_m) {
            return Err(Refusal::Height { height_m });
        }
        let off_deg = off_deg(tags);
        if off_deg > MOST_TILT_DEG {
            return Err(Refusal::Tilted { off_deg, limit_deg: MOST_TILT_DEG });
        }
        let datum = plane.origin().datum;
        let lens = Geodetic { lat_deg: tags.lat_deg, lon_deg: tags.lon_deg, datum };
        let pose = Pose2::new(plane.to_field(lens)?, from_compass_deg(tags.yaw_deg));
        let camera = Camera::new(&camera_of(tags, height_m));
        let [width, height] = tags.size_px.map(f64::from);
        let middle = [width / 2.0, height / 2.0];
        // Within 10° of straight down the middle of the picture always meets the ground.
        let gsd_m = camera.gsd_m_at(middle).ok_or(Refusal::Height { height_m })?;
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&pose).inverse();
        let sigma = Metres::new(tags.sigma_m.unwrap_or(ASSUMED_SIGMA_M));
        let sigma_stated = tags.sigma_m.is_some();
        Ok(Self { camera, pose, sigma, sigma_stated, gsd_m, robot_from_field })
    }

    /// Whether `place` is in the picture.
    pub(super) fn shows(&self, place: Point2<FieldFrame>) -> bool {
        self.shows_inside(place, 0.0)
    }

    /// Whether `place` is in the picture, and a plant there too.
    pub(super) fn shows_whole(&self, place: Point2<FieldFrame>) -> bool {
        self.shows_inside(place, EDGE_M / self.gsd_m)
    }

    fn shows_inside(&self, place: Point2<FieldFrame>, edge_px: f64) -> bool {
        let pixel = self.camera.pixel_from_ground(&self.robot_from_field * place);
        pixel.is_some_and(|pixel| {
            let inside = |at: f64, size: u32| at >= edge_px && at <= f64::from(size) - edge_px;
            let [width, height] = self.camera.size_px();
            inside(pixel[0], width) && inside(pixel[1], height)
        })
    }

    /// The place in the middle of `pixel`, column and row.
    pub(super) fn place(&self, pixel: [f64; 2]) -> Option<Point2<FieldFrame>> {
        let ground = self.camera.ground_from_pixel(pixel)?;
        Some(&Transform2::<FieldFrame, RobotFrame>::at(&self.pose) * ground)
    }

    /// Square of the distance from the point under the lens, square metres.
    pub(super) fn distance_sq(&self, place: Point2<FieldFrame>) -> f64 {
        let (dx, dy) = (self.pose.position.x - place.x, self.pose.position.y - place.y);
        dx * dx + dy * dy
    }

    /// By what rules pixels of this photograph become plants. No nozzle follows their leaves, but a mat of weeds lies on
    /// many cells of the field.
    pub(super) fn plant_rules(&self) -> PlantRules {
        /// Of a leaf's square: a mat is taken apart by squares several times as large.
        const LEAF_M: f64 = 0.05;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let leaf_px = (LEAF_M / self.gsd_m).round().clamp(1.0, 1e4) as u32;
        PlantRules { leaf_px, ..PlantRules::at_gsd(self.gsd_m) }
    }
}

/// How far the gimbal was from straight down and upright, degrees: the larger of the tilt of its optical axis and its
/// roll. Turned over by 180° it is upright: a gimbal that passes straight down while the drone moves says that it looks
/// back over a roll of 180°. A roll in between turns the picture only, and is more than any gimbal holds: tags that say so
/// are not believed.
fn off_deg(tags: &Tags) -> f64 {
    let roll_deg = tags.roll_deg.rem_euclid(180.0);
    (tags.pitch_deg + 90.0).abs().max(roll_deg.min(180.0 - roll_deg))
}

/// The 35 mm equivalent is by the diagonal, so it holds for any shape of the picture. A gimbal turns by its yaw, then by
/// its pitch, then by its roll about the optical axis, clockwise for who looks along it: the roll turns the picture and
/// leaves the axis where it is. Straight down it adds to the yaw.
fn camera_of(tags: &Tags, height_m: f64) -> CameraRig {
    let [width_px, height_px] = tags.size_px;
    let [width, height] = tags.size_px.map(f64::from);
    let focal_px = tags.focal_35mm / DIAGONAL_35MM * width.hypot(height);
    CameraRig {
        width_px,
        height_px,
        focal_x_px: focal_px,
        focal_y_px: focal_px,
        centre_x_px: width / 2.0,
        centre_y_px: height / 2.0,
        distortion: [0.0; 5],
        height_m,
        forward_m: 0.0,
        left_m: 0.0,
        pitch_deg: tags.pitch_deg + 90.0,
        roll_deg: 0.0,
        yaw_deg: -tags.roll_deg,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::survey) fn plane() -> FieldPlane {
        FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap()
    }

    /// 4000 × 3000 px, 24 mm, from 10 m at the datum: focal length 2773.5 px, 3.6056 mm of ground per pixel.
    pub(in crate::survey) fn tags() -> Tags {
        Tags {
            size_px: [4000, 3000],
            focal_35mm: 24.0,
            lat_deg: 52.87,
            lon_deg: 6.95,
            yaw_deg: 0.0,
            pitch_deg: -90.0,
            roll_deg: 0.0,
            altitude_m: Some(10.0),
            sigma_m: None,
        }
    }

    fn view_of(tags: &Tags) -> View {
        View::new(tags, None, &plane()).unwrap()
    }

    #[test]
    fn the_diagonal_gives_the_ground_sampling_distance() {
        let view = view_of(&tags());
        assert!((view.gsd_m - 10.0 / (24.0 / 43.267 * 5000.0)).abs() < 1e-9, "{}", view.gsd_m);
        let higher = View::new(&tags(), Some(Metres::new(20.0)), &plane()).unwrap();
        assert!((higher.gsd_m - 2.0 * view.gsd_m).abs() < 1e-9, "--height-m counts before the tags");
        assert!((view.sigma.get() - 2.0).abs() < 1e-12 && !view.sigma_stated);
    }

    /// 10 m · 2000 px / 2773.5 px = 7.21 m to the sides, 5.41 m to the top: turned east, the long side lies north.
    #[test]
    fn the_top_looks_along_the_yaw() {
        let east = view_of(&Tags { yaw_deg: 90.0, ..tags() });
        assert!(east.shows(Point2::new(5.3, 7.1)) && !east.shows(Point2::new(5.5, 0.0)));
        assert!(!east.shows(Point2::new(0.0, 7.3)));
        let pixel = east.camera.pixel_from_ground(&east.robot_from_field * Point2::new(5.0, 0.0)).unwrap();
        assert!((pixel[0] - 2000.0).abs() < 1e-6 && pixel[1] < 1500.0, "{pixel:?} is in the upper half");
    }

    /// Tilted forward by 8°, the middle of the picture looks 10 m · tan 8° = 1.405 m ahead.
    #[test]
    fn a_small_tilt_is_corrected_and_a_large_one_refused() {
        let tilted = view_of(&Tags { pitch_deg: -82.0, ..tags() });
        let middle = tilted.camera.ground_from_pixel([2000.0, 1500.0]).unwrap();
        assert!((middle.x - 1.4054).abs() < 1e-3, "{middle:?}");
        for oblique in [Tags { pitch_deg: -79.0, ..tags() }, Tags { roll_deg: 90.0, ..tags() }] {
            assert!(matches!(View::new(&oblique, None, &plane()), Err(Refusal::Tilted { .. })));
        }
    }

    /// The optical axis of yaw 30°, pitch −82° lies 1.405 m towards 30°, whatever the roll.
    #[test]
    fn a_gimbal_turned_over_shows_the_same_ground_upside_down() {
        let upright = view_of(&Tags { yaw_deg: 30.0, pitch_deg: -82.0, ..tags() });
        let over = view_of(&Tags { yaw_deg: 30.0, pitch_deg: -82.0, roll_deg: -180.0, ..tags() });
        let place = Point2::new(1.4054 * 0.5 + 0.4, 1.4054 * 0.866_025 - 0.3);
        let [one, other] = [&upright, &over]
            .map(|view| view.camera.pixel_from_ground(&view.robot_from_field * place).unwrap());
        assert!((one[0] + other[0] - 4000.0).abs() < 1e-6, "{one:?} {other:?}");
        assert!((one[1] + other[1] - 3000.0).abs() < 1e-6, "{one:?} {other:?}");
        assert!(one[0] > 2000.0, "{one:?}");
    }

    #[test]
    fn a_roll_turns_the_picture_and_leaves_the_axis_where_it_is() {
        let pixels = |tags: Tags| {
            let view = view_of(&tags);
            [[5.0, 1.0], [-3.0, 4.0]].map(|[x, y]| {
                view.camera.pixel_from_ground(&view.robot_from_field * Point2::new(x, y)).unwrap()
            })
        };
        let near = |one: [[f64; 2]; 2], other: [[f64; 2]; 2]| {
            one.iter().zip(&other).all(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6)
        };
        let down = |yaw_deg, roll_deg| pixels(Tags { yaw_deg, roll_deg, ..tags() });
        assert!(near(down(30.0, 8.0), down(38.0, 0.0)), "straight down it adds to the yaw");
        assert!(near(down(30.0, -172.0), down(38.0, 180.0)), "also turned over");
        // 8° of roll at a tilt of 8°: what the axis meets stays, what lies beside it turns about it.
        let tilted = |roll_deg| view_of(&Tags { pitch_deg: -82.0, roll_deg, ..tags() });
        let (level, rolled) = (tilted(0.0), tilted(8.0));
        let pixel =
            |view: &View, place| view.camera.pixel_from_ground(&view.robot_from_field * place).unwrap();
        let (sin, cos) = 8.0_f64.to_radians().sin_cos();
        for place in [Point2::new(0.0, 1.4054), Point2::new(3.0, 2.0), Point2::new(-2.0, -1.0)] {
            let [x, y] = pixel(&level, place);
            let (x, y) = (x - 2000.0, y - 1500.0);
            let [rolled_x, rolled_y] = pixel(&rolled, place);
            let turned = [2000.0 + x * cos + y * sin, 1500.0 - x * sin + y * cos];
            assert!((rolled_x - turned[0]).hypot(rolled_y - turned[1]) < 1e-6, "{place:?}");
        }
    }

    #[test]
    fn no_height_and_no_place_are_refused() {
        let refusal = |tags: Tags| View::new(&tags, None, &plane()).err().unwrap().to_string();
        assert!(refusal(Tags { altitude_m: None, ..tags() }).contains("--height-m"));
        assert!(refusal(Tags { altitude_m: Some(-0.2), ..tags() }).contains("-0.2 m"));
        assert!(refusal(Tags { lat_deg: 0.0, lon_deg: 0.0, ..tags() }).contains("km"));
    }
}
