//! The program as a person uses it: exit codes, findings, JSON, a run that survives a kill.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{Yard, check, robot, text};
use kompas_field::{FieldCrop, WeedMap};
use kompas_planner::import::field_from_geojson;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_good_job_is_ready() {
    let yard = Yard::new("");
    let output = check(&yard);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("ready: rig small"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("uplink.no_broker"), "{}", text(&output.stderr));
    let sends = ["check", "--config", yard.config.to_str().unwrap(), "--broker", "mqtt://farm"];
    let stderr = robot(&sends).output().unwrap().stderr;
    assert!(!text(&stderr).contains("uplink.no_broker"), "{}", text(&stderr));
}

/// Told in the yard, not in the field.
#[test]
fn a_model_and_a_folder_that_do_not_open_are_told() {
    let yard = Yard::new("");
    let config = std::fs::read_to_string(&yard.config).unwrap();
    let told = |config: String| {
        std::fs::write(&yard.config, config).unwrap();
        let output = check(&yard);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    let model = config.replace("kind = \"exg\"", "kind = \"onnx\"\nmodel = \"plants.onxx\"");
    let found = told(model.replace("[driver]", "library = \"libonnxruntime.so\"\n[driver]"));
    assert!(found.contains("segmenter.closed"), "{found}");
    let photos = "[simulator.photos]\nfolder = \"no-such-photographs\"\n";
    let found = told(format!("{config}\n{photos}"));
    assert!(found.contains("driver.closed") && found.contains("no-such-photographs"), "{found}");
}

#[test]
fn a_plan_of_the_same_file_is_a_plan_of_this_field() {
    let yard = Yard::new("");
    let file = yard.path("north.geojson");
    std::fs::rename(yard.path("field.geojson"), &file).unwrap();
    // As `kompas-plan make` does it.
    let id = kompas_field::ids::FieldId::of_file(&file).unwrap();
    let crop = kompas_field::FieldCrop::SugarBeet;
    let (field, _) = kompas_planner::import::field_from_file(&file, id, crop).unwrap();
    let rig = toml::from_str(&std::fs::read_to_string(yard.path("rig.toml")).unwrap()).unwrap();
    let rig = kompas_field::Rig::new(rig).unwrap();
    let made = kompas_planner::plan(&field, None, &rig, &kompas_planner::Policy::reference()).unwrap();
    std::fs::write(yard.path("plan.json"), made.to_json()).unwrap();
    let config = std::fs::read_to_string(&yard.config).unwrap();
    let config = config.replace("field.geojson", "north.geojson") + "[plan]\nfile = \"plan.json\"\n";
    std::fs::write(&yard.config, &config).unwrap();
    let output = check(&yard);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("field north"), "{}", text(&output.stdout));
    std::fs::write(&yard.config, config.replace("crop =", "id = \"south\"\ncrop =")).unwrap();
    let output = check(&yard);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("named north there and south here"), "{}", text(&output.stderr));
}

/// The one field that comes with Kompas, from `kompas-plan` to the robot.
#[test]
fn a_plan_of_the_demonstration_field_is_driven_in_the_demonstration() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let read = |name: &str| std::fs::read_to_string(demo.join(name)).unwrap();
    let parcel = "demo-valthermond.geojson";
    // As `kompas-plan make --crop sugar_beet` does it.
    let id = kompas_field::ids::FieldId::of_file(Path::new(parcel)).unwrap();
    let (field, _) =
        kompas_planner::import::field_from_file(&demo.join(parcel), id, FieldCrop::SugarBeet).unwrap();
    let rig = kompas_field::Rig::new(toml::from_str(&read("rig.toml")).unwrap()).unwrap();
    let made = kompas_planner::plan(&field, None, &rig, &kompas_planner::Policy::reference()).unwrap();
    let yard = Yard::new("");
    std::fs::write(yard.path("plan.json"), made.to_json()).unwrap();
    for name in ["rig.toml", parcel] {
        std::fs::write(yard.path(name), read(name)).unwrap();
    }
    let config = read("simulator.toml");
    assert!(config.contains("rate_l_per_ha = 200.0"), "the plan's section is another now");
    let config = config.replace("rate_l_per_ha = 200.0", "file = \"plan.json\"");
    std::fs::write(&yard.config, config).unwrap();
    let report = yard.path("report.json");
    let run = ["run", "--max-frames", "2", "--report", report.to_str().unwrap()];
    let [job, outbox] = [&yard.config, &yard.path("outbox.db")].map(|path| path.to_str().unwrap().to_owned());
    let output = robot(&[&run[..], &["--config", &job, "--outbox", &outbox]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["frames"], 2);
}

