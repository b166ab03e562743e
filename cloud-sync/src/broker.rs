//! An MQTT broker inside this process, for demonstrations and tests: it keeps nothing on disk. A farm runs
//! Mosquitto, with `message_size_limit 131072` ([`MAX_PACKET_BYTES`]): its own limit is far higher,
//! and a retained message above [`crate::wire::MAX_INCOMING_BYTES`] would cut ingest off at every attempt.

use crate::address::BrokerAddress;
use crate::wire::MAX_PACKET_BYTES;
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Why the embedded broker does not run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {listen} for MQTT: choose another --mqtt-listen, or port 0 for a free one")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// It started and does not answer.
    #[error("the embedded broker does not answer on {0}")]
    Silent(SocketAddr),
}

/// Starts the broker on `listen` (port 0: a free one) and returns its address when it answers. It runs until the
/// process ends: `rumqttd` has no way to stop.
///
/// # Errors
/// [`BrokerError`].
pub fn start_embedded(listen: SocketAddr) -> Result<BrokerAddress, BrokerError> {
    let no = |source| BrokerError::Listen { listen, source };
    // rumqttd takes no listener and does not say why it failed: find out here.
    let listen = TcpListener::bind(listen).and_then(|probe| probe.local_addr()).map_err(no)?;
    let mut broker = Broker::new(config(listen));
    std::thread::Builder::new()
        .name("broker".to_owned())
        .spawn(move || {
            if let Err(error) = broker.start() {
                tracing::error!(%error, "the embedded broker ended");
            }
        })
        .map_err(no)?;
    for _ in 0..100 {
        if TcpStream::connect(listen).is_ok() {
            return Ok(BrokerAddress { host: listen.ip().to_string(), port: listen.port() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(BrokerError::Silent(listen))
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: MAX_PACKET_BYTES, // the default of 20,480 cuts the connection at a larger record
        max_inflight_count: 500,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings {
        name: "kompas".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    Config {
        router: RouterConfig {
            max_connections: 1_000,
            max_outgoing_packet_count: 200,
            max_segment_size: 8 << 20, // eight of these bound the memory; what falls out is offered again
            max_segment_count: 8,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("v4".to_owned(), server)])),
        ..Config::default()
    }
}
