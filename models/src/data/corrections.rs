//! Labels that a source is known to have wrong: put right where what stands there is certain, else left out.

use super::{DataSet, Item};
use image::{GrayImage, RgbImage};
use kompas_field::PlantClass;
use kompas_vision::consensus::Colours;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// Ground is greener than its median by this in places; most pixels of labelled leaves are by more.
const BARE: f32 = 0.02;

/// Pictures in which a class stands for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relabelled {
    /// `source/name` of each.
    pub images: Vec<String>,
    /// Where in them: left, top, right and bottom in pixels of the mask as it is stored (of drawn outlines: of the
    /// photograph upright), the last ones within. All of the picture where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<[u32; 4]>,
    /// What the masks call it.
    pub from: PlantClass,
    /// What it is.
    pub to: PlantClass,
}

/// What is corrected of which groups (`source/group`) and pictures (`source/name`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Corrections {
    /// Pictures of which nothing counts: their labels are wrong in ways that no rule puts right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images_ignored: Vec<String>,
    /// Groups whose weeds at the border of a picture are crop plants that it cuts: they do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub border_weeds_ignored: Vec<String>,
    /// Groups in which weeds hardly greener than the ground are clods and straw, for a threshold drew the masks: they do not
    /// count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bare_weeds_ignored: Vec<String>,
    /// Pictures in which a class stands for another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relabelled: Vec<Relabelled>,
}

/// Why a list of corrections cannot be used: cause and remedy.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionsError {
    /// Not there, or not text.
    #[error("cannot be read: {0}: put the list there, or name another")]
    Unread(std::io::Error),
    /// Not TOML, an unknown key, a value of the wrong type.
    #[error("does not parse: {0}")]
    Syntax(toml::de::Error),
    /// A box whose last pixel lies before its first.
    #[error("relabelled.within = {within:?} of {images:?}: left, top, right, bottom: none before the first")]
    Reversed {
        /// The box.
        within: [u32; 4],
        /// Where it is to hold.
        images: Vec<String>,
    },
}

/// A name of a list that the data do not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absent {
    /// The key it stands under.
    pub key: &'static str,
    /// A source, a group or a picture; `source/*` for all that are named of a source that is not there.
    pub name: String,
}

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: no image is of `{}`: see whether that is its name", self.key, self.name)
    }
}

impl Corrections {
    /// Reads a list and checks it.
    /// # Errors
    /// [`CorrectionsError`]: not there, not such a list, or a box that holds nothing.
    pub fn read(path: &Path) -> Result<Self, CorrectionsError> {
        let text = std::fs::read_to_string(path).map_err(CorrectionsError::Unread)?;
        let list: Self = toml::from_str(&text).map_err(CorrectionsError::Syntax)?;
        list.check()?;
        Ok(list)
    }

    /// Looks whether every box holds something.
    /// # Errors
    /// [`CorrectionsError::Reversed`].
    pub(crate) fn check(&self) -> Result<(), CorrectionsError> {
        for by in &self.relabelled {
            let is_reversed = |[left, top, right, bottom]: &&[u32; 4]| left > right || top > bottom;
            if let Some(&within) = by.within.iter().find(is_reversed) {
                return Err(CorrectionsError::Reversed { within, images: by.images.clone() });
            }
        }
        Ok(())
    }

