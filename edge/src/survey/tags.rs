//! What a photograph says about itself: EXIF and the drone's XMP tags.

use super::refusal::Refusal;
use super::xmp::DroneTags;
use exif::{Exif, In, Tag, Value};
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageReader};
use kompas_vision::load::LoadError;
use std::ops::RangeInclusive;
use std::path::Path;

/// A photograph's own account of where and how it was taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tags {
    /// Columns and rows.
    pub(super) size_px: [u32; 2],
    /// Focal length of a 35 mm camera (36 mm × 24 mm) with the same angle over the diagonal, millimetres.
    pub(super) focal_35mm: f64,
    /// Degrees north.
    pub(super) lat_deg: f64,
    /// Degrees east.
    pub(super) lon_deg: f64,
    /// Where the picture's top looks: degrees from north, clockwise. The gimbal's; the aircraft's where it says none.
    pub(super) yaw_deg: f64,
    /// −90 is straight down.
    pub(super) pitch_deg: f64,
    /// 0 is level, 180 a gimbal turned over; 0 where nothing is said.
    pub(super) roll_deg: f64,
    /// Above the place of take-off.
    pub(super) altitude_m: Option<f64>,
    /// One standard deviation of the position, the larger of both axes.
    pub(super) sigma_m: Option<f64>,
}

/// From fish-eye to telescope; 0 stands for unknown.
const FOCAL_LENGTHS_MM: RangeInclusive<f64> = 5.0..=2000.0;
const AS_WRITTEN: &str = "give the photographs as the drone wrote them, taken with its position switched on";

impl Tags {
    /// Of the photograph in a file; decodes no pixel.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn read(path: &Path) -> Result<Self, Refusal> {
        let (size_px, exif, drone) = blocks(path)?;
        let missing = |tag, remedy| Refusal::Missing { tag, remedy };
        let degrees = |tag, reference| angle_deg(&exif, tag, reference);
        let place = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef)
            .zip(degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef));
        let (lat_deg, lon_deg) =
            place.ok_or(missing("position (EXIF GPSLatitude, GPSLongitude)", AS_WRITTEN))?;
        let focal_35mm = number(&exif, Tag::FocalLengthIn35mmFilm)
            .filter(|focal| FOCAL_LENGTHS_MM.contains(focal))
            .ok_or(missing("focal length (EXIF FocalLengthIn35mmFilm)", AS_WRITTEN))?;
        let yaw = drone.number("GimbalYawDegree").or_else(|| drone.number("FlightYawDegree"));
        let yaw_deg =
            yaw.ok_or(missing("yaw (XMP drone-dji:GimbalYawDegree or FlightYawDegree)", AS_WRITTEN))?;
        let pitch_deg = drone
            .number("GimbalPitchDegree")
            .ok_or(missing("pitch (XMP drone-dji:GimbalPitchDegree)", AS_WRITTEN))?;
        let roll_deg = drone.number("GimbalRollDegree").unwrap_or(0.0);
        let altitude_m = drone.number("RelativeAltitude");
        let rtk = drone.number("RtkStdLon").zip(drone.number("RtkStdLat")).map(|(lon, lat)| lon.max(lat));
        let stated = |sigma: &f64| *sigma > 0.0;
        let sigma_m = rtk.filter(stated).or_else(|| number(&exif, Tag::GPSHPositioningError).filter(stated));
        Ok(Self { size_px, focal_35mm, lat_deg, lon_deg, yaw_deg, pitch_deg, roll_deg, altitude_m, sigma_m })
    }
}

/// Size, EXIF and the drone's tags. A photograph without XMP has no drone's tags, which is told tag by tag.
fn blocks(path: &Path) -> Result<([u32; 2], Exif, DroneTags), Refusal> {
    let undecodable =
        |source: ImageError| LoadError::Undecodable { name: path.display().to_string(), source };
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let reader = ImageReader::open(path).map_err(unreadable)?.with_guessed_format().map_err(unreadable)?;
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    let block = decoder.exif_metadata().map_err(undecodable)?.unwrap_or_default();
    let exif = exif::Reader::new().read_raw(block).map_err(Refusal::NoExif)?;
    if decoder.orientation().map_err(undecodable)? != Orientation::NoTransforms {
        return Err(Refusal::Turned);
    }
    let packet = decoder.xmp_metadata().map_err(undecodable)?.unwrap_or_default();
    let drone = DroneTags::read(&String::from_utf8_lossy(&packet)).map_err(Refusal::BadXmp)?;
    Ok(([width, height], exif, drone))
}

/// The finite number in a tag.
fn number(exif: &Exif, tag: Tag) -> Option<f64> {
    let value = match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Rational(values) => values.first()?.to_f64(),
        value => f64::from(value.get_uint(0)?),
    };
    value.is_finite().then_some(value)
}

/// Degrees, minutes and seconds with their side of equator or meridian.
fn angle_deg(exif: &Exif, tag: Tag, reference: Tag) -> Option<f64> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let Value::Ascii(texts) = &exif.get_field(reference, In::PRIMARY)?.value else { return None };
    let sign = match texts.first()?.first()? {
        b'N' | b'E' => 1.0,
        b'S' | b'W' => -1.0,
        _ => return None,
    };
    let [degrees, minutes, seconds] = parts.first_chunk::<3>()?;
    let angle = degrees.to_f64() + minutes.to_f64() / 60.0 + seconds.to_f64() / 3600.0;
    angle.is_finite().then_some(sign * angle)
}
