//! From the loop to the disk, on a thread of its own.
//!
//! # Invariants
//! - The queue is bounded. When it is full, the last write failed, or one has been under way for longer than
//!   [`LONGEST_WRITE`], [`Recorder::is_available`] is false and the guard keeps every nozzle shut: treatment without a
//!   record does not happen.
//! - What was offered is written in order, or is still in the queue, or [`Recorder::finish`] says how many
//!   were not written. A failed write is tried again until it succeeds or the program ends.
//! - A record that the outbox refuses for good (too large) is kept there as a dead letter and told. When it is of
//!   safety or treatment, [`Recorder::is_available`] is false from then on: a person is needed.
//! - A mission's progress goes through the same queue: it is stored after everything offered before it.

use crate::clock::SystemClock;
use crate::mission::{MissionFile, MissionFileError};
use kompas_cloud_sync::{Draft, Origin, Outbox, OutboxError};
use kompas_field::record::PriorityClass;
use kompas_field::units::Seconds;
use kompas_field::{Clock, Payload, RobotInstant};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where drafts become durable; the outbox, or a test's.
pub trait RecordSink: Send {
    /// Returns after all are on disk; all or none.
    ///
    /// # Errors
    /// [`OutboxError`].
    fn append(&mut self, drafts: &[Draft]) -> Result<(), OutboxError>;

    /// Replaces the stored mission.
    ///
    /// # Errors
    /// [`MissionFileError`]: the next one is tried as if nothing had happened.
    fn store(&mut self, mission: &MissionFile) -> Result<(), MissionFileError>;
}

/// What waits in the queue.
enum Item {
    Draft(Box<Draft>),
    Mission(Box<MissionFile>),
}

/// The outbox with what its records have in common.
#[derive(Debug)]
pub struct OutboxSink {
    /// The file.
    pub outbox: Outbox,
    /// This run.
    pub origin: Origin,
    /// Where the mission is stored.
    pub mission: PathBuf,
}

impl RecordSink for OutboxSink {
    fn append(&mut self, drafts: &[Draft]) -> Result<(), OutboxError> {
        self.outbox.append(&self.origin, drafts).map(|_keys| ())
    }

    fn store(&mut self, mission: &MissionFile) -> Result<(), MissionFileError> {
        mission.store(&self.mission)
    }
}

/// One sync for so many records: a disk syncs a hundred times a second at best.
const BATCH: usize = 64;
/// A disk that takes longer hangs: what is offered may never be written. (A simulated world waits for its disk instead.)
pub const LONGEST_WRITE: Seconds = Seconds::new(2.0);
/// Between two attempts after a failure.
const RETRY: Duration = Duration::from_millis(200);
/// How long the end of a mission waits for a disk that fails.
const LAST_TRIES: u32 = 25;

#[derive(Debug, Default)]
struct Health {
    failing: AtomicBool,
    /// A record of class 1 will never leave; apart from `failing`, because the disk works.
    lost_for_good: AtomicBool,
    ending: AtomicBool,
    written: AtomicU64,
    refused: AtomicU64,
    cause: Mutex<Option<String>>,
    /// Counts how long the write under way goes on: the disk's time, whatever time the loop lives in.
    writing: Mutex<Option<SystemClock>>,
}

impl Health {
    fn writes(&self, since: Option<SystemClock>) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn hangs(&self) -> bool {
        let since = *self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.now().since(RobotInstant::START) > LONGEST_WRITE)
    }

    fn fail(&self, cause: Option<String>) {
        self.failing.store(cause.is_some(), Ordering::SeqCst);
        if cause.is_some() || !self.lost_for_good.load(Ordering::SeqCst) {
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
        }
    }

    fn lost(&self, cause: String) {
        self.lost_for_good.store(true, Ordering::SeqCst);
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
    }
}

/// What became of everything offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderSummary {
    /// On disk.
    pub written: u64,
    /// Kept apart as dead letters.
    pub refused: u64,
    /// Lost with the end of the program.
    pub unwritten: u64,
    /// The last failure, where it was not overcome.
    pub cause: Option<String>,
}

/// The loop's end of the queue.
#[derive(Debug)]
pub struct Recorder {
    queue: Option<SyncSender<Item>>,
    health: Arc<Health>,
    writer: Option<JoinHandle<u64>>,
    full: bool,
    world_waits: bool,
    unwritten: u64,
}

impl Recorder {
    /// Starts the writer. With `world_waits` (simulation, replay) a full queue makes the loop wait while the
    /// disk works; a real robot never waits.
    pub fn start(sink: impl RecordSink + 'static, depth: usize, world_waits: bool) -> Self {
        let (queue, items) = sync_channel(depth);
        let health = Arc::new(Health::default());
        let of_writer = Arc::clone(&health);
        let writer = std::thread::spawn(move || Writer { sink, health: of_writer }.run(&items));
        Self { queue: Some(queue), health, writer: Some(writer), full: false, world_waits, unwritten: 0 }
    }

    /// Whether what is offered now will be written.
    pub fn is_available(&self) -> bool {
        let hangs = !self.world_waits && self.health.hangs();
        let lost = self.health.lost_for_good.load(Ordering::SeqCst);
        !self.full && !hangs && !lost && !self.health.failing.load(Ordering::SeqCst)
    }

