//! Prescriptions from task data: our own, and files of others.

mod common;

use common::{field, rig};
use kompas_field::units::LitresPerHectare;
use kompas_field::{CellIndex, FallbackRates, Field, Prescription};
use kompas_planner::export::isoxml::task_data;
use kompas_planner::import::isoxml::grid::{GridError, grid_from_task_data};
use kompas_planner::{Policy, plan};
use std::path::Path;
use std::process::Command;

fn parcel() -> Field {
    field(&[(0.0, 0.0), (70.0, 0.0), (70.0, 40.0), (0.0, 40.0)], &[]).expect("a valid field")
}

/// An F that is neither its mirror image nor its transpose: rates by stroke.
fn letter(field: &Field) -> Prescription {
    let mut given = Prescription::new(field.grid(), FallbackRates::CLOSED).expect("no rates");
    let mut stroke = |cols: std::ops::Range<u32>, rows: std::ops::Range<u32>, rate: f64| {
        for col in cols {
            for row in rows.clone() {
                given.set(CellIndex { col, row }, LitresPerHectare::new(rate)).expect("on the grid");
            }
        }
    };
    stroke(10..14, 8..32, 150.0);
    stroke(14..30, 28..32, 80.0);
    stroke(14..24, 18..22, 260.5);
    given
}

#[test]
fn our_own_task_data_comes_back_cell_by_cell() {
    let field = parcel();
    let given = letter(&field);
    let policy = Policy { prescription: Some(given.clone()), selective: true, ..Policy::reference() };
    let made = plan(&field, None, &rig("robot-3m"), &policy).unwrap();
    assert_eq!(made.prescription, given);
    let full = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    assert!(made.summary.path_m < 0.8 * full.summary.path_m && !made.schedule.is_empty());
    assert!(made.schedule.iter().any(|run| run.rate_l_per_ha == LitresPerHectare::new(260.5)));
    // A nozzle has one rate at a time, and the higher one over both cells where two meet.
    let mut changes = 0;
    for nozzle in 0..12 {
        let runs: Vec<_> = made.schedule.iter().filter(|run| run.nozzle == nozzle).collect();
        assert!(runs.windows(2).all(|pair| pair[0].to_m <= pair[1].from_m), "nozzle {nozzle}: {runs:?}");
        changes += runs.windows(2).filter(|pair| pair[0].to_m >= pair[1].from_m).count();
    }
    assert!(changes > 0, "no rate changes on the way");
    let data = task_data(&made, &field);
    let grid =
        grid_from_task_data(&data.xml, |name| (name == "GRD00001.BIN").then(|| data.grid.clone())).unwrap();
    assert!(grid.warnings.is_empty(), "{:?}", grid.warnings);
    let (back, warnings) = grid.on_field(&field).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(back.cells().collect::<Vec<_>>(), given.cells().collect::<Vec<_>>());
    let far = common::field(&[(9000.0, 0.0), (9070.0, 0.0), (9070.0, 40.0), (9000.0, 40.0)], &[]).unwrap();
    assert!(matches!(grid.on_field(&far), Err(GridError::Elsewhere { .. })));
    // The neighbour: a strip of the grid lies on it.
    let beside = common::field(&[(60.0, 0.0), (130.0, 0.0), (130.0, 40.0), (60.0, 40.0)], &[]).unwrap();
    let refused = grid.on_field(&beside).unwrap_err();
    assert!(
        matches!(refused, GridError::Elsewhere { share_pct, .. } if (10.0..20.0).contains(&share_pct)),
        "{refused}"
    );
    // The same field, drawn wider by another program.
    let wider = common::field(&[(0.0, 0.0), (75.0, 0.0), (75.0, 40.0), (0.0, 40.0)], &[]).unwrap();
    let (_, warnings) = grid.on_field(&wider).unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("of 3000 cells"), "{warnings:?}");
}

/// Cells of a grid of values.
fn cells(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|cell| i32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]])).collect()
}

#[test]
fn a_litre_per_hectare_is_as_much_as_other_makers_mean_by_it() {
    let field = parcel();
    let policy = Policy { prescription: Some(letter(&field)), ..Policy::reference() };
    let data = task_data(&plan(&field, None, &rig("robot-3m"), &policy).unwrap(), &field);
    let mut values = cells(&data.grid);
    values.sort_unstable();
    values.dedup();
    assert_eq!(values, [0, 800_000, 1_500_000, 2_605_000]);
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/specs/isoxml/data/task_full.zip");
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("a maker's own factor: skipped: needs ../shared/data/specs/isoxml");
        return;
    };
    // How a terminal shows volume per area: one unit of the dictionary, times C, is so much E.
    let files = unzipped(&bytes);
    let xml = files.iter().find(|(name, _)| name.ends_with("TASKDATA.XML")).expect("a main file");
    let xml = String::from_utf8_lossy(&xml.1);
    let shown = xml.split('<').find(|e| e.starts_with("VPN ") && e.contains("E=\"l/ha\"")).expect("litres");
    let factor: f64 =
        shown.split("C=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse().ok()).expect("a factor");
    assert!((factor * f64::from(values[1]) - 80.0).abs() < 1e-9, "{shown}");
}

/// How long attribute `name` of `element` may be, as the schema says.
fn longest(schema: &str, element: &str, name: &str) -> usize {
    let after =
        |text: &str, mark: &str| text.split_once(mark).unwrap_or_else(|| panic!("no {mark}")).1.to_owned();
    let of_element = after(schema, &format!("<xs:element name=\"{element}\">"));
    let of_attribute = after(&of_element, &format!("<xs:attribute name=\"{name}\""));
    let length = after(&of_attribute, "maxLength value=\"");
    length.split('"').next().and_then(|digits| digits.parse().ok()).expect("a number of characters")
}

