//! Class names of foreign data sets, translated to our ids.

use std::collections::BTreeMap;

/// Which of our class ids a foreign class name means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassNames {
    stated: BTreeMap<String, u8>,
}

/// Names that say what they are, in lower case with single spaces. "Crop" is not one of them: which crop, its
/// user must say.
const KNOWN: [(&str, u8); 18] = [
    ("soil", 0),
    ("background", 0),
    ("weed", 1),
    ("weeds", 1),
    ("sugar beet", 2),
    ("sugarbeet", 2),
    ("beet", 2),
    ("beets", 2),
    ("beava", 2),
    ("potato", 3),
    ("potatoes", 3),
    ("solanum tuberosum", 3),
    ("soltu", 3),
    ("maize", 4),
    ("corn", 4),
    ("other crop", 4),
    ("ignore", 255),
    ("void", 255),
];

impl ClassNames {
    /// From `name=class` pairs; the class is one of ours by name, or `ignore`.
    /// # Errors
    /// The pair that does not parse, and what may stand there.
    pub fn parse(pairs: &[String]) -> Result<Self, String> {
        let mut stated = BTreeMap::new();
        for pair in pairs {
            let id = pair.split_once('=').and_then(|(name, class)| Some((plain(name), own(class)?)));
            let (name, id) = id.ok_or_else(|| {
                format!("`{pair}`: write NAME=CLASS with CLASS one of {:?} or ignore", crate::CLASS_NAMES)
            })?;
            stated.insert(name, id);
        }
        Ok(Self { stated })
    }

    /// Our id for `name`: as stated, else if the name speaks for itself.
    /// # Errors
    /// What to do about a name that is neither.
    pub fn id(&self, name: &str) -> Result<u8, String> {
        let wanted = plain(name);
        let known = || KNOWN.iter().find(|(known, _)| *known == wanted).map(|(_, id)| *id);
        let id = self.stated.get(&wanted).copied().or_else(known);
        id.ok_or_else(|| format!("class `{name}` is unknown: say what it is with --class '{name}=CLASS'"))
    }
}

fn own(class: &str) -> Option<u8> {
    let class = plain(class).replace(' ', "_");
    if class == "ignore" {
        return Some(255);
    }
    (0..).zip(crate::CLASS_NAMES).find(|(_, name)| *name == class).map(|(id, _)| id)
}

/// Lower case, words parted by single spaces.
fn plain(name: &str) -> String {
    let parted = name.to_lowercase().replace(['_', '-'], " ");
    parted.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_stated_then_as_known_and_never_guessed() {
        let names = ClassNames::parse(&["Crop=sugar_beet".into(), "weed=ignore".into()]).unwrap();
        assert_eq!(names.id("crop"), Ok(2));
        assert_eq!(names.id("Weed"), Ok(255));
        assert_eq!(names.id("Sugar-Beet"), Ok(2));
        assert!(names.id("plant").unwrap_err().contains("--class"));
        assert!(ClassNames::parse(&["crop:beet".into()]).unwrap_err().contains("NAME=CLASS"));
        assert!(ClassNames::parse(&["crop=cabbage".into()]).is_err());
    }
}
