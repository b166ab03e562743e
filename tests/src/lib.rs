//! End-to-end stories over real processes.
//!
//! The demo, the published figures and the tests start the same programs through the same code here:
//! what the README shows is what the tests hold.

pub mod cloud;
pub mod demo_folder;
pub mod mosquitto;
pub mod process;
pub mod report;
pub mod robot;
