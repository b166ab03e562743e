//! The uplink's thread: asks [`Protocol`] what to do, and does it.

use super::link::{LinkEvent, LiveLink};
use super::protocol::{Next, Protocol, Rules};
use super::status::{Link, UplinkStatus};
use crate::address::BrokerAddress;
use crate::clock::SystemClock;
use crate::outbox::{Outbox, OutboxError, OutboxLimits};
use crate::wire::{Outcome, Receipt, ack_topic, records_topic};
use kompas_field::ids::{FarmId, RobotId};
use kompas_field::units::Seconds;
use kompas_field::{Clock, RobotInstant};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// A loan outlives every wait for a receipt; it ends with the receipt or by [`Next::SetAside`].
const LOAN: Seconds = Seconds::new(1e9);

/// How long to leave a disk alone that refused.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

/// Who sends what where.
#[derive(Debug, Clone, PartialEq)]
pub struct UplinkConfig {
    /// Whose outbox.
    pub robot: RobotId,
    /// Whose topics.
    pub farm: FarmId,
    /// Where to.
    pub broker: BrokerAddress,
    /// Of the outbox; the same as its writer's.
    pub limits: OutboxLimits,
    /// Windows and waits.
    pub rules: Rules,
    /// Spreads the retries of a fleet: differs per robot.
    pub seed: u64,
}

/// Why an uplink did not start.
#[derive(Debug, thiserror::Error)]
pub enum UplinkError {
    /// There is no outbox to send from.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The system gives no thread or no event queue.
    #[error("cannot start the uplink's thread")]
    Thread(#[source] std::io::Error),
}

/// A running uplink. Dropping it stops it; what is not committed waits in the outbox.
#[derive(Debug)]
pub struct UplinkHandle {
    status: Arc<Mutex<UplinkStatus>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl UplinkHandle {
    /// Link and traffic now.
    pub fn status(&self) -> UplinkStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops and waits for the end; the status as it was last.
    pub fn stop(mut self) -> UplinkStatus {
        self.end();
        self.status()
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the uplink's thread panicked; its records wait in the outbox");
        }
    }
}

impl Drop for UplinkHandle {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts sending what waits in the outbox at `path`, in a thread of its own, until stopped.
///
/// # Errors
/// [`UplinkError`]. A broker that is away is no error: it is tried again, for ever.
pub fn spawn_uplink(path: &Path, config: UplinkConfig) -> Result<UplinkHandle, UplinkError> {
    let outbox = Outbox::open(path, &config.robot, config.limits)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(UplinkError::Thread)?;
    let status = Arc::new(Mutex::new(UplinkStatus::starting()));
    let (stop, stopped) = watch::channel(false);
    let sender = Sender {
        protocol: Protocol::new(config.rules, config.seed),
        records: records_topic(&config.farm, &config.robot),
        acks: ack_topic(&config.farm, &config.robot),
        clock: SystemClock::start(),
        status: Arc::clone(&status),
        link: None,
        outbox,
        config,
    };
    let run = move || runtime.block_on(sender.run(stopped));
    let thread =
        std::thread::Builder::new().name("uplink".to_owned()).spawn(run).map_err(UplinkError::Thread)?;
    Ok(UplinkHandle { status, stop, thread: Some(thread) })
}

struct Sender {
    protocol: Protocol,
    config: UplinkConfig,
    records: String,
    acks: String,
    clock: SystemClock,
    status: Arc<Mutex<UplinkStatus>>,
    link: Option<LiveLink>,
    outbox: Outbox,
}

impl Sender {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow_and_update() {
            let now = self.clock.now();
            match self.protocol.next(now) {
                Next::Connect => self.connect(),
                Next::Borrow(most) => self.borrow(most, now).await,
                Next::Offer(record) => match &self.link {
                    Some(link) => match link.publish(&self.records, record.wire) {
                        Ok(()) => self.tell(|status| status.offered += 1),
                        Err(error) => self.lost(&error.to_string()),
                    },
                    None => self.lost("no connection"),
                },
                Next::SetAside(key, until) => {
                    tracing::warn!(seq = key.seq, "no receipt for a record: it stands aside");
                    self.outbox.postpone(key.seq, until);
                    self.tell(|status| status.set_aside += 1);
                }
                Next::WaitUntil(moment) => self.wait(Some(moment), now, &mut stopped).await,
                Next::Wait => self.wait(None, now, &mut stopped).await,
            }
        }
    }

    fn connect(&mut self) {
        let client_id = client_id(&self.config.farm, &self.config.robot);
        // Less than a second is refused by the client.
        let keep_alive = Duration::from_secs_f64(self.config.rules.keep_alive.get().max(1.0));
        // A window of records twice over, and the subscription.
        let capacity = 2 * self.config.rules.window + 8;
        self.link = Some(LiveLink::open(&client_id, &self.config.broker, keep_alive, capacity));
        self.tell(|status| {
            if matches!(status.link, Link::Starting) {
                status.link = Link::Connecting;
            }
        });
    }

