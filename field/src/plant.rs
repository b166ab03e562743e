//! Plant classes with fixed ids, and what a class means in the field at hand.

use serde::{Deserialize, Serialize};

/// What a pixel or a plant is. The ids are fixed in every mask, model and record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PlantClass {
    /// Bare ground; of a plant never.
    Soil = 0,
    /// Any plant that is not one of the crops below.
    Weed = 1,
    /// *Beta vulgaris*.
    SugarBeet = 2,
    /// *Solanum tuberosum*, as crop or as volunteer.
    Potato = 3,
    /// A crop the model does not name.
    OtherCrop = 4,
}

impl PlantClass {
    /// In id order.
    pub const ALL: [Self; 5] = [Self::Soil, Self::Weed, Self::SugarBeet, Self::Potato, Self::OtherCrop];
    /// The id in masks for "do not count this pixel".
    pub const IGNORE_ID: u8 = 255;

    /// The fixed id.
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The class of an id; `None` for [`PlantClass::IGNORE_ID`] and ids not given out.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// The EPPO code, where the class is one species.
    pub const fn eppo_code(self) -> Option<&'static str> {
        match self {
            Self::SugarBeet => Some("BEAVA"),
            Self::Potato => Some("SOLTU"),
            Self::Soil | Self::Weed | Self::OtherCrop => None,
        }
    }
}

/// What the farmer grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCrop {
    /// Sugar beet (EPPO `BEAVA`).
    SugarBeet,
    /// Potato (EPPO `SOLTU`).
    Potato,
    /// Something the model calls other crop.
    Other,
}

/// What a plant is to this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantRole {
    /// Protect it.
    Crop,
    /// A wild plant.
    Weed,
    /// A potato where the crop is not potato (*aardappelopslag*).
    Volunteer,
    /// A crop plant of another kind than the field's: not wanted, and not certain enough to treat.
    StrayCrop,
}

impl FieldCrop {
    /// What a plant of `class` is in a field of this crop; `None` for soil.
    pub const fn role_of(self, class: PlantClass) -> Option<PlantRole> {
        match (self, class) {
            (_, PlantClass::Soil) => None,
            (_, PlantClass::Weed) => Some(PlantRole::Weed),
            (Self::SugarBeet, PlantClass::SugarBeet)
            | (Self::Potato, PlantClass::Potato)
            | (Self::Other, PlantClass::OtherCrop) => Some(PlantRole::Crop),
            (Self::SugarBeet | Self::Other, PlantClass::Potato) => Some(PlantRole::Volunteer),
            (_, PlantClass::SugarBeet | PlantClass::OtherCrop) => Some(PlantRole::StrayCrop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_fixed() {
        let ids: Vec<u8> = PlantClass::ALL.iter().map(|class| class.id()).collect();
        assert_eq!(ids, [0, 1, 2, 3, 4]);
        assert!(PlantClass::ALL.iter().all(|&class| PlantClass::from_id(class.id()) == Some(class)));
        assert_eq!(PlantClass::from_id(PlantClass::IGNORE_ID), None);
    }

    #[test]
    fn a_potato_is_crop_or_volunteer_by_the_field() {
        assert_eq!(FieldCrop::Potato.role_of(PlantClass::Potato), Some(PlantRole::Crop));
        assert_eq!(FieldCrop::SugarBeet.role_of(PlantClass::Potato), Some(PlantRole::Volunteer));
    }
}
