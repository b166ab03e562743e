//! What goes wrong in a field: nozzles stay shut, it is counted and told, and the run goes on.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::Yard;
use kompas_edge::drivers::FrameSource;
use kompas_edge::drivers::folder::Album;
use kompas_edge::sim::{SimConfig, SimToml, Simulator};
use kompas_field::frame::heading::to_compass_deg;
use kompas_field::record::IncidentKind;
use kompas_field::units::{Metres, Seconds};
use kompas_field::{ClosedBecause, Payload, RobotInstant, WallTime};
use std::fmt::Write as _;

fn incidents(yard: &Yard) -> Vec<IncidentKind> {
    let incident =
        |payload| if let Payload::Incident(incident) = payload { Some(incident.what) } else { None };
    yard.payloads().into_iter().filter_map(incident).collect()
}

fn closings(yard: &Yard) -> Vec<ClosedBecause> {
    let closed = |what| if let IncidentKind::Closed { because } = what { Some(because) } else { None };
    incidents(yard).into_iter().filter_map(closed).collect()
}

#[test]
fn an_emergency_stop_shuts_everything() {
    let yard = Yard::new("[[simulator.estop]]\nfrom_m = 20.0\nuntil_m = 60.0\n");
    let report = yard.run("decisions.jsonl", None);
    let truth = report.truth.unwrap();
    // Told at most 50 ms late, and 10 ms of last drops: of twenty nozzles.
    assert!(truth.open_while_latched_s <= 20.0 * 0.06, "{truth:?}");
    assert!(report.closed_s["emergency_stop"] > 10.0, "{:?}", report.closed_s);
    assert!(closings(&yard).contains(&ClosedBecause::EmergencyStop));
    assert_eq!(report.state, "finished");
}

#[test]
fn a_float_fix_and_a_lost_fix_shut_everything_until_positions_agree() {
    let yard = Yard::new(
        "[[simulator.gnss.changes]]\nfrom_m = 20.0\nuntil_m = 40.0\nquality = \"float\"\n\
         [[simulator.gnss.changes]]\nfrom_m = 70.0\nuntil_m = 90.0\nquality = \"none\"\n",
    );
    let report = yard.run("decisions.jsonl", None);
    let told = closings(&yard);
    assert!(told.contains(&ClosedBecause::FixTooPoor), "{told:?}");
    assert!(incidents(&yard).contains(&IncidentKind::Reopened));
    assert!(report.closed_s["fix_too_poor"] > 10.0, "{:?}", report.closed_s);
    assert!(report.fixes_unusable > 100);
    let clean = Yard::new("").run("decisions.jsonl", None);
    assert!(report.plants_treated < clean.plants_treated);
    assert_eq!(report.state, "finished");
}

#[test]
fn nothing_opens_on_the_line_of_a_float_solution_that_claims_centimetres() {
    let yard = Yard::new(
        "[simulator.gnss]\nfloat_sigma_m = 0.005\n\
         [[simulator.gnss.changes]]\nfrom_m = 20.0\nuntil_m = 40.0\nquality = \"float\"\nshift_m = [0.0, 0.06]\n",
    );
    let report = yard.run("decisions.jsonl", None);
    assert_eq!(report.position_jumps, 0, "too small a step to be called one");
    let told = closings(&yard);
    let float = told.iter().position(|&because| because == ClosedBecause::FixTooPoor).unwrap();
    assert_eq!(told[float + 1], ClosedBecause::PositionJumped, "{told:?}");
    let undecided = report.decisions.get("closed_pose_stale").copied().unwrap_or(0);
    assert!(undecided > 0, "plants seen before are not treated by places of then: {:?}", report.decisions);
    assert_eq!(report.state, "finished");
}

