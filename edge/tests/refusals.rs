//! Settings that cannot be what a person meant, and files that cannot be made: told before the drive, with 2.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::{Yard, check, robot, text};
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
