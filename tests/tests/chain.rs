//! The README's promises, over real processes: cloud and robot as two programs on loopback.

use kompas_tests::cloud::Cloud;
use kompas_tests::mosquitto::Mosquitto;
use kompas_tests::process::{wait_for, workspace};
use kompas_tests::robot::Job;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(5);

/// A robot on the first part of the demo field, sending to `cloud`.
fn robot(folder: &Path, cloud: &Cloud, frames: u32) -> Job {
    Job::demo(folder)
        .with("--broker", &cloud.at.broker_url)
        .with("--drain-s", &120)
        .with("--max-frames", &frames)
}

/// What the robot's disk holds and what the cloud's disk holds, and that nothing came twice or apart.
fn assert_all_committed_once(report: &serde_json::Value, cloud: &Cloud) {
    let written = report["outbox"]["written"].as_u64().expect("the report counts records");
    assert!(written > 20, "too little happened: {report}");
    assert_eq!(cloud.wait_for_records(written).expect("records arrive"), written);
    let status = cloud.get("api/status").expect("the cloud answers");
    let counts = &status["counts"];
    assert_eq!((&counts["disputed"], &counts["quarantined"]), (&0.into(), &0.into()), "{counts}");
}

#[test]
fn what_the_robot_wrote_is_on_the_farmers_map() {
    let folder = TempDir::new().unwrap();
    let cloud = Cloud::start(&folder.path().join("cloud")).unwrap();
    // Nobody says how long to wait at the end: a connection that is there is used.
    let job = Job::demo(&folder.path().join("robot")).with("--broker", &cloud.at.broker_url);
    let report = job.with("--max-frames", &90).run().unwrap();
    assert_eq!(report["frames"], 90);
    assert_eq!(report["outbox"]["waiting"], 0, "{report}");
    assert!(report["plants"]["weeds_treated"].as_u64().unwrap() > 50, "{}", report["plants"]);
    assert_all_committed_once(&report, &cloud);
    let mission = cloud.mission().unwrap();
    assert_eq!(mission["plants"], report["plants_decided"]);
    assert_eq!(mission["cells_treated"], report["cells_treated"]);
    assert_eq!(cloud.features("plants").unwrap() as u64, report["plants_decided"].as_u64().unwrap());
    assert!(cloud.features("cells").unwrap() > 50 && cloud.features("track").unwrap() == 1);
}

#[test]
fn a_cloud_that_is_killed_twice_has_every_record_once() {
    let folder = TempDir::new().unwrap();
    let mut cloud = Cloud::start(&folder.path().join("cloud")).unwrap();
    // Slowed to four times real time, so that the cloud dies while records flow.
    let mut running = robot(&folder.path().join("robot"), &cloud, 90).with("--pace", &4).start().unwrap();
    for records in [10, 40] {
        wait_for("records to flow", PATIENCE, || Ok((cloud.records()? >= records).then_some(()))).unwrap();
        assert!(running.ended().unwrap().is_none(), "the robot was done before the cloud was killed");
        cloud.kill_and_restart(Duration::from_millis(700)).unwrap();
    }
    assert_all_committed_once(&running.finish().unwrap(), &cloud);
}

#[test]
fn a_robot_that_is_killed_goes_on_and_loses_no_record() {
    let folder = TempDir::new().unwrap();
    let cloud = Cloud::start(&folder.path().join("cloud")).unwrap();
    let job = robot(&folder.path().join("robot"), &cloud, 60);
    let mut first = job.clone().with("--pace", &4).start().unwrap();
    wait_for("records to flow", PATIENCE, || Ok((cloud.records()? >= 20).then_some(()))).unwrap();
    assert!(first.ended().unwrap().is_none(), "the robot was done before it was killed");
    first.kill().unwrap();
    let second = job.run().unwrap();
    assert!(second["resumed_from_m"].as_f64().unwrap() > 0.0, "it began anew: {second}");
    // `written` counts sequence numbers given out over both runs: a lost record would leave a hole.
    assert_all_committed_once(&second, &cloud);
    assert_eq!(cloud.features("track").unwrap(), 2, "one line for each run of the program");
}

#[test]
fn without_a_cloud_the_robot_works_and_records_wait() {
    let folder = TempDir::new().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let job = Job::demo(&folder.path().join("robot"))
        .with("--broker", &format!("mqtt://{free}"))
        .with("--max-frames", &40);
    let alone = job.run().unwrap();
    assert_eq!(alone["outbox"]["waiting"], alone["outbox"]["written"]);
    assert!(alone["plants_treated"].as_u64().unwrap() > 20, "{alone}");
    let cloud = Cloud::start_at(&folder.path().join("cloud"), "127.0.0.1:0", &free.to_string()).unwrap();
    let report = job.with("--drain-s", &120).run().unwrap();
    assert!(report["outbox"]["written"].as_u64() > alone["outbox"]["written"].as_u64());
    assert_all_committed_once(&report, &cloud);
}

#[test]
fn what_a_day_without_network_left_is_sent_in_the_evening() {
    let folder = TempDir::new().unwrap();
    let Some(broker) = Mosquitto::start(folder.path()).unwrap() else {
        eprintln!("skipped: needs mosquitto (Debian package mosquitto)");
        return;
    };
    let job = Job::demo(&folder.path().join("robot"));
    let left = job.clone().with("--max-frames", &20).run().unwrap();
    assert_eq!(left["outbox"]["waiting"], left["outbox"]["written"]);
    let cloud = Cloud::start_on(&folder.path().join("cloud"), &broker.url()).unwrap();
    let sent = job.send(&broker.url()).unwrap();
    assert_eq!((&sent["sent"], &sent["waiting"]), (&left["outbox"]["written"], &0.into()));
    assert_all_committed_once(&sent, &cloud);
    assert_eq!(job.send(&broker.url()).unwrap()["sent"], 0, "nothing is sent twice");
}

#[test]
fn same_seed_same_bytes() {
    let folder = TempDir::new().unwrap();
    let run = |name: &str, seed: u32| {
        let job = Job::demo(&folder.path().join(name)).with("--max-frames", &40).with("--seed", &seed);
        job.run().unwrap();
        (std::fs::read(job.plan()).unwrap(), std::fs::read(job.decisions()).unwrap())
    };
    let (plan, decisions) = run("one", 7);
    assert!(plan.len() > 1000 && decisions.len() > 10_000);
    assert!(run("two", 7) == (plan.clone(), decisions.clone()), "the second run differs");
    let (same_plan, other_decisions) = run("three", 8);
    assert!(same_plan == plan, "the plan depends on the simulator's seed");
    assert!(other_decisions != decisions, "the seed changes nothing: the test would not notice");
}

#[test]
fn real_photographs_go_through_the_whole_chain() {
    let images = workspace().join("../shared/data/plants/beet_maize_phone");
    if !images.is_dir() {
        eprintln!("skipped: needs ../shared/data/plants/beet_maize_phone");
        return;
    }
    let folder = TempDir::new().unwrap();
    let cloud = Cloud::start(&folder.path().join("cloud")).unwrap();
    let job = robot(&folder.path().join("robot"), &cloud, 40).with("--images", &images.display());
    let report = job.run().unwrap();
    let plants = &report["plants"];
    assert!(plants["weeds"].as_u64().unwrap() > 100 && plants["crop"].as_u64().unwrap() > 10, "{plants}");
    assert_all_committed_once(&report, &cloud);
}