#[test]
fn a_full_outbox_shuts_everything_and_nothing_is_treated_without_a_record() {
    let yard = Yard::new("");
    let text = std::fs::read_to_string(&yard.config).unwrap();
    std::fs::write(&yard.config, text.replace("outbox.db\"", "outbox.db\"\nwaiting_mb = 1\nqueue = 4"))
        .unwrap();
    let (mut config, job) = yard.load();
    config.records.limits.waiting_bytes = 3_000;
    let mut ready = kompas_edge::setup::ready(&config, &job, None).unwrap();
    ready.robot.start().unwrap();
    while ready.robot.tick() == kompas_edge::robot::Tick::Looked {
        // Faster than the disk's answer, a run would be over before the guard hears of it.
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let end = ready.robot.end(false, ready.drive_end).unwrap();
    assert!(end.tally.closed_s.contains_key("recorder_unavailable"), "{:?}", end.tally.closed_s);
    assert!(end.records.cause.unwrap().contains("outbox full"));
    let after = end.tally.by_rule.get("closed_recorder_unavailable").copied().unwrap_or(0);
    assert!(after > 0, "{:?}", end.tally.by_rule);
}

#[test]
fn a_damaged_outbox_is_told_and_the_cloud_gets_the_field_again() {
    let yard = Yard::new("");
    yard.run("decisions.jsonl", Some(40));
    std::fs::write(yard.path("outbox.db"), "a database once, and long enough to be looked at as one")
        .unwrap();
    yard.run("decisions.jsonl", Some(40));
    let told = yard.payloads();
    let field = |payload: &Payload| {
        if let Payload::MissionStarted(started) = payload { Some(started.field.id.clone()) } else { None }
    };
    assert_eq!(told.iter().filter_map(field).count(), 1);
    let told = incidents(&yard);
    assert!(told.iter().any(|what| matches!(what, IncidentKind::Resumed { .. })), "{told:?}");
    let lost = IncidentKind::RecordsLost { records: None, kept_in: "outbox.db.damaged-1".to_owned() };
    assert!(told.contains(&lost), "{told:?}");
}

/// A file on a disk that is full after so many bytes.
struct FullAfter(usize);

impl std::io::Write for FullAfter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_list_of_decisions_that_cannot_be_written_costs_no_record() {
    let clean = Yard::new("").run("decisions.jsonl", None);
    let yard = Yard::new("");
    let (config, job) = yard.load();
    let mut ready = kompas_edge::setup::ready(&config, &job, Some(Box::new(FullAfter(9_000)))).unwrap();
    ready.robot.start().unwrap();
    while ready.robot.tick() == kompas_edge::robot::Tick::Looked {}
    let end = ready.robot.end(false, ready.drive_end).unwrap();
    assert!(end.list.is_err());
    assert_eq!((end.tally.plants, end.records.unwritten), (clean.plants_decided, 0));
    assert_eq!(end.records.written, clean.records_written);
}

/// Pictures of a simulated drive, written out as a person would deliver them.
fn folder_of_pictures(yard: &Yard, count: usize) -> std::path::PathBuf {
    let (config, job) = yard.load();
    let route = job.route().unwrap();
    let sim = SimConfig::new(SimToml::with_seed(11)).unwrap();
    let world =
        Simulator::start_at(&job.field, &route, &job.rig, &sim, WallTime::from_unix_ms(0), Metres::ZERO)
            .unwrap();
    assert!(matches!(config.driver, kompas_edge::config::DriverChoice::Simulator(_)));
    let folder = yard.path("pictures");
    std::fs::create_dir(&folder).unwrap();
    let mut list =
        "image,time_s,lat_deg,lon_deg,heading_deg,quality,sigma_m,correction_age_s,speed_mps\n".to_owned();
    let mut camera = world.camera().unwrap();
    for number in 0..count {
        let frame = camera.next_frame().unwrap();
        let motion = world.motion_at(frame.true_at);
        let place = job.field.plane.to_geodetic(motion.pose.position);
        let name = format!("{number:03}.png");
        frame.value.image.unwrap().save(folder.join(&name)).unwrap();
        writeln!(
            list,
            "{name},{},{:.9},{:.9},{},fixed,0.01,0.5,{}",
            frame.true_at.since(RobotInstant::START).get(),
            place.lat_deg,
            place.lon_deg,
            to_compass_deg(motion.pose.heading),
            motion.speed.get(),
        )
        .unwrap();
    }
    std::fs::write(folder.join("poses.csv"), list).unwrap();
    folder
}

/// The same job, but through a folder.
fn through(folder: &std::path::Path) -> Yard {
    let yard = Yard::new("max_fix_age_s = 1.5\nmax_gap_s = 1.6\n");
    let text = std::fs::read_to_string(&yard.config).unwrap();
    let text =
        text.replace("kind = \"simulator\"", &format!("kind = \"folder\"\nfolder = {:?}", folder.display()));
    std::fs::write(&yard.config, text.replace("[simulator]\nseed = 11\n", "")).unwrap();
    yard
}

#[test]
fn positions_of_another_datum_are_refused_before_the_drive() {
    let yard = through(&folder_of_pictures(&Yard::new(""), 1));
    let text = std::fs::read_to_string(&yard.config).unwrap();
    std::fs::write(&yard.config, text.replace("kind = \"folder\"", "kind = \"folder\"\ndatum = \"wgs84\""))
        .unwrap();
    let config = kompas_edge::config::Config::read(&yard.config, vec![]).config.unwrap();
    let found = kompas_edge::job::Job::load(&config).unwrap_err().0;
    assert_eq!((found[0].code.as_str(), found[0].place.as_str()), ("driver.datum", "driver.datum = wgs84"));
}

#[test]
fn a_drive_that_was_kept_is_driven_again() {
    let yard = Yard::new("");
    let (config, job) = yard.load();
    let kept = yard.path("kept");
    let mut ready = kompas_edge::setup::ready(&config, &job, None).unwrap();
    let begin = || Album::begin(&kept, Metres::new(0.3), job.field.plane, true);
    ready.robot.album = Some(begin().unwrap());
    ready.robot.start().unwrap();
    for _ in 0..60 {
        assert_eq!(ready.robot.tick(), kompas_edge::robot::Tick::Looked);
    }
    let first = ready.robot.end(true, None).unwrap();
    let pictures = first.pictures.unwrap();
    assert!(pictures.pictures > 20 && pictures.cause.is_none(), "{pictures:?}");
    let there = std::fs::read_dir(&kept).unwrap().count() as u64;
    assert_eq!((there, pictures.left_out), (pictures.pictures + 1, 0), "and their list");
    assert!(begin().unwrap_err().to_string().contains("give a new folder"));
    // Fixes are kept, too: nothing has to be bridged.
    let again = through(&kept).run("decisions.jsonl", None);
    assert_eq!(again.frames, pictures.pictures);
    assert!(again.frames_without_pose <= first.tally.frames_without_pose + 1, "{again:?}");
    assert_eq!((again.frames_unusable, again.position_jumps), (0, 0));
    // Only what the boom would have reached is decided as it was; the rest waits in either run.
    let (then, now) = (first.tally.plants_treated as f64, again.plants_treated as f64);
    assert!(
        then > 20.0 && (now / then - 1.0).abs() < 0.2,
        "{then} {now} {:?} {:?}",
        first.tally.by_rule,
        again.decisions
    );
}

#[test]
fn a_disk_that_takes_no_more_pictures_does_not_hold_the_robot_up() {
    let yard = Yard::new("");
    let (config, job) = yard.load();
    let kept = yard.path("kept");
    let mut ready = kompas_edge::setup::ready(&config, &job, None).unwrap();
    ready.robot.album = Some(Album::begin(&kept, Metres::new(0.3), job.field.plane, false).unwrap());
    ready.robot.start().unwrap();
    ready.robot.tick();
    std::fs::remove_dir_all(&kept).unwrap();
    for _ in 0..30 {
        assert_eq!(ready.robot.tick(), kompas_edge::robot::Tick::Looked);
    }
    let end = ready.robot.end(true, None).unwrap();
    let pictures = end.pictures.unwrap();
    assert!(pictures.cause.is_some() && pictures.left_out > 0, "{pictures:?}");
    assert!(end.tally.plants_treated > 20);
}

#[test]
fn a_folder_with_faults_is_driven_to_its_end() {
    let source = Yard::new("");
    let folder = folder_of_pictures(&source, 24);
    let clean = through(&folder).run("decisions.jsonl", None);
    assert_eq!((clean.frames, clean.frames_unusable, clean.frames_without_pose), (24, 0, 0));
    assert!(clean.plants_treated > 5, "{:?}", clean.decisions);
    assert_eq!(
        (clean.openings, clean.records_unwritten),
        (0, 0),
        "nothing is sprayed, so nothing is recorded as applied"
    );

    // A replay that was stopped is driven again from its beginning, and the first try ends in the records.
    let again = through(&folder);
    again.run("decisions.jsonl", Some(5));
    assert_eq!(again.run("decisions.jsonl", None).frames, 24);
    let ends = again.payloads().into_iter().filter(|payload| matches!(payload, Payload::MissionFinished(_)));
    assert_eq!(ends.count(), 2);

    std::fs::write(folder.join("005.png"), b"torn").unwrap();
    std::fs::remove_file(folder.join("009.png")).unwrap();
    std::fs::copy(folder.join("000.png"), folder.join("zzz.png")).unwrap();
    let list = std::fs::read_to_string(folder.join("poses.csv")).unwrap();
    let without: Vec<String> = list
        .lines()
        .map(|line| {
            let number = line.get(..3).and_then(|n| n.parse::<u32>().ok());
            let time = line.split(',').nth(1).unwrap_or_default();
            if number.is_some_and(|n| (14..18).contains(&n)) {
                format!("{}.png,{time},,,,none,,,", &line[..3])
            } else {
                line.to_owned()
            }
        })
        .collect();
    std::fs::write(folder.join("poses.csv"), without.join("\n") + "\n").unwrap();
    let yard = through(&folder);
    let faulty = yard.run("decisions.jsonl", None);
    assert_eq!((faulty.frames, faulty.frames_unusable), (25, 3));
    assert!(faulty.frames_without_pose >= 2, "{}", faulty.frames_without_pose);
    assert_eq!(faulty.fixes_unusable, 4);
    let unusable: Vec<String> = incidents(&yard)
        .into_iter()
        .filter_map(
            |what| if let IncidentKind::FrameUnusable { frame, .. } = what { Some(frame) } else { None },
        )
        .collect();
    assert_eq!(unusable, ["005.png", "009.png", "zzz.png"]);
    let told = closings(&yard);
    assert!(
        told.contains(&ClosedBecause::CameraStale) && told.contains(&ClosedBecause::FixTooPoor),
        "{told:?}"
    );
    assert!(faulty.plants_treated < clean.plants_treated);
    let time = Seconds::new(faulty.closed_s.values().sum());
    assert!(time > Seconds::new(2.0));
}
