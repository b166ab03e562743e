//! What a person wants to know about the link.

use kompas_field::WallTime;

/// Whether there is a connection, and why not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "link")]
pub enum Link {
    /// Not tried yet.
    Starting,
    /// Trying.
    Connecting,
    /// The broker let us in.
    Online {
        /// Since.
        since: WallTime,
    },
    /// No connection.
    Offline {
        /// Since.
        since: WallTime,
        /// In the words of whoever refused.
        why: String,
    },
}

/// Link and traffic since the uplink's start.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UplinkStatus {
    /// Connection.
    #[serde(flatten)]
    pub link: Link,
    /// Connections that came about.
    pub connections: u64,
    /// Records handed to a connection, repeated ones included.
    pub offered: u64,
    /// Receipts that were news.
    pub settled: u64,
    /// Of these: stored apart by the cloud. A person is needed.
    pub quarantined: u64,
    /// Records that got no receipt in several offers.
    pub set_aside: u64,
    /// The last receipt that was news.
    pub last_settled_at: Option<WallTime>,
    /// What the outbox last refused, until it works again.
    pub outbox_trouble: Option<String>,
}

impl UplinkStatus {
    pub(super) const fn starting() -> Self {
        Self {
            link: Link::Starting,
            connections: 0,
            offered: 0,
            settled: 0,
            quarantined: 0,
            set_aside: 0,
            last_settled_at: None,
            outbox_trouble: None,
        }
    }
}
