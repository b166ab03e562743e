//! Plans in the formats of others.

pub mod isoxml;
pub mod path_geojson;
pub mod picture;
pub mod qgroundcontrol;
