//! A field: its id, crop, place on earth, boundary and grid, as one value with a digest.

use crate::boundary::Boundary;
use crate::digest::Digest;
use crate::geodetic::FieldPlane;
use crate::grid::Grid;
use crate::ids::FieldId;
use crate::plant::FieldCrop;
use serde::{Deserialize, Serialize};

/// A field as every part of Kompas knows it. The grid follows from the boundary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the farmer's books.
    pub id: FieldId,
    /// What grows there.
    pub crop: FieldCrop,
    /// Where [`crate::frame::FieldFrame`] lies on earth.
    #[serde(rename = "datum")]
    pub plane: FieldPlane,
    /// The polygon worked, in `FieldFrame` metres.
    pub boundary: Boundary,
}

impl Field {
    /// The 1 m² grid of this field.
    pub fn grid(&self) -> Grid {
        Grid::covering(&self.boundary)
    }

    /// Changes when anything about the field does: a plan made for another digest is foreign.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}