#[test]
fn frames_that_come_too_late_for_any_nozzle_are_told() {
    let told = |policy: &str| {
        let yard = Yard::new("");
        let config = std::fs::read_to_string(&yard.config).unwrap();
        let config = config.replace("max_frame_age_s = 3.0", policy);
        std::fs::write(&yard.config, config.replace("[driver]", "[driver]\nframe_latency_ms = 2500"))
            .unwrap();
        let output = check(&yard);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    assert!(
        told("max_gap_s = 0.5").contains("driver.frame_latency_ms = 2500: older"),
        "two seconds are the default"
    );
    for in_time in ["max_frame_age_s = 2.5", "max_frame_age_s = 2.6"] {
        assert!(!told(in_time).contains("older"), "{in_time}");
    }
}

#[test]
fn numbers_that_cannot_be_are_refused_before_anything_begins() {
    let yard = Yard::new("");
    let config = yard.config.to_str().unwrap();
    let pictures = yard.path("pictures");
    for option in ["--keep-every-m=NaN", "--keep-every-m=-1", "--drain-s=inf", "--pace=-2"] {
        let keep = ["--keep-pictures", pictures.to_str().unwrap()];
        let output = robot(&["run", "--config", config, option, keep[0], keep[1]]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(text(&output.stderr).contains("a number from 0 to"), "{}", text(&output.stderr));
        assert!(!pictures.exists(), "{option}");
    }
}

#[test]
fn mistakes_in_every_file_are_told_together() {
    let yard = Yard::new("max_sigma_m = 7.0\nmin_aera_cm2 = 1.0\n");
    let rig = std::fs::read_to_string(yard.path("rig.toml")).unwrap();
    std::fs::write(yard.path("rig.toml"), rig.replace("nozzle_pitch_m = 0.1", "nozzle_pitch_m = -0.1"))
        .unwrap();
    let bow_tie = r#"{"type":"Polygon","coordinates":[[[6.9463,52.8741],[6.946746,52.874244],[6.946746,52.8741],
        [6.9463,52.874244],[6.9463,52.8741]]]}"#;
    std::fs::write(yard.path("field.geojson"), bow_tie).unwrap();
    let output = check(&yard);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    for place in
        ["policy.max_sigma_m = 7", "policy.min_aera_cm2", "boom.nozzle_pitch_m = -0.1", "field.geojson"]
    {
        assert!(told.contains(place), "{place} is missing in:\n{told}");
    }
    assert!(told.contains("boundary."), "{told}");
}

#[test]
fn the_weed_map_of_the_plot_beside_is_an_error_and_its_own_is_taken() {
    let yard = Yard::new("[plan]\nweed_map = \"map.json\"\n");
    let field = std::fs::read_to_string(yard.path("field.geojson")).unwrap();
    let map_of = |id: &str, text: &str| {
        let field = field_from_geojson(text, id.parse().unwrap(), FieldCrop::SugarBeet).unwrap();
        serde_json::to_string(&WeedMap::of(&field)).unwrap()
    };
    std::fs::write(yard.path("map.json"), map_of("beside", &field.replace("6.946", "6.947"))).unwrap();
    let output = check(&yard);
    assert_eq!(output.status.code(), Some(2));
    for told in ["weed_map.other_field", "map.json", "is of field beside", "plan.weed_map"] {
        assert!(text(&output.stderr).contains(told), "{told} is missing in:\n{}", text(&output.stderr));
    }
    std::fs::write(yard.path("map.json"), map_of("any-name", &field)).unwrap();
    assert!(check(&yard).status.success(), "{}", text(&check(&yard).stderr));
}

