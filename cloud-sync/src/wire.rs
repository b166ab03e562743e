//! What both ends agree on: topics, sizes and the acknowledgement.

use kompas_field::ids::{BootId, FarmId, RobotId};
use serde::{Deserialize, Serialize};

/// The largest record on the wire, envelope included. Bigger things travel as blobs.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The largest field, as JSON: it travels whole in the record that a mission began, beside envelope, ids and names.
pub const MAX_FIELD_BYTES: usize = MAX_RECORD_BYTES - 2048;

/// What both MQTT ends allow per packet: a record, its topic and header, and room for an acknowledgement.
pub const MAX_PACKET_BYTES: usize = 2 * MAX_RECORD_BYTES;

/// What ingest takes per packet. Others may publish on a records topic, and a broker of default settings passes on
/// whatever it holds: an oversized message must end in quarantine, not cut the connection at every attempt.
pub const MAX_INCOMING_BYTES: usize = 1024 * 1024;

/// All records of all robots of all farms: what ingest subscribes to.
pub const ALL_RECORDS: &str = "v1/+/+/records";

/// Where a robot's records go.
pub fn records_topic(farm: &FarmId, robot: &RobotId) -> String {
    format!("v1/{farm}/{robot}/records")
}

/// Where a robot hears what the cloud has committed.
pub fn ack_topic(farm: &FarmId, robot: &RobotId) -> String {
    format!("v1/{farm}/{robot}/ack")
}

/// Farm and robot of a records topic; `None` for any other topic.
pub fn sender_of(topic: &str) -> Option<(FarmId, RobotId)> {
    let mut parts = topic.split('/');
    let (version, farm, robot, what) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "v1" || what != "records" || parts.next().is_some() {
        return None;
    }
    Some((FarmId::new(farm).ok()?, RobotId::new(robot).ok()?))
}

/// What became of a record in the cloud. Either way it is stored there and need not be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Stored as it is.
    Committed,
    /// Stored apart, [`Receipt::why`] tells for what. A person is needed.
    Quarantined,
}

/// One record's receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Of the record.
    pub boot_id: BootId,
    /// Of the record.
    pub seq: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// In one word, as the cloud counts it, where it is stored apart. Text: a later cloud may know more reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The application acknowledgement, sent after the cloud's commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// [`Ack::SCHEMA`] for those written here.
    pub schema: String,
    /// What was stored.
    pub records: Vec<Receipt>,
}

impl Ack {
    /// Name and version.
    pub const SCHEMA: &'static str = "kompas.ack/1";
    /// Receipts per message: at most 110 bytes of JSON around a boot id of 64, so far below the packet limit.
    pub const MAX_RECEIPTS: usize = 256;

    /// Of these records.
    pub fn of(records: Vec<Receipt>) -> Self {
        Self { schema: Self::SCHEMA.to_owned(), records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_its_sender() {
        let (farm, robot) = (FarmId::new("valthermond").unwrap(), RobotId::new("kompas-01").unwrap());
        assert_eq!(sender_of(&records_topic(&farm, &robot)), Some((farm.clone(), robot.clone())));
        for other in ["v1/a/b/ack", "v2/a/b/records", "v1/a/b/records/c", "v1/a/records", "v1/a b/c/records"]
        {
            assert_eq!(sender_of(other), None, "{other}");
        }
    }

    #[test]
    fn the_largest_field_fits_in_the_record_that_a_mission_began() {
        let long = "x".repeat(64);
        let around = serde_json::json!({
            "schema": "kompas.record/1", "robot_id": long, "boot_id": long, "seq": u64::MAX, "t_wall": i64::MIN,
            "t_mono": u64::MAX, "clock_quality": "gnss", "datum": "etrs89", "payload_sha256": long,
            "payload": { "kind": "mission_started", "mission": long, "field": 0, "plan": long,
                "rig": "x".repeat(256), "segmenter": "x".repeat(256) },
        });
        assert!(around.to_string().len() + MAX_FIELD_BYTES <= MAX_RECORD_BYTES);
    }

    #[test]
    fn the_longest_ack_fits_in_a_packet() {
        let boot_id = BootId::new("b".repeat(64)).unwrap();
        let why = Some("changed_on_the_way".to_owned());
        let receipt = Receipt { boot_id, seq: u64::MAX, outcome: Outcome::Quarantined, why };
        let ack = Ack::of(vec![receipt; Ack::MAX_RECEIPTS]);
        assert!(serde_json::to_vec(&ack).unwrap().len() < MAX_PACKET_BYTES - 1024);
    }
}
