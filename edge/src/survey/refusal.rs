//! Why a photograph is not used. A person reads it: what, and what to do.

use kompas_field::geodetic::PlaneError;
use kompas_vision::Unusable;
use kompas_vision::load::LoadError;

/// Why a photograph says nothing about the field.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The picture does not load.
    #[error(transparent)]
    Picture(#[from] LoadError),
    /// There are no EXIF tags, or they do not read.
    #[error(
        "no EXIF tags that read: give the photographs as the drone wrote them, not edited or sent copies"
    )]
    NoExif(#[source] exif::Error),
    /// The XMP packet does not read.
    #[error("its XMP packet is not XML: copy the photograph from the drone again")]
    BadXmp(#[source] quick_xml::Error),
    /// A tag is not there, or is no number.
    #[error("no {tag}: {remedy}")]
    Missing {
        /// Names of the tags.
        tag: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The camera looked elsewhere than down, or was turned.
    #[error(
        "the gimbal was {off_deg:.0}° away from straight down and upright, {limit_deg:.0}° is allowed: set it to -90°"
    )]
    Tilted {
        /// Of pitch or roll.
        off_deg: f64,
        /// The limit.
        limit_deg: f64,
    },
    /// Nobody knows where its top is.
    #[error(
        "EXIF says that the picture is turned: which side looked along the yaw is not known; switch turning off in the camera"
    )]
    Turned,
    /// On the ground, or nonsense.
    #[error("{height_m} m above the ground is not within 0.5 m to 500 m: give --height-m, the flying height")]
    Height {
        /// As the tags say.
        height_m: f64,
    },
    /// Not on the field's plane.
    #[error(transparent)]
    Place(#[from] PlaneError),
    /// Beside the field.
    #[error(
        "it shows no grid cell of the field: the point under the lens lies {east_m:.0} m east and {north_m:.0} m north of the field's datum"
    )]
    Elsewhere {
        /// Of the datum.
        east_m: f64,
        /// Of the datum.
        north_m: f64,
    },
    /// Nothing can be seen.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}
