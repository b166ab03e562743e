//! What the robot makes of a perfect class map: everything behind the network, measured without the network's mistakes.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_edge::config::{Config, Overrides};
use kompas_edge::eyes::Eyes;
use kompas_edge::job::Job;
use kompas_edge::robot::Tick;
use kompas_edge::setup::{Ready, ready};
use kompas_edge::sim::{Score, ShareOf};
use kompas_field::PlantClass;
use kompas_vision::FieldMemory;
use kompas_vision::consensus::{Colours, Consensus, agree};
use kompas_vision::segment::{ClassMap, SegmentError, Segmenter};
use std::path::{Path, PathBuf};

/// Ground is painted in these, one colour per class id; what the camera mixes at edges goes to the nearest.
const COLOURS: [[u8; 3]; 5] = [[128, 96, 64], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]];

/// Reads the class off the colour, and wants to be handed what each frame before has left.
#[derive(Default)]
struct ByColour {
    frames: usize,
}

impl Segmenter for ByColour {
    fn id(&self) -> &'static str {
        "by-colour"
    }

    fn segment_in(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        // All but those whose place nobody knew, in some drives nearly half.
        let remembered = self.frames / 2..=self.frames;
        assert!(remembered.contains(&field.pictures()), "the robot's eyes remember the frames so far");
        self.frames += 1;
        // A single beet, so that there is something to remember.
        let beet = Colours::of(&RgbImage::new(1, 1));
        agree(&mut [0., 0., 9., 0., 0.], 1, 1, Consensus::RELEASED, &beet, field.at(1.));
        let nearest = |pixel: &Rgb<u8>| {
            let away = |colour: &[u8; 3]| -> u32 {
                colour.iter().zip(pixel.0).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
            };
            (0_u8..).zip(&COLOURS).min_by_key(|(_, colour)| away(colour)).map_or(0, |(id, _)| id)
        };
        let ids: Vec<u8> = image.pixels().map(nearest).collect();
        let sure = vec![255; ids.len()];
        ClassMap::new(image.width(), image.height(), ids, sure)
    }
}

/// Drives the demonstration's field, paved with `masks` painted in colours. Also: how often the position jumped.
fn drive(masks: impl Iterator<Item = (String, GrayImage)>, frames: usize, more: Overrides) -> (Score, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (images, truth) = (folder.path().join("images"), folder.path().join("masks"));
    for folder in [&images, &truth] {
        std::fs::create_dir(folder).unwrap();
    }
    for (name, mask) in masks {
        let colour = |id: u8| Rgb(*COLOURS.get(usize::from(id)).unwrap_or(&COLOURS[0]));
        let painted =
            RgbImage::from_fn(mask.width(), mask.height(), |x, y| colour(mask.get_pixel(x, y).0[0]));
        painted.save(images.join(&name)).unwrap();
        mask.save(truth.join(&name)).unwrap();
    }
    let path = |path: &Path| toml::Value::String(path.to_str().unwrap().to_owned());
    let mut overrides: Overrides = vec![
        ("simulator.photos.folder", path(folder.path())),
        ("records.outbox", path(&folder.path().join("outbox.db"))),
    ];
    overrides.extend(more);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/simulator.toml");
    let config = Config::read(&demo, overrides).config.unwrap();
    let (job, _) = Job::load(&config).unwrap();
    let Ready { mut robot, simulator, .. } = ready(&config, &job, None).unwrap();
    robot.eyes = Eyes::new(
        job.rig.camera.as_ref().unwrap(),
        Box::new(ByColour::default()),
        Some(job.field.boundary.clone()),
    );
    robot.start().unwrap();
    for _ in 0..frames {
        assert_eq!(robot.tick(), Tick::Looked);
    }
    let end = robot.end(true, None).unwrap();
    (simulator.unwrap().score(), end.position_jumps)
}

/// Beets every 18 cm in rows 50 cm apart, weeds of 2 to 40 cm² anywhere, under leaves of the beets, too. 1 mm a pixel.
fn sown(seed: u32) -> GrayImage {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = move |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % most
    };
    let mut mask = GrayImage::new(1000, 1500);
    let mut disc = |x: u32, y: u32, radius: u32, class: PlantClass| {
        for (dx, dy) in (0..=2 * radius).flat_map(|dx| (0..=2 * radius).map(move |dy| (dx, dy))) {
            let inside = dx.abs_diff(radius).pow(2) + dy.abs_diff(radius).pow(2) <= radius.pow(2);
            if let (true, Some(x), Some(y)) =
                (inside, (x + dx).checked_sub(radius), (y + dy).checked_sub(radius))
                && x < 1000
                && y < 1500
            {
                mask.put_pixel(x, y, Luma([class.id()]));
            }
        }
    };
    for _ in 0..60 {
        disc(next(1000), next(1500), 8 + next(28), PlantClass::Weed);
    }
    for (row, plant) in (0..2).flat_map(|row| (0..8).map(move |plant| (row, plant))) {
        let (x, y) = (250 + 500 * row + next(20), 90 + 180 * plant + next(30));
        for (dx, dy) in [(0, 30), (60, 30), (30, 0), (30, 60)] {
            disc(x + dx - 30, y + dy - 30, 24, PlantClass::SugarBeet);
        }
    }
    mask
}

