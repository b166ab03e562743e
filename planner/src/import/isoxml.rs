//! Boundaries from ISO 11783-10 task data, versions 3 and 4. Lenient: what is not understood becomes a warning.

pub mod grid;

use super::{ImportError, Rings};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A partfield's boundary and what was left aside.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDataBoundary {
    /// The outer ring, then exclusions; longitude and latitude in degrees.
    pub rings: Rings,
    /// Water, buildings, roads, trees and other obstacles, one closed ring each, wherever they lie: nothing drives there.
    pub obstacles: Rings,
    /// What was left aside, for people.
    pub warnings: Vec<String>,
}

/// The boundary of the first partfield (`PFD`) that has one, with its obstacles.
///
/// # Errors
/// [`ImportError::Unreadable`] for a text that is not XML; [`ImportError::NoPolygon`] without a boundary;
/// [`ImportError::SeveralParts`] for a partfield of several.
pub fn boundary_from_task_data(xml: &str) -> Result<TaskDataBoundary, ImportError> {
    let mut reader = Reader::from_str(xml);
    let mut found = Found::default();
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(element)) => found.opened(&element),
            Ok(Event::Empty(element)) => {
                found.opened(&element);
                found.closed();
            }
            Ok(Event::End(_)) => found.closed(),
            Ok(_) => {}
            Err(e) => return Err(ImportError::Unreadable { format: "ISOXML", cause: e.to_string() }),
        }
    }
    let Some(mut field) = found.chosen else {
        return Err(ImportError::NoPolygon { found: "no PFD with a boundary (PLN 1, LSG 1)".to_owned() });
    };
    if field.boundaries.len() > 1 {
        return Err(ImportError::SeveralParts { parts: field.boundaries.len() });
    }
    if found.partfields > 1 {
        let text = "more than one partfield (PFD): only the first with a boundary counts";
        field.warnings.push(text.to_owned());
    }
    let rings = field.boundaries.pop().unwrap_or_default();
    Ok(TaskDataBoundary { rings, obstacles: field.obstacles, warnings: field.warnings })
}

/// What a polygon (`PLN`) of a partfield means to a robot, by its attribute A.
enum Area {
    /// Worked.
    Boundary,
    /// Not to be driven over.
    Obstacle,
    /// Neither; in words.
    Aside(&'static str),
}

impl Area {
    fn of(kind: u8) -> Self {
        match kind {
            1 => Self::Boundary,
            // Water, building, road, obstacle, windbreak.
            3..=6 | 12 => Self::Obstacle,
            2 => Self::Aside("treatment zone"),
            7 => Self::Aside("flag"),
            8 => Self::Aside("other"),
            9 => Self::Aside("main field"),
            10 => Self::Aside("headland"),
            11 => Self::Aside("buffer zone; draw it as a spray-free zone"),
            _ => Self::Aside("unknown"),
        }
    }
}

#[derive(Default)]
struct Partfield {
    boundaries: Vec<Rings>,
    obstacles: Rings,
    warnings: Vec<String>,
}

#[derive(Default)]
struct Found {
    /// Names of the open elements, outermost first, each behind a slash: guidance groups and treatment zones hold
    /// polygons, too.
    path: String,
    partfields: u32,
    /// The one that is open.
    field: Partfield,
    /// The first with a boundary.
    chosen: Option<Partfield>,
    /// Of the open polygon.
    area: Option<Area>,
    /// The ring that is being read, and its type: 1 outside, 2 inside.
    line: Option<(u8, Vec<[f64; 2]>)>,
}

impl Found {
    fn opened(&mut self, element: &BytesStart) {
        let attribute =
            |key: &str| element.try_get_attribute(key).ok().flatten().map(|a| a.value.trim().to_owned());
        let kind = || attribute("A").and_then(|a| a.parse().ok()).unwrap_or(0);
        self.path.push('/');
        self.path.push_str(element.name().as_ref());
        let within = |tail: &str| self.path.ends_with(tail);
        if within("/PFD") {
            self.partfields += 1;
            self.field = Partfield::default();
        } else if within("/PFD/PLN") {
            let area = Area::of(kind());
            if let Area::Aside(name) = area {
                self.field.warnings.push(format!("a polygon of type {} ({name}) was left aside", kind()));
            }
            self.area = Some(area);
        } else if within("/PFD/PLN/LSG") {
            self.line = self.ring(kind());
        } else if within("/PFD/PLN/LSG/PNT") {
            let number = |key| attribute(key).and_then(|v| v.parse::<f64>().ok());
            match (number("C"), number("D"), &mut self.line) {
                (Some(lat), Some(lon), Some((_, points))) => points.push([lon, lat]),
                (_, _, Some(_)) => {
                    let text = "a point without latitude and longitude was left aside";
                    self.field.warnings.push(text.to_owned());
                }
                _ => {}
            }
        } else if within("/PFD/LSG") && LINE_OBSTACLES.contains(&kind())
            || within("/PFD/PNT") && kind() == POINT_OBSTACLE
        {
            self.field.warnings.push(NO_AREA.to_owned());
        }
    }

