//! The broker's side of ingest: one task polls and never waits, one thread commits and acknowledges.

use super::losses::Losses;
use super::{Arrival, Taken, take};
use crate::address::BrokerAddress;
use crate::clock::SystemClock;
use crate::store::{Store, StoreError};
use crate::wire::{ALL_RECORDS, Ack, MAX_INCOMING_BYTES, MAX_PACKET_BYTES};
use kompas_field::{Clock, RobotInstant, WallTime};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Arrivals that may wait for the disk: 64 MiB at the most of records, more only of what is none.
const QUEUE: usize = 1024;
/// Arrivals per commit: the sync is shared, and a robot's window is not kept waiting long.
const BATCH: usize = 256;
/// Packets to send that may wait for the socket.
const OUTGOING: usize = 1024;
const RETRY: Duration = Duration::from_millis(500);

/// Traffic since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct IngestStatus {
    /// Whether the broker has us.
    pub online: bool,
    /// Why not, in its words.
    pub why_offline: Option<String>,
    /// Short connections one after another that ended for one cause: a person is needed when there are many.
    pub lost_alike: u64,
    /// Stored.
    pub new: u64,
    /// Of these: not read by this program. A newer one is needed.
    pub unread: u64,
    /// Arrived again.
    pub again: u64,
    /// Put in quarantine, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Not taken because the disk did not keep up; the robots offer them again.
    pub dropped: u64,
    /// Transactions.
    pub commits: u64,
    /// The last one, the cloud's clock.
    pub last_commit_at: Option<WallTime>,
    /// What the store last refused, until it works again.
    pub store_trouble: Option<String>,
}

/// A running ingest. Dropping it ends it; what was not committed was not acknowledged.
#[derive(Debug)]
pub struct IngestHandle {
    status: Arc<Mutex<IngestStatus>>,
    polling: JoinHandle<()>,
    committing: Option<std::thread::JoinHandle<()>>,
    /// Its other end goes with the committing thread.
    alive: watch::Receiver<()>,
}

impl IngestHandle {
    /// Traffic now.
    pub fn status(&self) -> IngestStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing is committed any more. Before [`Self::stop`] that is a fault of this program, after which
    /// nothing is taken in: whoever serves ends, so that a person or a supervisor sees it.
    pub async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Stops polling and waits until what has arrived is committed.
    pub async fn stop(mut self) {
        self.polling.abort();
        if let Some(committing) = self.committing.take() {
            let joined = tokio::task::spawn_blocking(move || committing.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the committing thread panicked");
            }
        }
    }
}

