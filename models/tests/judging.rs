//! Composites and rankings against segmenters whose answer is known: one that goes by colour, one that is blind.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_field::PlantClass;
use kompas_models::composites::judge;
use kompas_models::data::{DataSet, Item, index};
use kompas_models::evaluate::{Conditions, evaluate};
use kompas_models::gallery::{rank, sheet};
use kompas_vision::consensus::{Colours, Consensus, agree};
use kompas_vision::{ClassMap, FieldMemory, SegmentError, Segmenter};
use std::path::Path;
use tempfile::TempDir;

/// Green is beet, blue is potato, red is weed, the rest soil: what the pictures of [`field`] show.
struct ByColour;

/// Sees beet wherever something stands out from brown.
struct Blind;

fn map(image: &RgbImage, class: impl Fn([u8; 3]) -> u8) -> Result<ClassMap, SegmentError> {
    let ids: Vec<u8> = image.pixels().map(|pixel| class(pixel.0)).collect();
    let sure = vec![255; ids.len()];
    ClassMap::new(image.width(), image.height(), ids, sure)
}

impl Segmenter for ByColour {
    fn id(&self) -> &'static str {
        "by-colour"
    }
    fn segment_in(&mut self, image: &RgbImage, _field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        map(image, |[r, g, b]| {
            let over = |a: u8, b: u8| u16::from(a) > u16::from(b) + 40;
            if over(g, r) && over(g, b) {
                2
            } else if over(b, r) && over(b, g) {
                3
            } else {
                u8::from(over(r, g) && over(r, b))
            }
        })
    }
}

impl Segmenter for Blind {
    fn id(&self) -> &'static str {
        "blind"
    }
    fn segment_in(&mut self, image: &RgbImage, _field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        map(image, |[r, g, b]| if r.abs_diff(g).max(g.abs_diff(b)) > 40 { 2 } else { 0 })
    }
}

/// Notes how many pictures each one's field has shown before.
struct Counting(Vec<usize>);

impl Segmenter for Counting {
    fn id(&self) -> &'static str {
        "counting"
    }
    fn segment_in(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        self.0.push(field.pictures());
        let colours = Colours::of(&RgbImage::new(4, 1));
        // Five planes of four pixels, two of which are beet.
        let mut scores = [0.; 20];
        scores[9..11].fill(9.);
        agree(&mut scores, 4, 1, Consensus::RELEASED, &colours, field.at(1.));
        map(image, |_| 0)
    }
}

#[test]
fn photographs_without_labels_are_labelled_as_those_of_one_field() {
    let folder = TempDir::new().unwrap();
    let photographs = ["a", "b", "c"].map(|name| folder.path().join(format!("{name}.png")));
    for photograph in &photographs {
        let grain = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 60).unwrap();
        RgbImage::from_fn(40, 30, |x, y| Rgb([130, 80 + grain(x, y), 60])).save(photograph).unwrap();
    }
    let mut model = Counting(Vec::new());
    let labels = folder.path().join("labels");
    let told = kompas_models::adapt::label(&mut model, &[photographs.to_vec()], &labels, || ()).unwrap();
    assert!(told.rejected.is_empty(), "{:?}", told.rejected);
    assert_eq!(std::fs::read_dir(labels).unwrap().count(), 3);
    assert_eq!(model.0, [0, 1, 2]);
}

#[test]
fn pictures_of_a_group_are_of_one_field_and_alone_of_none() {
    let folder = TempDir::new().unwrap();
    let set = field(folder.path());
    // Groups take turns, and another source has a group of the same name.
    let groups =
        [("a", "north"), ("a", "south"), ("a", "north"), ("b", "north"), ("a", "south"), ("a", "north")];
    let items: Vec<Item> = (groups.iter())
        .map(|(source, group)| Item {
            source: (*source).into(),
            group: (*group).into(),
            ..set.items[0].clone()
        })
        .collect();
    let seen = |alone| {
        let mut model = Counting(vec![]);
        let conditions = Conditions { alone, ..Conditions::default() };
        let (figures, rejected) = evaluate(&mut model, &items, conditions, || {}).unwrap();
        assert_eq!((figures["a"].images, figures["b"].images, rejected.len()), (5, 1, 0));
        model.0
    };
    let ranked = |alone| {
        let mut model = Counting(vec![]);
        rank(&mut model, &items, alone, || {}).unwrap();
        model.0
    };
    assert_eq!((seen(false), ranked(false)), (vec![0, 0, 1, 0, 1, 2], vec![0, 0, 1, 0, 1, 2]));
    assert_eq!((seen(true), ranked(true)), (vec![0; 6], vec![0; 6]));
}

