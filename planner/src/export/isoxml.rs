//! ISO 11783-10 task data, version 4: boundary and prescription for tractor terminals.
//!
//! The writer is strict: elements and attributes in the schema's order, positions with 9 decimals, the grid in WGS 84
//! and north-aligned, three fallback zones. Only the numbers of the data dictionary that are used stand here.

use crate::import::isoxml::grid::UNITS_PER_L_PER_HA;
use crate::plan::Plan;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Field, Geodetic, Point2};
use std::fmt::Write;

/// Process data "setpoint volume per area".
const SETPOINT_VOLUME_PER_AREA: &str = "0001";

/// Characters of a designator (ISO 11783-10, schema `ISO11783_Common`).
const LONGEST_DESIGNATOR: usize = 32;

/// The files of a task-data folder: name and contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskData {
    /// `TASKDATA.XML`.
    pub xml: String,
    /// `GRD00001.BIN`: one little-endian `i32` per cell, in hundredths of a mm³/m², west to east, then south to north.
    pub grid: Vec<u8>,
}

/// Boundary and prescription of `plan` as one planned task.
pub fn task_data(plan: &Plan, field: &Field) -> TaskData {
    let grid = plan.prescription.grid();
    // Degrees per metre at the datum; the grid is resampled at the middle of every cell.
    let origin = plan.datum.origin();
    let metre = |x: f64, y: f64| plan.datum.to_geodetic(Point2::new(x, y));
    let north_deg = metre(0.0, 1.0).lat_deg - origin.lat_deg;
    let east_deg = metre(1.0, 0.0).lon_deg - origin.lon_deg;
    let south_west = metre(f64::from(grid.west_m), f64::from(grid.south_m));
    let mut cells = Vec::with_capacity(4 * grid.cols as usize * grid.rows as usize);
    for row in 0..grid.rows {
        for col in 0..grid.cols {
            let middle = Geodetic {
                lat_deg: south_west.lat_deg + (f64::from(row) + 0.5) * north_deg,
                lon_deg: south_west.lon_deg + (f64::from(col) + 0.5) * east_deg,
                ..origin
            };
            let place = plan.datum.to_field(middle).ok();
            let inside = place.is_some_and(|p| field.boundary.contains(p));
            let rate = if inside {
                plan.prescription.rate_at(place)
            } else {
                plan.prescription.fallback().out_of_field_l_per_ha
            };
            cells.extend(units(rate).to_le_bytes());
        }
    }
    let fallback = plan.prescription.fallback();
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ISO11783_TaskData VersionMajor=\"4\" VersionMinor=\"3\" ManagementSoftwareManufacturer=\"Kompas\" ManagementSoftwareVersion=\"0.1\" DataTransferOrigin=\"1\">\n",
    );
    let name = designator(plan.field_id.as_str());
    push(
        &mut xml,
        format_args!(
            "  <PFD A=\"PFD1\" C=\"{name}\" D=\"{:.0}\">\n    <PLN A=\"1\">",
            field.boundary.area().get()
        ),
    );
    let polygon = field.boundary.polygon();
    for (kind, ring) in
        std::iter::once((1, polygon.exterior())).chain(polygon.interiors().iter().map(|r| (2, r)))
    {
        push(&mut xml, format_args!("      <LSG A=\"{kind}\">"));
        for c in ring.coords() {
            let g = plan.datum.to_geodetic((*c).into());
            push(
                &mut xml,
                format_args!("        <PNT A=\"2\" C=\"{:.9}\" D=\"{:.9}\"/>", g.lat_deg, g.lon_deg),
            );
        }
        push(&mut xml, format_args!("      </LSG>"));
    }
    push(&mut xml, format_args!("    </PLN>\n  </PFD>"));
    push(
        &mut xml,
        format_args!("  <TSK A=\"TSK1\" B=\"{name}\" E=\"PFD1\" G=\"1\" H=\"1\" I=\"2\" J=\"3\">"),
    );
    let zones = [
        (0, "grid", LitresPerHectare::ZERO),
        (1, "default", fallback.default_l_per_ha),
        (2, "position lost", fallback.position_lost_l_per_ha),
        (3, "out of field", fallback.out_of_field_l_per_ha),
    ];
    for (code, zone, rate) in zones {
        push(
            &mut xml,
            format_args!(
                "    <TZN A=\"{code}\" B=\"{zone}\">\n      <PDV A=\"{SETPOINT_VOLUME_PER_AREA}\" B=\"{}\"/>\n    </TZN>",
                units(rate)
            ),
        );
    }
    push(
        &mut xml,
        format_args!(
            "    <GRD A=\"{:.9}\" B=\"{:.9}\" C=\"{:.9e}\" D=\"{:.9e}\" E=\"{}\" F=\"{}\" G=\"GRD00001\" H=\"{}\" I=\"2\" J=\"0\"/>\n  </TSK>\n</ISO11783_TaskData>",
            south_west.lat_deg,
            south_west.lon_deg,
            north_deg,
            east_deg,
            grid.cols,
            grid.rows,
            cells.len()
        ),
    );
    TaskData { xml, grid: cells }
}

fn units(rate: LitresPerHectare) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; rates are thousands at most")]
    {
        (rate.get() * UNITS_PER_L_PER_HA).round() as i32
    }
}

/// A name as terminals show it. Longer ones break the schema, and a terminal may refuse the whole file.
fn designator(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_DESIGNATOR).collect();
    escaped(&cut)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes every line");
}

#[cfg(test)]
mod tests {
    use super::designator;

    #[test]
    fn a_name_is_cut_between_characters_and_before_it_is_escaped() {
        assert_eq!(designator("kort"), "kort");
        assert_eq!(designator(&"é".repeat(40)), "é".repeat(32));
        assert_eq!(designator(&format!("{}&x", "a".repeat(31))), format!("{}&amp;", "a".repeat(31)));
    }
}
