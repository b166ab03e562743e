//! A line recorded by driving: `GeoJSON` or rows of longitude and latitude.

use super::ImportError;
use geojson::{GeoJson, GeometryValue as Shape};
use kompas_field::{FieldFrame, FieldPlane, Geodetic, Point2};

/// The first `LineString` of a `GeoJSON` text, or of a text with a longitude and a latitude per line (separated by comma,
/// semicolon or tab; one line of headings may come first), in degrees.
///
/// # Errors
/// [`ImportError::Curve`] names the line; [`ImportError`] otherwise.
pub fn curve_from_text(text: &str, plane: &FieldPlane) -> Result<Vec<Point2<FieldFrame>>, ImportError> {
    let places = if text.trim_start().starts_with('{') { from_geojson(text)? } else { from_rows(text)? };
    let mut points = Vec::with_capacity(places.len());
    for (point, [x, y]) in places.into_iter().enumerate() {
        let geodetic = Geodetic::etrs89(y, x);
        if !geodetic.is_valid() {
            return Err(ImportError::NotDegrees { ring: 0, point, x, y });
        }
        points.push(plane.to_field(geodetic)?);
    }
    Ok(points)
}

fn from_geojson(text: &str) -> Result<Vec<[f64; 2]>, ImportError> {
    let doc: GeoJson = text.parse().map_err(|e| ImportError::NotGeoJson(Box::new(e)))?;
    let line = match &doc {
        GeoJson::Geometry(geometry) => line_of(&geometry.value),
        GeoJson::Feature(feature) => feature.geometry.as_ref().and_then(|g| line_of(&g.value)),
        GeoJson::FeatureCollection(all) => {
            all.features.iter().find_map(|f| f.geometry.as_ref().and_then(|g| line_of(&g.value)))
        }
    };
    line.ok_or(ImportError::Curve { line: 0 })
}

fn line_of(shape: &Shape) -> Option<Vec<[f64; 2]>> {
    let Shape::LineString { coordinates } = shape else { return None };
    coordinates.iter().map(|p| if let &[x, y, ..] = p.as_slice() { Some([x, y]) } else { None }).collect()
}

fn from_rows(text: &str) -> Result<Vec<[f64; 2]>, ImportError> {
    let mut places = Vec::new();
    for (line, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        let mut numbers = row.split([',', ';', '\t']).map(|part| part.trim().parse::<f64>());
        match (numbers.next(), numbers.next()) {
            (Some(Ok(lon)), Some(Ok(lat))) => places.push([lon, lat]),
            // Headings.
            _ if line == 1 => {}
            _ => return Err(ImportError::Curve { line }),
        }
    }
    if places.is_empty() { Err(ImportError::Curve { line: 1 }) } else { Ok(places) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_give_the_same_line_and_a_bad_row_its_number() {
        let plane = FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap();
        let read = |text: &str| curve_from_text(text, &plane);
        let rows = read("lon;lat\n6.95;52.87\n\n6.951;52.8705\n").unwrap();
        let json = read(r#"{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[6.95,52.87],[6.951,52.8705,3.0]]}}"#).unwrap();
        assert_eq!(rows, json);
        assert!(rows[1].x > 60.0 && rows[1].y > 50.0, "{rows:?}");
        assert!(matches!(read("6.95,52.87\nnorth,52.8"), Err(ImportError::Curve { line: 2 })));
        assert!(matches!(read("260225,543676"), Err(ImportError::NotDegrees { .. })));
        assert!(matches!(
            read(r#"{"type":"Point","coordinates":[6,52]}"#),
            Err(ImportError::Curve { line: 0 })
        ));
    }
}
