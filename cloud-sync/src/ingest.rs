//! The receiving half: from the broker into the store, and a receipt after the commit.
//!
//! # What is kept
//! - A receipt leaves after the commit, never before; a batch of arrivals costs one sync.
//! - Taking the same record twice changes nothing and is receipted twice.
//! - Nothing that arrives stops what arrives after it: what is no record is quarantined and counted.
//! - A record that a newer robot wrote in words unknown here is stored as it came, and read by a newer program.
//! - A full queue drops arrivals, counted: they have no receipt, so the robot offers them again.

mod losses;
mod mqtt;
mod reading;

pub use mqtt::{IngestHandle, IngestStatus, SpawnError, spawn_ingest};

use crate::store::{Disposition, Incoming, Refused, RefusedBecause, Store, StoreError};
use crate::wire::{Ack, Outcome, Receipt, ack_topic};
use kompas_field::ids::{FarmId, RobotId};
use kompas_field::{RecordKey, WallTime};
use std::collections::BTreeMap;

/// A message as the broker delivers it.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Where it was sent.
    pub topic: String,
    /// What was sent.
    pub bytes: Vec<u8>,
    /// When it came, the cloud's clock.
    pub received: WallTime,
}

/// What came of a batch of arrivals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// To publish, by topic; a topic may come more than once.
    pub acks: Vec<(String, Ack)>,
    /// Stored now.
    pub new: u64,
    /// Of these: not read by this program, by reason. On no map until a newer one reads them.
    pub unread: BTreeMap<String, u64>,
    /// Of these: with a number that another run of its robot has used, by robot. A person is needed.
    pub disputed: BTreeMap<RobotId, u64>,
    /// Had been stored before.
    pub again: u64,
    /// Put in quarantine, by reason. A person is needed.
    pub quarantined: BTreeMap<&'static str, u64>,
}

/// Reads the batch, commits it, and says what to acknowledge.
///
/// # Errors
/// [`StoreError`]: nothing is stored and nothing may be acknowledged.
pub fn take(store: &mut dyn Store, batch: &[Arrival]) -> Result<Taken, StoreError> {
    let (mut records, mut refused) = (Vec::new(), Vec::new());
    for arrival in batch {
        match reading::read(arrival) {
            Ok(record) => records.push(record),
            Err(refusal) => refused.push(*refusal),
        }
    }
    let dispositions = store.commit(&records, &refused)?;
    Ok(settle(&records, &dispositions, &refused))
}

fn settle(records: &[Incoming], dispositions: &[Disposition], refused: &[Refused]) -> Taken {
    let mut taken = Taken::default();
    let mut receipts: BTreeMap<String, Vec<Receipt>> = BTreeMap::new();
    let mut receipt = |farm: &FarmId, key: &RecordKey, apart: Option<RefusedBecause>| {
        let outcome = apart.map_or(Outcome::Committed, |_| Outcome::Quarantined);
        let why = apart.map(|why| why.as_str().to_owned());
        let receipt = Receipt { boot_id: key.boot_id.clone(), seq: key.seq, outcome, why };
        receipts.entry(ack_topic(farm, &key.robot_id)).or_default().push(receipt);
    };
    for (record, disposition) in records.iter().zip(dispositions) {
        let apart = match disposition {
            Disposition::New | Disposition::NewOfTwo => {
                taken.new += 1;
                if *disposition == Disposition::NewOfTwo {
                    *taken.disputed.entry(record.envelope.key.robot_id.clone()).or_default() += 1;
                }
                if let Err(why) = &record.payload {
                    *taken.unread.entry(why.clone()).or_default() += 1;
                }
                None
            }
            Disposition::Again => {
                taken.again += 1;
                None
            }
            Disposition::Disputed => Some(RefusedBecause::SameKey),
            Disposition::Unstorable => Some(RefusedBecause::Unstorable),
        };
        if let Some(why) = apart {
            *taken.quarantined.entry(why.as_str()).or_default() += 1;
        }
        receipt(&record.farm, &record.envelope.key, apart);
    }
    for refusal in refused {
        *taken.quarantined.entry(refusal.why.as_str()).or_default() += 1;
        // Only a record whose content is at fault is settled; others may come again in better shape.
        if refusal.why == RefusedBecause::Impossible
            && let (Some((farm, _)), Some(key)) = (crate::wire::sender_of(&refusal.topic), &refusal.key)
        {
            receipt(&farm, key, Some(refusal.why));
        }
    }
    for (topic, receipts) in receipts {
        let parts = receipts.chunks(Ack::MAX_RECEIPTS);
        taken.acks.extend(parts.map(|part| (topic.clone(), Ack::of(part.to_vec()))));
    }
    taken
}
