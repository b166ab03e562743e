//! `kompas-robot survey` as a person uses it: a folder of a drone's photographs, a weed map for the planner.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;
mod drone;

use common::Yard;
use drone::{RADIUS_M, SIZE_PX, Shot};
use geo::{Area, Contains};
use image::{Rgb, RgbImage};
use kompas_edge::survey::{Survey, photographs};
use kompas_field::rig::RigToml;
use kompas_field::{CellIndex, Field, FieldCrop, Geodetic, PlantClass, Point2, Rig, WeedMap};
use kompas_planner::import::field_from_geojson;
use kompas_vision::ExcessGreen;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// 30 m by 16 m, with an exclusion of 2 m by 2 m in its middle.
const FIELD: &str = r#"{"type":"Polygon","coordinates":[[[6.9463,52.8741],[6.946746,52.8741],[6.946746,52.874244],
[6.9463,52.874244],[6.9463,52.8741]],[[6.946508,52.874163],[6.946508,52.874181],[6.946538,52.874181],
[6.946538,52.874163],[6.946508,52.874163]]]}"#;

/// Where cargo put the program: it says so, except through some compiler caches; then it lies above this test.
fn program() -> PathBuf {
    option_env!("CARGO_BIN_EXE_kompas-robot").map_or_else(
        || std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("kompas-robot"),
        PathBuf::from,
    )
}

/// A field on disk and a folder for photographs.
struct Farm {
    folder: tempfile::TempDir,
    field: Field,
}

