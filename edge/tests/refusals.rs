//! Settings that cannot be what a person meant, and files that cannot be made: told before the drive, with 2.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{Yard, check, robot, text};
use kompas_field::units::LitresPerHectare;
use kompas_field::{
    CellIndex, Confidence, FallbackRates, Field, FieldCrop, Finding, PlantClass, Point2, Prescription,
    Sighting, WeedMap,
};
use kompas_planner::{Policy, plan};
use std::process::Output;

fn run(yard: &Yard, more: &[&str]) -> Output {
    robot(&[&["run", "--config", yard.config.to_str().unwrap(), "--max-frames", "5"][..], more].concat())
        .output()
        .unwrap()
}

/// Ends with 2 and says all of `told`.
fn refused(output: &Output, told: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in told {
        assert!(said.contains(word), "{word} is missing in:\n{said}");
    }
}

fn change(yard: &Yard, from: &str, to: &str) {
    let settings = std::fs::read_to_string(&yard.config).unwrap();
    assert!(settings.contains(from), "{from}");
    std::fs::write(&yard.config, settings.replace(from, to)).unwrap();
}

#[test]
fn an_outbox_gets_its_folder_and_one_that_cannot_be_is_told() {
    let yard = Yard::new("");
    change(&yard, "outbox = \"outbox.db\"", "outbox = \"records/today/outbox.db\"");
    assert!(check(&yard).status.success());
    assert!(!yard.path("records").exists(), "a check makes nothing");
    assert!(run(&yard, &[]).status.success());
    assert!(yard.path("records/today/outbox.db").exists());
    for nowhere in ["rig.toml/outbox.db", "rig.toml/today/outbox.db", "records/today"] {
        let given = ["--outbox", &yard.path(nowhere).display().to_string()].map(str::to_owned);
        refused(&run(&yard, &[&given[0], &given[1]]), &[nowhere, "records.outbox", "--outbox"]);
        let arguments = ["check", "--config", yard.config.to_str().unwrap(), &given[0], &given[1]];
        refused(&robot(&arguments).output().unwrap(), &[nowhere, "records.closed"]);
    }
    change(&yard, "robot_id = \"r-1\"", "robot_id = \"r-2\"");
    refused(&run(&yard, &[]), &["is the outbox of r-1", "its own"]);
}

#[test]
fn results_that_cannot_be_written_are_told_before_the_drive() {
    let yard = Yard::new("");
    let nowhere = yard.path("none/file").display().to_string();
    for option in ["--report", "--decisions", "--plan-out", "--weed-map-out"] {
        refused(&run(&yard, &[option, &nowhere]), &[&nowhere, "a folder that takes it"]);
        assert!(!yard.path("outbox.db").exists(), "{option}");
    }
    let map = yard.path("map.json").display().to_string();
    let told = |output: Output| text(&output.stderr).contains("not what the runs before it saw");
    assert!(!told(run(&yard, &["--weed-map-out", &map])));
    assert!(told(run(&yard, &["--weed-map-out", &map])), "it goes on after a pause");
}

#[test]
fn a_bench_of_a_folder_is_wrong_use() {
    let yard = Yard::new("");
    std::fs::write(
        yard.path("poses.csv"),
        "image,time_s,lat_deg,lon_deg,heading_deg,quality,sigma_m,correction_age_s,speed_mps\n,1,,,,none,,,\n",
    )
    .unwrap();
    change(&yard, "kind = \"simulator\"", "kind = \"folder\"\nfolder = \".\"");
    change(&yard, "[simulator]\nseed = 11\n", "");
    let bench = robot(&["bench", "--config", yard.config.to_str().unwrap()]).output().unwrap();
    refused(&bench, &["driver.kind = \"simulator\""]);
}

/// What `check` finds of every job in this yard.
const ALWAYS: [&str; 2] = ["uplink.no_broker", "plan.part_undone"];

/// Codes of what `check` finds beside [`ALWAYS`], and whether the job is ready.
fn found(yard: &Yard) -> (Vec<String>, bool) {
    let output = robot(&["check", "--json", "--config", yard.config.to_str().unwrap()]).output().unwrap();
    let findings: Vec<Finding> = serde_json::from_slice(&output.stdout).unwrap();
    let codes = findings.into_iter().map(|finding| finding.code);
    (codes.filter(|code| !ALWAYS.contains(&code.as_str())).collect(), output.status.success())
}

