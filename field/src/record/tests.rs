use super::*;
use crate::boundary::{Boundary, RawBoundary};
use crate::decision::{PlantNumber, Rule, Verdict};
use crate::geodetic::{FieldPlane, Geodetic};
use crate::ids::FieldId;
use crate::plant::FieldCrop;
use crate::plant::{PlantClass, PlantRole};
use crate::sighting::Confidence;
use crate::units::LitresPerHectare;
use proptest::prelude::*;

fn plants(n: usize) -> Payload {
    let decision = |i: usize| Decision {
        plant: PlantNumber(i as u64),
        position: Point2::new(i as f64 * 0.1, -3.25),
        cell: Some(CellIndex { col: 4, row: 2 }),
        class: PlantClass::Weed,
        confidence: Confidence::clamped(0.875),
        area_cm2: 12.5,
        frames_seen: 3,
        verdict: Verdict::Treat,
        rule: Rule::TreatUnwanted { role: PlantRole::Weed },
        rate_l_per_ha: LitresPerHectare::new(120.0),
        nozzles: vec![3, 4],
        decided_at: RobotInstant::from_nanos(1_500_000_000),
    };
    Payload::Plants(Plants {
        mission: MissionId::new("m-1").unwrap(),
        decisions: (0..n).map(decision).collect(),
    })
}

/// One payload of every kind, with every optional part there.
fn every_payload() -> Vec<Payload> {
    let mission = || MissionId::new("m-1").unwrap();
    let at = |seconds: u64| RobotInstant::from_nanos(seconds * 1_000_000_000);
    let corners = [[0.0, 0.0], [40.0, 0.0], [40.0, 30.0], [0.0, 30.0], [0.0, 0.0]];
    let ring = corners.map(|[x, y]| Point2::new(x, y)).to_vec();
    let raw = RawBoundary { outer: ring, exclusions: vec![] };
    let field = Field {
        id: FieldId::new("valthermond-1").unwrap(),
        crop: FieldCrop::SugarBeet,
        plane: FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap(),
        boundary: Boundary::new(&raw).unwrap(),
    };
    let opening = NozzleOpening {
        nozzle: 7,
        opened_at: at(2),
        closed_at: RobotInstant::from_nanos(2_050_000_000),
        from: Point2::new(3.0, 4.0),
        to: Point2::new(3.05, 4.0),
        cell: Some(CellIndex { col: 3, row: 4 }),
        volume_ml: 0.125,
        area_m2: 0.0042,
    };
    let point =
        TrackPoint { true_at: at(3), position: Point2::new(1.5, 2.5), heading_deg: 90.0, sigma_m: 0.012 };
    vec![
        Payload::MissionStarted(MissionStarted {
            mission: mission(),
            field,
            plan: PlanId::new("p-1").unwrap(),
            rig: "robot-3m".to_owned(),
            segmenter: "exg-2".to_owned(),
        }),
        Payload::Track(Track { mission: mission(), points: vec![point] }),
        plants(1),
        Payload::AsApplied(AsApplied {
            mission: mission(),
            product: Some("water".to_owned()),
            openings: vec![opening],
        }),
        Payload::Incident(Incident {
            mission: Some(mission()),
            true_at: at(4),
            what: IncidentKind::Closed { because: ClosedBecause::FixTooPoor },
        }),
        Payload::MissionFinished(MissionFinished {
            mission: mission(),
            completed: true,
            frames: 10,
            frames_unusable: 1,
            plants: 5,
            plants_treated: 2,
            volume_l: 0.5,
            driven_m: 120.25,
        }),
    ]
}

/// What a robot wrote years ago must still be read: whoever changes these bytes makes a new schema.
#[test]
fn every_kind_of_record_has_the_bytes_of_its_golden_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/records");
    let mut kinds = std::collections::BTreeSet::new();
    for (seq, payload) in (1..).zip(every_payload()) {
        let path = folder.join(format!("{}.json", payload.kind()));
        let written = serde_json::to_string(&envelope(&payload, seq)).unwrap() + "\n";
        if std::env::var_os("KOMPAS_GOLDEN").is_some_and(|what| what == "write") {
            std::fs::write(&path, &written).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(written, golden, "{}", path.display());
        let read: Envelope = serde_json::from_str(&golden).unwrap();
        assert_eq!(read.open().unwrap(), payload);
        kinds.insert(payload.kind());
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!((kinds.len(), files), (6, 6), "a kind without a golden file, or a file without a kind");
}

fn envelope(payload: &Payload, seq: u64) -> Envelope {
    let payload = serde_json::value::to_raw_value(payload).unwrap();
    Envelope {
        schema: Envelope::SCHEMA.to_owned(),
        key: RecordKey {
            robot_id: RobotId::new("kompas-01").unwrap(),
            boot_id: BootId::new("b-1").unwrap(),
            seq,
        },
        t_wall: WallTime::from_unix_ms(1_700_000_000_000),
        t_mono: RobotInstant::from_nanos(9),
        clock_quality: ClockQuality::Gnss,
        datum: Datum::Etrs89,
        payload_sha256: Digest::of_bytes(payload.get().as_bytes()),
        payload,
    }
}

/// Rules are flattened into the decision: a key that both have would make the record unreadable.
#[test]
fn every_rule_survives_the_wire() {
    let Payload::Plants(Plants { mission, decisions }) = plants(1) else { panic!() };
    let role = PlantRole::Weed;
    for rule in [
        Rule::TreatUnwanted { role },
        Rule::ProtectCrop { role: PlantRole::Crop },
        Rule::CropTooClose { distance_m: 0.03, wanted_m: 0.05 },
        Rule::ConfidenceTooLow { wanted: Confidence::clamped(0.7) },
        Rule::TooSmall { area_cm2: 2.5, wanted_cm2: 3.0 },
        Rule::CellNotPrescribed,
        Rule::TooLate { late_ms: 41.5 },
        Rule::OutOfReach,
        Rule::Closed { because: ClosedBecause::FixTooPoor },
    ] {
        let decision = Decision { rule, ..decisions[0].clone() };
        let sent = Payload::Plants(Plants { mission: mission.clone(), decisions: vec![decision] });
        assert_eq!(envelope(&sent, 1).open().unwrap(), sent);
    }
}

#[test]
fn a_changed_payload_and_a_foreign_schema_are_named() {
    let mut changed = envelope(&plants(1), 1);
    changed.payload = serde_json::value::to_raw_value(&plants(2)).unwrap();
    assert!(matches!(changed.open(), Err(EnvelopeError::DigestMismatch { .. })));
    let mut foreign = envelope(&plants(1), 1);
    foreign.schema = "kompas.record/2".to_owned();
    assert!(matches!(foreign.open(), Err(EnvelopeError::UnknownSchema(_))));
}

proptest! {
    #[test]
    fn records_survive_the_wire(seq in any::<u64>(), n in 0usize..20) {
        let sent = envelope(&plants(n), seq);
        let bytes = serde_json::to_vec(&sent).unwrap();
        let got: Envelope = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&got.key, &sent.key);
        prop_assert_eq!(got.open().unwrap(), plants(n));
        prop_assert_eq!(serde_json::to_vec(&got).unwrap(), bytes);
    }
}
