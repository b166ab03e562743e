use super::*;
use proptest::prelude::*;

fn level() -> CameraRig {
    CameraRig {
        width_px: 1280,
        height_px: 960,
        focal_x_px: 1000.0,
        focal_y_px: 1000.0,
        centre_x_px: 640.0,
        centre_y_px: 480.0,
        distortion: [0.0; 5],
        height_m: 0.8,
        forward_m: 1.5,
        left_m: 0.25,
        pitch_deg: 0.0,
        roll_deg: 0.0,
        yaw_deg: 0.0,
    }
}

fn mounted() -> CameraRig {
    CameraRig {
        focal_x_px: 900.0,
        focal_y_px: 905.0,
        centre_x_px: 640.5,
        centre_y_px: 478.2,
        distortion: [-0.21, 0.07, 0.0011, -0.0008, -0.012],
        height_m: 0.9,
        forward_m: 1.1,
        left_m: -0.25,
        pitch_deg: 18.0,
        roll_deg: -4.0,
        yaw_deg: 7.0,
        ..level()
    }
}

fn close(got: [f64; 2], want: [f64; 2], within: f64) -> bool {
    (got[0] - want[0]).hypot(got[1] - want[1]) <= within
}

/// By hand: a level camera 0.8 m up with f = 1000 px sees 0.8 mm per pixel.
#[test]
fn a_level_camera_sees_forward_at_the_top_and_left_at_the_left() {
    let camera = Camera::new(&level());
    for (pixel, ground) in [
        ([640.0, 480.0], [1.5, 0.25]),
        ([640.0, 0.0], [1.5 + 0.384, 0.25]),
        ([0.0, 480.0], [1.5, 0.25 + 0.512]),
        ([1280.0, 960.0], [1.5 - 0.384, 0.25 - 0.512]),
    ] {
        assert!(close(camera.ground_from_pixel(pixel).unwrap().to_array(), ground, 1e-12), "{pixel:?}");
    }
    assert!((camera.gsd_m_at([100.0, 100.0]).unwrap() - 0.8e-3).abs() < 1e-12);
    assert!((camera.pixel_area_m2([900.0, 10.0]).unwrap() - 0.64e-6).abs() < 1e-15);
}

/// By hand: 45° forward, the axis meets the ground one height ahead; 45° to the left, one height to the left.
#[test]
fn pitch_looks_forward_roll_looks_left_yaw_turns_counter_clockwise() {
    let middle = [640.0, 480.0];
    let at = |rig: &CameraRig, pixel| Camera::new(rig).ground_from_pixel(pixel).unwrap().to_array();
    assert!(close(at(&CameraRig { pitch_deg: 45.0, ..level() }, middle), [2.3, 0.25], 1e-12));
    assert!(close(at(&CameraRig { roll_deg: 45.0, ..level() }, middle), [1.5, 1.05], 1e-12));
    // Turned by 90° counter-clockwise the top of the picture looks left.
    assert!(close(at(&CameraRig { yaw_deg: 90.0, ..level() }, [640.0, 0.0]), [1.5, 0.25 + 0.384], 1e-12));
}

/// `cv2.projectPoints(Mᵀ·(ground − lens), 0, 0, K, D)` of `OpenCV` 5.0 with
/// K = [[900, 0, 640], [0, 905, 477.7], [0, 0, 1]], D = (−0.21, 0.07, 0.0011, −0.0008, −0.012),
/// M = Ry(−18°)·Rx(−4°)·Rz(7°)·level, lens = (1.1, −0.25, 0.9); +0.5, as `OpenCV` puts 0 in the first pixel.
#[test]
fn a_tilted_distorted_camera_agrees_with_opencv() {
    let camera = Camera::new(&mounted());
    for (ground, pixel) in [
        ([1.2, -0.2], [505.972_465_271_149_36, 648.834_194_191_373_2]),
        ([1.5, 0.1], [275.751_179_543_897_1, 339.356_556_460_700_1]),
        ([1.0, -0.5], [788.147_546_524_192_9, 882.385_829_032_232]),
        ([1.6, -0.6], [896.485_863_325_497_3, 339.579_218_855_349_84]),
    ] {
        assert!(close(camera.pixel_from_ground(ground.into()).unwrap(), pixel, 1e-9), "{ground:?}");
        assert!(close(camera.ground_from_pixel(pixel).unwrap().to_array(), ground, 1e-11), "{pixel:?}");
    }
}

