//! From the outbox to the store over a link that is cut again and again: every record exactly once.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails where it breaks and says what it saw"
)]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::broker::start_embedded;
use kompas_cloud_sync::ingest::spawn_ingest;
use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::store::Stores;
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::uplink::Rules;
use kompas_cloud_sync::{BrokerAddress, UplinkConfig, spawn_uplink};
use kompas_field::ids::{BootId, FarmId, RobotId};
use kompas_field::units::Seconds;
use kompas_field::{ClockQuality, Datum, RecordKey};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::relay::{Relay, Weather};
use support::season::Season;

fn robot() -> RobotId {
    RobotId::new("kompas-01").unwrap()
}

fn write(path: &Path, seed: u64) -> (Outbox, Vec<RecordKey>) {
    let boot = BootId::new(format!("b-{seed}")).unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::None, datum: Datum::Etrs89 };
    let mut outbox = Outbox::open(path, &robot(), OutboxLimits::default()).unwrap();
    let season = Season { size_m: (60.0, 30.0), ..Season::small(seed) };
    let drafts = season.drafts();
    let mut keys = Vec::new();
    for some in drafts.chunks(5) {
        keys.extend(outbox.append(&origin, some).unwrap());
    }
    (outbox, keys)
}

/// Waits of seconds become waits of tens of milliseconds: the link of the test has no latency.
fn config(broker: BrokerAddress) -> UplinkConfig {
    let rules = Rules {
        receipt_wait: Seconds::new(0.3),
        first_retry: Seconds::new(0.01),
        longest_retry: Seconds::new(0.2),
        keep_alive: Seconds::new(1.0),
        ..Rules::default()
    };
    let farm = FarmId::new("valthermond").unwrap();
    UplinkConfig { robot: robot(), farm, broker, limits: OutboxLimits::default(), rules, seed: 1 }
}

fn until_drained(outbox: &Outbox, within: Duration) {
    for _ in 0..within.as_millis() / 20 {
        if outbox.counts().unwrap().waiting == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("still waiting after {within:?}: {:?}", outbox.counts().unwrap());
}

fn through(broker: SocketAddr, seed: u64, weather: Weather) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("outbox.sqlite");
    let (outbox, keys) = write(&path, seed);
    assert!(keys.len() > 40, "{}", keys.len());
    let stores = SqliteFile::at(directory.path().join("cloud.sqlite"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let direct = BrokerAddress { host: "127.0.0.1".to_owned(), port: broker.port() };
    let ingest = spawn_ingest(stores.open().unwrap(), &direct).unwrap();

    let relay = Relay::before(broker, weather).unwrap();
    let bad = BrokerAddress { host: "127.0.0.1".to_owned(), port: relay.address.port() };
    let uplink = spawn_uplink(&path, config(bad)).unwrap();
    until_drained(&outbox, Duration::from_mins(1));

    let counts = outbox.counts().unwrap();
    let status = uplink.stop();
    let cuts = relay.cuts.load(Ordering::SeqCst);
    println!("{} records, {cuts} cuts, {status:?}, {:?}", keys.len(), ingest.status());
    assert_eq!((counts.written, counts.committed), (keys.len() as u64, keys.len() as u64));
    let found = stores.open().unwrap().counts().unwrap();
    assert_eq!((found.records, found.quarantined, found.disputed), (keys.len() as u64, 0, 0));
    if weather.cut_after_bytes.is_some() {
        assert!(cuts > 2 && status.connections > 2, "the weather was too good: {cuts} cuts");
    }
}

const FAIR: Weather =
    Weather { seed: 0, cut_after_bytes: None, silent: 0.0, delay: Duration::ZERO, bytes_per_second: None };

fn embedded() -> SocketAddr {
    let address = start_embedded("127.0.0.1:0".parse().unwrap()).unwrap();
    SocketAddr::new("127.0.0.1".parse().unwrap(), address.port)
}

#[test]
fn over_a_fair_link_every_record_arrives_once() {
    through(embedded(), 1, FAIR);
}

#[test]
fn over_a_link_that_is_cut_every_record_arrives_once() {
    for seed in 2..5 {
        let cut_after_bytes = Some((20_000, 400_000));
        through(embedded(), seed, Weather { seed, cut_after_bytes, delay: Duration::from_millis(1), ..FAIR });
    }
}

#[test]
fn over_a_link_that_goes_silent_every_record_arrives_once() {
    let cut_after_bytes = Some((200_000, 600_000));
    through(embedded(), 9, Weather { seed: 9, cut_after_bytes, silent: 0.5, ..FAIR });
}

struct Mosquitto(Child);

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A real broker with its defaults, but for anonymous clients on loopback.
fn mosquitto(directory: &Path) -> Option<(Mosquitto, SocketAddr)> {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = directory.join("mosquitto.conf");
    let text = format!("listener {} 127.0.0.1\nallow_anonymous true\n", address.port());
    std::fs::write(&file, text).unwrap();
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
    let program = program.into_iter().find(|program| Path::new(program).exists())?;
    let child = Command::new(program).arg("-c").arg(file).stderr(Stdio::null()).spawn().unwrap();
    let guard = Mosquitto(child);
    for _ in 0..100 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Some((guard, address));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("mosquitto does not listen on {address}");
}

#[test]
fn through_mosquitto_over_a_cut_link_every_record_arrives_once() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_running, address)) = mosquitto(directory.path()) else {
        println!("skipped: needs mosquitto (Debian package mosquitto)");
        return;
    };
    through(address, 20, FAIR);
    through(address, 21, Weather { seed: 21, cut_after_bytes: Some((20_000, 400_000)), ..FAIR });
}

#[test]
fn one_oversized_retained_message_makes_ingest_deaf_to_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_running, address)) = mosquitto(directory.path()) else {
        println!("skipped: needs mosquitto (Debian package mosquitto)");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = rumqttc::MqttOptions::new("stranger", "127.0.0.1", address.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = rumqttc::AsyncClient::new(options, 4);
        let topic = "v1/valthermond/kompas-01/records";
        client.publish(topic, rumqttc::QoS::AtLeastOnce, true, vec![b'x'; 300_000]).await.unwrap();
        while !matches!(
            connection.poll().await.unwrap(),
            rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_))
        ) {}
    });

    let path = directory.path().join("outbox.sqlite");
    let (outbox, keys) = write(&path, 30);
    let stores = SqliteFile::at(directory.path().join("cloud.sqlite"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let broker = BrokerAddress { host: "127.0.0.1".to_owned(), port: address.port() };
    let _ingest = spawn_ingest(stores.open().unwrap(), &broker).unwrap();
    let _uplink = spawn_uplink(&path, config(broker)).unwrap();
    until_drained(&outbox, Duration::from_mins(1));
    let store = stores.open().unwrap();
    let found = store.counts().unwrap();
    assert_eq!((found.records, found.quarantined), (keys.len() as u64, 1));
    assert_eq!(store.quarantine(9).unwrap()[0].why, "too_large");
}

#[test]
fn two_clouds_of_one_broker_do_not_throw_each_other_out() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let broker = BrokerAddress { host: "127.0.0.1".to_owned(), port: embedded().port() };
    // Of one process id, as in two containers.
    let ingests = ["one.sqlite", "other.sqlite"].map(|name| {
        spawn_ingest(SqliteFile::at(directory.path().join(name)).open().unwrap(), &broker).unwrap()
    });
    std::thread::sleep(Duration::from_secs(3));
    for ingest in ingests {
        let status = ingest.status();
        assert!(status.online && status.lost_alike == 0, "{status:?}");
    }
}
