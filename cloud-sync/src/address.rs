//! Where a broker listens.

use std::fmt;
use std::str::FromStr;

const DEFAULT_PORT: u16 = 1883;

/// `mqtt://host[:port]`. TLS (`mqtts://`) is refused until it is built: plain text must be a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// 1883 unless given.
    pub port: u16,
}

/// A text that is not a broker's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a broker: {why}; write mqtt://HOST or mqtt://HOST:PORT")]
pub struct NotABroker {
    given: String,
    why: &'static str,
}

impl FromStr for BrokerAddress {
    type Err = NotABroker;

    fn from_str(text: &str) -> Result<Self, NotABroker> {
        let no = |why| NotABroker { given: text.to_owned(), why };
        let rest = text.strip_prefix("mqtt://").ok_or(no("it does not begin with mqtt://"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(v6) => {
                let (host, after) = v6.split_once(']').ok_or(no("the bracket is not closed"))?;
                let port = after.strip_prefix(':');
                if port.is_none() && !after.is_empty() {
                    return Err(no("after the bracket comes nothing, or a colon and the port"));
                }
                (host, port)
            }
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(no("the host is missing or has characters that no host has"));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => port.parse().ok().filter(|p| *p != 0).ok_or(no("the port is not 1 to 65535"))?,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "mqtt://[{host}]:{port}")
        } else {
            write!(f, "mqtt://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_written() {
        for (given, read) in [
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("mqtt://10.0.0.7:1884/", "mqtt://10.0.0.7:1884"),
            ("mqtt://[::1]:5", "mqtt://[::1]:5"),
        ] {
            assert_eq!(given.parse::<BrokerAddress>().unwrap().to_string(), read);
        }
        for bad in [
            "localhost:1883",
            "mqtts://a",
            "mqtt://",
            "mqtt://a:0",
            "mqtt://a:x",
            "mqtt://a/b",
            "mqtt://[::1",
            "mqtt://[::1]8883",
            "mqtt://[::1]:",
        ] {
            assert!(bad.parse::<BrokerAddress>().is_err(), "{bad}");
        }
    }
}
