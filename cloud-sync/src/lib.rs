//! Both ends of the link: outbox and uplink on the robot; ingest, store, API and web map in the cloud.
//!
//! ```text
//! recorder ─► Outbox (SQLite, fsync) ─► Uplink ═ MQTT v1/{farm}/{robot}/records ═► Ingest ─► Store ─► API ─► map
//!                   ▲                     ▲                                          │ after the commit
//!                   └── a row leaves only ┴═════ MQTT v1/{farm}/{robot}/ack ◄════════┘
//! ```
//! Delivery is at least once, ingest is idempotent on (robot, boot, seq): together each record once.
//! What the broker acknowledges means nothing to either end.

pub mod address;
#[cfg(feature = "cloud")]
pub mod api;
#[cfg(feature = "cloud")]
pub mod broker;
pub mod clock;
#[cfg(feature = "cloud")]
pub mod ingest;
pub mod outbox;
#[cfg(feature = "cloud")]
pub mod serve;
#[cfg(feature = "cloud")]
pub mod store;
pub mod uplink;
#[cfg(feature = "cloud")]
pub mod web;
pub mod wire;

pub use address::BrokerAddress;
pub use clock::SystemClock;
pub use outbox::{Counts, Draft, Origin, Outbox, OutboxError, OutboxLimits};
pub use uplink::{Link, UplinkConfig, UplinkError, UplinkHandle, UplinkStatus, spawn_uplink};
