//! The outbox against an executable model, with crashes among the actions.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

mod support;

use kompas_cloud_sync::outbox::{Draft, Origin, Outbox, OutboxError, OutboxLimits};
use kompas_cloud_sync::wire::{MAX_RECORD_BYTES, Outcome, Receipt};
use kompas_field::ids::{BootId, MissionId, RobotId};
use kompas_field::record::{Incident, IncidentKind, Payload, Plants, Track, TrackPoint};
use kompas_field::{ClockQuality, Datum, Envelope, Point2, RobotInstant, WallTime};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const ROOMY: OutboxLimits = OutboxLimits { waiting_bytes: 1 << 30, kept_bytes: 1 << 30 };

fn robot() -> RobotId {
    RobotId::new("kompas-01").unwrap()
}

fn origin(boot: u32) -> Origin {
    let boot = BootId::new(format!("b-{boot}")).unwrap();
    Origin { boot, clock_quality: ClockQuality::None, datum: Datum::Etrs89 }
}

fn draft(class: u8, poses: usize) -> Draft {
    let mission = MissionId::new("m-1").unwrap();
    let true_at = RobotInstant::from_nanos(1);
    let pose = TrackPoint { true_at, position: Point2::new(0.125, -3.5), heading_deg: 90.0, sigma_m: 0.014 };
    let payload = match class {
        1 => Payload::Incident(Incident { mission: Some(mission), true_at, what: IncidentKind::Reopened }),
        2 => Payload::Track(Track { mission, points: vec![pose; poses] }),
        _ => Payload::Plants(Plants { mission, decisions: Vec::new() }),
    };
    Draft { payload, t_mono: true_at, t_wall: WallTime::from_unix_ms(0) }
}

#[derive(Debug, Clone)]
enum Action {
    Append(Vec<u8>),
    AppendTooLarge,
    Lend(usize),
    SettleLent(usize, Outcome),
    SettleUnknown(u64),
    Crash,
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => prop::collection::vec(1u8..=3, 1..6).prop_map(Action::Append),
        1 => Just(Action::AppendTooLarge),
        3 => (0usize..6).prop_map(Action::Lend),
        3 => (0usize..8, prop_oneof![Just(Outcome::Committed), Just(Outcome::Quarantined)])
            .prop_map(|(which, outcome)| Action::SettleLent(which, outcome)),
        1 => (0u64..40).prop_map(Action::SettleUnknown),
        1 => Just(Action::Crash),
    ]
}

/// What the outbox promises, in twenty lines.
#[derive(Default)]
struct Model {
    boot: u32,
    written: u64,
    waiting: BTreeSet<(u8, u64)>,
    boots: BTreeMap<u64, u32>,
    on_loan: BTreeSet<u64>,
    quarantined: u64,
    dead: u64,
}

impl Model {
    fn append(&mut self, classes: &[u8]) -> Vec<u64> {
        let seqs: Vec<u64> = (self.written + 1..).take(classes.len()).collect();
        for (seq, class) in seqs.iter().zip(classes) {
            self.waiting.insert((*class, *seq));
            self.boots.insert(*seq, self.boot);
        }
        self.written += classes.len() as u64;
        seqs
    }

    fn lend(&mut self, most: usize) -> Vec<u64> {
        let free = self.waiting.iter().map(|(_, seq)| *seq).filter(|seq| !self.on_loan.contains(seq));
        let lent: Vec<u64> = free.take(most).collect();
        self.on_loan.extend(&lent);
        lent
    }

    fn settle(&mut self, seq: u64, outcome: Outcome) {
        let before = self.waiting.len();
        self.waiting.retain(|(_, waiting)| *waiting != seq);
        self.quarantined += u64::from(self.waiting.len() < before && outcome == Outcome::Quarantined);
        self.on_loan.remove(&seq);
    }
}

/// The files as they are on disk while the program still runs: what a power cut leaves.
fn crashed_copy(from: &Path, directory: &Path, number: usize) -> PathBuf {
    let to = directory.join(format!("outbox-{number}.sqlite"));
    for suffix in ["", "-wal"] {
        let source = format!("{}{suffix}", from.display());
        if Path::new(&source).exists() {
            std::fs::copy(source, format!("{}{suffix}", to.display())).unwrap();
        }
    }
    to
}

