//! Plane geometry the planner builds on: poses, offsets, curves of bounded curvature, clearance.
//!
//! Everything here is in metres and radians (counter-clockwise from east) in the field's frame.

#![expect(clippy::many_single_char_names, reason = "the letters of the textbook formulas")]

pub(crate) mod clearance;
pub(crate) mod continuous;
pub(crate) mod dubins;
pub(crate) mod lane;
pub(crate) mod offset;
pub(crate) mod outline;
pub(crate) mod pose;
pub(crate) mod reeds_shepp;
pub(crate) mod steering;
