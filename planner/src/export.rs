//! Plans in the formats of others.

mod cells;
pub mod geopackage;
pub mod geotiff;
pub mod isoxml;
pub mod path_geojson;
pub mod picture;
pub mod qgroundcontrol;
pub mod shapefile;
