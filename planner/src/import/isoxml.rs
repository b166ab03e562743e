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
    /// What was left aside, for people.
    pub warnings: Vec<String>,
}

/// The boundary of the first partfield (`PFD`) that has one.
///
/// # Errors
/// [`ImportError::Unreadable`] for a text that is not XML; [`ImportError::NoPolygon`] without a boundary.
pub fn boundary_from_task_data(xml: &str) -> Result<TaskDataBoundary, ImportError> {
    let mut reader = Reader::from_str(xml);
    let mut found = Found::default();
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(element) | Event::Empty(element)) => found.opened(&element),
            Ok(Event::End(element)) => found.closed(element.name().as_ref()),
            Ok(_) => {}
            Err(e) => return Err(ImportError::Unreadable { format: "ISOXML", cause: e.to_string() }),
        }
    }
    if found.rings.is_empty() {
        return Err(ImportError::NoPolygon { found: "no PFD with a boundary (PLN 1, LSG 1)".to_owned() });
    }
    Ok(TaskDataBoundary { rings: found.rings, warnings: found.warnings })
}

#[derive(Default)]
struct Found {
    rings: Rings,
    warnings: Vec<String>,
    partfields: u32,
    /// In a polygon of type 1, the boundary, of the first partfield.
    in_boundary: bool,
    /// 1 outer ring, 2 exclusion.
    line: u8,
}

impl Found {
    fn opened(&mut self, element: &BytesStart) {
        let attribute =
            |key: &str| element.try_get_attribute(key).ok().flatten().map(|a| a.value.trim().to_owned());
        match element.name().as_ref() {
            "PFD" => {
                self.partfields += 1;
                if self.partfields == 2 {
                    self.warnings.push(
                        "more than one partfield (PFD): only the first with a boundary counts".to_owned(),
                    );
                }
            }
            "PLN" => self.in_boundary = self.rings.is_empty() && attribute("A").as_deref() == Some("1"),
            "LSG" if self.in_boundary => {
                self.line = attribute("A").and_then(|a| a.parse().ok()).unwrap_or(0);
                match self.line {
                    1 if self.rings.is_empty() => self.rings.push(vec![]),
                    2 if !self.rings.is_empty() => self.rings.push(vec![]),
                    other => {
                        self.line = 0;
                        self.warnings.push(format!("a line of type {other} in a boundary was left aside"));
                    }
                }
            }
            "PNT" if self.line > 0 => {
                let number = |key| attribute(key).and_then(|v| v.parse::<f64>().ok());
                match (number("C"), number("D"), self.rings.last_mut()) {
                    (Some(lat), Some(lon), Some(ring)) => ring.push([lon, lat]),
                    _ => {
                        self.warnings
                            .push("a point without latitude and longitude was left aside".to_owned());
                    }
                }
            }
            _ => {}
        }
    }

    fn closed(&mut self, name: &str) {
        match name {
            "LSG" => {
                if self.line > 0
                    && let Some(ring) = self.rings.last_mut()
                    && ring.first() != ring.last()
                {
                    // Many writers leave the closing point out.
                    ring.extend(ring.first().copied());
                }
                self.line = 0;
            }
            "PLN" => self.in_boundary = false,
            _ => {}
        }
    }
}

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
        assert!(matches!(
            boundary_from_task_data("<a"),
            Err(ImportError::Unreadable { .. } | ImportError::NoPolygon { .. })
        ));
    }
}