    /// Whether nothing is corrected.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What it names that `data` do not have, in order of keys and names.
    pub fn absent_from(&self, data: &DataSet) -> Vec<Absent> {
        let sources: BTreeSet<&str> = data.items.iter().map(|item| item.source.as_str()).collect();
        let groups: BTreeSet<String> = data.items.iter().map(Item::full_group).collect();
        let pictures: BTreeSet<String> = data.items.iter().map(Item::full_name).collect();
        let relabelled: Vec<String> = self.relabelled.iter().flat_map(|by| by.images.clone()).collect();
        let lists = [
            ("border_weeds_ignored", &self.border_weeds_ignored, &groups),
            ("bare_weeds_ignored", &self.bare_weeds_ignored, &groups),
            ("images_ignored", &self.images_ignored, &pictures),
            ("relabelled.images", &relabelled, &pictures),
        ];
        let absent = |key, name: &String| {
            let of_absent = name.split_once('/').filter(|(source, _)| !sources.contains(source));
            Absent { key, name: of_absent.map_or_else(|| name.clone(), |(source, _)| format!("{source}/*")) }
        };
        let absent = lists.iter().flat_map(|&(key, named, there)| {
            named.iter().filter(|name| !there.contains(*name)).map(move |name| absent(key, name))
        });
        absent.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Corrects the `mask` of `item` as it is stored, whose photograph as the camera gave it is `rgb`.
    pub fn apply(&self, item: &Item, rgb: &RgbImage, mask: &mut GrayImage) {
        let (group, picture) = (item.full_group(), item.full_name());
        if self.images_ignored.contains(&picture) {
            mask.fill(PlantClass::IGNORE_ID);
        }
        if self.border_weeds_ignored.contains(&group) {
            ignore_at_border(mask);
        }
        if self.bare_weeds_ignored.contains(&group) {
            ignore_bare(rgb, mask);
        }
        for by in self.relabelled.iter().filter(|by| by.images.contains(&picture)) {
            by.apply(mask);
        }
    }
}

impl Relabelled {
    fn apply(&self, mask: &mut GrayImage) {
        for (x, y, pixel) in mask.enumerate_pixels_mut().filter(|(.., pixel)| pixel.0 == [self.from.id()]) {
            let holds = |&[left, top, right, bottom]: &[u32; 4]| {
                (left..=right).contains(&x) && (top..=bottom).contains(&y)
            };
            if self.within.is_empty() || self.within.iter().any(holds) {
                pixel.0 = [self.to.id()];
            }
        }
    }
}

/// Weeds that touch the border.
fn ignore_at_border(mask: &mut GrayImage) {
    let (width, height) = mask.dimensions();
    let mut open: Vec<(u32, u32)> = (0..width)
        .flat_map(|x| [(x, 0), (x, height - 1)])
        .chain((0..height).flat_map(|y| [(0, y), (width - 1, y)]))
        .collect();
    while let Some((x, y)) = open.pop() {
        let pixel = mask.get_pixel_mut(x, y);
        if pixel.0[0] != PlantClass::Weed.id() {
            continue;
        }
        pixel.0[0] = PlantClass::IGNORE_ID;
        open.extend(
            [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)]
                .into_iter()
                .filter(|&(x, y)| x < width && y < height),
        );
    }
}

