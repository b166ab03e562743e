//! Both ends of the link: outbox and uplink; ingest, store, API and web map.