#[test]
fn names_are_as_short_as_the_schema_wants() {
    let long = "perceel-achter-de-oude-boerderij-aan-de-noordzijde-van-het-kanaal";
    let field = Field { id: long[..64].parse().unwrap(), ..parcel() };
    let made = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    let xml = task_data(&made, &field).xml;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/specs/isoxml/generation/xsd");
    let schema = std::fs::read_to_string(folder.join("ISO11783_Common_V4-3.xsd")).ok();
    if schema.is_none() {
        eprintln!("the schema's own lengths: skipped: needs ../shared/data/specs/isoxml");
    }
    for (element, attribute) in [("PFD", "C"), ("TSK", "B")] {
        let line = xml.lines().find(|line| line.contains(&format!("<{element} "))).unwrap();
        let name = line.split_once(&format!(" {attribute}=\"")).unwrap().1.split('"').next().unwrap();
        assert_eq!(name, &long[..32], "{line}");
        if let Some(schema) = &schema {
            assert!(name.chars().count() <= longest(schema, element, attribute), "{line}");
        }
    }
}

#[test]
fn the_command_plans_for_a_folder_of_task_data() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let field = parcel();
    let policy = Policy { prescription: Some(letter(&field)), ..Policy::reference() };
    let data = task_data(&plan(&field, None, &rig("robot-3m"), &policy).unwrap(), &field);
    std::fs::create_dir(at("TASKDATA")).unwrap();
    // As some mail programs leave names.
    std::fs::write(at("TASKDATA/taskdata.xml"), &data.xml).unwrap();
    std::fs::write(at("TASKDATA/GRD00001.bin"), &data.grid).unwrap();
    let run = |args: &[&str]| {
        let rig_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/robot-3m.toml");
        let done = Command::new(env!("CARGO_BIN_EXE_kompas-plan"))
            .current_dir(at("TASKDATA"))
            .args(["make", "--json", "--field"])
            .arg(at("TASKDATA/taskdata.xml"))
            .arg("--rig")
            .arg(rig_file)
            .args(args)
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (done.status.code().unwrap(), said.concat())
    };
    let task = at("TASKDATA");
    let (code, said) = run(&["--selective", "--prescription", task.to_str().unwrap()]);
    // The field is read from the same file: another datum, the same cells give or take those at the strokes' edges.
    let cells: f64 =
        said.split("\"cells_to_treat\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    let drawn = 4.0 * (24.0 + 16.0 + 10.0);
    assert!(code == 0 && (cells - drawn).abs() < 0.2 * drawn, "{said}");
    assert_eq!(run(&["--selective"]).0, 2);
    // The file from within its folder.
    assert_eq!(run(&["--selective", "--prescription", "taskdata.xml"]), (code, said));
    std::fs::remove_file(at("TASKDATA/GRD00001.bin")).unwrap();
    let (code, said) = run(&["--prescription", task.to_str().unwrap()]);
    assert!(code == 2 && said.contains("GRD00001.BIN"), "{said}");
}

/// Files of a zip by their path: central directory, stored or deflated.
fn unzipped(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let u16_at = |i: usize| usize::from(u16::from_le_bytes([bytes[i], bytes[i + 1]]));
    let u32_at = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]) as usize;
    let end = (0..bytes.len() - 21).rev().find(|i| bytes[*i..].starts_with(b"PK\x05\x06")).expect("a zip");
    let (count, mut at) = (u16_at(end + 10), u32_at(end + 16));
    let mut files = vec![];
    for _ in 0..count {
        let (method, packed, start) = (u16_at(at + 10), u32_at(at + 20), u32_at(at + 42));
        let name = String::from_utf8_lossy(&bytes[at + 46..at + 46 + u16_at(at + 28)]).into_owned();
        let from = start + 30 + u16_at(start + 26) + u16_at(start + 28);
        let raw = &bytes[from..from + packed];
        let mut out = vec![];
        if method == 8 {
            std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(raw), &mut out)
                .expect("deflated");
        } else {
            out.extend_from_slice(raw);
        }
        files.push((name, out));
        at += 46 + u16_at(at + 28) + u16_at(at + 30) + u16_at(at + 32);
    }
    files
}

#[test]
fn files_of_other_makers_are_read_or_refused_by_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/specs/isoxml/data");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: needs ../shared/data/specs/isoxml");
        return;
    };
    let mut said = std::collections::BTreeMap::new();
    for path in entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "zip")) {
        let files = unzipped(&std::fs::read(&path).unwrap());
        let named = |name: &str| {
            let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            files.iter().find(|f| last(&f.0).eq_ignore_ascii_case(name)).map(|f| f.1.clone())
        };
        let Some(xml) = named("TASKDATA.XML") else { continue };
        let read = grid_from_task_data(&String::from_utf8_lossy(&xml), named);
        said.insert(
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            read.map(|grid| grid.rates.len()),
        );
    }
    println!("{said:?}");
    assert_eq!(said["grid-without-binary"], Err(GridError::NoBinary { name: "GRD00001".to_owned() }));
    // Kilograms: a real file for a spreader.
    assert!(matches!(said["task_with_grid"], Err(GridError::NoVolume { .. })), "{said:?}");
    assert_eq!(said["task_full"], Err(GridError::NoGrid));
    assert!(said.len() >= 6);
}