/// Pictures of 300×300 with one plant of 90×60 each.
fn field(folder: &Path) -> DataSet {
    let mut rows = String::from("source,name,group,split,width,height\n");
    for (name, class, colour, split) in [
        ("beet", 2, [40, 200, 40], "train"),
        ("potato", 3, [40, 40, 200], "val"),
        ("weed", 1, [200, 40, 40], "val"),
    ] {
        let base = folder.join(name);
        let plant = |x: u32, y: u32| (100..190).contains(&x) && (120..180).contains(&y);
        let grain = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 9).unwrap();
        std::fs::create_dir_all(base.join("images")).unwrap();
        std::fs::create_dir_all(base.join("masks")).unwrap();
        let soil = |x, y| Rgb([118, 112, 108].map(|value| value + grain(x, y)));
        RgbImage::from_fn(300, 300, |x, y| if plant(x, y) { Rgb(colour) } else { soil(x, y) })
            .save(base.join("images/a.jpg"))
            .unwrap();
        GrayImage::from_fn(300, 300, |x, y| Luma([if plant(x, y) { class } else { 0 }]))
            .save(base.join("masks/a.png"))
            .unwrap();
        rows.extend([name, ",a,camera,", split, ",300,300\n"]);
    }
    std::fs::write(folder.join("index.csv"), rows).unwrap();
    index::read(folder).unwrap()
}

fn of(set: &DataSet, source: &str) -> Vec<Item> {
    set.items.iter().filter(|item| item.source == source).cloned().collect()
}

#[test]
fn pasted_plants_are_judged_by_most_of_their_pixels() {
    let folder = TempDir::new().unwrap();
    let set = field(folder.path());
    let (beet, potato) = (of(&set, "beet"), of(&set, "potato"));
    let verdicts =
        |model: &mut dyn Segmenter| judge(model, &potato, PlantClass::Potato, &beet, 12, 5).unwrap().unwrap();
    let (seen, blind) = (verdicts(&mut ByColour), verdicts(&mut Blind));
    assert!(seen.plants() >= 12, "{seen:?}");
    assert_eq!(seen.plants(), blind.plants(), "the same composites for both");
    assert_eq!(seen.share(PlantClass::Potato), Some(1.), "{seen:?}");
    assert_eq!(blind.share(PlantClass::SugarBeet), Some(1.), "{blind:?}");
    let none = judge(&mut ByColour, &beet, PlantClass::Potato, &potato, 1, 5).unwrap();
    assert!(none.unwrap_err().reason.contains("no whole Potato"));
}

#[test]
fn images_are_ranked_and_their_largest_mistake_is_named() {
    let folder = TempDir::new().unwrap();
    let set = field(folder.path());
    let items: Vec<Item> =
        set.items.iter().map(|item| Item { source: "all".into(), ..item.clone() }).collect();
    let ranking = rank(&mut Blind, &items, false, || {}).unwrap();
    assert!(ranking.rejected.is_empty());
    let ranked = &ranking.per_source["all"];
    let groups: Vec<_> = ranked.iter().map(|image| (image.score > 0.9, image.mistake.name())).collect();
    assert!(groups[0].0 && !groups[1].0 && !groups[2].0, "{groups:?}");
    let mut mistakes = [groups[1].1.as_str(), groups[2].1.as_str()];
    mistakes.sort_unstable();
    assert_eq!(mistakes, ["potato taken for sugar beet", "weed taken for sugar beet"]);
    assert!((ranked[1].cover - 0.06).abs() < 1e-3);
    let picture = sheet(&ranked[0], 200).unwrap();
    assert_eq!(picture.dimensions(), (600, 200));
    let [photograph, labels] = [100, 300].map(|x| *picture.get_pixel(x, 100));
    assert_ne!(photograph, labels, "the plant is coloured by its label");
}