    async fn borrow(&mut self, most: usize, now: RobotInstant) {
        match self.outbox.lend(most, now, now.after(LOAN)) {
            Ok(records) => self.protocol.on_lent(records, now),
            Err(error) => self.trouble(&error).await,
        }
    }

    async fn wait(
        &mut self,
        until: Option<RobotInstant>,
        now: RobotInstant,
        stopped: &mut watch::Receiver<bool>,
    ) {
        let pause = until.map_or(3600.0, |until| until.since(now).get().max(0.0));
        let event = async {
            match &mut self.link {
                Some(link) => link.events.recv().await.unwrap_or(LinkEvent::Lost("ended".to_owned())),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = event => self.on_event(event).await,
            () = tokio::time::sleep(Duration::from_secs_f64(pause)) => {}
            _ = stopped.changed() => {}
        }
    }

    async fn on_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Connected => self.connected(),
            LinkEvent::Receipts(receipts) => self.settle(receipts).await,
            LinkEvent::Lost(why) => self.lost(&why),
        }
    }

    fn connected(&mut self) {
        if let Some(link) = &self.link
            && let Err(error) = link.subscribe(&self.acks)
        {
            return self.lost(&error.to_string());
        }
        self.protocol.on_connected(self.clock.now());
        let since = self.clock.wall();
        tracing::info!(broker = %self.config.broker, "uplink online");
        self.tell(|status| {
            status.connections += 1;
            status.link = Link::Online { since };
        });
    }

    fn lost(&mut self, why: &str) {
        self.link = None;
        self.protocol.on_lost(self.clock.now());
        let since = self.clock.wall();
        let mut news = false;
        self.tell(|status| {
            if let Link::Offline { why: known, .. } = &mut status.link {
                why.clone_into(known);
            } else {
                news = true;
                status.link = Link::Offline { since, why: why.to_owned() };
            }
        });
        if news {
            tracing::warn!(broker = %self.config.broker, why, "uplink offline; records wait in the outbox");
        }
    }

    /// One transaction for all receipts that have arrived by now.
    async fn settle(&mut self, mut receipts: Vec<Receipt>) {
        let mut after = None;
        if let Some(link) = &mut self.link {
            while let Ok(event) = link.events.try_recv() {
                match event {
                    LinkEvent::Receipts(more) => receipts.extend(more),
                    other => {
                        after = Some(other);
                        break;
                    }
                }
            }
        }
        match self.outbox.settle(&receipts) {
            Ok(news) => self.settled(&receipts, news as u64),
            Err(error) => self.trouble(&error).await, // not settled: offered again, receipted again
        }
        if let Some(LinkEvent::Lost(why)) = after {
            self.lost(&why);
        }
    }

    fn settled(&mut self, receipts: &[Receipt], news: u64) {
        self.protocol.on_settled(receipts, self.clock.now());
        let apart = apart(receipts);
        let count: u64 = apart.values().sum();
        let wall = self.clock.wall();
        self.tell(|status| {
            status.settled += news;
            status.outbox_trouble = None;
            if news > 0 {
                status.quarantined += count;
                status.last_settled_at = Some(wall);
            }
        });
        if count > 0 {
            let twins =
                if apart.contains_key("same_key") { "; two robots may share an identity" } else { "" };
            tracing::error!(?apart, "the cloud stored records apart, its /api/quarantine has them{twins}");
        }
    }

    async fn trouble(&mut self, error: &OutboxError) {
        let text = error.to_string();
        tracing::error!(error = error as &dyn std::error::Error, "the outbox refuses");
        self.tell(|status| status.outbox_trouble = Some(text));
        tokio::time::sleep(AFTER_TROUBLE).await;
    }

    fn tell(&self, change: impl FnOnce(&mut UplinkStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// How many records the cloud stored apart, by its reason.
fn apart(receipts: &[Receipt]) -> BTreeMap<&str, u64> {
    let mut apart = BTreeMap::new();
    for receipt in receipts.iter().filter(|receipt| receipt.outcome == Outcome::Quarantined) {
        *apart.entry(receipt.why.as_deref().unwrap_or("not told")).or_default() += 1;
    }
    apart
}

/// Two sessions of one name throw each other out, and a robot's name is its own on its farm only. Ids have no `.`,
/// and `/` is refused by brokers that put the name in a topic's pattern. At most 143 bytes: MQTT promises 23, but
/// Mosquitto and rumqttd take 65,535.
fn client_id(farm: &FarmId, robot: &RobotId) -> String {
    format!("kompas-uplink.{farm}.{robot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robots_of_one_name_on_two_farms_have_a_session_each() {
        let of =
            |farm: &str, robot: &str| client_id(&FarmId::new(farm).unwrap(), &RobotId::new(robot).unwrap());
        let all = [of("a", "b-c"), of("a-b", "c"), of("a", "c"), of("b", "c")];
        assert!((0..4).all(|one| (0..one).all(|other| all[one] != all[other])), "{all:?}");
        assert!(all.iter().all(|id| !id.contains(['/', '+', '#'])), "{all:?}");
    }
}
