//! A plan as SVG, for people: what is driven, in which order, what is treated.

use crate::plan::{Gear, LegKind, Plan};
use kompas_field::units::LitresPerHectare;
use kompas_field::{Field, FieldFrame, Point2};
use std::fmt::Write;

/// Field, exclusions, spray-free zones, headland passes, numbered swaths, turns, ways in reverse (pink), grid cells to
/// treat, start (green) and end (red).
/// One user unit is one metre; north is up.
pub fn svg(plan: &Plan, field: &Field) -> String {
    let (low, high) = field.boundary.extent();
    let margin = 5.0;
    let (width, height) = (high.x - low.x + 2.0 * margin, high.y - low.y + 2.0 * margin);
    let frame = Frame { west: low.x - margin, north: high.y + margin };
    let pixels = 1600.0 / width.max(height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.2} {height:.2}\" width=\"{:.0}\" height=\"{:.0}\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        width * pixels,
        height * pixels
    );
    let polygon = field.boundary.polygon();
    let rings = std::iter::once((polygon.exterior(), "#eef3e2"))
        .chain(polygon.interiors().iter().map(|r| (r, "#b9b3a7")));
    for (ring, fill) in rings {
        let points = frame.points(ring.coords().map(|c| Point2::new(c.x, c.y)));
        push(
            &mut out,
            format_args!(
                "<polygon points=\"{points}\" fill=\"{fill}\" stroke=\"#333\" stroke-width=\"0.4\"/>"
            ),
        );
    }
    let grid = plan.prescription.grid();
    for (cell, _) in plan.prescription.cells().filter(|(_, rate)| *rate > LitresPerHectare::ZERO) {
        let corner = frame.place(grid.corners(cell)[3]);
        push(
            &mut out,
            format_args!(
                "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"1\" height=\"1\" fill=\"#e08214\"/>",
                corner.0, corner.1
            ),
        );
    }
    for zone in &plan.zones {
        let points = frame.points(zone.line.iter().copied());
        let wide = 2.0 * zone.width_m.get();
        push(
            &mut out,
            format_args!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"#74add1\" stroke-opacity=\"0.5\" stroke-width=\"{wide:.2}\"/>"
            ),
        );
    }
    for leg in &plan.path {
        let (colour, wide) = match leg.kind {
            _ if leg.gear == Gear::Reverse => ("#c51b7d", 0.25),
            LegKind::Headland { .. } => ("#2a7f62", 0.35),
            LegKind::Swath { .. } | LegKind::Spur => ("#4d9221", 0.25),
            LegKind::Turn => ("#2166ac", 0.25),
        };
        let points = frame.points(leg.points.iter().copied());
        push(
            &mut out,
            format_args!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\"/>"
            ),
        );
    }
    let size = (width.max(height) / 160.0).min(2.4);
    for (number, swath) in plan.swaths.iter().enumerate() {
        let (x, y) = frame.place(swath.from);
        push(
            &mut out,
            format_args!("<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size:.2}\">{}</text>", number + 1),
        );
    }
    let ends =
        [plan.path.first().and_then(|l| l.points.first()), plan.path.last().and_then(|l| l.points.last())];
    for (point, colour) in ends.into_iter().zip(["#1a9850", "#d73027"]) {
        if let Some((x, y)) = point.map(|p| frame.place(*p)) {
            push(
                &mut out,
                format_args!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{size:.2}\" fill=\"{colour}\"/>"),
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

struct Frame {
    west: f64,
    north: f64,
}

impl Frame {
    fn place(&self, p: Point2<FieldFrame>) -> (f64, f64) {
        (p.x - self.west, self.north - p.y)
    }

    fn points(&self, points: impl Iterator<Item = Point2<FieldFrame>>) -> String {
        points.map(|p| self.place(p)).map(|(x, y)| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ")
    }
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes every line");
}