    /// The disk's words, while it fails.
    pub fn cause(&self) -> Option<String> {
        self.health.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// On disk so far.
    pub fn written(&self) -> u64 {
        self.health.written.load(Ordering::SeqCst)
    }

    /// Hands one payload to the writer.
    ///
    /// # Errors
    /// The payload back, when the queue is full: offer it again later.
    pub fn offer(&mut self, payload: Payload, clock: &dyn Clock) -> Result<(), Box<Payload>> {
        let draft = Draft { payload, t_mono: clock.now(), t_wall: clock.wall() };
        match self.send_item(Item::Draft(Box::new(draft))) {
            Err(Item::Draft(back)) => Err(Box::new(back.payload)),
            Ok(()) | Err(Item::Mission(_)) => Ok(()),
        }
    }

    /// Has the mission stored after everything offered so far. `false` when the queue is full; the next one
    /// makes up for it.
    pub fn offer_mission(&mut self, mission: MissionFile) -> bool {
        self.send_item(Item::Mission(Box::new(mission))).is_ok()
    }

    fn send_item(&mut self, mut item: Item) -> Result<(), Item> {
        let Some(queue) = &self.queue else { return Err(item) };
        loop {
            match queue.try_send(item) {
                Ok(()) => {
                    self.full = false;
                    return Ok(());
                }
                Err(TrySendError::Full(back))
                    if self.world_waits && !self.health.failing.load(Ordering::SeqCst) =>
                {
                    item = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => {
                    self.full = true;
                    return Err(back);
                }
            }
        }
    }

    /// Counts a payload that nobody will write any more.
    pub fn give_up(&mut self, payloads: u64) {
        self.unwritten += payloads;
    }

    /// Waits for the writer.
    pub fn finish(mut self) -> RecorderSummary {
        self.stop();
        RecorderSummary {
            written: self.written(),
            refused: self.health.refused.load(Ordering::SeqCst),
            unwritten: self.unwritten,
            cause: self.cause(),
        }
    }

    fn stop(&mut self) {
        self.health.ending.store(true, Ordering::SeqCst);
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            match writer.join() {
                Ok(unwritten) => self.unwritten += unwritten,
                Err(_panic) => self.health.fail(Some("the recorder's thread broke off".to_owned())),
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Writer<S> {
    sink: S,
    health: Arc<Health>,
}

impl<S: RecordSink> Writer<S> {
    /// Until the queue closes; returns how many drafts it could not write.
    fn run(mut self, items: &Receiver<Item>) -> u64 {
        let mut batch = Vec::with_capacity(BATCH);
        let mut tries_left = LAST_TRIES;
        while let Ok(first) = items.recv() {
            let mut mission = Self::sort(first, &mut batch);
            while batch.len() < BATCH
                && mission.is_none()
                && let Ok(item) = items.try_recv()
            {
                mission = Self::sort(item, &mut batch);
            }
            while !batch.is_empty() && !self.write(&mut batch) {
                if self.health.ending.load(Ordering::SeqCst) {
                    tries_left -= 1;
                    if tries_left == 0 {
                        let waiting = items.try_iter().filter(|item| matches!(item, Item::Draft(_))).count();
                        return (batch.len() + waiting) as u64;
                    }
                }
                std::thread::sleep(RETRY);
            }
            if let Some(mission) = mission {
                self.store(&mission);
            }
        }
        0
    }

    fn store(&mut self, mission: &MissionFile) {
        self.health.writes(Some(SystemClock::start()));
        let stored = self.sink.store(mission);
        self.health.writes(None);
        if let Err(why) = stored {
            tracing::warn!(
                "the mission's progress is not stored, the next one will be tried: {}",
                chain(&why)
            );
        }
    }

    /// Drafts gather; a mission ends the batch.
    fn sort(item: Item, batch: &mut Vec<Draft>) -> Option<Box<MissionFile>> {
        match item {
            Item::Draft(draft) => {
                batch.push(*draft);
                None
            }
            Item::Mission(mission) => Some(mission),
        }
    }

    /// Writes the batch and empties it; `false` when it must be tried again.
    fn write(&mut self, batch: &mut Vec<Draft>) -> bool {
        self.health.writes(Some(SystemClock::start()));
        let appended = self.sink.append(batch);
        self.health.writes(None);
        let result = match appended {
            Err(OutboxError::TooLarge { .. }) if batch.len() > 1 => return self.write_singly(batch),
            other => other,
        };
        match result {
            Ok(()) => {
                self.health.written.fetch_add(batch.len() as u64, Ordering::SeqCst);
                if self.health.failing.load(Ordering::SeqCst) {
                    tracing::warn!("records are written again");
                }
                self.health.fail(None);
                batch.clear();
                true
            }
            Err(why @ OutboxError::TooLarge { .. }) => {
                tracing::error!("{why}");
                self.health.refused.fetch_add(1, Ordering::SeqCst);
                if batch.iter().any(|draft| draft.payload.priority() == PriorityClass::Safety) {
                    tracing::error!("a record of safety or treatment will not leave, nozzles stay shut");
                    self.health.lost(why.to_string());
                }
                batch.clear();
                true
            }
            Err(why) => {
                let cause = chain(&why);
                if !self.health.failing.load(Ordering::SeqCst) {
                    tracing::error!("records are not written, nozzles stay shut: {cause}");
                }
                self.health.fail(Some(cause));
                false
            }
        }
    }

    /// One of the batch is too large, and the outbox took none of it.
    fn write_singly(&mut self, batch: &mut Vec<Draft>) -> bool {
        while let Some(draft) = batch.first().cloned() {
            if !self.write(&mut vec![draft]) {
                return false;
            }
            batch.remove(0);
        }
        true
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
