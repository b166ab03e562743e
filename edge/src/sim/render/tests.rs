#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]

use super::super::testing;
use super::*;
use kompas_field::units::Radians;
use kompas_field::{Digest, PlantClass, RobotFrame};
use kompas_vision::{ExcessGreen, Segmenter as _};

/// A flat field without noise, so that a pixel says what it shows.
fn plain() -> (Arc<World>, Renderer) {
    let (field, route, mut toml) = testing::small_field();
    toml.sowing.height_per_diameter = 0.0;
    toml.camera.noise_sigma = 0.0;
    let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
    let renderer =
        Renderer::new(Arc::clone(&world), testing::rig(640).camera.as_ref().unwrap(), &toml).unwrap();
    (world, renderer)
}

fn poses() -> [Pose2<FieldFrame>; 3] {
    [(6.0, 4.0, 0.03), (15.0, 6.9, 3.1), (21.0, 6.0, -1.4)]
        .map(|(x, y, heading)| Pose2::new(Point2::new(x, y), Radians::new(heading)))
}

fn excess_green(pixel: [u8; 3]) -> i32 {
    let [r, g, b] = pixel.map(i32::from);
    2 * g - r - b
}

/// Every point of every plant in view is green where the camera model puts it, and nearly nothing else is.
#[test]
fn plants_lie_where_the_camera_model_says() {
    let (world, mut renderer) = plain();
    let (mut points, mut shown_green) = (0, 0);
    for pose in poses() {
        let image = renderer.render(&pose, 0, Seconds::ZERO);
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&pose).inverse();
        let mut expected = vec![false; 640 * 480];
        for number in 0..u32::try_from(world.plants().len()).unwrap() {
            for sample in world.area_samples(number) {
                let pixel = renderer.camera().pixel_from_ground(&robot_from_field * sample);
                let Some([col, row]) = pixel.map(|p| p.map(|c| c as i32)) else { continue };
                if let Some(shown) = image.get_pixel_checked(col as u32, row as u32) {
                    points += 1;
                    shown_green += u32::from(excess_green(shown.0) > 10);
                }
                // A sample stands for its surroundings.
                for r in (row - 9).max(0)..(row + 10).min(480) {
                    for c in (col - 9).max(0)..(col + 10).min(640) {
                        expected[(r * 640 + c) as usize] = true;
                    }
                }
            }
        }
        let green = image.pixels().map(|p| excess_green(p.0) > 30);
        let astray = green.zip(&expected).filter(|&(green, &expected)| green && !expected).count();
        assert_eq!(astray, 0, "green pixels where nothing grows, from {pose:?}");
    }
    assert!(points > 2000, "{points}");
    assert!(f64::from(shown_green) / f64::from(points) > 0.97, "{shown_green} of {points}");
}

/// A leaf above the ground appears farther from the point under the lens.
#[test]
fn tall_plants_lean_outward() {
    let (field, route, mut toml) = testing::small_field();
    toml.camera.noise_sigma = 0.0;
    toml.sowing.weeds_per_m2 = 0.0;
    let mut spread = |height_per_diameter| {
        toml.sowing.height_per_diameter = height_per_diameter;
        let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
        let rig = testing::rig(640);
        let mut renderer = Renderer::new(world, rig.camera.as_ref().unwrap(), &toml).unwrap();
        let image = renderer.render(&poses()[0], 0, Seconds::ZERO);
        let [nadir_col, nadir_row] = renderer.camera().pixel_from_ground(renderer.camera().nadir()).unwrap();
        let off = |(col, row, _): (u32, u32, &image::Rgb<u8>)| {
            (f64::from(col) - nadir_col).hypot(f64::from(row) - nadir_row)
        };
        let green: Vec<f64> = image
            .enumerate_pixels()
            .filter(|(.., p)| excess_green(p.0) > 30)
            .map(off)
            .filter(|d| *d < 200.0)
            .collect();
        green.iter().sum::<f64>() / green.len() as f64
    };
    let (flat, tall) = (spread(0.0), spread(0.4));
    assert!((0.5..15.0).contains(&(tall - flat)), "{flat} {tall}");
}

#[test]
fn same_seed_same_bytes() {
    let digest = |seed, number| {
        let (field, route, mut toml) = testing::small_field();
        toml.seed = seed;
        let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
        let rig = testing::rig(320);
        let mut renderer = Renderer::new(world, rig.camera.as_ref().unwrap(), &toml).unwrap();
        let bytes = poses().map(|pose| renderer.render(&pose, number, Seconds::new(3.0)).into_raw()).concat();
        Digest::of_bytes(&bytes)
    };
    assert_eq!(digest(1, 5), digest(1, 5));
    assert_ne!(digest(1, 5), digest(2, 5));
    assert_ne!(digest(1, 5), digest(1, 6));
}

/// The baseline that needs no model sees these plants, under noise and changing light.
#[test]
fn excess_green_finds_the_plants() {
    let (field, route, toml) = testing::small_field();
    let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
    let rig = testing::rig(1280);
    let mut renderer = Renderer::new(Arc::clone(&world), rig.camera.as_ref().unwrap(), &toml).unwrap();
    let (mut crop, mut found, mut soil_green) = (0, 0, 0);
    for (number, pose) in (0u64..).zip(poses()) {
        let image = renderer.render(&pose, number, Seconds::new(number as f64));
        let map = ExcessGreen::default().segment(&image).unwrap();
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&pose).inverse();
        let mut near_plant = vec![false; 1280 * 960];
        for (number, plant) in (0u32..).zip(world.plants()) {
            let all = world.area_samples(number);
            let samples: Vec<usize> = all
                .iter()
                .filter_map(|&sample| renderer.camera().pixel_from_ground(&robot_from_field * sample))
                .filter(|&pixel| renderer.camera().sees(pixel))
                .map(|[col, row]| (row as usize).min(959) * 1280 + (col as usize).min(1279))
                .collect();
            for &at in &samples {
                for dy in 0..49 {
                    let from = (at + dy * 1280).saturating_sub(24 * 1280 + 24);
                    let until = (from + 49).min(near_plant.len());
                    near_plant[from.min(until)..until].fill(true);
                }
            }
            if plant.class == PlantClass::SugarBeet && samples.len() == all.len() {
                crop += 1;
                let green = samples.iter().filter(|&&at| map.class_ids()[at] != 0).count();
                found += u32::from(green * 2 > samples.len());
            }
        }
        soil_green +=
            map.class_ids().iter().zip(&near_plant).filter(|&(&id, &near)| id != 0 && !near).count();
    }
    assert!(crop > 30 && found * 100 >= crop * 97, "{found} of {crop}");
    assert!(soil_green < 3 * 1280 * 960 / 1000, "{soil_green} soil pixels taken for plants");
}