fn agree(outbox: &Outbox, model: &Model) {
    let counts = outbox.counts().unwrap();
    assert_eq!(
        (counts.written, counts.waiting, counts.quarantined, counts.dead_letters, counts.dropped),
        (model.written, model.waiting.len() as u64, model.quarantined, model.dead, 0)
    );
    assert_eq!(counts.written, counts.waiting + counts.committed + counts.dropped);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_outbox_behaves_as_its_model(actions in prop::collection::vec(any_action(), 1..40)) {
        let directory = TempDir::new().unwrap();
        let mut path = directory.path().join("outbox.sqlite");
        let mut outbox = Outbox::open(&path, &robot(), ROOMY).unwrap();
        let mut model = Model::default();
        let mut lent: Vec<u64> = Vec::new();
        let (now, until) = (RobotInstant::START, RobotInstant::from_nanos(1_000));
        for (number, action) in actions.into_iter().enumerate() {
            match action {
                Action::Append(classes) => {
                    let drafts: Vec<Draft> = classes.iter().map(|class| draft(*class, 1)).collect();
                    let keys = outbox.append(&origin(model.boot), &drafts).unwrap();
                    let seqs: Vec<u64> = keys.iter().map(|key| key.seq).collect();
                    prop_assert_eq!(seqs, model.append(&classes));
                }
                Action::AppendTooLarge => {
                    let refused = outbox.append(&origin(model.boot), &[draft(1, 0), draft(2, 2_000)]);
                    prop_assert!(matches!(refused, Err(OutboxError::TooLarge { kind: "track", .. })), "{refused:?}");
                    model.dead += 1;
                }
                Action::Lend(most) => {
                    let records = outbox.lend(most, now, until).unwrap();
                    let seqs: Vec<u64> = records.iter().map(|record| record.key.seq).collect();
                    prop_assert_eq!(&seqs, &model.lend(most));
                    for record in &records {
                        let envelope: Envelope = serde_json::from_slice(&record.wire).unwrap();
                        prop_assert_eq!(&envelope.key, &record.key);
                        prop_assert!(envelope.open().is_ok());
                    }
                    lent.extend(seqs);
                }
                Action::SettleLent(which, outcome) => {
                    if let Some(seq) = lent.get(which).copied() {
                        let boot_id = origin(model.boots[&seq]).boot;
                        outbox.settle(&[Receipt { boot_id, seq, outcome, why: None }]).unwrap();
                        model.settle(seq, outcome);
                    }
                }
                Action::SettleUnknown(seq) => {
                    let boot_id = BootId::new("another").unwrap();
                    let news = outbox.settle(&[Receipt { boot_id, seq, outcome: Outcome::Committed, why: None }]).unwrap();
                    prop_assert_eq!(news, 0);
                    model.on_loan.remove(&seq);
                }
                Action::Crash => {
                    path = crashed_copy(&path, directory.path(), number);
                    outbox = Outbox::open(&path, &robot(), ROOMY).unwrap();
                    model.boot += 1;
                    model.on_loan.clear();
                }
            }
            agree(&outbox, &model);
        }
    }

    #[test]
    fn when_room_runs_out_class_1_stays(batches in prop::collection::vec(prop::collection::vec(1u8..=3, 1..5), 1..60)) {
        let directory = TempDir::new().unwrap();
        let limits = OutboxLimits { waiting_bytes: 12_000, kept_bytes: 0 };
        let mut outbox = Outbox::open(&directory.path().join("o"), &robot(), limits).unwrap();
        let mut safe = BTreeSet::new();
        for classes in batches {
            let drafts: Vec<Draft> = classes.iter().map(|class| draft(*class, 3)).collect();
            match outbox.append(&origin(0), &drafts) {
                Ok(keys) => safe.extend(classes.iter().zip(keys).filter(|(c, _)| **c == 1).map(|(_, key)| key.seq)),
                Err(OutboxError::Full { used_bytes, limit_bytes }) => prop_assert!(used_bytes > limit_bytes),
                Err(other) => panic!("{other}"),
            }
            let counts = outbox.counts().unwrap();
            prop_assert_eq!(counts.written, counts.waiting + counts.dropped);
        }
        let left = outbox.lend(1_000, RobotInstant::START, RobotInstant::START).unwrap();
        let bytes: usize = left.iter().map(|record| record.wire.len()).sum();
        prop_assert!(bytes <= 12_000, "{bytes} bytes wait");
        let left: BTreeSet<u64> = left.iter().filter(|record| record.class == 1).map(|r| r.key.seq).collect();
        prop_assert!(safe.is_subset(&left), "lost {:?}", safe.difference(&left));
    }
}

