//! The shared vocabulary of Kompas: units, frames, time, ids, boundary, grid, plants, weed map, prescription and records.
