//! A field, a robot and a camera that behave like the real ones and whose truth is known.
//!
//! ```text
//! Route ─► Trajectory (slip, wander) ─► true pose ─┬─► SimCamera   frames through the rig's camera model
//!                                                  ├─► SimGnss     fixes with noise and quality changes
//! World (rows, weeds, volunteers, or photographs) ─┤
//!                                                  └─► SimBoom     wets the ground under the true pose ─► Score
//! ```
//!
//! Time is virtual: taking the next frame moves the clock. Same seed and configuration, same bytes.
//! Nothing here is used by a real robot; the drivers stand behind the traits of [`crate::drivers`].

mod boom;
mod camera;
mod config;
mod estop;
mod gnss;
mod ground;
mod photos;
mod plants;
mod render;
mod route;
mod simulator;
mod soil;
mod sprites;
mod stream;
#[cfg(test)]
mod testing;
mod truth;
mod vehicle;
mod wander;
mod wetted;
mod world;

pub use boom::SimBoom;
pub use camera::SimCamera;
pub use config::{
    BoomSim, CameraSim, FixChange, GnssSim, PathSpan, PhotoSim, ScoreSim, SimConfig, SimToml, SowingSim,
    VehicleSim,
};
pub use estop::SimEstop;
pub use gnss::SimGnss;
pub use photos::{PhotoError, PhotoReport};
pub use plants::{GrowthHabit, TruthPlant};
pub use render::Renderer;
pub use route::{Route, RouteError, RouteLeg};
pub use simulator::{SimError, Simulator};
pub use truth::{ClassScore, Score, ShareOf};
pub use vehicle::{Trajectory, TrueMotion};
pub use world::World;
