//! Places on earth, and the local plane a field is worked in.

use crate::frame::{FieldFrame, Point2};
use crate::units::Metres;
use serde::{Deserialize, Serialize};

/// Which realisation of the earth a coordinate refers to. They lie about 0.8 m apart in Europe today,
/// forty times what the robot steers to, so a coordinate without its datum is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// Fixed to the Eurasian plate: what Dutch RTK services and parcel registers deliver.
    Etrs89,
    /// What satellites and satellite corrections deliver.
    Wgs84,
}

/// Latitude and longitude in degrees on the GRS 80 ellipsoid (WGS 84's differs by less than 0.1 mm).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geodetic {
    /// Degrees north.
    pub lat_deg: f64,
    /// Degrees east.
    pub lon_deg: f64,
    /// What the degrees refer to.
    pub datum: Datum,
}

impl Geodetic {
    /// A place in ETRS89.
    pub const fn etrs89(lat_deg: f64, lon_deg: f64) -> Self {
        Self { lat_deg, lon_deg, datum: Datum::Etrs89 }
    }

    /// Whether the degrees can be a place.
    pub fn is_valid(&self) -> bool {
        self.lat_deg.abs() <= 90.0 && self.lon_deg.abs() <= 180.0
    }
}

/// Why a place has no position in the field's plane.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PlaneError {
    /// Not a latitude and longitude.
    #[error(
        "latitude {lat_deg}, longitude {lon_deg} is not a place on earth: check the order and that both are degrees"
    )]
    NotAPlace {
        /// As given.
        lat_deg: f64,
        /// As given.
        lon_deg: f64,
    },
    /// The position refers to another realisation of the earth than the field.
    #[error(
        "the position is {given:?}, the field is {field:?}: convert it, or set the receiver to {field:?}"
    )]
    DatumMismatch {
        /// Of the field.
        field: Datum,
        /// Of the position.
        given: Datum,
    },
    /// Beyond the stated accuracy of the plane.
    #[error("{distance_km:.1} km from the field's datum: the plane holds within {limit_km} km")]
    TooFar {
        /// Roughly.
        distance_km: f64,
        /// The limit.
        limit_km: f64,
    },
}

const SEMI_MAJOR_M: f64 = 6_378_137.0;
/// GRS 80: 2f − f² with f = 1/298.257222101.
const ECCENTRICITY_SQ: f64 = 0.006_694_380_022_903_416;
/// At this distance the plane is 0.3 mm/km too short; beyond, it is no longer "local".
const LIMIT_M: f64 = 10_000.0;

/// The east-north-up plane at a datum point on the ellipsoid; the meaning of [`FieldFrame`] for one field.
///
/// A point of the plane stands for the place on the ellipsoid straight "below" it. There and back is exact
/// to 1 µm. Distances on the plane are shorter than on the ellipsoid by d³/6R²: 0.5 µm at 500 m, 0.03 mm at
/// 2 km, 4 mm at 10 km, which is where it refuses. Source: any textbook on geodesy, e.g. Torge,
/// *Geodesy*, section 6.2 (ECEF and local systems).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Geodetic", into = "Geodetic")]
pub struct FieldPlane {
    origin: Geodetic,
    ecef: [f64; 3],
    sin_lat: f64,
    cos_lat: f64,
    sin_lon: f64,
    cos_lon: f64,
}

impl FieldPlane {
    /// The plane at `origin`.
    ///
    /// # Errors
    /// [`PlaneError::NotAPlace`].
    pub fn at(origin: Geodetic) -> Result<Self, PlaneError> {
        // Within a kilometre of a pole "east" turns under the robot's feet.
        if !origin.is_valid() || origin.lat_deg.abs() > 89.9 {
            return Err(PlaneError::NotAPlace { lat_deg: origin.lat_deg, lon_deg: origin.lon_deg });
        }
        let (sin_lat, cos_lat) = origin.lat_deg.to_radians().sin_cos();
        let (sin_lon, cos_lon) = origin.lon_deg.to_radians().sin_cos();
        let ecef = ecef(origin.lat_deg.to_radians(), origin.lon_deg.to_radians());
        Ok(Self { origin, ecef, sin_lat, cos_lat, sin_lon, cos_lon })
    }

    /// The datum point.
    pub const fn origin(&self) -> Geodetic {
        self.origin
    }

    /// From this datum point to another, in a straight line; both in one realisation of the earth.
    pub fn apart(&self, other: &Self) -> Metres {
        let [x, y, z] = [0, 1, 2].map(|axis| other.ecef[axis] - self.ecef[axis]);
        Metres::new(x.hypot(y).hypot(z))
    }

