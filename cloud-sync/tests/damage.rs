//! An outbox on a disk that fails in places: what lies there is lost and told, and everything else arrives.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

use kompas_cloud_sync::outbox::{Draft, Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::wire::{Outcome, Receipt};
use kompas_field::ids::{BootId, MissionId, RobotId};
use kompas_field::record::{Incident, IncidentKind, Payload, Track, TrackPoint};
use kompas_field::{ClockQuality, Datum, Envelope, Point2, RobotInstant, WallTime};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PAGE: usize = 4096;
/// The first byte of a page that leads to others ("interior table b-tree page" of SQLite's file format).
const BRANCH: u8 = 5;
const ROOMY: OutboxLimits = OutboxLimits { waiting_bytes: 1 << 30, kept_bytes: 1 << 30 };

fn open(path: &Path, limits: OutboxLimits) -> Outbox {
    Outbox::open(path, &RobotId::new("kompas-01").unwrap(), limits).unwrap()
}

fn boot() -> BootId {
    BootId::new("b-1").unwrap()
}

fn append(outbox: &mut Outbox, payloads: impl IntoIterator<Item = Payload>) {
    let origin = Origin { boot: boot(), clock_quality: ClockQuality::None, datum: Datum::Etrs89 };
    let draft = |payload| Draft { payload, t_mono: RobotInstant::START, t_wall: WallTime::from_unix_ms(0) };
    let drafts: Vec<Draft> = payloads.into_iter().map(draft).collect();
    outbox.append(&origin, &drafts).unwrap();
}

fn incident() -> Payload {
    let what = IncidentKind::Reopened;
    Payload::Incident(Incident { mission: None, true_at: RobotInstant::START, what })
}

/// Of class 2, larger than a page from some fifty points on.
fn track(points: usize) -> Payload {
    let true_at = RobotInstant::from_nanos(1);
    let point = TrackPoint { true_at, position: Point2::new(0.125, -3.5), heading_deg: 90.0, sigma_m: 0.014 };
    Payload::Track(Track { mission: MissionId::new("m-1").unwrap(), points: vec![point; points] })
}

/// Three hundred records in one file, no log beside it: each third is longer than a page.
fn written(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("outbox.sqlite");
    let mut outbox = open(&path, ROOMY);
    let records = (0..300).map(|n| {
        if n % 3 == 0 {
            track(100)
        } else if n % 3 == 1 {
            track(3)
        } else {
            incident()
        }
    });
    append(&mut outbox, records);
    drop(outbox);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    path
}

/// Fills the pages that hold `wanted` of a record with something else.
fn damage(path: &Path, wanted: impl Fn(&[u8]) -> bool) -> usize {
    let mut bytes = std::fs::read(path).unwrap();
    let mut damaged = 0;
    // The first page says what the file is: without it the whole file is set aside.
    for page in bytes.chunks_mut(PAGE).skip(1).filter(|page| page[0] != BRANCH && wanted(page)) {
        page.fill(0xA5);
        damaged += 1;
    }
    std::fs::write(path, bytes).unwrap();
    damaged
}

fn holds(page: &[u8], text: &str) -> bool {
    page.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Sends everything that can be read, as an uplink does, and returns the numbers and what was told to be lost.
fn deliver(outbox: &mut Outbox) -> (BTreeSet<u64>, Vec<(Option<u64>, String)>) {
    let (mut seqs, mut told) = (BTreeSet::new(), Vec::new());
    for _ in 0..1_000 {
        let lent = outbox.lend(16, RobotInstant::START, RobotInstant::START).unwrap();
        let waiting = outbox.counts().unwrap().waiting;
        if lent.is_empty() && waiting == 0 {
            break;
        }
        for record in &lent {
            assert!(seqs.insert(record.key.seq), "{} arrived twice", record.key.seq);
            let payload = serde_json::from_slice::<Envelope>(&record.wire).unwrap().open().unwrap();
            if let Payload::Incident(Incident {
                what: IncidentKind::RecordsLost { records, kept_in }, ..
            }) = payload
            {
                told.push((records, kept_in));
            }
        }
        let receipt = |seq| Receipt { boot_id: boot(), seq, outcome: Outcome::Committed, why: None };
        let receipts: Vec<Receipt> = lent.iter().map(|record| receipt(record.key.seq)).collect();
        outbox.settle(&receipts).unwrap();
    }
    (seqs, told)
}

#[test]
fn rows_on_damaged_pages_are_lost_and_told_and_all_others_arrive() {
    for (what, text) in [("a page of rows", "\"seq\":100,"), ("the rest of a long row", "0.014},{")] {
        let directory = TempDir::new().unwrap();
        let path = written(&directory);
        let found = std::cell::Cell::new(0);
        let wanted = |page: &[u8]| {
            // Of the long rows one page in forty.
            let hit = holds(page, text);
            found.set(found.get() + usize::from(hit));
            hit && found.get() % 40 == 1
        };
        assert!(damage(&path, wanted) > 0, "{what}: nothing was damaged");

        let mut outbox = open(&path, ROOMY);
        let (arrived, _) = deliver(&mut outbox);
        let counts = outbox.counts().unwrap();
        let lost = 300 - arrived.len() as u64;
        assert!(lost > 0 && lost < 60, "{what}: {lost} lost");
        assert_eq!((counts.waiting, counts.dropped, counts.committed), (0, lost, 300 - lost), "{what}");

        append(&mut outbox, [incident()]);
        let (later, told) = deliver(&mut outbox);
        let told: u64 = told
            .iter()
            .map(|(records, kept_in)| {
                assert!(["unreadable", "dead_letters"].contains(&kept_in.as_str()), "{what}: {kept_in}");
                records.unwrap()
            })
            .sum();
        assert_eq!((told, later.len() >= 2), (lost, true), "{what}");
        drop(outbox);
        let mut outbox = open(&path, ROOMY);
        append(&mut outbox, [incident()]);
        assert_eq!(deliver(&mut outbox).1, [], "{what}: told once");
    }
}

/// Where the next record goes nothing can be written, and a robot that cannot record cannot work.
#[test]
fn an_outbox_damaged_where_records_are_added_is_set_aside_when_it_is_opened() {
    for place in ["the root", "the last rows", "the index"] {
        let directory = TempDir::new().unwrap();
        let path = written(&directory);
        let mut bytes = std::fs::read(&path).unwrap();
        let db = rusqlite::Connection::open(&path).unwrap();
        let root_of = |name: &str| -> usize {
            let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
            PAGE * (db.query_row(root, [name], |row| row.get::<_, usize>(0)).unwrap() - 1)
        };
        let (root, index) = (root_of("records"), root_of("line"));
        drop(db);
        assert_eq!(bytes[root], BRANCH);
        // A branch's rightmost leaf is in bytes 8 to 11 of its head.
        let last = PAGE * (u32::from_be_bytes(bytes[root + 8..root + 12].try_into().unwrap()) as usize - 1);
        let from = match place {
            "the root" => root,
            "the last rows" => last,
            _ => index,
        };
        bytes[from..from + PAGE].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();

        let mut outbox = open(&path, ROOMY);
        assert!(outbox.set_aside().is_some_and(Path::exists), "{place}");
        append(&mut outbox, [incident()]);
        assert_eq!(deliver(&mut outbox).1, [(None, "outbox.sqlite.damaged-1".to_owned())], "{place}");
    }
}

#[test]
fn damaged_copies_do_not_keep_what_waits_from_being_settled_and_make_no_room_for_ever() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory);
    let mut outbox = open(&path, ROOMY);
    assert_eq!(deliver(&mut outbox).0.len(), 300);
    drop(outbox);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    assert!(damage(&path, |page| holds(page, "\"seq\":100,")) > 0);

    let limits = OutboxLimits { kept_bytes: 1 << 14, ..ROOMY };
    let mut outbox = open(&path, limits);
    append(&mut outbox, (0..50).map(|_| track(20)));
    let (arrived, told) = deliver(&mut outbox);
    assert_eq!((arrived.len(), told), (50, Vec::new()), "copies of what the cloud has are no loss");
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.waiting, counts.committed, counts.dropped), (0, 350, 0));
    let db = rusqlite::Connection::open(&path).unwrap();
    let kept: u64 = db
        .query_row("SELECT count(*) FROM records NOT INDEXED WHERE seq > 300", [], |row| row.get(0))
        .unwrap();
    assert!(kept < 50, "the quota of copies holds for what can be read: {kept}");
}

