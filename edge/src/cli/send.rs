//! `kompas-robot send`: what a run left in the outbox, to the cloud.

use super::RecordsArgs;
use super::exit::{BadInput, Failed, print};
use super::link::{Patience, stop_flag, until_sent, uplink, why_waiting};
use anyhow::Result;
use kompas_cloud_sync::{BrokerAddress, Counts, Link, Outbox, UplinkStatus};
use kompas_field::RobotInstant;
use kompas_field::units::Seconds;
use serde::Serialize;

/// The outbox is sent until nothing waits, or until Ctrl-C. Not beside a `run` of the same robot, which sends by
/// itself: a broker lets in one of the two.
#[derive(Debug, clap::Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    records: RecordsArgs,
    /// The summary as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// What became of the records.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Taken by the cloud, this time.
    sent: u64,
    /// Still on the robot only.
    waiting: u64,
    /// Why, where any wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    outbox: Counts,
    uplink: UplinkStatus,
}

pub(super) fn send(args: &SendArgs) -> Result<()> {
    let config = args.records.read(args.records.overrides()?)?.0;
    let file = &config.records.outbox;
    let Some(broker) = &config.broker else {
        let text = format!(
            "{} names no broker to send to: set uplink.broker = \"mqtt://HOST:PORT\", or give --broker",
            args.records.config.display()
        );
        return Err(BadInput(text).into());
    };
    if !file.is_file() {
        let remedy = "nothing was recorded yet, or give the file in records.outbox or --outbox";
        return Err(BadInput(format!("there is no outbox at {}: {remedy}", file.display())).into());
    }
    let outbox = Outbox::open(file, &config.robot, config.records.limits)?;
    if let Some(damaged) = outbox.set_aside() {
        tracing::error!("the outbox was damaged and moved to {}; a new one is in use", damaged.display());
    }
    let stop = stop_flag()?;
    let uplink = uplink(&config, broker.clone())?;
    let mut news = News::of(broker, outbox.counts()?.waiting);
    let waiting = until_sent(&outbox, &uplink, Patience::ENDLESS, &stop, |waiting, status, now| {
        news.tell(waiting, status, now);
    })?;
    let status = uplink.stop();
    let why = (waiting > 0).then(|| why_waiting(&status, broker));
    let sent = Outcome { sent: status.settled, waiting, why, outbox: outbox.counts()?, uplink: status };
    if args.json {
        print(&serde_json::to_string_pretty(&sent)?);
    } else {
        print(&format!(
            "{} records sent to {broker}, {} wait in {}",
            sent.sent,
            sent.waiting,
            file.display()
        ));
    }
    if sent.uplink.quarantined > 0 {
        tracing::warn!(
            "{} records are stored apart by the cloud: a person should look",
            sent.uplink.quarantined
        );
    }
    match sent.why {
        None => Ok(()),
        Some(why) => Err(Failed(format!("{waiting} records wait in {}: {why}", file.display())).into()),
    }
}

/// Words while it goes on: when the link changes, and every ten seconds.
struct News<'b> {
    broker: &'b BrokerAddress,
    all: u64,
    online: Option<bool>,
    told_at: RobotInstant,
}

impl<'b> News<'b> {
    const EVERY: Seconds = Seconds::new(10.0);

    fn of(broker: &'b BrokerAddress, all: u64) -> Self {
        tracing::info!("{all} records wait for {broker}");
        Self { broker, all, online: None, told_at: RobotInstant::START }
    }

    fn tell(&mut self, waiting: u64, status: &UplinkStatus, now: RobotInstant) {
        let online = match status.link {
            Link::Online { .. } => Some(true),
            Link::Offline { .. } => Some(false),
            Link::Starting | Link::Connecting => None,
        };
        if online != self.online || now.since(self.told_at) >= Self::EVERY {
            let connected = matches!(online, Some(true)) && status.settled > 0;
            let how = if connected { "goes on".to_owned() } else { why_waiting(status, self.broker) };
            tracing::info!("{} of {} records sent; {how}", self.all.saturating_sub(waiting), self.all);
            (self.online, self.told_at) = (online, now);
        }
    }
}