    /// Place → plane.
    ///
    /// # Errors
    /// [`PlaneError`]: no place, another datum, or too far away.
    pub fn to_field(&self, place: Geodetic) -> Result<Point2<FieldFrame>, PlaneError> {
        if !place.is_valid() {
            return Err(PlaneError::NotAPlace { lat_deg: place.lat_deg, lon_deg: place.lon_deg });
        }
        if place.datum != self.origin.datum {
            return Err(PlaneError::DatumMismatch { field: self.origin.datum, given: place.datum });
        }
        let (point, up) = self.project(place.lat_deg.to_radians(), place.lon_deg.to_radians());
        // `up` tells the antipode from the datum.
        let distance_m = point.x.hypot(point.y).hypot(up);
        if distance_m > LIMIT_M {
            return Err(PlaneError::TooFar { distance_km: distance_m / 1e3, limit_km: LIMIT_M / 1e3 });
        }
        Ok(point)
    }

    /// Plane → place. Points beyond the 10 km of the plane are mapped, but no longer to 1 µm.
    pub fn to_geodetic(&self, point: Point2<FieldFrame>) -> Geodetic {
        let (mut lat, mut lon) = (self.origin.lat_deg.to_radians(), self.origin.lon_deg.to_radians());
        // Each step shrinks the error by about (d/R)²: four steps reach 1e-12 m at 10 km.
        for _ in 0..5 {
            let (guess, _) = self.project(lat, lon);
            let (sin, cos) = lat.sin_cos();
            let w = (1.0 - ECCENTRICITY_SQ * sin * sin).sqrt();
            let meridian_radius = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQ) / (w * w * w);
            let prime_radius = SEMI_MAJOR_M / w;
            lat += (point.y - guess.y) / meridian_radius;
            lon += (point.x - guess.x) / (prime_radius * cos);
        }
        Geodetic { lat_deg: lat.to_degrees(), lon_deg: lon.to_degrees(), datum: self.origin.datum }
    }

    /// East-north and up of a place on the ellipsoid, angles in radians.
    fn project(&self, lat: f64, lon: f64) -> (Point2<FieldFrame>, f64) {
        let there = ecef(lat, lon);
        let [dx, dy, dz] = [there[0] - self.ecef[0], there[1] - self.ecef[1], there[2] - self.ecef[2]];
        let outward = self.cos_lon * dx + self.sin_lon * dy;
        let east = -self.sin_lon * dx + self.cos_lon * dy;
        let north = -self.sin_lat * outward + self.cos_lat * dz;
        let up = self.cos_lat * outward + self.sin_lat * dz;
        (Point2::new(east, north), up)
    }
}

impl TryFrom<Geodetic> for FieldPlane {
    type Error = PlaneError;
    fn try_from(origin: Geodetic) -> Result<Self, PlaneError> {
        Self::at(origin)
    }
}

impl From<FieldPlane> for Geodetic {
    fn from(plane: FieldPlane) -> Geodetic {
        plane.origin
    }
}

/// Earth-centred coordinates of a place at ellipsoidal height 0.
fn ecef(lat: f64, lon: f64) -> [f64; 3] {
    let (sin_lat, cos_lat) = lat.sin_cos();
    let (sin_lon, cos_lon) = lon.sin_cos();
    let prime_radius = SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQ * sin_lat * sin_lat).sqrt();
    [
        prime_radius * cos_lat * cos_lon,
        prime_radius * cos_lat * sin_lon,
        prime_radius * (1.0 - ECCENTRICITY_SQ) * sin_lat,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn valthermond() -> FieldPlane {
        FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap()
    }

    /// Reference: pyproj 3.7.2, `+proj=topocentric +ellps=GRS80 +lon_0=6.95 +lat_0=52.87` of (6.96, 52.875).
    #[test]
    fn agrees_with_proj() {
        let there = valthermond().to_field(Geodetic::etrs89(52.875, 6.96)).unwrap();
        assert!((there.x - 673.309_645_1).abs() < 1e-4, "{there:?}");
        assert!((there.y - 556.466_182_5).abs() < 1e-4, "{there:?}");
    }

    #[test]
    fn a_degree_mistake_is_named() {
        let plane = valthermond();
        assert!(matches!(plane.to_field(Geodetic::etrs89(6.95, 52.87)), Err(PlaneError::TooFar { .. })));
        assert!(matches!(plane.to_field(Geodetic::etrs89(-52.87, -173.05)), Err(PlaneError::TooFar { .. })));
        assert!(matches!(
            plane.to_field(Geodetic::etrs89(543_676.8, 260_225.4)),
            Err(PlaneError::NotAPlace { .. })
        ));
        assert!(matches!(
            plane.to_field(Geodetic::etrs89(f64::NAN, 6.95)),
            Err(PlaneError::NotAPlace { .. })
        ));
        let satellite = Geodetic { datum: Datum::Wgs84, ..plane.origin() };
        assert!(matches!(plane.to_field(satellite), Err(PlaneError::DatumMismatch { .. })));
    }

    proptest! {
        #[test]
        fn there_and_back(lat in -80.0..80.0f64, lon in -180.0..180.0f64, x in -6e3..6e3f64, y in -6e3..6e3f64) {
            let plane = FieldPlane::at(Geodetic::etrs89(lat, lon)).unwrap();
            let point = Point2::new(x, y);
            let place = plane.to_geodetic(point);
            prop_assume!(place.is_valid());
            prop_assert!(plane.to_field(place).unwrap().distance(point).get() < 1e-6);
        }
    }
}
