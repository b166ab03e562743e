//! The robot runtime: drivers, robot loop, mission, guard, recorder and simulator.

pub mod drivers;
pub mod guard;
