//! Sends a seeded season through the real outbox, uplink and broker: something to look at without a robot.
//!
//! `cargo run --example seed_field -- mqtt://127.0.0.1:1883 [SEED] [DRIVEN 0..1]`

#[path = "../tests/support/season.rs"]
#[expect(dead_code, reason = "this takes a part of it")]
mod season;

use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::uplink::Rules;
use kompas_cloud_sync::{BrokerAddress, UplinkConfig, spawn_uplink};
use kompas_field::ids::{BootId, FarmId, RobotId};
use kompas_field::{ClockQuality, Datum};
use season::Season;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let broker: BrokerAddress = args.next().ok_or("give the broker: mqtt://HOST:PORT")?.parse()?;
    let seed: u64 = args.next().map_or(Ok(7), |text| text.parse())?;
    let driven: f64 = args.next().map_or(Ok(1.0), |text| text.parse())?;

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("outbox.sqlite");
    let robot = RobotId::new("kompas-01")?;
    let boot = BootId::new(format!("boot-{seed}"))?;
    let origin = Origin { boot, clock_quality: ClockQuality::Gnss, datum: Datum::Etrs89 };
    let mut outbox = Outbox::open(&path, &robot, OutboxLimits::default())?;
    for drafts in Season::half_hectare(seed, driven).drafts().chunks(16) {
        outbox.append(&origin, drafts)?;
    }
    let farm = FarmId::new("valthermond")?;
    let config =
        UplinkConfig { robot, farm, broker, limits: OutboxLimits::default(), rules: Rules::default(), seed };
    let uplink = spawn_uplink(&path, config)?;
    loop {
        let counts = outbox.counts()?;
        eprintln!("{} of {} records committed", counts.committed, counts.written);
        if counts.waiting == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    uplink.stop();
    Ok(())
}