#[test]
fn what_is_given_up_is_told_in_a_record_that_is_not() {
    let directory = TempDir::new().unwrap();
    let limits = OutboxLimits { waiting_bytes: 12_000, kept_bytes: 0 };
    let mut outbox = Outbox::open(&directory.path().join("o"), &robot(), limits).unwrap();
    for _ in 0..60 {
        outbox.append(&origin(0), &[draft(3, 0)]).unwrap();
    }
    let dropped = outbox.counts().unwrap().dropped;
    let told: u64 = outbox
        .lend(1_000, RobotInstant::START, RobotInstant::START)
        .unwrap()
        .iter()
        .filter_map(|record| serde_json::from_slice::<Envelope>(&record.wire).unwrap().open().ok())
        .map(|payload| match payload {
            Payload::Incident(Incident {
                what: IncidentKind::RecordsDropped { class: 3, records, .. },
                ..
            }) => records,
            _ => 0,
        })
        .sum();
    assert!(dropped > 0 && told == dropped, "{dropped} dropped, {told} told");
}

#[test]
fn a_record_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let directory = TempDir::new().unwrap();
    let mut outbox = Outbox::open(&directory.path().join("o"), &robot(), ROOMY).unwrap();
    let text = |length: usize| {
        let what = IncidentKind::FrameUnusable { frame: "x".repeat(length), cause: String::new() };
        let payload = Payload::Incident(Incident { mission: None, true_at: RobotInstant::START, what });
        Draft { payload, ..draft(1, 0) }
    };
    outbox.append(&origin(0), &[text(0)]).unwrap();
    let empty = outbox.lend(1, RobotInstant::START, RobotInstant::START).unwrap()[0].wire.len();
    let room = MAX_RECORD_BYTES - empty;
    let [largest] = &outbox.append(&origin(0), &[text(room)]).unwrap()[..] else { panic!() };
    assert_eq!(largest.seq, 2);
    let refused = outbox.append(&origin(0), &[text(room + 1)]).unwrap_err();
    let OutboxError::TooLarge { bytes, .. } = refused else { panic!("{refused}") };
    assert_eq!(bytes, MAX_RECORD_BYTES + 1);
}

#[test]
fn another_robots_outbox_is_refused_and_a_damaged_one_set_aside() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("outbox.sqlite");
    Outbox::open(&path, &robot(), ROOMY).unwrap().append(&origin(0), &[draft(1, 0)]).unwrap();
    let other = RobotId::new("kompas-02").unwrap();
    assert!(matches!(Outbox::open(&path, &other, ROOMY), Err(OutboxError::OtherRobot { .. })));

    std::fs::write(&path, b"this was a database once, and it is long enough to be looked at").unwrap();
    let mut outbox = Outbox::open(&path, &robot(), ROOMY).unwrap();
    assert!(outbox.set_aside().is_some_and(Path::exists));
    let other = Outbox::open(&path, &robot(), ROOMY).unwrap();
    assert_eq!(other.set_aside(), outbox.set_aside(), "whoever opens it first, the recorder hears of it");
    assert!(outbox.append(&origin(1), &[draft(1, 0)]).unwrap()[0].seq > 1, "numbers are never used again");
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.written, counts.waiting, counts.committed), (2, 2, 0));
    assert_eq!(lost(&mut outbox), [(None, "outbox.sqlite.damaged-1".to_owned())]);
    assert_eq!(Outbox::open(&path, &robot(), ROOMY).unwrap().set_aside(), None, "told once");
}

