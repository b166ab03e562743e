#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]

use super::super::testing;
use super::super::world::World;
use super::super::{PhotoSim, Renderer};
use super::*;
use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_field::PlantClass;
use kompas_field::Pose2;
use kompas_field::{RobotFrame, Transform2};
use std::path::Path;
use std::sync::Arc;

const SOIL: [u8; 3] = [110, 90, 70];
const LEAF: [u8; 3] = [60, 170, 50];

/// Photographs of green discs on brown, with masks; discs at the edge, images without mask, rubbish.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["images", "masks"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    let discs = [
        [(60.0, 80.0, 20.0, 1u8), (150.0, 220.0, 30.0, 2)],
        [(40.0, 200.0, 14.0, 3), (0.0, 100.0, 25.0, 1)],
        [(100.0, 150.0, 40.0, 2), (20.0, 290.0, 10.0, 255)],
    ];
    for (i, discs) in discs.iter().enumerate() {
        let mut image = RgbImage::from_pixel(200, 300, Rgb(SOIL));
        let mut mask = GrayImage::new(200, 300);
        for &(x, y, r, class) in discs {
            for (col, row, pixel) in image.enumerate_pixels_mut() {
                if (f64::from(col) + 0.5 - x).hypot(f64::from(row) + 0.5 - y) < r {
                    *pixel = Rgb(LEAF);
                    mask.put_pixel(col, row, Luma([class]));
                }
            }
        }
        image.save(folder.path().join(format!("images/p{i}.png"))).unwrap();
        mask.save(folder.path().join(format!("masks/p{i}.png"))).unwrap();
    }
    RgbImage::from_pixel(180, 250, Rgb(SOIL)).save(folder.path().join("images/p3.png")).unwrap();
    RgbImage::from_pixel(200, 250, Rgb(SOIL)).save(folder.path().join("images/p4.png")).unwrap();
    GrayImage::new(10, 10).save(folder.path().join("masks/p4.png")).unwrap();
    std::fs::write(folder.path().join("images/broken.jpg"), b"\xFF\xD8\xFFno picture").unwrap();
    folder
}

fn settings(folder: &Path) -> PhotoSim {
    PhotoSim { folder: folder.to_owned(), gsd_mm: 2.0, min_plant_cm2: 1.0, cache_mb: 16 }
}

#[test]
fn the_folder_is_reported() {
    let folder = folder();
    let (field, route, mut toml) = testing::small_field();
    toml.photos = Some(settings(folder.path()));
    let world = World::grow(&field, &route, &toml).unwrap();
    let report = world.photo_report().unwrap();
    assert_eq!((report.images, report.masks), (5, 3));
    assert!(report.skipped.iter().any(|line| line.contains("broken.jpg")));
    assert!(report.skipped.iter().any(|line| line.contains("p4.png") && line.contains("not used")));
    assert!(world.plants().iter().any(|plant| !plant.whole && plant.class == PlantClass::Weed));
    let disc = world.plants().iter().find(|plant| plant.class == PlantClass::Potato).unwrap();
    assert!((disc.area_cm2 - std::f64::consts::PI * 2.8 * 2.8).abs() < 1.0, "{disc:?}");
}

#[test]
fn no_ground_is_an_error() {
    let empty = tempfile::tempdir().unwrap();
    let (field, route, mut toml) = testing::small_field();
    toml.photos = Some(settings(empty.path()));
    assert!(matches!(World::grow(&field, &route, &toml), Err(PhotoError::Folder { .. })));
    std::fs::create_dir(empty.path().join("images")).unwrap();
    assert!(matches!(World::grow(&field, &route, &toml), Err(PhotoError::NoImages { .. })));
}

