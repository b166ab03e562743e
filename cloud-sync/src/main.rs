//! `kompas-cloud`: takes robots' records in and shows the map.

use anyhow::Context;
use clap::{Parser, Subcommand};
use kompas_cloud_sync::BrokerAddress;
use kompas_cloud_sync::serve::{self, BrokerChoice, Cloud, ServeConfig, ServeError};
use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::ExitCode;

/// Kompas cloud: stores what robots in the field report, and shows it on a map.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take records in and serve the map until Ctrl-C.
    Serve {
        /// Directory of the store; made when missing.
        #[arg(long)]
        data: PathBuf,
        /// Where browsers reach the map; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// Where records come from: `embedded` (demonstration) or `mqtt://HOST:PORT` (for example Mosquitto, with
        /// `message_size_limit 131072` in its configuration). One cloud per broker: two would split the records.
        #[arg(long, default_value = "embedded", value_parser = broker)]
        broker: BrokerArg,
        /// Where robots reach the embedded broker; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:1883")]
        mqtt_listen: SocketAddr,
        /// Print the addresses as one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make everything the map shows again from the records. The server must be stopped.
    Rebuild {
        /// Directory of the store.
        #[arg(long)]
        data: PathBuf,
    },
}

#[derive(Debug, Clone)]
enum BrokerArg {
    Embedded,
    At(BrokerAddress),
}

fn broker(text: &str) -> Result<BrokerArg, String> {
    if text == "embedded" {
        return Ok(BrokerArg::Embedded);
    }
    text.parse().map(BrokerArg::At).map_err(|error| format!("{error}, or embedded"))
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("info,rumqttd=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            // What could not start is wrong input; what stopped is a failure.
            let wrong_input = !matches!(
                error.downcast_ref(),
                Some(
                    ServeError::Ended(_)
                        | ServeError::Ingest(_)
                        | ServeError::IngestBroke
                        | ServeError::NotRebuilt { .. }
                ) | None
            );
            ExitCode::from(if wrong_input { 2 } else { 1 })
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { data, listen, broker, mqtt_listen, json } => {
            let broker = match broker {
                BrokerArg::Embedded => BrokerChoice::Embedded { listen: mqtt_listen },
                BrokerArg::At(address) => BrokerChoice::At(address),
            };
            let deaf = matches!(&broker, BrokerChoice::Embedded { listen } if listen.ip().is_loopback());
            let cloud = Cloud::start(&ServeConfig { data, listen, broker }).await?;
            if deaf && !listen.ip().is_loopback() {
                let open = SocketAddr::new(listen.ip(), mqtt_listen.port());
                tracing::warn!(
                    broker = %cloud.broker,
                    "others see the map, and only robots on this machine reach it: give --mqtt-listen {open}"
                );
            }
            // Before anybody is told that it runs: who is told may end it.
            let stop = stop_signal()?;
            say(&cloud, json);
            cloud.serve(stop).await?;
            Ok(())
        }
        Command::Rebuild { data } => {
            let read = serve::rebuild(&data)?;
            tracing::info!(records = read, "the map is rebuilt");
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "the one place that prints: addresses, for people or programs")]
fn say(cloud: &Cloud, json: bool) {
    if !cloud.address.ip().is_loopback() {
        tracing::warn!(address = %cloud.address, "the map has no sign-in: whoever reaches this address sees everything");
    }
    let map = format!("http://{}/", SocketAddr::new(from_outside(cloud.address.ip()), cloud.address.port()));
    let mut broker = cloud.broker.clone();
    if let Ok(listens) = broker.host.parse() {
        broker.host = from_outside(listens).to_string();
    }
    let broker = broker.to_string();
    if json {
        println!("{}", serde_json::json!({ "map_url": map, "broker_url": broker }));
    } else {
        println!("map     {map}\nrobots  {broker}\nstop    Ctrl-C");
    }
}

/// An address that others can use where a server listens on every one: the one that the system itself would send
/// from. A machine without a network has only itself.
fn from_outside(listens: IpAddr) -> IpAddr {
    if !listens.is_unspecified() {
        return listens;
    }
    // Connecting a datagram socket sends nothing; the address is one of documentation (RFC 5737).
    let own = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    own.map_or(Ipv4Addr::LOCALHOST.into(), |own| own.ip())
}

/// Ready at Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