    /// A line of this type in the open polygon, to be filled with points where it counts.
    fn ring(&mut self, kind: u8) -> Option<(u8, Vec<[f64; 2]>)> {
        let counts = match (&self.area, kind) {
            (Some(Area::Boundary | Area::Obstacle), OUTSIDE) => true,
            // The hole of a boundary whose outside is known.
            (Some(Area::Boundary), INSIDE) => !self.field.boundaries.is_empty(),
            // Nobody reaches the inside of an obstacle.
            (Some(Area::Obstacle), INSIDE) | (Some(Area::Aside(_)) | None, _) => return None,
            _ => false,
        };
        if !counts {
            self.field.warnings.push(format!("a line of type {kind} in a boundary was left aside"));
        }
        counts.then(|| (kind, vec![]))
    }

    fn closed(&mut self) {
        if self.path.ends_with("/PFD/PLN/LSG") {
            if let Some((kind, ring)) = self.line.take() {
                self.keep(kind, ring);
            }
        } else if self.path.ends_with("/PFD/PLN") {
            self.area = None;
        } else if self.path.ends_with("/PFD") {
            let field = std::mem::take(&mut self.field);
            if !field.boundaries.is_empty() {
                self.chosen.get_or_insert(field);
            }
        }
        self.path.truncate(self.path.rfind('/').unwrap_or(0));
    }

    fn keep(&mut self, kind: u8, mut ring: Vec<[f64; 2]>) {
        if ring.first() != ring.last() {
            // Many writers leave the closing point out.
            ring.extend(ring.first().copied());
        }
        match (&self.area, kind) {
            (Some(Area::Obstacle), _) if ring.len() < 4 => self.field.warnings.push(NO_AREA.to_owned()),
            (Some(Area::Obstacle), _) => self.field.obstacles.push(ring),
            (_, OUTSIDE) => self.field.boundaries.push(vec![ring]),
            _ => {
                if let Some(rings) = self.field.boundaries.last_mut() {
                    rings.push(ring);
                }
            }
        }
    }
}

/// Types of a line (`LSG`) that is a ring.
const OUTSIDE: u8 = 1;
const INSIDE: u8 = 2;
/// Types of a line that is a fence, or another obstacle.
const LINE_OBSTACLES: [u8; 2] = [7, 9];
/// Type of a point (`PNT`) that is an obstacle, as a mast.
const POINT_OBSTACLE: u8 = 5;
const NO_AREA: &str = "an obstacle without an area was left aside: draw it as a polygon of its true size";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sloppy_file_gives_its_boundary_and_warnings() {
        let xml = r#"<?xml version="1.0"?><ISO11783_TaskData VersionMajor="3"><PFD A="PFD1" C="x" D="100" P231_Odd="1"><PLN A="1">
            <LSG A="1"><PNT A="2" C="52.1" D="6.1"/><PNT A="2" C="52.1" D="6.2"/><PNT A="2" C="52.2" D="6.2"/><PNT A="2" D="6.2"/></LSG>
            <LSG A="9"><PNT A="2" C="1" D="1"/></LSG></PLN></PFD><PFD A="PFD2" C="y" D="1"/></ISO11783_TaskData>"#;
        let read = boundary_from_task_data(xml).unwrap();
        assert_eq!(read.rings, [[[6.1, 52.1], [6.2, 52.1], [6.2, 52.2], [6.1, 52.1]]]);
        assert_eq!(read.warnings.len(), 3, "{:?}", read.warnings);
        assert!(read.obstacles.is_empty());
        assert!(matches!(
            boundary_from_task_data("<a"),
            Err(ImportError::Unreadable { .. } | ImportError::NoPolygon { .. })
        ));
    }

    const CORNERS: &str =
        r#"<PNT A="2" C="52.1" D="6.1"/><PNT A="2" C="52.1" D="6.2"/><PNT A="2" C="52.2" D="6.2"/>"#;

    fn polygon(kind: u8) -> String {
        format!(r#"<PLN A="{kind}"><LSG A="1">{CORNERS}</LSG></PLN>"#)
    }

    #[test]
    fn water_buildings_roads_trees_and_obstacles_of_the_partfield_count_and_the_rest_is_told() {
        let polygons: String = (1..=12).rev().map(polygon).collect();
        let guidance = format!(r#"<GGP A="GGP1"><GPN A="GPN1">{}</GPN></GGP>"#, polygon(1));
        let mast = r#"<PNT A="5" C="52.1" D="6.1"/>"#;
        let other = format!(r#"<PFD A="PFD2">{}{}</PFD>"#, polygon(1), polygon(3));
        let read = boundary_from_task_data(&format!(
            "<T><PFD A=\"PFD1\">{polygons}{guidance}{mast}</PFD>{other}</T>"
        ))
        .unwrap();
        assert_eq!((read.rings.len(), read.obstacles.len()), (1, 5));
        for name in
            ["treatment zone", "flag", "other", "main field", "headland", "spray-free zone", "true size"]
        {
            assert!(read.warnings.iter().any(|w| w.contains(name)), "{name}: {:?}", read.warnings);
        }
        assert_eq!(read.warnings.len(), 8, "{:?}", read.warnings);
    }

    #[test]
    fn a_partfield_of_two_parts_is_refused() {
        let two = format!("<T><PFD A=\"PFD1\">{}{}</PFD></T>", polygon(1), polygon(1));
        assert!(matches!(boundary_from_task_data(&two), Err(ImportError::SeveralParts { parts: 2 })));
    }
}