/// `cv2.undistortPoints(pixel − 0.5, K, D, criteria=(3, 200, 1e-15))` with K and D as above. `OpenCV` iterates
/// a fixed point that stops short by up to 1e-9 in the corners.
#[test]
fn undistortion_agrees_with_opencv() {
    let distortion = Distortion::new(mounted().distortion);
    for (pixel, direction) in [
        ([10.5, 20.5], [-0.829_574_162_768_438_4, -0.601_452_840_891_769_1]),
        ([1270.25, 940.75], [0.832_221_241_727_537_9, 0.605_767_510_948_621_4]),
        ([640.5, 478.2], [0.0, 0.0]),
        ([300.0, 800.0], [-0.400_475_059_134_473_84, 0.376_278_876_671_777]),
        ([1200.0, 50.0], [0.718_215_246_711_279_1, -0.547_094_114_497_947_3]),
    ] {
        let bent = [(pixel[0] - 640.5) / 900.0, (pixel[1] - 478.2) / 905.0];
        let straight = distortion.straight(bent).unwrap();
        assert!(close(straight, direction, 1e-8), "{pixel:?}: {straight:?}");
        assert!(close(distortion.bent(straight).unwrap(), bent, 1e-12));
    }
}

#[test]
fn what_is_no_ground_has_no_place() {
    let steep = Camera::new(&CameraRig { pitch_deg: 60.0, focal_y_px: 300.0, focal_x_px: 300.0, ..level() });
    assert!(steep.ground_from_pixel([640.0, 0.0]).is_none(), "above the horizon");
    assert!(steep.footprint(4).is_none());
    assert!(steep.pixel_from_ground(Point2::new(-5.0, 0.25)).is_none(), "behind the camera");
    let barrel = Camera::new(&CameraRig { distortion: [-1.0, 0.0, 0.0, 0.0, 0.0], ..level() });
    // r · (1 − r²) never exceeds 0.385: no direction of sight lands 0.6 off the axis.
    assert!(barrel.ground_from_pixel([40.0, 480.0]).is_none());
    assert!(barrel.pixel_from_ground(Point2::new(1.5, 0.25 + 0.8)).is_none(), "folded back");
    assert!(Camera::new(&level()).ground_from_pixel([f64::NAN, 0.0]).is_none());
}

#[test]
fn the_footprint_is_the_ground_that_is_seen() {
    let footprint = Camera::new(&level()).footprint(2).unwrap();
    assert_eq!(footprint.len(), 8);
    assert!(close(footprint[0].to_array(), [1.884, 0.762], 1e-12));
    assert!(close(footprint[1].to_array(), [1.884, 0.25], 1e-12));
    assert!(close(footprint[4].to_array(), [1.116, -0.262], 1e-12));
}

prop_compose! {
    fn any_mount()(
        k1 in -0.2..0.2, k2 in 0.0..0.1, p1 in -0.002..0.002, p2 in -0.002..0.002,
        height_m in 0.3..60.0, pitch_deg in -20.0..20.0, roll_deg in -10.0..10.0, yaw_deg in -180.0..180.0,
        focal_px in 1000.0..2000.0, forward_m in -3.0..3.0, left_m in -3.0..3.0,
    ) -> CameraRig {
        let distortion = [k1, k2, p1, p2, 0.0];
        CameraRig {
            distortion, height_m, pitch_deg, roll_deg, yaw_deg, forward_m, left_m,
            focal_x_px: focal_px, focal_y_px: focal_px, ..level()
        }
    }
}

proptest! {
    #[test]
    fn pixel_to_ground_and_back(rig in any_mount(), column in 0.0..1280.0, row in 0.0..960.0) {
        let camera = Camera::new(&rig);
        let ground = camera.ground_from_pixel([column, row]);
        prop_assert!(ground.is_some(), "these mounts see the ground in every pixel");
        let back = camera.pixel_from_ground(ground.unwrap()).unwrap();
        prop_assert!(close(back, [column, row], 1e-6), "{:?}", back);
    }

    #[test]
    fn ground_to_pixel_and_back(rig in any_mount(), across in 0.05..0.95, down in 0.05..0.95) {
        let camera = Camera::new(&rig);
        let ground = camera.ground_from_pixel([across * 1280.0, down * 960.0]).unwrap();
        let pixel = camera.pixel_from_ground(ground).unwrap();
        prop_assert!(camera.sees(pixel));
        let back = camera.ground_from_pixel(pixel).unwrap();
        prop_assert!(back.distance(ground).get() < 1e-9 * rig.height_m.max(1.0));
    }

    /// The footprint's area is the sum of the areas of its pixels.
    #[test]
    fn pixel_areas_add_up_to_the_footprint(rig in any_mount()) {
        let camera = Camera::new(&rig);
        let outline = camera.footprint(200).unwrap();
        let next = outline.iter().cycle().skip(1);
        let twice: f64 = outline.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
        let (step, mut sum) = (16_u32, 0.0);
        for (column, row) in (0..1280 / step).flat_map(|c| (0..960 / step).map(move |r| (c, r))) {
            let middle = [column, row].map(|i| f64::from(i * step) + f64::from(step) / 2.0);
            sum += camera.pixel_area_m2(middle).unwrap() * f64::from(step * step);
        }
        prop_assert!((sum / (twice.abs() / 2.0) - 1.0).abs() < 2e-3, "{} {}", sum, twice.abs() / 2.0);
    }
}