#[test]
fn where_room_runs_out_damaged_records_do_not_keep_others_from_being_given_up() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory);
    assert!(damage(&path, |page| holds(page, "\"seq\":101,")) > 0);
    let limits = OutboxLimits { waiting_bytes: 1 << 18, ..ROOMY };
    let mut outbox = open(&path, limits);
    append(&mut outbox, [incident()]);
    let counts = outbox.counts().unwrap();
    assert!(counts.dropped > 100, "{counts:?}");
    let (arrived, told) = deliver(&mut outbox);
    assert_eq!(outbox.counts().unwrap().committed, arrived.len() as u64, "what arrived, and nothing else");
    append(&mut outbox, [incident()]);
    let (_, later) = deliver(&mut outbox);
    assert!(told.len() + later.len() == 1, "{told:?} {later:?}");
    assert!(arrived.iter().any(|seq| *seq < 300));
}

#[test]
fn receipts_for_records_that_were_damaged_since_are_counted_once() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory);
    let receipt = |seq| Receipt { boot_id: boot(), seq, outcome: Outcome::Committed, why: None };
    let lent = open(&path, ROOMY).lend(300, RobotInstant::START, RobotInstant::START).unwrap();
    let receipts: Vec<Receipt> = lent.iter().map(|record| receipt(record.key.seq)).collect();
    assert_eq!(receipts.len(), 300);
    assert!(damage(&path, |page| holds(page, "\"seq\":101,")) > 0);
    // Another connection: nothing of the file is in its memory.
    let mut outbox = open(&path, ROOMY);
    for news in [300, 0] {
        let before = outbox.counts().unwrap().committed;
        outbox.settle(&receipts).unwrap();
        let counts = outbox.counts().unwrap();
        assert_eq!((counts.waiting, counts.committed, counts.dropped), (0, 300, 0));
        assert_eq!(counts.committed - before, news);
    }
    drop(outbox);
    // Settled long ago, damaged, and told once more.
    assert!(damage(&path, |page| holds(page, "\"seq\":200,")) > 0);
    let mut outbox = open(&path, ROOMY);
    assert_eq!(outbox.settle(&receipts).unwrap(), 0);
    append(&mut outbox, [incident()]);
    let (later, told) = deliver(&mut outbox);
    let counts = outbox.counts().unwrap();
    assert_eq!((later.len(), told, counts.waiting, counts.committed), (1, Vec::new(), 0, 301));
}