/// What waiting records tell of others that the disk lost.
fn lost(outbox: &mut Outbox) -> Vec<(Option<u64>, String)> {
    let waiting = outbox.lend(1_000, RobotInstant::START, RobotInstant::START).unwrap();
    let payloads = waiting.iter().map(|record| {
        assert_eq!(record.class, 1);
        serde_json::from_slice::<Envelope>(&record.wire).unwrap().open().unwrap()
    });
    let lost = |payload| match payload {
        Payload::Incident(Incident { what: IncidentKind::RecordsLost { records, kept_in }, .. }) => {
            Some((records, kept_in))
        }
        _ => None,
    };
    payloads.filter_map(lost).collect()
}

#[test]
fn a_record_that_changed_on_disk_is_kept_apart_and_told() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("outbox.sqlite");
    let mut outbox = Outbox::open(&path, &robot(), ROOMY).unwrap();
    outbox.append(&origin(0), &[draft(1, 0), draft(1, 0)]).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE records SET envelope = zeroblob(bytes) WHERE seq = 1", []).unwrap();
    let lent = outbox.lend(5, RobotInstant::START, RobotInstant::START).unwrap();
    assert_eq!(lent.iter().map(|record| record.key.seq).collect::<Vec<_>>(), [2]);
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.written, counts.waiting, counts.dropped, counts.dead_letters), (2, 1, 1, 1));
    for _ in 0..2 {
        outbox.append(&origin(0), &[draft(1, 0)]).unwrap();
        assert_eq!(lost(&mut outbox), [(Some(1), "dead_letters".to_owned())]);
    }
}

#[test]
fn two_connections_write_and_settle_at_the_same_time() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("outbox.sqlite");
    let mut recorder = Outbox::open(&path, &robot(), ROOMY).unwrap();
    let writing = std::thread::spawn(move || {
        for _ in 0..60 {
            recorder.append(&origin(0), &[draft(1, 0), draft(2, 3)]).unwrap();
        }
    });
    let mut uplink = Outbox::open(&path, &robot(), ROOMY).unwrap();
    while uplink.counts().unwrap().committed < 120 {
        let now = RobotInstant::START;
        let lent = uplink.lend(16, now, now).unwrap();
        let receipt = |seq| Receipt { boot_id: origin(0).boot, seq, outcome: Outcome::Committed, why: None };
        let receipts: Vec<Receipt> = lent.iter().map(|record| receipt(record.key.seq)).collect();
        uplink.settle(&receipts).unwrap();
    }
    writing.join().unwrap();
    assert_eq!(uplink.counts().unwrap().waiting, 0);
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "started by the test below"]
fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var("KOMPAS_TEST_OUTBOX") else { return };
    let mut outbox = Outbox::open(Path::new(&path), &robot(), ROOMY).unwrap();
    loop {
        for key in outbox.append(&origin(std::process::id()), &[draft(1, 0), draft(2, 5)]).unwrap() {
            println!("written {}", key.seq);
        }
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_was_told_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("outbox.sqlite");
    let mut written = BTreeSet::new();
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env("KOMPAS_TEST_OUTBOX", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = std::thread::spawn(move || {
            let seqs = lines.map_while(Result::ok);
            seqs.filter_map(|line| line.rsplit_once("written ")?.1.parse().ok()).collect::<Vec<u64>>()
        });
        std::thread::sleep(Duration::from_millis(400 + 130 * round));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let seqs = reading.join().unwrap();
        assert!(!seqs.is_empty());
        for seq in seqs {
            assert!(written.insert(seq), "seq {seq} was used twice");
        }
    }
    let mut outbox = Outbox::open(&path, &robot(), ROOMY).unwrap();
    let kept = outbox.lend(1_000_000, RobotInstant::START, RobotInstant::START).unwrap();
    let kept: BTreeSet<u64> = kept.iter().map(|record| record.key.seq).collect();
    assert!(written.is_subset(&kept), "lost: {:?}", written.difference(&kept));
}
