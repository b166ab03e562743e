//! Same seed, same bytes; and a robot that stops goes on where it was.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::Yard;
use kompas_edge::robot::Tick;
use kompas_edge::setup::{Ready, SetupError, give_up_mission, may_begin, ready};
use kompas_field::record::{IncidentKind, NozzleOpening};
use kompas_field::{Decision, Payload, Verdict};
use kompas_planner::Generation;

#[test]
fn same_seed_same_plan_and_decisions() {
    let (one, two) = (Yard::new(""), Yard::new(""));
    assert_eq!(one.load().1.plan.to_json(), two.load().1.plan.to_json());
    let (first, second) = (one.run("decisions.jsonl", None), two.run("decisions.jsonl", None));
    let bytes = |yard: &Yard| std::fs::read(yard.path("decisions.jsonl")).unwrap();
    assert!(bytes(&one).len() > 10_000, "{} bytes", bytes(&one).len());
    assert!(bytes(&one) == bytes(&two), "the same log gave other decisions");
    assert_eq!(first.truth, second.truth);
    assert_eq!(first.state, "finished");
    let other = Yard::new("");
    let text = std::fs::read_to_string(&other.config).unwrap().replace("seed = 11", "seed = 12");
    std::fs::write(&other.config, text).unwrap();
    other.run("decisions.jsonl", None);
    assert!(bytes(&one) != bytes(&other), "another seed is another field");
}

#[test]
fn every_plant_is_decided_once_and_every_record_arrives() {
    let yard = Yard::new("");
    let report = yard.run("decisions.jsonl", None);
    let text = std::fs::read_to_string(yard.path("decisions.jsonl")).unwrap();
    let decisions: Vec<Decision> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut numbers: Vec<u64> = decisions.iter().map(|decision| decision.plant.0).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each plant once");
    // Numbers are given from 0 without a gap: what is not decided is a part of a plant that is.
    let tracked = decisions.len() as u64 + report.parts_of_plants;
    assert!(
        numbers.last().is_some_and(|&last| last < tracked),
        "{last:?} of {tracked}",
        last = numbers.last()
    );
    assert!(report.parts_of_plants * 20 < tracked, "{} of {tracked}", report.parts_of_plants);
    let recorded: usize = yard
        .payloads()
        .iter()
        .map(|payload| if let Payload::Plants(plants) = payload { plants.decisions.len() } else { 0 })
        .sum();
    assert_eq!(recorded, decisions.len());
    let treated = decisions.iter().filter(|decision| decision.verdict == Verdict::Treat);
    assert!(treated.clone().all(|decision| !decision.nozzles.is_empty()));
    assert_eq!(treated.count() as u64, report.plants_treated);
    let plants = report.plants.unwrap();
    assert!(plants.weeds >= 50, "{plants:?}");
    // Where leaves of crop and weed touch, excess green sees one plant and calls it a weed.
    assert!(plants.weeds_treated * 100 >= plants.weeds * 75, "{plants:?}");
    let truth = report.truth.unwrap();
    assert_eq!(truth.late_commands, 0, "{truth:?}");
    assert!(
        (truth.sprayed_l - report.volume_l).abs() <= 0.15 * truth.sprayed_l,
        "{} {}",
        truth.sprayed_l,
        report.volume_l
    );
}

