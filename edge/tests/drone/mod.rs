//! Photographs of drawn ground, as a drone would write them: brown soil, green discs at known places.
//!
//! The pinhole formula is written out here once more, on purpose without the program's camera.

use exif::experimental::Writer;
use exif::{Field as ExifField, In, Rational, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use kompas_field::{FieldFrame, FieldPlane, Point2};
use std::io::Cursor;
use std::path::Path;

/// Wider than one tile of the program.
pub(crate) const SIZE_PX: [u32; 2] = [1280, 960];
/// By the diagonal of 1600 px and 43.267 mm: 887.51 px.
const FOCAL_35MM: f64 = 24.0;
/// Of the green discs.
pub(crate) const RADIUS_M: f64 = 0.06;

/// One photograph to take.
#[derive(Debug, Clone)]
pub(crate) struct Shot {
    /// East and north of the field's datum, metres.
    pub(crate) at: [f64; 2],
    /// Above the ground.
    pub(crate) height_m: f64,
    /// Where the top looks, from north, clockwise.
    pub(crate) yaw_deg: f64,
    /// XMP values by name.
    pub(crate) xmp: Vec<(&'static str, String)>,
    /// XMP values as elements instead of attributes.
    pub(crate) as_elements: bool,
    /// Whether EXIF knows where it was.
    pub(crate) with_position: bool,
    /// EXIF's way up: 1 is as it lies in the file.
    pub(crate) orientation: u16,
}

impl Shot {
    /// Straight down, with everything that the program wants to know.
    pub(crate) fn at(at: [f64; 2], yaw_deg: f64) -> Self {
        let xmp = vec![
            ("RelativeAltitude", "+10.00".to_owned()),
            ("GimbalPitchDegree", "-90.00".to_owned()),
            ("GimbalYawDegree", format!("{yaw_deg:+.2}")),
            ("FlightYawDegree", "+3.00".to_owned()),
            ("RtkStdLon", "0.0150".to_owned()),
            ("RtkStdLat", "0.0200".to_owned()),
        ];
        Self { at, height_m: 10.0, yaw_deg, xmp, as_elements: false, with_position: true, orientation: 1 }
    }

    /// Without one XMP value.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.xmp.retain(|(given, _)| *given != name);
        self
    }

    /// With another XMP value.
    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        let mut other = self.without(name);
        other.xmp.push((name, value.to_owned()));
        other
    }

    /// Column and row of a place. The top looks (sin yaw, cos yaw), the right side (cos yaw, −sin yaw).
    pub(crate) fn pixel_of(&self, place: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.yaw_deg.to_radians().sin_cos();
        let (east, north) = (place[0] - self.at[0], place[1] - self.at[1]);
        let px_per_m = focal_px() / self.height_m;
        let [width, height] = SIZE_PX.map(f64::from);
        [
            width / 2.0 + (east * cos - north * sin) * px_per_m,
            height / 2.0 - (east * sin + north * cos) * px_per_m,
        ]
    }

    /// Whether a place is in the picture.
    pub(crate) fn shows(&self, place: [f64; 2]) -> bool {
        let [column, row] = self.pixel_of(place);
        (0.0..=f64::from(SIZE_PX[0])).contains(&column) && (0.0..=f64::from(SIZE_PX[1])).contains(&row)
    }

    /// What the camera sees.
    pub(crate) fn draw(&self, discs: &[[f64; 2]]) -> RgbImage {
        let mut picture = RgbImage::from_fn(SIZE_PX[0], SIZE_PX[1], |x, y| {
            let grain = u8::try_from((x * 7919 + y * 104_729 + x * y * 31) % 16).unwrap();
            Rgb([112 + grain, 92 + grain, 72 + grain])
        });
        let radius = RADIUS_M * focal_px() / self.height_m;
        for disc in discs {
            let [column, row] = self.pixel_of(*disc);
            let near =
                |at: f64, size: u32| (0..size).filter(move |&p| (f64::from(p) + 0.5 - at).abs() <= radius);
            for y in near(row, SIZE_PX[1]) {
                for x in near(column, SIZE_PX[0]) {
                    if (f64::from(x) + 0.5 - column).hypot(f64::from(y) + 0.5 - row) <= radius {
                        picture.put_pixel(x, y, Rgb([58, 138, 46]));
                    }
                }
            }
        }
        picture
    }

    /// Writes `picture` with the tags of this shot.
    pub(crate) fn write(&self, path: &Path, picture: &RgbImage, plane: &FieldPlane) {
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 93).encode_image(picture).unwrap();
        let mut file = jpeg[..2].to_vec();
        file.extend(segment(b"Exif\0\0", &self.exif(plane)));
        file.extend(segment(b"http://ns.adobe.com/xap/1.0/\0", self.packet().as_bytes()));
        file.extend(&jpeg[2..]);
        std::fs::write(path, file).unwrap();
    }

    fn exif(&self, plane: &FieldPlane) -> Vec<u8> {
        let lens = plane.to_geodetic(Point2::<FieldFrame>::new(self.at[0], self.at[1]));
        let field = |tag, value| ExifField { tag, ifd_num: In::PRIMARY, value };
        let text = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
        let mut fields = vec![
            field(Tag::Orientation, Value::Short(vec![self.orientation])),
            field(Tag::FocalLengthIn35mmFilm, Value::Short(vec![24])),
        ];
        if self.with_position {
            fields.push(field(Tag::GPSLatitudeRef, text("N")));
            fields.push(field(Tag::GPSLatitude, sexagesimal(lens.lat_deg)));
            fields.push(field(Tag::GPSLongitudeRef, text("E")));
            fields.push(field(Tag::GPSLongitude, sexagesimal(lens.lon_deg)));
        }
        let mut writer = Writer::new();
        for field in &fields {
            writer.push_field(field);
        }
        let mut bytes = Cursor::new(Vec::new());
        writer.write(&mut bytes, false).unwrap();
        bytes.into_inner()
    }

    fn packet(&self) -> String {
        let name = |(name, value): &(&str, String)| {
            if self.as_elements {
                format!("<drone-dji:{name}>{value}</drone-dji:{name}>")
            } else {
                format!(" drone-dji:{name}=\"{value}\"")
            }
        };
        let values: String = self.xmp.iter().map(name).collect();
        let (inside, after) = if self.as_elements { ("", values.as_str()) } else { (values.as_str(), "") };
        format!(
            "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
             xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
             xmlns:drone-dji=\"http://www.dji.com/drone-dji/1.0/\"{inside}>{after}</rdf:Description></rdf:RDF>\
             </x:xmpmeta><?xpacket end=\"w\"?>"
        )
    }
}

fn focal_px() -> f64 {
    FOCAL_35MM / 43.267 * f64::from(SIZE_PX[0]).hypot(f64::from(SIZE_PX[1]))
}

/// Degrees, minutes, and seconds to 0.03 mm.
fn sexagesimal(degrees: f64) -> Value {
    let whole = degrees.floor();
    let minutes = ((degrees - whole) * 60.0).floor();
    let seconds = (degrees - whole) * 3600.0 - minutes * 60.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 180, and 0 to 6e7")]
    let part = |number: f64, per: u32| Rational { num: (number * f64::from(per)).round() as u32, denom: per };
    Value::Rational(vec![part(whole, 1), part(minutes, 1), part(seconds, 1_000_000)])
}

/// An application segment (APP1) of a JPEG file.
fn segment(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + name.len() + content.len()).unwrap();
    [&[0xFF, 0xE1], &length.to_be_bytes()[..], name, content].concat()
}