/// Weeds that are hardly greener than the ground. A shaded leaf that is no greener either is lost with them.
fn ignore_bare(rgb: &RgbImage, mask: &mut GrayImage) {
    let is_plant: Vec<bool> = mask.iter().map(|&id| id != PlantClass::Soil.id()).collect();
    let (width, height) = (mask.width() as usize, mask.height() as usize);
    // Without ground nobody knows, and all of it counts.
    let Some(greener) = Colours::of(rgb).greener_than_ground(&is_plant, width, height) else { return };
    for (id, greener) in mask.iter_mut().zip(greener) {
        if *id == PlantClass::Weed.id() && greener < BARE {
            *id = PlantClass::IGNORE_ID;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use image::{Luma, Rgb};

    fn item(group: &str) -> Item {
        Item {
            source: "field".into(),
            name: "one".into(),
            group: group.into(),
            split: "train".into(),
            image: "one.png".into(),
            labels: Labels::Shapes(Vec::new()),
            size: (60, 40),
            gsd_mm: None,
        }
    }

    /// A green weed in the middle, one of bare ground beside it, a green one at the border, and a beet there.
    fn picture() -> (RgbImage, GrayImage) {
        let class = |x: u32, y: u32| match (x, y) {
            (10..20 | 30..40, 10..20) | (50..60, 30..36) => 1,
            (0..8, 30..38) => 2,
            _ => 0,
        };
        let colour = |x: u32, y: u32| match (class(x, y), x) {
            (0, _) => [120, 100, 80],
            (1, 30..40) => [150, 110, 80],
            _ => [70, 120, 50],
        };
        let rgb = RgbImage::from_fn(60, 40, |x, y| Rgb(colour(x, y)));
        (rgb, GrayImage::from_fn(60, 40, |x, y| Luma([class(x, y)])))
    }

    /// Pixels of weeds, beet and other crop, and those that do not count, in a picture of `group`.
    fn left(corrections: &Corrections, group: &str) -> [usize; 4] {
        let (rgb, mut mask) = picture();
        corrections.apply(&item(group), &rgb, &mut mask);
        [1, 2, 4, 255].map(|id| mask.pixels().filter(|pixel| pixel.0 == [id]).count())
    }

    #[test]
    fn weeds_do_not_count_in_the_groups_named_and_count_everywhere_else() {
        let named = || vec!["field/a".to_owned()];
        let border = Corrections { border_weeds_ignored: named(), ..Corrections::default() };
        let bare = Corrections { bare_weeds_ignored: named(), ..Corrections::default() };
        assert_eq!(left(&border, "a"), [200, 64, 0, 60]);
        assert_eq!(left(&bare, "a"), [160, 64, 0, 100]);
        for corrections in [&border, &bare] {
            assert_eq!(left(corrections, "b"), [260, 64, 0, 0]);
        }
        assert_eq!(left(&Corrections { bare_weeds_ignored: named(), ..border }, "a"), [100, 64, 0, 160]);
    }

    #[test]
    fn a_class_is_put_right_in_the_pictures_named_and_nowhere_else() {
        let of = |images: &[&str], from, to| Relabelled {
            images: images.iter().map(|name| (*name).to_owned()).collect(),
            within: Vec::new(),
            from,
            to,
        };
        let (beet, other) = (PlantClass::SugarBeet, PlantClass::OtherCrop);
        let put_right = vec![of(&["field/none", "field/one"], beet, other)];
        assert_eq!(
            left(&Corrections { relabelled: put_right, ..Corrections::default() }, "a"),
            [260, 0, 64, 0]
        );
        let elsewhere = vec![of(&["field/two", "one", "other/one"], beet, other)];
        assert_eq!(
            left(&Corrections { relabelled: elsewhere, ..Corrections::default() }, "a"),
            [260, 64, 0, 0]
        );
    }

    #[test]
    fn a_class_is_put_right_in_the_places_named() {
        let relabelled = |within: &[[u32; 4]]| Relabelled {
            images: vec!["field/one".into()],
            within: within.to_vec(),
            from: PlantClass::Weed,
            to: PlantClass::SugarBeet,
        };
        // The first weed whole, a corner of the second, and nothing of what lies around them.
        let by = vec![relabelled(&[[8, 8, 19, 25], [38, 0, 60, 11]])];
        assert_eq!(
            left(&Corrections { relabelled: by, ..Corrections::default() }, "a"),
            [260 - 104, 64 + 104, 0, 0]
        );
    }

    #[test]
    fn nothing_counts_in_a_picture_that_is_ignored() {
        let [named, another] = ["field/one", "field/two"].map(|name| vec![name.to_owned()]);
        assert_eq!(
            left(&Corrections { images_ignored: named, ..Corrections::default() }, "a"),
            [0, 0, 0, 60 * 40]
        );
        assert_eq!(
            left(&Corrections { images_ignored: another, ..Corrections::default() }, "a"),
            [260, 64, 0, 0]
        );
    }

    #[test]
    fn weeds_count_where_no_ground_is_to_be_seen() {
        let named = vec!["field/a".to_owned()];
        let (rgb, mut mask) = (RgbImage::new(60, 40), GrayImage::from_pixel(60, 40, Luma([1])));
        Corrections { bare_weeds_ignored: named, ..Corrections::default() }.apply(
            &item("a"),
            &rgb,
            &mut mask,
        );
        assert!(mask.iter().all(|&id| id == 1));
    }

    #[test]
    fn a_list_that_cannot_be_used_is_refused_with_its_place_and_cause() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.toml");
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Corrections::read(&path).unwrap_err().to_string()
        };
        let reversed =
            "[[relabelled]]\nimages = []\nwithin = [[9, 0, 3, 5]]\nfrom = \"weed\"\nto = \"potato\"";
        assert!(refused(reversed).contains("relabelled.within = [9, 0, 3, 5]"));
        assert!(refused("images_ignord = []").contains("images_ignord"));
        assert!(refused("[[relabelled]]\nimages = []\nfrom = \"wed\"\nto = \"potato\"").contains("wed"));
        assert!(Corrections::read(folder.path()).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn names_of_a_source_that_is_not_there_are_told_once() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let list = Corrections {
            images_ignored: names(&["field/one", "field/two", "far/one", "far/two"]),
            border_weeds_ignored: names(&["field/a", "far/a", "a"]),
            ..Corrections::default()
        };
        let data = DataSet { items: vec![item("a")], ..DataSet::default() };
        let told: Vec<String> = list.absent_from(&data).iter().map(ToString::to_string).collect();
        let [groups, pictures] = ["border_weeds_ignored", "images_ignored"];
        let told_of = |key, name| format!("{key}: no image is of `{name}`: see whether that is its name");
        let expected = [(groups, "a"), (groups, "far/*"), (pictures, "far/*"), (pictures, "field/two")];
        assert_eq!(told, expected.map(|(key, name)| told_of(key, name)));
    }
}
