//! The README's tables of rig and drone files: every key, and the ranges that the code has.

mod common;

use common::field;
use kompas_field::rig::{BoomToml, CameraToml, RigToml, RobotToml};
use kompas_planner::survey::{DroneToml, SurveyError, survey};
use serde_json::Value;
use std::collections::BTreeSet;

/// Keys of the table under this heading, each with the column of what is allowed.
fn table(heading: &str) -> Vec<(&'static str, &'static str)> {
    let text = include_str!("../README.md");
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &'static str| {
        let (key, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((key, rest.split(" |").nth(1)?.trim()))
    };
    section.lines().filter_map(row).collect()
}

/// `low to high`, where a row gives two numbers.
fn range(allowed: &str) -> Option<(f64, f64)> {
    let (low, high) = allowed.trim_start_matches("–, ").split_once(" to ")?;
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// Written out: a key that is added breaks the build here, and then the table is looked at.
fn every_key() -> RigToml {
    let robot = RobotToml {
        width_m: 2.0,
        min_turning_radius_m: 2.0,
        may_reverse: true,
        max_speed_mps: 2.0,
        curvature_rate_1_per_m2: Some(0.3),
        cusp_cost_m: Some(10.0),
    };
    let boom = BoomToml {
        width_m: 3.0,
        forward_m: 0.0,
        nozzle_count: 12,
        nozzle_pitch_m: 0.25,
        fan_width_m: 0.25,
        fan_length_m: 0.05,
        carry_m: 0.1,
        carry_speed_mps: Some(1.0),
        valve_open_ms: 20.0,
        valve_close_ms: 10.0,
        flow_l_per_min: 0.4,
    };
    let camera = CameraToml {
        width_px: 1280,
        height_px: 960,
        focal_x_px: 640.0,
        focal_y_px: 640.0,
        centre_x_px: 640.0,
        centre_y_px: 480.0,
        distortion: [0.0; 5],
        height_m: 1.6,
        forward_m: 1.6,
        left_m: 0.0,
        pitch_deg: 0.0,
        roll_deg: 0.0,
        yaw_deg: 0.0,
    };
    RigToml { name: "whole".to_owned(), robot, boom, camera: Some(camera) }
}

/// `section.key` for what lies in a section.
fn keys(file: &Value) -> BTreeSet<String> {
    let top = file.as_object().expect("a table");
    let below = |(key, value): (&String, &Value)| match value.as_object() {
        Some(section) => section.keys().map(|inner| format!("{key}.{inner}")).collect::<Vec<_>>(),
        None => vec![key.clone()],
    };
    top.iter().flat_map(below).collect()
}

fn told(rows: &[(&str, &str)]) -> BTreeSet<String> {
    rows.iter().map(|(key, _)| (*key).to_owned()).collect()
}

/// `file` with another number, written as it was: whole where it was whole.
fn with(mut file: Value, key: &str, number: f64) -> Value {
    let place = file.pointer_mut(&format!("/{}", key.replace('.', "/"))).expect("the key");
    *place =
        if place.is_u64() { format!("{number}").parse().expect("a whole number") } else { number.into() };
    file
}

#[test]
fn the_table_of_rig_files_is_whole() {
    let rows = table("Rig files");
    let file = serde_json::to_value(every_key()).unwrap();
    assert_eq!(told(&rows), keys(&file));
    assert_eq!(rows.len(), told(&rows).len(), "a key stands twice");
    let mut looked = 0;
    for (key, allowed) in rows {
        let Some((low, high)) = range(allowed) else { continue };
        let beyond: RigToml = serde_json::from_value(with(file.clone(), key, high + 1.0)).unwrap();
        let found = beyond.findings();
        let found = found.iter().find(|finding| finding.place.starts_with(&format!("{key} ="))).expect(key);
        assert_eq!(found.cause, format!("allowed is {low} to {high}"), "{key}");
        looked += 1;
    }
    assert_eq!(looked, 26, "rows with two numbers");
}

#[test]
fn the_table_of_drone_files_is_whole() {
    let rows = table("Drone files");
    let drone = DroneToml {
        name: "whole".to_owned(),
        width_px: 5472.0,
        height_px: 3648.0,
        focal_px: 3666.0,
        altitude_m: 12.0,
        front_overlap: 0.75,
        side_overlap: 0.7,
        speed_mps: 4.0,
        turns_outside: false,
    };
    let file = serde_json::to_value(&drone).unwrap();
    assert_eq!(told(&rows), keys(&file));
    let field = field(&[(0.0, 0.0), (60.0, 0.0), (60.0, 60.0), (0.0, 60.0)], &[]).unwrap();
    for (key, allowed) in rows {
        let Some((told_low, told_high)) = range(allowed) else { continue };
        let beyond: DroneToml = serde_json::from_value(with(file.clone(), key, told_high + 1.0)).unwrap();
        let Err(SurveyError::OutOfRange { low, high, .. }) = survey(&field, &beyond) else { panic!("{key}") };
        assert_eq!((low, high), (told_low, told_high), "{key}");
    }
}