/// Every masked plant in view is green where the camera model says its stem is, and soil lies beside it.
#[test]
fn masked_plants_lie_where_their_pixels_are() {
    let folder = folder();
    let (field, route, mut toml) = testing::small_field();
    toml.photos = Some(settings(folder.path()));
    let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
    let rig = testing::rig(640);
    let mut renderer = Renderer::new(Arc::clone(&world), rig.camera.as_ref().unwrap(), &toml).unwrap();
    let (mut looked_at, mut brown, mut greens) = (0, 0, 0);
    for (x, y, heading) in [(5.0, 4.0, 0.05), (12.0, 6.5, 3.1), (20.0, 5.0, 1.3)] {
        let pose = Pose2::new(Point2::new(x, y), Radians::new(heading));
        let image = renderer.render(&pose, 1, kompas_field::units::Seconds::ZERO);
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&pose).inverse();
        for (number, plant) in (0u32..).zip(world.plants()) {
            let pixel = |point| renderer.camera().pixel_from_ground(&robot_from_field * point);
            let colour = |point: Point2<FieldFrame>| {
                let [col, row] = pixel(point).filter(|&p| renderer.camera().sees(p))?;
                image.get_pixel_checked(col as u32, row as u32).map(|p| p.0)
            };
            for sample in world.area_samples(number) {
                let Some(shown) = colour(sample) else { continue };
                // Soil has −20 and a leaf 110; the rim lies between, or beside by less than a pixel.
                let green = i32::from(shown[1]) - i32::from(shown[0]);
                brown += i32::from(green <= 0);
                greens += green;
                looked_at += 1;
            }
            let radius = (plant.area_cm2 * 1e-4 / std::f64::consts::PI).sqrt();
            let beside = plant.stem.moved(Radians::new(0.3), Metres::new(radius + 0.01), Metres::ZERO);
            if let Some(shown) = colour(beside).filter(|_| plant.whole) {
                assert!(shown[0] > shown[2] && shown[1] < 120, "beside plant {number}: {shown:?}");
            }
        }
    }
    assert!(looked_at > 500, "{looked_at}");
    assert!(brown * 100 < looked_at, "{brown} of {looked_at} are soil");
    assert!(greens / looked_at > 95, "{}", greens / looked_at);
}

#[test]
fn memory_stays_within_its_limit() {
    let folder = folder();
    let (field, route, _) = testing::small_field();
    let ground = PhotoGround::lay(
        &settings(folder.path()),
        &field.boundary,
        route.swath_heading(),
        Point2::new(0.0, 0.0),
        1,
    )
    .unwrap();
    let mut cache = PhotoCache::new(&ground, 0, 0.002);
    for photo in [0, 1, 2, 0] {
        cache.begin();
        assert!(cache.get(&ground, photo).width > 0);
        assert_eq!(cache.used_bytes(), 200 * 300 * 3);
    }
}

/// Real photographs: what their masks call a plant is greener than what surrounds it, as the camera shows it.
#[test]
fn real_photographs_show_their_plants() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/plants/beet_maize_phone");
    if !folder.is_dir() {
        println!("skipped: needs ../shared/data/plants/beet_maize_phone");
        return;
    }
    let (field, route, mut toml) = testing::small_field();
    toml.photos = Some(PhotoSim { gsd_mm: 1.0, cache_mb: 64, ..settings(&folder) });
    let world = Arc::new(World::grow(&field, &route, &toml).unwrap());
    let report = world.photo_report().unwrap();
    assert_eq!((report.images, report.masks, report.skipped.len()), (178, 178, 0));
    let rig = testing::rig(1280);
    let mut renderer = Renderer::new(Arc::clone(&world), rig.camera.as_ref().unwrap(), &toml).unwrap();
    let (mut plant_green, mut points, mut all_green, mut pixels) = (0.0, 0.0, 0.0, 0.0);
    for x in [5.0, 9.0, 13.0, 17.0] {
        let pose = Pose2::new(Point2::new(x, 4.0), Radians::ZERO);
        let image = renderer.render(&pose, 1, kompas_field::units::Seconds::ZERO);
        let green = |p: &Rgb<u8>| {
            let [r, g, b] = p.0.map(f64::from);
            (2.0 * g - r - b) / (r + g + b).max(1.0)
        };
        all_green += image.pixels().map(green).sum::<f64>();
        pixels += f64::from(image.width() * image.height());
        let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(&pose).inverse();
        for number in 0..u32::try_from(world.plants().len()).unwrap() {
            if world.plants()[number as usize].stem.distance(pose.position).get() > 4.0 {
                continue;
            }
            for sample in world.area_samples(number) {
                let pixel = renderer.camera().pixel_from_ground(&robot_from_field * sample);
                let Some([col, row]) = pixel.filter(|&p| renderer.camera().sees(p)) else { continue };
                plant_green += image.get_pixel_checked(col as u32, row as u32).map_or(0.0, green);
                points += 1.0;
            }
        }
    }
    assert!(points > 2000.0, "{points}");
    let (plant, all) = (plant_green / points, all_green / pixels);
    assert!(plant > all + 0.12, "plants {plant}, all {all}");
}
