//! The link to the cloud, as `run` and `send` use it.

use anyhow::{Context, Result};
use kompas_cloud_sync::uplink::Rules;
use kompas_cloud_sync::{
    BrokerAddress, Link, Outbox, OutboxError, UplinkConfig, UplinkError, UplinkHandle, UplinkStatus,
    spawn_uplink,
};
use kompas_edge::clock::SystemClock;
use kompas_edge::config::Config;
use kompas_field::units::Seconds;
use kompas_field::{Clock, RobotInstant};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Set by Ctrl-C, by a polite kill and by a terminal that closes.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second time it ends at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag)).context("signals")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("signals")?;
    }
    // A closing terminal may say so twice, and who started the program with nohup wants it to go on.
    if !is_ignored(SIGHUP) {
        signal_hook::flag::register(SIGHUP, Arc::clone(&flag)).context("signals")?;
    }
    Ok(flag)
}

/// Whether whoever started this program had it ignore `signal`; where the system does not say, nobody had.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Starts sending what waits in the outbox to `broker`.
///
/// # Errors
/// The outbox's, or the system gives no thread. A broker that is away is tried again, for ever.
pub(super) fn uplink(config: &Config, broker: BrokerAddress) -> Result<UplinkHandle, UplinkError> {
    let letters = config.robot.as_str().bytes();
    let settings = UplinkConfig {
        robot: config.robot.clone(),
        farm: config.farm.clone(),
        broker,
        limits: config.records.limits,
        rules: Rules::default(),
        seed: letters.fold(0u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())),
    };
    spawn_uplink(&config.records.outbox, settings)
}

/// How long to wait for an outbox to empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// In all.
    pub(super) most: Seconds,
    /// Without a connection.
    pub(super) offline: Seconds,
}

impl Patience {
    /// As long as a person lets it.
    pub(super) const ENDLESS: Self = Self { most: Seconds::new(1e9), offline: Seconds::new(1e9) };
}

/// Waits until nothing waits in the outbox, patience is at its end or `stop` is set, and returns how many records
/// wait; `looked` is told after each look.
///
/// # Errors
/// The disk's.
pub(super) fn until_sent(
    outbox: &Outbox,
    uplink: &UplinkHandle,
    patience: Patience,
    stop: &AtomicBool,
    mut looked: impl FnMut(u64, &UplinkStatus, RobotInstant),
) -> Result<u64, OutboxError> {
    let clock = SystemClock::start();
    let mut online_at = RobotInstant::START;
    loop {
        let (waiting, status, now) = (outbox.counts()?.waiting, uplink.status(), clock.now());
        if matches!(status.link, Link::Online { .. }) {
            online_at = now;
        }
        let tired =
            now.since(RobotInstant::START) >= patience.most || now.since(online_at) >= patience.offline;
        if waiting == 0 || tired || stop.load(Ordering::SeqCst) {
            return Ok(waiting);
        }
        looked(waiting, &status, now);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Why records still wait, in words.
pub(super) fn why_waiting(status: &UplinkStatus, broker: &BrokerAddress) -> String {
    match (&status.link, &status.outbox_trouble) {
        (_, Some(trouble)) => format!("the outbox refuses: {trouble}"),
        (Link::Offline { why, .. }, _) => format!("no connection to {broker}: {why}"),
        (Link::Starting | Link::Connecting, _) => format!("{broker} has not answered yet"),
        (Link::Online { .. }, _) if status.settled == 0 => {
            format!("{broker} answers and no cloud takes the records: start kompas-cloud with this broker")
        }
        (Link::Online { .. }, _) => format!("{broker} takes them, and there was no time for all"),
    }
}
