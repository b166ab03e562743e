//! The robot runtime: drivers, robot loop, mission, guard, recorder and simulator.
//!
//! ```text
//! FrameSource ─► Eyes ─► KnownPlants ─► DecisionRules ─► NozzleQueue ─► Guard ─► NozzleDriver
//! FixSource ─► PoseHistory ─┴──────────────┴────────────────┴────────────┘           │
//!                                 Logbook ─► Recorder ─► outbox ◄── decisions, openings ┘
//! ```
//! [`robot::Robot::tick`] is the robot on one page. Nothing opens without a [`guard::Permit`].
//! [`survey`] looks at a field from a drone's photographs instead.

pub mod bench;
pub mod clock;
pub mod config;
pub mod decide;
pub mod disk;
pub mod drivers;
pub mod eyes;
pub mod guard;
pub mod job;
pub mod logbook;
pub mod mission;
pub mod nozzles;
pub mod plants;
pub mod pose;
pub mod progress;
pub mod recorder;
pub mod report;
pub mod robot;
pub mod setup;
pub mod sim;
pub mod sprayer;
pub mod survey;
pub mod tally;
#[cfg(test)]
mod testing;
