//! Plans in the formats of others.

pub mod path_geojson;
