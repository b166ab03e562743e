//! One MQTT connection: a client object and the task that polls it. Dropping it ends both.

use crate::address::BrokerAddress;
use crate::wire::{Ack, MAX_PACKET_BYTES, Receipt};
use rumqttc::{AsyncClient, ClientError, Event, EventLoop, MqttOptions, Packet, QoS};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the polling task has to say.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The broker let us in.
    Connected,
    /// The cloud committed records.
    Receipts(Vec<Receipt>),
    /// It is over, in words.
    Lost(String),
}

#[derive(Debug)]
pub(super) struct LiveLink {
    client: AsyncClient,
    polling: JoinHandle<()>,
    pub(super) events: mpsc::Receiver<LinkEvent>,
}

impl LiveLink {
    /// Begins to connect. `keep_alive`: a second or more. `capacity`: packets that may wait for the socket.
    pub(super) fn open(
        client_id: &str,
        broker: &BrokerAddress,
        keep_alive: Duration,
        capacity: usize,
    ) -> Self {
        let mut options = MqttOptions::new(client_id, broker.host.clone(), broker.port);
        options.set_keep_alive(keep_alive).set_clean_session(true);
        options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        let (client, connection) = AsyncClient::new(options, capacity);
        let (tell, events) = mpsc::channel(capacity);
        Self { client, polling: tokio::spawn(poll(connection, tell)), events }
    }

    pub(super) fn subscribe(&self, topic: &str) -> Result<(), ClientError> {
        self.client.try_subscribe(topic, QoS::AtLeastOnce)
    }

    /// Never waits: a client that takes no more is a client to leave.
    pub(super) fn publish(&self, topic: &str, bytes: Vec<u8>) -> Result<(), ClientError> {
        self.client.try_publish(topic, QoS::AtLeastOnce, false, bytes)
    }
}

impl Drop for LiveLink {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

/// Polls until the connection ends; whoever listens may be gone by then.
async fn poll(mut connection: EventLoop, tell: mpsc::Sender<LinkEvent>) {
    loop {
        let (event, over) = match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => (LinkEvent::Connected, false),
            Ok(Event::Incoming(Packet::Publish(message))) => match receipts(&message.payload) {
                Ok(receipts) => (LinkEvent::Receipts(receipts), false),
                Err(error) => {
                    tracing::warn!(%error, "a receipt that does not read: the records are offered again");
                    continue;
                }
            },
            Ok(_) => continue,
            Err(error) => (LinkEvent::Lost(error.to_string()), true),
        };
        if tell.send(event).await.is_err() || over {
            return;
        }
    }
}

fn receipts(bytes: &[u8]) -> Result<Vec<Receipt>, serde_json::Error> {
    serde_json::from_slice::<Ack>(bytes).map(|ack| ack.records)
}
