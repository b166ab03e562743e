use super::*;
use kompas_field::ids::{BootId, RobotId};
use kompas_field::record::{Incident, IncidentKind};
use kompas_field::{ClockQuality, Datum, ManualClock, RobotInstant, WallTime};
use std::sync::mpsc;

fn payload(at: u64) -> Payload {
    let what = IncidentKind::Reopened;
    Payload::Incident(Incident { mission: None, true_at: RobotInstant::from_nanos(at), what })
}

fn clock() -> ManualClock {
    ManualClock::starting_at(WallTime::from_unix_ms(1_700_000_000_000))
}

fn full() -> OutboxError {
    OutboxError::Full { used_bytes: 9, limit_bytes: 8 }
}

/// A disk that fails while told to, and keeps what it took.
struct Disk {
    broken: Arc<AtomicBool>,
    kept: mpsc::SyncSender<u64>,
}

impl RecordSink for Disk {
    fn append(&mut self, drafts: &[Draft]) -> Result<(), OutboxError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(full());
        }
        for draft in drafts {
            if let Payload::Incident(incident) = &draft.payload {
                self.kept.send(incident.true_at.nanos()).unwrap();
            }
        }
        Ok(())
    }

    fn store(&mut self, mission: &MissionFile) -> Result<(), MissionFileError> {
        self.kept.send(10_000 + mission.totals.frames).unwrap();
        Ok(())
    }
}

fn mission(frames: u64) -> MissionFile {
    MissionFile {
        schema: MissionFile::SCHEMA.to_owned(),
        mission: kompas_field::ids::MissionId::new("m").unwrap(),
        field: kompas_field::ids::FieldId::new("f").unwrap(),
        plan: kompas_field::ids::PlanId::new("p").unwrap(),
        generation: 1,
        state: crate::mission::MissionState::Treating,
        progress_m: 0.0,
        boot: BootId::new("b").unwrap(),
        totals: crate::mission::Totals { frames, ..Default::default() },
    }
}

fn disk(broken: bool) -> (Disk, Arc<AtomicBool>, mpsc::Receiver<u64>) {
    let (kept, seen) = mpsc::sync_channel(1000);
    let broken = Arc::new(AtomicBool::new(broken));
    (Disk { broken: Arc::clone(&broken), kept }, broken, seen)
}

fn wait_until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain");
}

#[test]
fn everything_offered_is_written_in_order() {
    let (disk, _, seen) = disk(false);
    let mut recorder = Recorder::start(disk, 8, true);
    for at in 0..300 {
        recorder.offer(payload(at), &clock()).unwrap();
    }
    let summary = recorder.finish();
    assert_eq!(summary, RecorderSummary { written: 300, refused: 0, unwritten: 0, cause: None });
    assert_eq!(seen.iter().collect::<Vec<_>>(), (0..300).collect::<Vec<_>>());
}

#[test]
fn progress_is_stored_after_the_records_before_it() {
    let (disk, _, seen) = disk(false);
    let mut recorder = Recorder::start(disk, 8, true);
    for at in 0..50 {
        recorder.offer(payload(at), &clock()).unwrap();
        assert!(recorder.offer_mission(mission(at)));
    }
    recorder.finish();
    let order: Vec<u64> = seen.iter().collect();
    assert_eq!(order, (0..50).flat_map(|at| [at, 10_000 + at]).collect::<Vec<_>>());
}