#[test]
fn a_rate_that_the_rig_never_keeps_to_is_an_error() {
    // 0.1 l/min over 0.11 m: 76 l/ha at the rig's 2 m/s.
    let output = check(&Yard::new("max_rate_l_per_ha = 70.0\n"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("policy.max_rate_l_per_ha = 70"), "{}", text(&output.stderr));
    assert!(check(&Yard::new("max_rate_l_per_ha = 80.0\n")).status.success());
}

#[test]
fn what_a_parcels_file_holds_beside_it_is_told() {
    let yard = Yard::new("");
    let parcel = std::fs::read_to_string(yard.path("field.geojson")).unwrap();
    let feature = |geometry: &str| format!(r#"{{"type":"Feature","properties":{{}},"geometry":{geometry}}}"#);
    let pole = r#"{"type":"Point","coordinates":[6.9465,52.8742]}"#;
    let collection = |second: &str| {
        format!(r#"{{"type":"FeatureCollection","features":[{},{}]}}"#, feature(&parcel), feature(second))
    };
    std::fs::write(yard.path("field.geojson"), collection(pole)).unwrap();
    let output = check(&yard);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("field.left_aside"), "{}", text(&output.stderr));
    std::fs::write(yard.path("field.geojson"), collection(&parcel)).unwrap();
    assert_eq!(check(&yard).status.code(), Some(2), "two parcels are no parcel");
}

#[test]
fn bad_boundaries_are_named_and_end_with_2() {
    let ring = |corners: &str| format!(r#"{{"type":"Polygon","coordinates":[[{corners}]]}}"#);
    let cases = [
        ("open", ring("[6.9463,52.8741],[6.9467,52.8741],[6.9467,52.8744],[6.9463,52.8744]")),
        ("nothing", ring("[6.9463,52.8741],[6.9463,52.8741],[6.9463,52.8741],[6.9463,52.8741]")),
        ("huge", ring("[6.0,52.0],[7.5,52.0],[7.5,53.0],[6.0,53.0],[6.0,52.0]")),
        ("not a number", ring("[6.9463,52.8741],[NaN,52.8741],[6.9467,52.8744],[6.9463,52.8741]")),
        ("metres", ring("[260225.4,543676.8],[260325.4,543676.8],[260325.4,543776.8],[260225.4,543676.8]")),
    ];
    for (name, geojson) in cases {
        let yard = Yard::new("");
        std::fs::write(yard.path("field.geojson"), geojson).unwrap();
        let output = check(&yard);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("field.geojson"), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn a_boundary_too_long_for_a_record_is_an_error_before_the_first_metre() {
    let yard = Yard::new("");
    let ring: Vec<String> = (0..=3000)
        .map(|step| {
            let angle = std::f64::consts::TAU * f64::from(step % 3000) / 3000.0;
            format!("[{},{}]", 6.9465 + 0.0004 * angle.cos(), 52.8742 + 0.0003 * angle.sin())
        })
        .collect();
    let geojson = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","));
    std::fs::write(yard.path("field.geojson"), geojson).unwrap();
    let output = check(&yard);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("field.geojson") && told.contains("3001 points"), "{told}");
}

#[test]
fn a_run_without_a_cloud_goes_on_and_survives_a_kill() {
    let yard = Yard::new("");
    let report = yard.path("report.json");
    let config = yard.config.to_str().unwrap();
    // Nobody listens there: the records wait.
    let run =
        ["run", "--config", config, "--broker", "mqtt://127.0.0.1:9", "--report", report.to_str().unwrap()];
    let mut slow = robot(&run).args(["--pace", "20"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(4));
    slow.kill().unwrap();
    slow.wait().unwrap();
    assert!(!report.exists(), "it was killed in the middle");
    let before = yard.records().len() as u64;
    assert!(before > 0);
    let output = robot(&run).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert!(report["resumed_from_m"].as_f64().is_some(), "{report:#}");
    let waiting = report["outbox"]["waiting"].as_u64().unwrap();
    assert_eq!(waiting, before + report["records_written"].as_u64().unwrap(), "nothing lost, nothing twice");
    assert_eq!(report["outbox"]["written"], report["outbox"]["waiting"]);
    for key in
        ["frames", "cells_treated", "records_written", "plants", "stage_seconds", "frame_to_decision_ms"]
    {
        assert!(!report[key].is_null(), "{key}");
    }
}

#[test]
fn a_terminal_that_closes_pauses_the_run_and_nothing_is_lost() {
    let yard = Yard::new("");
    let report = yard.path("report.json");
    let run = [
        "run",
        "--config",
        yard.config.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
        "--pace",
        "5",
    ];
    // Whatever runs these tests may have been started with `nohup`, which would be inherited.
    let robot = robot(&run);
    let mut listening = Command::new("env");
    listening.arg("--default-signal=HUP").arg(robot.get_program()).args(robot.get_args());
    let mut running = listening.stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let hang_up = ["-HUP", &running.id().to_string()];
    // Shell and system may both say so.
    for _ in 0..2 {
        assert!(Command::new("kill").args(hang_up).status().unwrap().success());
    }
    assert!(running.wait().unwrap().success());
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["state"], "paused", "{report:#}");
    assert_eq!((report["records_unwritten"].as_u64(), yard.records().is_empty()), (Some(0), false));
}

#[test]
fn an_open_mission_is_given_up_only_when_a_person_says_so() {
    let yard = Yard::new("");
    let config = yard.config.to_str().unwrap();
    let run = |more: &[&str]| {
        robot(&[&["run", "--config", config, "--max-frames", "20"][..], more].concat()).output().unwrap()
    };
    assert!(run(&[]).status.success());
    let settings = std::fs::read_to_string(&yard.config).unwrap();
    std::fs::write(&yard.config, settings + "[plan]\nrate_l_per_ha = 150.0\n").unwrap();
    let before = yard.records().len();
    for refused in [run(&[]), check(&yard)] {
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains("--give-up-mission"), "{}", text(&refused.stderr));
    }
    assert_eq!(yard.records().len(), before, "nothing is written by a run that does not begin");
    let begun = run(&["--give-up-mission"]);
    assert!(begun.status.success(), "{}", text(&begun.stderr));
    assert!(text(&begun.stderr).contains("is given up after"), "{}", text(&begun.stderr));
}

#[test]
fn what_a_run_leaves_is_told_with_the_command_that_sends_it() {
    let yard = Yard::new("");
    let config = yard.config.to_str().unwrap();
    let send = |more: &[&str]| robot(&[&["send", "--config", config][..], more].concat()).output().unwrap();
    let nothing = send(&["--broker", "mqtt://127.0.0.1:9"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("records.outbox"), "{}", text(&nothing.stderr));

    let output = robot(&["run", "--config", config, "--max-frames", "5"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let command = format!("kompas-robot send --config {config} --broker mqtt://HOST:PORT");
    for told in ["are on this robot only", "outbox.db", "uplink.broker", &command] {
        assert!(text(&output.stderr).contains(told), "{told} is missing in:\n{}", text(&output.stderr));
    }
    let nowhere = send(&[]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(text(&nowhere.stderr).contains("uplink.broker"), "{}", text(&nowhere.stderr));

    // Nobody listens there: it tries again until a person stops it.
    let mut sending =
        robot(&["send", "--config", config, "--broker", "mqtt://127.0.0.1:9", "--json"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(sending.try_wait().unwrap().is_none(), "it gave up");
    let pid = sending.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = sending.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["sent"], &told["waiting"]), (&0.into(), &(yard.records().len() as u64).into()));
    assert!(told["why"].as_str().unwrap().contains("mqtt://127.0.0.1:9"), "{told}");
    assert!(text(&output.stderr).contains("no connection to mqtt://127.0.0.1:9"), "{}", text(&output.stderr));
}

#[test]
fn wrong_use_ends_with_2() {
    assert_eq!(robot(&["run"]).output().unwrap().status.code(), Some(2));
    let missing = robot(&["run", "--config", "no-such.toml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("no-such.toml"));
}