impl Drop for IngestHandle {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

/// Why ingest does not begin.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The store does not tell its name.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("cannot start a thread for ingest")]
    Thread(#[from] std::io::Error),
}

/// Two sessions of one name throw each other out. A data directory's lock holds one ingest per store, and stores have
/// names of their own wherever they are; process ids are alike in two containers. 22 bytes: MQTT promises 23.
fn client_id(store: &str) -> String {
    format!("kompas-ingest-{store}")
}

/// Starts taking records from `broker` into `store`. Needs a running tokio runtime.
///
/// # Errors
/// The store does not tell its name, or the system gives no thread. A broker that is away is no error: it is tried
/// again, for ever.
pub fn spawn_ingest(store: Box<dyn Store>, broker: &BrokerAddress) -> Result<IngestHandle, SpawnError> {
    let mut options = MqttOptions::new(client_id(&store.id()?), broker.host.clone(), broker.port);
    options.set_keep_alive(Duration::from_secs(5)).set_clean_session(true);
    options.set_max_packet_size(MAX_INCOMING_BYTES, MAX_PACKET_BYTES);
    let (client, connection) = AsyncClient::new(options, OUTGOING);
    let (arrived, arrivals) = sync_channel(QUEUE);
    let status = Arc::new(Mutex::new(IngestStatus::default()));
    let poller = Poller {
        client: client.clone(),
        arrived,
        status: Arc::clone(&status),
        broker: broker.clone(),
        losses: Losses::default(),
    };
    let polling = tokio::spawn(poller.run(connection));
    let committer = Committer { store, client, arrivals, status: Arc::clone(&status) };
    let (committing, alive) = on_its_own_thread(move || committer.run())?;
    Ok(IngestHandle { status, polling, committing: Some(committing), alive })
}

/// The thread, and a receiver whose other end goes when the thread ends, however it does.
fn on_its_own_thread(
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<(std::thread::JoinHandle<()>, watch::Receiver<()>)> {
    let (lives, alive) = watch::channel(());
    let run = move || {
        let _lives = lives;
        work();
    };
    Ok((std::thread::Builder::new().name("ingest".to_owned()).spawn(run)?, alive))
}

struct Poller {
    client: AsyncClient,
    arrived: SyncSender<Arrival>,
    status: Arc<Mutex<IngestStatus>>,
    broker: BrokerAddress,
    losses: Losses,
}

impl Poller {
    async fn run(mut self, mut connection: EventLoop) {
        let clock = SystemClock::start();
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => self.online(clock.now()),
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    let (topic, bytes) = (message.topic, message.payload.to_vec());
                    let arrival = Arrival { topic, bytes, received: clock.wall() };
                    // Never waits: the committer may be waiting for this very task to send its receipts.
                    match self.arrived.try_send(arrival) {
                        Ok(()) => {}
                        Err(TrySendError::Full(_)) => tell(&self.status, |status| status.dropped += 1),
                        Err(TrySendError::Disconnected(_)) => {
                            let why = "the committing thread broke off: start the program again";
                            return self.offline(why, clock.now());
                        }
                    }
                }
                Ok(_) => self.holds(clock.now()),
                Err(error) => {
                    self.offline(&error.to_string(), clock.now());
                    // Nothing of ours is worth keeping over a connection: receipts are asked for again.
                    connection.clean();
                    connection.pending.clear();
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn online(&mut self, now: RobotInstant) {
        self.losses.connected(now);
        if let Err(error) = self.client.try_subscribe(ALL_RECORDS, QoS::AtLeastOnce) {
            return self.offline(&error.to_string(), now);
        }
        tracing::info!(broker = %self.broker, "ingest online");
        tell(&self.status, |status| (status.online, status.why_offline) = (true, None));
    }

    /// Still connected, as the broker's answers to our pings tell every few seconds.
    fn holds(&mut self, now: RobotInstant) {
        if self.losses.hold(now) {
            tell(&self.status, |status| status.lost_alike = 0);
        }
    }

    fn offline(&mut self, why: &str, now: RobotInstant) {
        let lost_alike = self.losses.lost(why, now);
        let mut news = false;
        tell(&self.status, |status| {
            news = status.online || status.why_offline.is_none();
            (status.online, status.why_offline) = (false, Some(why.to_owned()));
            status.lost_alike = lost_alike;
        });
        if news && lost_alike == Losses::ALARM {
            tracing::error!(
                broker = %self.broker,
                why,
                "the broker lets ingest in and loses it again and again for one cause: if that is a message's size, \
                 remove the message (it may be a retained one on v1/+/+/records) and give the broker a limit \
                 (Mosquitto: message_size_limit {MAX_PACKET_BYTES})"
            );
        } else if news && lost_alike < Losses::ALARM {
            tracing::warn!(broker = %self.broker, why, "ingest offline; the robots keep their records");
        }
    }
}

struct Committer {
    store: Box<dyn Store>,
    client: AsyncClient,
    arrivals: Receiver<Arrival>,
    status: Arc<Mutex<IngestStatus>>,
}

impl Committer {
    fn run(mut self) {
        let clock = SystemClock::start();
        loop {
            let first = match self.arrivals.recv_timeout(Duration::from_secs(1)) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let batch: Vec<Arrival> =
                std::iter::once(first).chain(self.arrivals.try_iter()).take(BATCH).collect();
            match take(self.store.as_mut(), &batch) {
                Ok(taken) => self.committed(taken, clock.wall()),
                Err(error) => self.trouble(&error),
            }
        }
    }

    fn committed(&self, taken: Taken, now: WallTime) {
        let Taken { acks, new, unread, disputed, again, quarantined } = taken;
        for (topic, ack) in acks {
            self.acknowledge(topic, &ack);
        }
        if !quarantined.is_empty() {
            tracing::error!(?quarantined, "arrivals in quarantine: see /api/quarantine");
        }
        if !disputed.is_empty() {
            let remedy = "give each robot a name of its own, and no copy of another's outbox; a robot that was given a new outbox needs nothing";
            tracing::error!(
                ?disputed,
                "records whose numbers were used before, by another robot of this name: {remedy}"
            );
        }
        if !unread.is_empty() {
            let remedy = "update kompas-cloud: it reads them when it first starts";
            tracing::error!(?unread, "stored, but on no map: a newer robot wrote these records: {remedy}");
        }
        tell(&self.status, |status| {
            status.new += new;
            status.unread += unread.values().sum::<u64>();
            status.again += again;
            status.commits += 1;
            status.last_commit_at = Some(now);
            status.store_trouble = None;
            for (why, count) in quarantined {
                *status.quarantined.entry(why.to_owned()).or_default() += count;
            }
        });
    }

    /// A receipt that cannot leave is asked for again.
    fn acknowledge(&self, topic: String, ack: &Ack) {
        let sent = serde_json::to_vec(ack).map_err(|error| error.to_string()).and_then(|bytes| {
            let published = self.client.try_publish(topic, QoS::AtLeastOnce, false, bytes);
            published.map_err(|error| error.to_string())
        });
        if let Err(error) = sent {
            tracing::warn!(error, "a receipt did not leave; the robot will ask again");
        }
    }

    fn trouble(&self, error: &StoreError) {
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, source, "the store refuses: nothing of this batch is acknowledged");
        tell(&self.status, |status| status.store_trouble = Some(format!("{error}: {source}")));
        std::thread::sleep(RETRY);
    }
}

fn tell(status: &Mutex<IngestStatus>, change: impl FnOnce(&mut IngestStatus)) {
    change(&mut status.lock().unwrap_or_else(PoisonError::into_inner));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::panic, reason = "what is tested")]
    async fn a_committing_thread_that_breaks_off_is_noticed() {
        let (finish, work) = sync_channel::<()>(0);
        let (_thread, mut alive) = on_its_own_thread(move || {
            work.recv().unwrap();
            panic!("this is the test's");
        })
        .unwrap();
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, alive.changed()).await.is_err(), "it works");
        finish.send(()).unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(20), alive.changed()).await.unwrap().is_err());
    }
}