impl Farm {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("parcel.geojson"), FIELD).unwrap();
        std::fs::create_dir(folder.path().join("flight")).unwrap();
        let field = field_from_geojson(FIELD, "parcel".parse().unwrap(), FieldCrop::SugarBeet).unwrap();
        Self { folder, field }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn take(&self, name: &str, shot: &Shot, picture: &RgbImage) {
        shot.write(&self.path("flight").join(name), picture, &self.field.plane);
    }

    /// Surveys into `map.json` and `plants.geojson`, in the farm's folder.
    fn survey(&self, more: &[&str]) -> Output {
        let fixed = ["survey", "--images", "flight", "--field", "parcel.geojson", "--crop", "sugar_beet"];
        let outputs =
            ["--out", "map.json", "--plants", "plants.geojson", "--unseen", "unseen.geojson", "--json"];
        let mut command = Command::new(program());
        command.args(fixed).args(outputs).args(more).current_dir(self.folder.path());
        command.output().unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// What `unseen.geojson` holds, in metres.
    fn unseen(&self) -> geo::MultiPolygon {
        let told: Value = serde_json::from_slice(&self.read("unseen.geojson")).unwrap();
        let corner = |degrees: &Value| {
            let place = Geodetic::etrs89(degrees[1].as_f64().unwrap(), degrees[0].as_f64().unwrap());
            geo::Coord::from(self.field.plane.to_field(place).unwrap())
        };
        let ring =
            |ring: &Value| -> geo::LineString { ring.as_array().unwrap().iter().map(corner).collect() };
        let polygon = |feature: &Value| {
            let mut rings = feature["geometry"]["coordinates"].as_array().unwrap().iter().map(ring);
            let polygon = geo::Polygon::new(rings.next().unwrap(), rings.collect());
            let area_m2 = feature["properties"]["area_m2"].as_f64().unwrap();
            assert!((polygon.unsigned_area() - area_m2).abs() < 0.6, "{feature}");
            polygon
        };
        told["features"].as_array().unwrap().iter().map(polygon).collect()
    }

    /// The middles of the grid cells inside the field.
    fn centres(&self) -> Vec<[f64; 2]> {
        let grid = self.field.grid();
        let centres = grid.cells().map(|cell| grid.centre(cell));
        centres.filter(|&centre| self.field.boundary.contains(centre)).map(Point2::to_array).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn summary(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Up to 0.3 m from the middle of every fourth grid cell, so never near a cell's edge; a place of its own in each.
fn discs(field: &Field) -> Vec<[f64; 2]> {
    let grid = field.grid();
    let some = grid.cells().filter(|cell| (7 * cell.col + 3 * cell.row) % 4 == 0);
    let off = |number: u32| f64::from(number % 61) / 100.0 - 0.3;
    some.map(|cell| {
        let centre = grid.centre(cell);
        let number = 17 * cell.col + 29 * cell.row;
        [centre.x + off(number), centre.y + off(5 * number + 11)]
    })
    .collect()
}

/// The field in lines 4.3 m apart, a photograph every 4.3 m: 60 % of the shorter side overlaps.
fn flight() -> Vec<Shot> {
    let yaws = [0.0, 37.0, 90.0, 180.0, -142.5, -60.0];
    let places = (0..4).flat_map(|line| (0..8).map(move |step| [line, step].map(f64::from)));
    places
        .zip(yaws.iter().cycle())
        .map(|([line, step], &yaw)| Shot::at([4.3 * step - 15.05, 4.3 * line - 6.45], yaw))
        .collect()
}

fn fly(farm: &Farm, discs: &[[f64; 2]]) {
    for (number, mut shot) in flight().into_iter().enumerate() {
        shot.as_elements = number % 2 == 1;
        if number == 5 {
            let yaw = shot.yaw_deg.to_string();
            shot = shot.without("GimbalYawDegree").with("FlightYawDegree", &yaw);
        }
        if number == 9 {
            let turned = (shot.yaw_deg + 180.0).to_string();
            shot = shot.with("GimbalYawDegree", &turned).with("GimbalRollDegree", "+180.00");
        }
        farm.take(&format!("DJI_{number:04}.JPG"), &shot, &shot.draw(discs));
    }
}

/// A network that tells soil, weed and beet by red, green and blue. Needs `vendor/onnxruntime`.
fn network(farm: &Farm) {
    let networks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vision/tests/networks");
    let bytes = std::fs::read(networks.join("colours.onnx")).unwrap();
    let card = serde_json::json!({
        "name": "colours",
        "classes": ["soil", "weed", "sugar_beet", "potato", "other_crop"],
        "files": {"plants.onnx": {"sha256": kompas_field::Digest::of_bytes(&bytes).to_string(), "bytes": bytes.len()}},
    });
    std::fs::write(farm.path("plants.onnx"), bytes).unwrap();
    std::fs::write(farm.path("plants.card.json"), card.to_string()).unwrap();
}

#[test]
fn a_network_counts_the_plants_that_excess_green_counts() {
    let farm = Farm::new();
    network(&farm);
    fly(&farm, &discs(&farm.field));
    for number in 6..32 {
        std::fs::remove_file(farm.path(&format!("flight/DJI_{number:04}.JPG"))).unwrap();
    }
    let counted = |segmenter: &str| {
        let told = summary(&farm.survey(&["--segmenter", segmenter]));
        let plants = told["plants"].as_object().unwrap().values();
        (plants.map(|count| count.as_u64().unwrap()).sum::<u64>(), told["cells_seen"].clone())
    };
    let ((green, seen), (network, as_many)) = (counted("exg"), counted("plants.onnx"));
    assert!(green > 10 && green.abs_diff(network) <= 1, "{green} and {network}");
    assert_eq!(seen, as_many);
}

#[test]
fn every_plant_is_counted_once_in_its_grid_cell_and_the_planner_takes_the_map() {
    let farm = Farm::new();
    let mut discs = discs(&farm.field);
    discs.extend([[16.5, -4.0], [16.2, 3.3], [-16.8, 0.4]]);
    fly(&farm, &discs);
    let inside = |disc: &&[f64; 2]| farm.field.boundary.contains(Point2::new(disc[0], disc[1]));
    let mut expected: BTreeMap<CellIndex, u32> = BTreeMap::new();
    for disc in discs.iter().filter(inside) {
        let cell = farm.field.grid().cell_at(Point2::new(disc[0], disc[1])).unwrap();
        *expected.entry(cell).or_default() += 1;
    }
    let weeds = expected.values().sum::<u32>();
    assert!(weeds > 100 && (weeds as usize) < discs.len(), "some inside, some outside and in the exclusion");

    let told = summary(&farm.survey(&["--segmenter", "exg"]));
    let map: WeedMap = serde_json::from_slice(&farm.read("map.json")).unwrap();
    let counted: BTreeMap<CellIndex, u32> =
        map.cells().map(|(cell, tally)| (cell, tally.count(PlantClass::Weed))).collect();
    assert_eq!(counted, expected);
    assert_eq!(told["plants"]["weed"], weeds);
    assert_eq!(told["plants_outside"], discs.len() - weeds as usize);
    assert_eq!((&told["images"], &told["used"]), (&32.into(), &32.into()));
    assert_eq!(told["cells"], farm.centres().len());
    assert_eq!(told["cells_seen"], told["cells"]);
    assert_eq!(farm.unseen().0, []);
    assert_eq!(told["position_sigma_m"], 0.02);
    assert_eq!(told["position_sigma_assumed"], 0);
    // 10 m / 887.51 px.
    assert!((told["ground_sampling_mm"].as_f64().unwrap() - 11.267).abs() < 0.01, "{told}");

    let area_mm2: u64 = map.cells().map(|(_, tally)| tally.area_mm2[1]).sum();
    let true_mm2 = f64::from(weeds) * std::f64::consts::PI * (RADIUS_M * 1e3).powi(2);
    assert!((area_mm2 as f64 / true_mm2 - 1.0).abs() < 0.25, "{area_mm2} of {true_mm2}");
    places_are_right(&farm, &discs, weeds);
    the_planner_treats(&farm, &map);
}

/// Each point of the GeoJSON lies on a disc of its own.
fn places_are_right(farm: &Farm, discs: &[[f64; 2]], weeds: u32) {
    let points: Value = serde_json::from_slice(&farm.read("plants.geojson")).unwrap();
    let points = points["features"].as_array().unwrap();
    assert_eq!(points.len(), weeds as usize);
    let mut taken = vec![false; discs.len()];
    for point in points {
        let degrees = &point["geometry"]["coordinates"];
        let place =
            kompas_field::Geodetic::etrs89(degrees[1].as_f64().unwrap(), degrees[0].as_f64().unwrap());
        let place = farm.field.plane.to_field(place).unwrap();
        let near = |disc: &[f64; 2]| (disc[0] - place.x).hypot(disc[1] - place.y) < 0.02;
        let number = discs.iter().position(near).unwrap_or_else(|| panic!("no disc at {place:?}"));
        assert!(!std::mem::replace(&mut taken[number], true), "disc {number} twice");
        assert!(point["properties"]["image"].as_str().unwrap().starts_with("DJI_"));
        assert_eq!(point["properties"]["class"], "weed");
    }
}

fn the_planner_treats(farm: &Farm, map: &WeedMap) {
    let yard = Yard::new("");
    let rig: RigToml = toml::from_str(&std::fs::read_to_string(yard.path("rig.toml")).unwrap()).unwrap();
    let rig = Rig::new(rig).unwrap();
    let policy = kompas_planner::Policy { selective: true, ..kompas_planner::Policy::reference() };
    let plan = kompas_planner::plan(&farm.field, Some(map), &rig, &policy).unwrap();
    let treated: Vec<CellIndex> =
        plan.prescription.cells().filter(|(_, rate)| rate.get() > 0.0).map(|(cell, _)| cell).collect();
    let weedy: Vec<CellIndex> = map.cells().map(|(cell, _)| cell).collect();
    assert_eq!(treated, weedy);
}

#[test]
fn the_same_photographs_give_the_same_bytes() {
    let farm = Farm::new();
    let discs = discs(&farm.field);
    for (number, shot) in flight().iter().take(3).enumerate() {
        farm.take(&format!("{number}.jpg"), shot, &shot.draw(&discs));
    }
    let outputs = || {
        let output = farm.survey(&["--segmenter", "exg"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (output.stdout, farm.read("map.json"), farm.read("plants.geojson"))
    };
    assert_eq!(outputs(), outputs());
}

#[test]
fn what_cannot_be_used_is_named_with_its_reason_and_the_rest_counts() {
    let farm = Farm::new();
    let good = Shot::at([-9.0, -2.0], 37.0).without("RtkStdLon");
    let picture = good.draw(&[[-9.0, -2.0]]);
    farm.take("good.jpg", &good, &picture);
    let shot = || Shot::at([0.0, 0.0], 0.0);
    farm.take("no-height.jpg", &shot().without("RelativeAltitude"), &picture);
    farm.take("no-yaw.jpg", &shot().without("GimbalYawDegree").without("FlightYawDegree"), &picture);
    farm.take("oblique.jpg", &shot().with("GimbalPitchDegree", "-45.00"), &picture);
    farm.take("no-position.jpg", &Shot { with_position: false, ..shot() }, &picture);
    farm.take("on-its-side.jpg", &Shot { orientation: 6, ..shot() }, &picture);
    farm.take("no-pitch.jpg", &shot().without("GimbalPitchDegree"), &picture);
    let bad_xmp = Shot { as_elements: true, ..shot().with("Model", "</never-opened>") };
    farm.take("bad-xmp.jpg", &bad_xmp, &picture);
    farm.take("elsewhere.jpg", &Shot::at([60.0, 0.0], 0.0), &picture);
    farm.take("far.jpg", &Shot::at([0.0, 20_000.0], 0.0), &picture);
    farm.take("night.jpg", &shot(), &RgbImage::from_pixel(SIZE_PX[0], SIZE_PX[1], Rgb([2, 2, 2])));
    picture.save(farm.path("flight/edited.jpg")).unwrap();
    std::fs::write(farm.path("flight/broken.jpg"), "no picture").unwrap();
    std::fs::write(farm.path("flight/notes.txt"), "no photograph").unwrap();

    let output = farm.survey(&["--segmenter", "exg"]);
    let told = summary(&output);
    assert_eq!((&told["images"], &told["used"]), (&13.into(), &1.into()));
    let refused = told["refused"].as_array().unwrap();
    let reasons = [
        ("bad-xmp.jpg", "not XML"),
        ("broken.jpg", "decode"),
        ("edited.jpg", "EXIF"),
        ("elsewhere.jpg", "60 m east"),
        ("far.jpg", "20.0 km"),
        ("night.jpg", "too dark"),
        ("no-height.jpg", "--height-m"),
        ("no-pitch.jpg", "GimbalPitchDegree"),
        ("no-position.jpg", "GPSLatitude"),
        ("no-yaw.jpg", "GimbalYawDegree"),
        ("oblique.jpg", "45°"),
        ("on-its-side.jpg", "turned"),
    ];
    assert_eq!(refused.len(), reasons.len(), "{refused:#?}");
    for (refused, (image, reason)) in refused.iter().zip(reasons) {
        assert_eq!(refused["image"], image);
        assert!(refused["reason"].as_str().unwrap().contains(reason), "{refused}");
        assert!(text(&output.stderr).contains(image), "{image} is not told to the person");
    }
    let seen = farm.centres().iter().filter(|&&centre| good.shows(centre)).count();
    assert!(seen > 50 && seen < farm.centres().len());
    assert_eq!(told["cells_seen"], seen);
    let unseen = farm.unseen();
    assert!(
        farm.centres().iter().all(|&centre| good.shows(centre) != unseen.contains(&geo::Point::from(centre)))
    );
    assert_eq!(told["plants"]["weed"], 1);
    assert_eq!(told["position_sigma_m"], 2.0);
    for warning in ["were not seen", "2 m is assumed", "excess green"] {
        assert!(text(&output.stderr).contains(warning), "{warning} is missing in:\n{}", text(&output.stderr));
    }
}

#[test]
fn a_photograph_that_is_gone_at_the_second_look_leaves_a_hole_and_the_rest_counts() {
    let farm = Farm::new();
    let shots = [Shot::at([-6.0, -2.0], 0.0), Shot::at([2.0, -2.0], 0.0)];
    let discs = [[-9.0, -2.0], [-5.0, -3.0], [1.0, -4.0], [4.0, -1.0]];
    for (name, shot) in ["a.jpg", "b.jpg"].into_iter().zip(&shots) {
        farm.take(name, shot, &shot.draw(&discs));
    }
    let mut survey = Survey::of(&farm.field, None);
    for path in photographs(&farm.path("flight")).unwrap() {
        survey.admit(&path);
    }
    assert_eq!(survey.admitted(), 2);
    std::fs::remove_file(farm.path("flight/a.jpg")).unwrap();
    let told = survey.count(&mut ExcessGreen::default(), |_| {}).unwrap();
    assert_eq!((told.summary.images, told.summary.used, told.plants.len()), (2, 1, 2));
    let [refused] = &told.summary.refused[..] else { panic!("{:?}", told.summary.refused) };
    assert!(refused.image == "a.jpg" && refused.reason.contains("at first"), "{refused:?}");
    let grid = farm.field.grid();
    let cell = |place: [f64; 2]| grid.cell_at(Point2::new(place[0], place[1])).unwrap();
    let unseen: Vec<CellIndex> = told.unseen;
    // Both show the ground between them; what is nearer to the lost one's middle was left to it.
    for (place, seen) in
        [([-9.0, -2.0], false), ([-3.0, -2.0], false), ([-1.0, -2.0], true), ([4.0, -1.0], true)]
    {
        assert!(shots[0].shows(place) || shots[1].shows(place));
        assert_eq!(!unseen.contains(&cell(place)), seen, "{place:?}");
    }
    assert_eq!(told.summary.cells_seen, farm.centres().len() - unseen.len());
}

#[test]
fn the_height_given_counts_before_the_tags() {
    let farm = Farm::new();
    // The tags say 10 m; it really was 8 m: 5 m to the side of the lens, the difference is 1.25 m.
    let shot = Shot { height_m: 8.0, ..Shot::at([-9.5, -2.5], 90.0) };
    let disc = [-9.5, 2.5];
    farm.take("DJI_0000.JPEG", &shot, &shot.draw(&[disc]));
    summary(&farm.survey(&["--segmenter", "exg", "--height-m", "8"]));
    places_are_right(&farm, &[disc], 1);
}

#[test]
fn nothing_to_work_with_ends_with_2_and_says_what_to_do() {
    let told = |farm: &Farm, more: &[&str]| {
        let output = farm.survey(more);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(!farm.path("map.json").exists(), "no map of nothing");
        text(&output.stderr)
    };
    let farm = Farm::new();
    let empty = told(&farm, &["--segmenter", "exg"]);
    assert!(empty.contains("flight") && empty.contains("JPEG"), "{empty}");
    std::fs::write(farm.path("flight/a.jpg"), "no picture").unwrap();
    let refused = told(&farm, &["--segmenter", "exg"]);
    assert!(refused.contains("a.jpg: ") && refused.contains("decode"), "{refused}");
    let unnamed = told(&farm, &[]);
    assert!(unnamed.contains("--segmenter") && unnamed.contains("exg"), "{unnamed}");
    let low = told(&farm, &["--segmenter", "exg", "--height-m", "0"]);
    assert!(low.contains("0.5 to 500"), "{low}");
    // A folder that is there and takes no file, for whoever runs this.
    let mut closed = Command::new(program());
    closed.args(["survey", "--images", "flight", "--field", "parcel.geojson", "--crop", "sugar_beet"]);
    closed.args(["--segmenter", "exg", "--out", "/proc/map.json"]).current_dir(farm.folder.path());
    let closed = closed.output().unwrap();
    assert_eq!(closed.status.code(), Some(2));
    let closed = text(&closed.stderr);
    assert!(closed.contains("cannot make /proc/map.json") && !closed.contains("a.jpg"), "{closed}");
    std::fs::write(farm.path("parcel.geojson"), "{}").unwrap();
    let field = told(&farm, &["--segmenter", "exg"]);
    assert!(field.contains("parcel.geojson"), "{field}");
}