fn map_with(field: &Field, weeds: u32) -> WeedMap {
    let mut map = WeedMap::of(field);
    for weed in 0..weeds {
        let seen = Sighting {
            position: Point2::new(f64::from(weed) * 0.1, 0.0),
            sigma: kompas_field::units::Metres::new(0.01),
            class: PlantClass::Weed,
            confidence: Confidence::clamped(0.9),
            area_cm2: 9.0,
        };
        assert!(map.add(&seen));
    }
    map
}

#[test]
fn a_plan_made_before_is_driven_with_its_own_map_and_rates() {
    let yard = Yard::new("");
    let (_, job) = yard.load();
    let [today, yesterday] = [30, 20].map(|weeds| map_with(&job.field, weeds));
    let write = |name: &str, text: String| std::fs::write(yard.path(name), text).unwrap();
    write("map.json", serde_json::to_string(&today).unwrap());
    change(&yard, "[policy]", "[plan]\nfile = \"plan.json\"\nweed_map = \"map.json\"\n[policy]");
    for (map, codes) in [
        (Some(&today), vec![]),
        (Some(&yesterday), vec!["plan.other_weed_map"]),
        (None, vec!["plan.other_weed_map"]),
    ] {
        write("plan.json", plan(&job.field, map, &job.rig, &Policy::reference()).unwrap().to_json());
        let (mut found, ready) = found(&yard);
        found.retain(|code| code.starts_with("plan.o"));
        assert_eq!((found, ready), (codes.iter().map(|&code| code.to_owned()).collect(), codes.is_empty()));
    }
    change(&yard, "weed_map = \"map.json\"", "rate_l_per_ha = 150.0");
    assert_eq!(found(&yard), (vec!["plan.unused".to_owned()], true));
}

#[test]
fn a_plan_that_tells_how_much_is_told_to_be_driven_alike() {
    let yard = Yard::new("");
    let (_, job) = yard.load();
    let everywhere =
        FallbackRates { default_l_per_ha: LitresPerHectare::new(100.0), ..FallbackRates::CLOSED };
    let mut rates = Prescription::new(job.field.grid(), everywhere).unwrap();
    rates.set(CellIndex { col: 2, row: 2 }, LitresPerHectare::ZERO).unwrap();
    let codes = |rates: &Prescription| {
        let policy = Policy { prescription: Some(rates.clone()), ..Policy::reference() };
        let made = plan(&job.field, None, &job.rig, &policy).unwrap();
        std::fs::write(yard.path("plan.json"), made.to_json()).unwrap();
        found(&yard).0
    };
    change(&yard, "[policy]", "[plan]\nfile = \"plan.json\"\n[policy]");
    assert!(!codes(&rates).contains(&"plan.several_rates".to_owned()));
    rates.set(CellIndex { col: 3, row: 3 }, LitresPerHectare::new(250.0)).unwrap();
    assert!(codes(&rates).contains(&"plan.several_rates".to_owned()), "{:?}", codes(&rates));
}

#[test]
fn a_field_that_grows_something_else_is_an_error() {
    let yard = Yard::new("");
    let (_, job) = yard.load();
    let potatoes = Field { crop: FieldCrop::Potato, ..job.field };
    std::fs::write(yard.path("field.json"), serde_json::to_string(&potatoes).unwrap()).unwrap();
    change(&yard, "field.geojson", "field.json");
    assert_eq!(found(&yard), (vec!["field.other_crop".to_owned()], false));
    change(&yard, "sugar_beet", "potato");
    assert_eq!(found(&yard), (vec![], true));
}

#[test]
fn a_camera_that_sees_less_than_the_boom_wets_is_told() {
    let yard = Yard::new("");
    let whole = check(&yard);
    assert!(!text(&whole.stdout).contains("narrow_sight") && !text(&whole.stderr).contains("narrow_sight"));
    let rig = std::fs::read_to_string(yard.path("rig.toml")).unwrap();
    for (from, to, told) in [
        (
            "focal_x_px = 400.0",
            "focal_x_px = 600.0",
            "0.75 m to the left of the antenna and 0.75 to the right",
        ),
        ("left_m = 0.0", "left_m = 0.3", "1.42 m to the left of the antenna and 0.82 to the right"),
    ] {
        std::fs::write(yard.path("rig.toml"), rig.replace(from, to)).unwrap();
        let output = check(&yard);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(
            output.status.success() && said.contains("rig.narrow_sight") && said.contains(told),
            "{said}"
        );
    }
}