#[test]
fn a_failing_disk_makes_it_unavailable_and_nothing_is_lost() {
    let (disk, broken, seen) = disk(true);
    let mut recorder = Recorder::start(disk, 4, false);
    recorder.offer(payload(0), &clock()).unwrap();
    wait_until(|| !recorder.is_available());
    assert!(recorder.cause().unwrap().contains("outbox full"));
    broken.store(false, Ordering::SeqCst);
    wait_until(|| recorder.is_available());
    recorder.offer(payload(1), &clock()).unwrap();
    assert_eq!(recorder.finish().written, 2);
    assert_eq!(seen.iter().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_hanging_disk_makes_it_unavailable_until_it_goes_on() {
    // A channel without room: a write ends when the test takes what was written.
    let (kept, seen) = mpsc::sync_channel(0);
    let mut recorder = Recorder::start(Disk { broken: Arc::new(AtomicBool::new(false)), kept }, 8, false);
    recorder.offer(payload(0), &clock()).unwrap();
    assert!(recorder.is_available());
    wait_until(|| !recorder.is_available());
    assert_eq!(recorder.cause(), None, "it did not fail, it hangs");
    assert_eq!(seen.recv(), Ok(0));
    wait_until(|| recorder.is_available());
    assert!(recorder.offer_mission(mission(1)));
    wait_until(|| !recorder.is_available());
    assert_eq!(seen.recv(), Ok(10_001), "the mission's progress hangs, too");
    wait_until(|| recorder.is_available());
    assert_eq!(recorder.finish().written, 1);
}

#[test]
fn a_full_queue_gives_the_payload_back() {
    let (disk, broken, _seen) = disk(true);
    let mut recorder = Recorder::start(disk, 1, false);
    let mut given_back = 0;
    for at in 0..20 {
        if recorder.offer(payload(at), &clock()).is_err() {
            given_back += 1;
        }
    }
    assert!(given_back > 0);
    assert!(!recorder.is_available());
    broken.store(false, Ordering::SeqCst);
    assert_eq!(recorder.finish().written, 20 - given_back);
}

#[test]
fn the_outbox_takes_what_the_loop_offers() {
    let folder = tempfile::tempdir().unwrap();
    let robot = RobotId::new("r-1").unwrap();
    let path = folder.path().join("outbox.db");
    let outbox = Outbox::open(&path, &robot, kompas_cloud_sync::OutboxLimits::default()).unwrap();
    let boot = BootId::new("b-1").unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::None, datum: Datum::Etrs89 };
    let mut recorder =
        Recorder::start(OutboxSink { outbox, origin, mission: folder.path().join("m.json") }, 8, true);
    for at in 0..100 {
        recorder.offer(payload(at), &clock()).unwrap();
    }
    assert_eq!(recorder.finish().written, 100);
}

/// An outbox that takes no record of this moment.
struct Narrow(u64);

impl RecordSink for Narrow {
    fn append(&mut self, drafts: &[Draft]) -> Result<(), OutboxError> {
        let too_large = |draft: &&Draft| draft.t_mono.nanos() == self.0;
        drafts.iter().find(too_large).map_or(Ok(()), |draft| {
            let kind = draft.payload.kind();
            Err(OutboxError::TooLarge { kind, bytes: 70_000, limit_bytes: 65_536, letter: 1 })
        })
    }

    fn store(&mut self, _mission: &MissionFile) -> Result<(), MissionFileError> {
        Ok(())
    }
}

#[test]
fn a_safety_record_that_can_never_leave_keeps_it_unavailable_and_others_are_written() {
    let mission = kompas_field::ids::MissionId::new("m").unwrap();
    let plants = Payload::Plants(kompas_field::record::Plants { mission, decisions: Vec::new() });
    for (large, stays_available) in [(plants, true), (payload(0), false)] {
        let clock = clock();
        clock.advance_to(RobotInstant::from_nanos(7));
        let mut recorder = Recorder::start(Narrow(7), 8, true);
        recorder.offer(large, &clock).unwrap();
        clock.advance_to(RobotInstant::from_nanos(8));
        for at in 1..6 {
            wait_until(|| recorder.written() + 1 >= at);
            recorder.offer(payload(at), &clock).unwrap();
        }
        wait_until(|| recorder.written() == 5);
        assert_eq!(recorder.is_available(), stays_available);
        let summary = recorder.finish();
        assert_eq!((summary.written, summary.refused, summary.unwritten), (5, 1, 0));
        assert_eq!(summary.cause.is_some_and(|cause| cause.contains("70000 bytes")), !stays_available);
    }
}
