//! From a message to a record, or to a reason why it is none.

use super::Arrival;
use crate::store::possible::impossible;
use crate::store::{Incoming, Refused, RefusedBecause};
use crate::wire::{MAX_RECORD_BYTES, sender_of};
use kompas_field::record::EnvelopeError;
use kompas_field::{Digest, Envelope, RecordKey};

pub(super) fn read(arrival: &Arrival) -> Result<Incoming, Box<Refused>> {
    let Arrival { topic, bytes, received } = arrival;
    let sha256 = Digest::of_bytes(bytes);
    let refuse = |why, detail: String, key: Option<&RecordKey>| {
        let (topic, key, wire) = (topic.clone(), key.cloned(), bytes.clone());
        Box::new(Refused { topic, why, detail, key, sha256, wire, received: *received })
    };
    if bytes.len() > MAX_RECORD_BYTES {
        let detail = format!("{} bytes, {MAX_RECORD_BYTES} allowed", bytes.len());
        return Err(refuse(RefusedBecause::TooLarge, detail, None));
    }
    let envelope: Envelope = serde_json::from_slice(bytes)
        .map_err(|error| refuse(RefusedBecause::NotARecord, error.to_string(), None))?;
    let key = &envelope.key;
    let Some((farm, robot)) = sender_of(topic) else {
        return Err(refuse(RefusedBecause::OtherSender, "not a records topic".to_owned(), Some(key)));
    };
    if robot != key.robot_id {
        let detail = format!("the record is {}'s, the topic {robot}'s", key.robot_id);
        return Err(refuse(RefusedBecause::OtherSender, detail, Some(key)));
    }
    let payload = match envelope.open() {
        Ok(payload) => match impossible(&payload) {
            None => Ok(payload),
            Some(what) => return Err(refuse(RefusedBecause::Impossible, what, Some(key))),
        },
        Err(error @ EnvelopeError::DigestMismatch { .. }) => {
            return Err(refuse(RefusedBecause::ChangedOnTheWay, error.to_string(), Some(key)));
        }
        // A newer robot's: the robot may forget it now, and a newer cloud finds it among the records.
        Err(error @ EnvelopeError::UnknownSchema(_)) => Err(error.to_string()),
        Err(EnvelopeError::Payload(error)) => Err(error.to_string()),
    };
    let (topic, wire) = (topic.clone(), bytes.clone());
    Ok(Incoming { farm, topic, envelope, payload, sha256, wire, received: *received })
}
