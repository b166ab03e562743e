//! The sending half: from the outbox to the broker, until the cloud says *committed*.
//!
//! [`Protocol`] is the whole of it as a value without socket and clock; the rest is a thin adapter to
//! `rumqttc` in a thread of its own.
//!
//! # What is kept
//! - At most a small window of records is on its way; everything else waits in the outbox.
//! - At **every** connection all records without a receipt are offered again, whatever the broker says it
//!   remembers: measured, `rumqttc` loses its whole queue when the broker forgets the session.
//! - One client object per connection, with a clean session: nothing of an old connection can loop.
//! - The task that polls the connection never publishes and never waits for the one that does.
//! - A record that gets no receipt is offered less and less often and gives its place to others.

mod adapter;
mod link;
mod protocol;
mod status;

pub use adapter::{UplinkConfig, UplinkError, UplinkHandle, spawn_uplink};
pub use protocol::{Next, Protocol, Rules};
pub use status::{Link, UplinkStatus};
