//! Coordinates of the files people have: degrees, RD New and UTM.

use proj4rs::Proj;
use proj4rs::transform::transform;

mod wkt;

/// A coordinate reference system that boundaries come in and prescriptions go out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crs {
    /// Longitude and latitude in degrees (EPSG:4258, EPSG:4326; taken as one, see [`crate::import`]).
    Degrees,
    /// Dutch grid, EPSG:28992, without the correction grid of RDNAPTRANS: 6.7 to 8.3 cm off. Good for parcels, not
    /// for steering.
    RdNew,
    /// ETRS89 or WGS 84 / UTM.
    Utm {
        /// 1 to 60.
        zone: u8,
        /// Southern hemisphere.
        south: bool,
    },
}

/// A place that the projection does not hold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("({x}, {y}) is no place in {crs:?}")]
pub struct CrsError {
    /// The system.
    pub crs: Crs,
    /// First number.
    pub x: f64,
    /// Second number.
    pub y: f64,
}

/// Shifts in metres, rotations in **arc-seconds**, scale in parts per million. The registry lists the rotations in
/// microradians (1.9342, -1.6677, 9.1019); those numbers here would move everything by 170 m.
const RD_NEW: &str = "+proj=sterea +lat_0=52.15616055555555 +lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 +y_0=463000 \
     +ellps=bessel +towgs84=565.4171,50.3319,465.5524,-0.39896,0.34399,-1.87740,4.0725 +units=m";
const DEGREES: &str = "+proj=longlat +ellps=GRS80 +towgs84=0,0,0";

impl Crs {
    /// By its number in the EPSG registry.
    pub fn from_epsg(code: u32) -> Option<Self> {
        let zone = |zone: u32, south| u8::try_from(zone).ok().map(|zone| Self::Utm { zone, south });
        match code {
            4258 | 4326 | 4979 | 4937 => Some(Self::Degrees),
            28992 | 7415 => Some(Self::RdNew),
            25828..=25838 => zone(code - 25800, false),
            32601..=32660 => zone(code - 32600, false),
            32701..=32760 => zone(code - 32700, true),
            _ => None,
        }
    }

    /// By the well-known text of a `.prj` file: its own number, or else its name and that of its datum. A number that is
    /// not known is no invitation to guess: ED50 has UTM zones, too, 100 m beside those of ETRS89.
    pub fn from_wkt(text: &str) -> Option<Self> {
        wkt::crs(text)
    }

    /// The UTM zone of a place, without the exceptions of Norway and Svalbard.
    pub fn utm_at(lon_deg: f64, lat_deg: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 to 60")]
        let zone = (((lon_deg + 180.0) / 6.0).floor() + 1.0).clamp(1.0, 60.0) as u8;
        Self::Utm { zone, south: lat_deg < 0.0 }
    }

    /// The number of this system for places in ETRS89 where there is one, else in WGS 84.
    pub fn epsg(self) -> u16 {
        match self {
            Self::Degrees => 4258,
            Self::RdNew => 28992,
            Self::Utm { zone, south: false } if (28..=38).contains(&zone) => 25800 + u16::from(zone),
            Self::Utm { zone, south: false } => 32600 + u16::from(zone),
            Self::Utm { zone, south: true } => 32700 + u16::from(zone),
        }
    }

    fn proj(self) -> Option<Proj> {
        let utm;
        let text = match self {
            Self::Degrees => DEGREES,
            Self::RdNew => RD_NEW,
            Self::Utm { zone, south } => {
                let south = if south { " +south" } else { "" };
                utm = format!("+proj=utm +zone={zone}{south} +ellps=GRS80 +towgs84=0,0,0 +units=m");
                &utm
            }
        };
        Proj::from_proj_string(text).ok()
    }

    /// Longitude and latitude in degrees.
    ///
    /// # Errors
    /// [`CrsError`].
    pub fn to_degrees(self, [x, y]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        if self == Self::Degrees {
            return Ok([x, y]);
        }
        let mut point = (x, y, 0.0);
        let done = self.proj().zip(Self::Degrees.proj());
        done.and_then(|(from, to)| transform(&from, &to, &mut point).ok())
            .filter(|()| point.0.is_finite() && point.1.is_finite())
            .map(|()| [point.0.to_degrees(), point.1.to_degrees()])
            .ok_or(CrsError { crs: self, x, y })
    }

    /// From longitude and latitude in degrees.
    ///
    /// # Errors
    /// [`CrsError`].
    pub fn from_degrees(self, [lon, lat]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        if self == Self::Degrees {
            return Ok([lon, lat]);
        }
        let mut point = (lon.to_radians(), lat.to_radians(), 0.0);
        let done = Self::Degrees.proj().zip(self.proj());
        done.and_then(|(from, to)| transform(&from, &to, &mut point).ok())
            .filter(|()| point.0.is_finite() && point.1.is_finite())
            .map(|()| [point.0, point.1])
            .ok_or(CrsError { crs: self, x: lon, y: lat })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against RDNAPTRANS2018. Rotations in the wrong unit are 170 m off; without the correction grid 8 cm remain.
    #[test]
    fn rd_new_is_right_to_ten_centimetres() {
        let [x, y] = Crs::RdNew.from_degrees([6.95, 52.87]).unwrap();
        let off = (x - 260_225.372_6).hypot(y - 543_676.824);
        assert!(off < 0.1, "{off} m at ({x}, {y})");
        let [lon, lat] = Crs::RdNew.to_degrees([x, y]).unwrap();
        // Heights are left out, both ways: half a millimetre.
        assert!((lon - 6.95).abs() < 1e-8 && (lat - 52.87).abs() < 1e-8, "{lon} {lat}");
    }

    /// Against the `pyproj` package.
    #[test]
    fn utm_is_right_to_a_millimetre() {
        let [x, y] = Crs::utm_at(6.95, 52.87).from_degrees([6.95, 52.87]).unwrap();
        assert!((x - 362_018.833_2).hypot(y - 5_859_777.624_0) < 1e-3, "{x} {y}");
        assert_eq!(Crs::utm_at(6.95, 52.87).epsg(), 25832);
        assert_eq!(Crs::utm_at(-45.0, -12.0).epsg(), 32723);
    }
}