fn shares(score: &Score) -> (f64, f64) {
    let share = |share: Option<ShareOf>| share.unwrap().share;
    (share(score.large_weeds_treated_share), share(score.crop_hit_share))
}

#[test]
fn weeds_are_treated_and_crop_is_not() {
    let (score, jumps) = drive((0..24).map(|i| (format!("{i:02}.png"), sown(i))), 40, vec![]);
    assert_eq!(jumps, 0);
    assert!(score.crop > 300 && score.weeds > 1000, "{score:?}");
    let (weeds, crop) = shares(&score);
    // Many weeds stand under leaves of a beet here: those cannot be treated without wetting it.
    assert!(weeds >= 0.9 && crop <= 0.02, "{weeds} of the large weeds, {crop} of the crop: {score:?}");
}

/// What the receiver has from a place on, until another: a quality, and whether its position is 30 cm off.
fn stretch(from_m: f64, until_m: f64, quality: &str, wrong: bool) -> toml::Value {
    let shift = if wrong { [0.21, -0.21] } else { [0.0; 2] }.map(toml::Value::Float);
    let keys = [
        ("from_m", toml::Value::Float(from_m)),
        ("until_m", toml::Value::Float(until_m)),
        ("quality", toml::Value::String(quality.to_owned())),
        ("shift_m", toml::Value::Array(shift.to_vec())),
    ];
    toml::Value::Table(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// As [`stretch`] says, over ground sown with beets and weeds.
fn drive_with_fixes(changes: Vec<toml::Value>) -> (Score, u64) {
    let script = vec![("simulator.gnss.changes", toml::Value::Array(changes))];
    drive((0..24).map(|i| (format!("{i:02}.png"), sown(i))), 40, script)
}

/// A receiver that solves its ambiguities wrongly every few metres, by 30 cm, and does not know. What was seen before
/// stands 30 cm beside where it was: a robot that sprays by it hits beets.
#[test]
fn crop_is_not_hit_where_the_position_jumps() {
    let every = (0..8).map(|i| 4.0 + 6.0 * f64::from(i));
    let (score, jumps) =
        drive_with_fixes(every.map(|at_m| stretch(at_m, at_m + 3.0, "fixed", true)).collect());
    let (weeds, crop) = shares(&score);
    assert!(jumps >= 10, "{jumps}");
    assert!(weeds >= 0.5 && crop <= 0.02, "{weeds} of the large weeds, {crop} of the crop: {score:?}");
}

/// It loses its fix for most of a second first, so that nobody sees the jump.
#[test]
fn crop_is_not_hit_where_a_lost_fix_comes_back_wrong() {
    let every = (0..8).map(|i| 4.0 + 6.0 * f64::from(i));
    let changes = every.flat_map(|at_m| {
        [
            stretch(at_m, at_m + 0.8, "none", false),
            stretch(at_m + 0.8, at_m + 3.0, "fixed", true),
            stretch(at_m + 3.0, at_m + 3.8, "none", false),
        ]
    });
    let (score, jumps) = drive_with_fixes(changes.collect());
    let (weeds, crop) = shares(&score);
    assert_eq!(jumps, 0, "none is seen");
    assert!(weeds >= 0.3 && crop <= 0.02, "{weeds} of the large weeds, {crop} of the crop: {score:?}");
}

/// A float solution is 30 cm off, and says that it may be: what it shows stands nowhere.
#[test]
fn crop_is_not_hit_where_a_float_solution_becomes_fixed() {
    let every = (0..8).map(|i| 4.0 + 6.0 * f64::from(i));
    let (score, _) = drive_with_fixes(every.map(|at_m| stretch(at_m, at_m + 3.0, "float", true)).collect());
    let (weeds, crop) = shares(&score);
    assert!(weeds >= 0.3 && crop <= 0.02, "{weeds} of the large weeds, {crop} of the crop: {score:?}");
}

#[test]
fn on_the_labels_of_real_photographs() {
    let data =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/plants/beet_maize_phone/masks");
    let Ok(listed) = std::fs::read_dir(&data) else {
        return eprintln!("skipped: needs {}", data.display());
    };
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let masks = files.iter().map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, image::open(file).unwrap().into_luma8())
    });
    let (score, _) = drive(masks, 40, vec![]);
    println!("{}", serde_json::to_string(&score).unwrap());
    let (weeds, crop) = shares(&score);
    assert!(weeds >= 0.95 && crop <= 0.02, "{weeds} of the large weeds, {crop} of the crop: {score:?}");
}
