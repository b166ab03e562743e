//! The only door to the nozzles.

mod permit;

pub use permit::Permit;
