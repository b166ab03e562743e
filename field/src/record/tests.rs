use super::*;
use crate::decision::{PlantNumber, Rule, Verdict};
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

#[test]
fn a_decision_reads_as_documented() {
    let text = serde_json::to_string(&plants(1)).unwrap();
    let golden = concat!(
        r#"{"kind":"plants","mission":"m-1","decisions":[{"plant":0,"position":[0.0,-3.25],"#,
        r#""cell":{"col":4,"row":2},"class":"weed","confidence":0.875,"area_cm2":12.5,"frames_seen":3,"#,
        r#""verdict":"treat","rule":"treat_unwanted","role":"weed","rate_l_per_ha":120.0,"#,
        r#""nozzles":[3,4],"decided_at":1500000000}]}"#
    );
    assert_eq!(text, golden);
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