#[test]
fn openings_are_recorded_where_the_liquid_fell() {
    let yard = Yard::new("");
    yard.run("decisions.jsonl", None);
    let (mut openings, mut treated) = (Vec::new(), Vec::new());
    for payload in yard.payloads() {
        match payload {
            Payload::AsApplied(applied) => openings.extend(applied.openings),
            Payload::Plants(plants) => {
                treated.extend(plants.decisions.into_iter().filter(|d| d.verdict == Verdict::Treat));
            }
            _ => {}
        }
    }
    // Along the way driven, from the plant to the middle of what was opened over it.
    let off = |opening: &NozzleOpening| {
        let NozzleOpening { from, to, .. } = opening;
        let (x, y) = (f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
        let length = (to.x - from.x).hypot(to.y - from.y);
        let along = |d: &Decision| {
            let (dx, dy) = (x - d.position.x, y - d.position.y);
            (dx.hypot(dy), (dx * (to.x - from.x) + dy * (to.y - from.y)) / length)
        };
        let nearest = treated.iter().map(along).min_by(|a, b| a.0.total_cmp(&b.0))?;
        (nearest.0 < 0.15).then_some(nearest.1)
    };
    let off: Vec<f64> = openings.iter().filter_map(off).collect();
    let mean = off.iter().sum::<f64>() / off.len() as f64;
    // Carry and the valve's delay are 7 cm together.
    assert!(off.len() > 100 && mean.abs() < 0.015, "{} openings, {mean} m", off.len());
}

#[test]
fn weeds_that_stand_alone_are_hit() {
    let yard = Yard::new(
        "[simulator.sowing]\ngap_share = 1.0\nweeds_per_m2 = 1.0\nweeds_per_cluster = 1.0\nvolunteers_per_m2 = 0.3\n",
    );
    let report = yard.run("decisions.jsonl", None);
    let plants = report.plants.unwrap();
    assert!(plants.weeds > 100, "{plants:?}");
    // What excess green finds at 3.5 mm a pixel is another figure; what was found and told to be sprayed is hit.
    assert!(plants.weeds_treated * 100 >= report.plants_treated * 96, "{plants:?} {:?}", report.decisions);
    assert!(report.plants_treated * 100 >= report.plants_decided * 90, "{:?}", report.decisions);
}

#[test]
fn a_paused_run_goes_on() {
    let yard = Yard::new("");
    let whole = Yard::new("").run("decisions.jsonl", None);
    let first = yard.run("one.jsonl", Some(whole.frames / 2));
    assert_eq!(first.state, "paused");
    let second = yard.run("two.jsonl", None);
    assert_eq!((second.state.as_str(), first.mission), ("finished", second.mission.clone()));
    assert!(second.resumed_from_m.unwrap() > 10.0);
    assert!(first.frames + second.frames >= whole.frames, "nothing is left out");
    assert!(first.frames + second.frames <= whole.frames + 20, "little is driven twice");
    let finished = yard.payloads().into_iter().filter_map(|payload| match payload {
        Payload::MissionFinished(finished) => Some(finished.frames),
        _ => None,
    });
    assert_eq!(finished.collect::<Vec<_>>(), [first.frames + second.frames]);
    let third = yard.run("three.jsonl", Some(2));
    assert_eq!(third.resumed_from_m, None, "a finished mission is not driven again: a new one begins");
}

#[test]
fn a_job_in_another_field_in_between_does_not_begin_the_first_anew() {
    let yard = Yard::new("");
    let first = yard.run("one.jsonl", Some(60));
    let here = std::fs::read_to_string(&yard.config).unwrap();
    let elsewhere = here.replace("crop = \"sugar_beet\"", "crop = \"sugar_beet\"\nid = \"elsewhere\"");
    std::fs::write(&yard.config, elsewhere).unwrap();
    assert_eq!(yard.run("two.jsonl", Some(5)).resumed_from_m, None);
    std::fs::write(&yard.config, here).unwrap();
    let again = yard.run("three.jsonl", Some(5));
    assert_eq!(again.mission, first.mission);
    assert!(again.resumed_from_m.unwrap() > 10.0, "{again:?}");
}

/// Missions that ended, and whether their whole path was driven.
fn ended(yard: &Yard) -> Vec<(String, bool)> {
    let end = |payload| match payload {
        Payload::MissionFinished(end) => Some((end.mission.to_string(), end.completed)),
        _ => None,
    };
    yard.payloads().into_iter().filter_map(end).collect()
}

#[test]
fn a_half_driven_field_is_not_begun_anew_by_another_plan() {
    let yard = Yard::new("");
    let first = yard.run("one.jsonl", Some(60));
    let settings = std::fs::read_to_string(&yard.config).unwrap();
    std::fs::write(&yard.config, settings.clone() + "[plan]\nrate_l_per_ha = 150.0\n").unwrap();
    let (config, job) = yard.load();
    let refused = ready(&config, &job, None).err().unwrap();
    assert!(matches!(refused, SetupError::OpenMission { .. }), "{refused}");
    assert!(may_begin(&config, &job).is_err());

    std::fs::write(&yard.config, &settings).unwrap();
    let second = yard.run("two.jsonl", Some(10));
    assert_eq!(second.mission, first.mission, "nothing was lost");
    assert_eq!(ended(&yard), []);

    std::fs::write(&yard.config, settings + "[plan]\nrate_l_per_ha = 150.0\n").unwrap();
    let given_up = give_up_mission(&config, &job).unwrap().unwrap();
    assert_eq!(given_up.mission.as_str(), first.mission);
    assert_eq!(ended(&yard), [(first.mission.clone(), false)]);
    assert_eq!(give_up_mission(&config, &job).unwrap(), None, "once");
    let third = yard.run("three.jsonl", Some(5));
    assert!(third.mission != first.mission && third.resumed_from_m.is_none(), "{}", third.mission);
}

#[test]
fn a_plan_of_the_next_generation_takes_the_place_of_an_open_mission_and_the_records_say_so() {
    let yard = Yard::new("");
    let first = yard.run("one.jsonl", Some(60));
    let (_, job) = yard.load();
    let policy = kompas_planner::Policy { generation: Generation(2), ..kompas_planner::Policy::reference() };
    let next = kompas_planner::plan(&job.field, None, &job.rig, &policy).unwrap();
    std::fs::write(yard.path("plan.json"), next.to_json()).unwrap();
    let settings = std::fs::read_to_string(&yard.config).unwrap();
    std::fs::write(&yard.config, settings + "[plan]\nfile = \"plan.json\"\n").unwrap();
    let second = yard.run("two.jsonl", Some(5));
    assert_ne!(second.mission, first.mission);
    assert_eq!(ended(&yard), [(first.mission, false)]);
}

#[test]
fn a_killed_robot_goes_on_and_says_so() {
    let yard = Yard::new("");
    let (config, job) = yard.load();
    let Ready { mut robot, .. } = ready(&config, &job, None).unwrap();
    robot.start().unwrap();
    for _ in 0..60 {
        assert_eq!(robot.tick(), Tick::Looked);
    }
    drop(robot); // no end: what a kill leaves behind, but for the recorder's queue
    let before = yard.records().len();
    let report = yard.run("decisions.jsonl", None);
    assert_eq!(report.state, "finished");
    assert!(report.resumed_from_m.unwrap() > 0.0);
    let records = yard.records();
    assert!(records.len() > before);
    let boots: std::collections::BTreeSet<_> =
        records.iter().map(|record| record.key.boot_id.clone()).collect();
    assert_eq!(boots.len(), 2);
    let resumed = yard.payloads().into_iter().find_map(|payload| match payload {
        Payload::Incident(incident) => match incident.what {
            IncidentKind::Resumed { previous_boot } => Some(previous_boot),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(resumed.as_ref(), Some(&records[0].key.boot_id));
}
