//! The prescription as a GeoTIFF (OGC 19-008): litres per hectare in UTM, north up.

use crate::crs::Crs;
use crate::plan::Plan;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Field, Geodetic, Point2};
use std::io;
use tiff::encoder::{TiffEncoder, colortype::Gray32Float};
use tiff::tags::Tag;

/// Half a grid cell: the field's grid is turned against the zone's, so that every pixel is a look at one place.
const PIXEL_M: f64 = 0.5;
/// Tags of GeoTIFF: size of a pixel, where the first one lies, keys.
const PIXEL_SCALE: Tag = Tag::Unknown(33550);
const TIE_POINT: Tag = Tag::Unknown(33922);
const GEO_KEYS: Tag = Tag::Unknown(34735);

/// The file's bytes. Pixels off the field are 0.
///
/// # Errors
/// A field that no UTM zone holds.
pub fn prescription(plan: &Plan, field: &Field) -> io::Result<Vec<u8>> {
    let origin = plan.datum.origin();
    let utm = Crs::utm_at(origin.lon_deg, origin.lat_deg);
    let grid = plan.prescription.grid();
    let (west, south) = (f64::from(grid.west_m), f64::from(grid.south_m));
    let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
    for (x, y) in [(0, 0), (grid.cols, 0), (0, grid.rows), (grid.cols, grid.rows)] {
        let g = plan.datum.to_geodetic(Point2::new(west + f64::from(x), south + f64::from(y)));
        let at = utm.from_degrees([g.lon_deg, g.lat_deg]).map_err(io::Error::other)?;
        (low, high) = ([low[0].min(at[0]), low[1].min(at[1])], [high[0].max(at[0]), high[1].max(at[1])]);
    }
    let (left, top) = (low[0].floor(), high[1].ceil());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a field is kilometres at most"
    )]
    let count = |metres: f64| (metres / PIXEL_M).ceil() as u32;
    let (cols, rows) = (count(high[0] - left), count(top - low[1]));
    let mut pixels = Vec::with_capacity(cols as usize * rows as usize);
    for row in 0..rows {
        let y = top - (f64::from(row) + 0.5) * PIXEL_M;
        // Within one row the plane is as straight as the zone to far below a pixel: two looks, the rest between.
        let ends = [0, cols].map(|col| place(plan, utm, [left + (f64::from(col) + 0.5) * PIXEL_M, y]));
        let [Some(a), Some(b)] = ends else {
            return Err(io::Error::other("the field fits into no UTM zone"));
        };
        for col in 0..cols {
            let share = f64::from(col) / f64::from(cols);
            let at = Point2::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share);
            let inside = field.boundary.contains(at);
            let rate = if inside { plan.prescription.rate_at(Some(at)) } else { LitresPerHectare::ZERO };
            #[expect(clippy::cast_possible_truncation, reason = "rates are thousands at most")]
            pixels.push(rate.get() as f32);
        }
    }
    encoded(&pixels, (cols, rows), (left, top), utm.epsg()).map_err(io::Error::other)
}

fn place(plan: &Plan, utm: Crs, at: [f64; 2]) -> Option<Point2<kompas_field::FieldFrame>> {
    let [lon_deg, lat_deg] = utm.to_degrees(at).ok()?;
    plan.datum.to_field(Geodetic { lat_deg, lon_deg, ..plan.datum.origin() }).ok()
}

fn encoded(
    pixels: &[f32],
    (cols, rows): (u32, u32),
    (left, top): (f64, f64),
    epsg: u16,
) -> tiff::TiffResult<Vec<u8>> {
    let mut file = io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)?;
    let mut image = encoder.new_image::<Gray32Float>(cols, rows)?;
    image.encoder().write_tag(PIXEL_SCALE, &[PIXEL_M, PIXEL_M, 0.0][..])?;
    image.encoder().write_tag(TIE_POINT, &[0.0, 0.0, 0.0, left, top, 0.0][..])?;
    // Version 1.1.0, three keys: projected model, pixel is area, the zone's number.
    let keys: [u16; 16] = [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, epsg];
    image.encoder().write_tag(GEO_KEYS, &keys[..])?;
    image.write_data(pixels)?;
    Ok(file.into_inner())
}
