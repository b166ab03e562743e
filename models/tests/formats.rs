//! Folders of four formats that hold the same two plants read alike; what cannot be used is listed and counted.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_models::data::names::ClassNames;
use kompas_models::data::scene::decode;
use kompas_models::data::{DataError, DataSet, read, refuse_if_too_many};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Fills a folder.
type Make<'a> = &'a dyn Fn(&Path);

const SIZE: (u32, u32) = (40, 30);

/// A beet of 10×8 at (5, 6) and a weed of 6×6 at (24, 12), drawn with these ids.
fn mask(beet: u8, weed: u8) -> GrayImage {
    GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let inside =
            |left, top, width, height| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        Luma([if inside(5, 6, 10, 8) {
            beet
        } else if inside(24, 12, 6, 6) {
            weed
        } else {
            0
        }])
    })
}

fn photograph(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([120, 100, 80])).save(path).unwrap();
}

fn put(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn ours(folder: &Path, names: &[&str]) {
    let mut rows = String::from("source,name,group,split,width,height\n");
    for name in names {
        photograph(&folder.join(format!("field/images/{name}.jpg")));
        fs::create_dir_all(folder.join("field/masks")).unwrap();
        mask(2, 1).save(folder.join(format!("field/masks/{name}.png"))).unwrap();
        rows.extend(["field,", name, ",camera,val,40,30\n"]);
    }
    fs::write(folder.join("index.csv"), rows).unwrap();
}

fn phenobench(folder: &Path) {
    photograph(&folder.join("val/images/05-15_00028.png"));
    fs::create_dir_all(folder.join("val/semantics")).unwrap();
    mask(1, 4).save(folder.join("val/semantics/05-15_00028.png")).unwrap();
}

const BEET: &str = "0 0.125 0.2 0.375 0.2 0.375 0.46666666667 0.125 0.46666666667";
const WEED: &str = "1 0.6 0.4 0.75 0.4 0.75 0.6 0.6 0.6";

fn yolo(folder: &Path) {
    photograph(&folder.join("images/val/a.jpg"));
    put(folder.join("labels/val/a.txt"), &format!("{BEET}\n{WEED}\n"));
    put(folder.join("data.yaml"), "names:\n  0: Sugar beet\n  1: weed\n");
}

/// The weed as run lengths, column by column: 24 columns of 30 and 12 rows before its first pixel.
const COCO: &str = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}],
    "categories": [{"id": 1, "name": "beet"}, {"id": 2, "name": "thistle"}],
    "annotations": [
      {"image_id": 7, "category_id": 1, "segmentation": [[5, 6, 15, 6, 15, 14, 5, 14]]},
      {"image_id": 7, "category_id": 2,
       "segmentation": {"counts": [732,6,24,6,24,6,24,6,24,6,24,6,312], "size": [30, 40]}}]}"#;

fn coco(folder: &Path) {
    photograph(&folder.join("images/a.jpg"));
    put(folder.join("annotations/instances_val.json"), COCO);
}

fn opened(make: impl Fn(&Path)) -> (TempDir, DataSet) {
    let folder = TempDir::new().unwrap();
    make(folder.path());
    let names = ClassNames::parse(&["thistle=weed".to_owned()]).unwrap();
    let set = read(folder.path(), &names).unwrap();
    (folder, set)
}

#[test]
fn the_same_plants_in_four_formats_are_the_same_pixels() {
    let two = |folder: &Path| ours(folder, &["a"]);
    for make in [&two as Make, &phenobench, &yolo, &coco] {
        let (folder, set) = opened(make);
        assert_eq!((set.items.len(), &set.rejected[..]), (1, &[][..]), "{}", folder.path().display());
        let item = &set.items[0];
        assert_eq!((item.split.as_str(), item.size), ("val", SIZE));
        assert!(!item.group.is_empty() && !item.source.is_empty());
        assert_eq!(decode(item).unwrap().1, mask(2, 1));
    }
}

#[test]
fn every_file_that_cannot_be_used_is_listed_with_its_reason() {
    let cases: [(&str, Make); 10] = [
        ("semantics/05-15_00028.png is missing", &|folder| {
            phenobench(folder);
            fs::remove_file(folder.join("val/semantics/05-15_00028.png")).unwrap();
        }),
        ("cannot be read", &|folder| {
            phenobench(folder);
            fs::remove_dir_all(folder.join("val/images")).unwrap();
        }),
        ("a.txt", &|folder| {
            yolo(folder);
            fs::remove_file(folder.join("labels/val/a.txt")).unwrap();
        }),
        ("a.txt:1: class 9 is not in data.yaml", &|folder| {
            yolo(folder);
            put(folder.join("labels/val/a.txt"), &BEET.replacen('0', "9", 1));
        }),
        ("box without outline", &|folder| {
            yolo(folder);
            put(folder.join("labels/val/a.txt"), "0 0.5 0.5 0.1 0.1\n");
        }),
        ("class `cabbage` is unknown: say what it is with --class", &|folder| {
            yolo(folder);
            put(folder.join("data.yaml"), "names: [cabbage, weed]\n");
        }),
        ("it is 40x30, its labels are of 41x30", &|folder| {
            coco(folder);
            let path = folder.join("annotations/instances_val.json");
            let text = fs::read_to_string(&path).unwrap().replace("\"width\": 40", "\"width\": 41");
            fs::write(path, text).unwrap();
        }),
        // As many pixels, but of the picture on its side.
        ("run lengths are of 30x40, the picture has 40x30", &|folder| {
            coco(folder);
            let turned = COCO.replace("[30, 40]", "[40, 30]");
            put(folder.join("annotations/instances_val.json"), &turned);
        }),
        ("the photograph is not there", &|folder| {
            coco(folder);
            fs::remove_file(folder.join("images/a.jpg")).unwrap();
        }),
        ("a.png", &|folder| {
            ours(folder, &["a"]);
            fs::remove_file(folder.join("field/masks/a.png")).unwrap();
        }),
    ];
    for (reason, make) in cases {
        let (_folder, set) = opened(make);
        assert!(set.items.is_empty(), "{reason}");
        assert!(set.rejected[0].reason.contains(reason), "{reason}: {:?}", set.rejected);
    }
}

#[test]
fn a_mask_with_an_unknown_id_or_another_size_is_rejected_when_it_is_decoded() {
    for (wrong, reason) in [(mask(2, 9), "unknown class id 9"), (GrayImage::new(40, 31), "40x31")] {
        let (folder, set) = opened(phenobench);
        wrong.save(folder.path().join("val/semantics/05-15_00028.png")).unwrap();
        let rejected = decode(&set.items[0]).unwrap_err();
        assert!(rejected.reason.contains(reason) && rejected.place.contains("semantics"), "{rejected:?}");
    }
}

#[test]
fn more_than_one_in_twenty_unusable_files_refuse_the_whole_set() {
    let names: Vec<String> = (0..20).map(|number| format!("n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (broken, refused) in [(1, false), (2, true)] {
        let (_folder, set) = opened(|folder| {
            ours(folder, &names);
            for name in &names[..broken] {
                fs::remove_file(folder.join(format!("field/images/{name}.jpg"))).unwrap();
            }
        });
        assert_eq!((set.items.len(), set.rejected.len()), (20 - broken, broken));
        let verdict = refuse_if_too_many(&set.rejected, set.items.len());
        assert_eq!(matches!(verdict, Err(DataError::TooManyRejected { .. })), refused, "{broken} broken");
    }
}

#[test]
fn a_folder_of_no_known_format_and_an_empty_one_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let error = read(folder.path(), &ClassNames::default()).unwrap_err();
    for format in ["index.csv", "COCO", "YOLO", "PhenoBench"] {
        assert!(error.to_string().contains(format), "{format}: {error}");
    }
    let error = read(&folder.path().join("gone"), &ClassNames::default()).unwrap_err();
    assert!(error.to_string().contains("gone: cannot read the folder"), "{error}");
    put(folder.path().join("data.yaml"), "names: [weed]\n");
    assert!(matches!(read(folder.path(), &ClassNames::default()), Err(DataError::Empty { .. })));
    put(folder.path().join("data.yaml"), "nc: 3\n");
    let error = read(folder.path(), &ClassNames::default()).unwrap_err();
    assert!(error.to_string().contains("`names` is missing"), "{error}");
}

#[test]
fn index_csv_comes_before_every_other_format_and_a_mac_s_twins_are_no_photographs() {
    let (_folder, set) = opened(|folder| {
        phenobench(folder);
        yolo(folder);
        coco(folder);
        ours(folder, &["ours"]);
    });
    assert!(set.items.len() == 1 && set.items[0].name == "ours", "{:?}", set.items);
    let (_folder, set) = opened(|folder| {
        yolo(folder);
        put(folder.join("images/val/._a.jpg"), "of a Mac");
    });
    assert_eq!((set.items.len(), &set.rejected[..]), (1, &[][..]));
}

#[test]
fn a_folder_for_each_split_with_its_list_beside_the_images_is_one_data_set() {
    let (_folder, set) = opened(|folder| {
        for split in ["train", "valid", "test"] {
            photograph(&folder.join(split).join("a.jpg"));
            put(folder.join(split).join("_annotations.coco.json"), COCO);
        }
    });
    let found: Vec<_> = set.items.iter().map(|item| (item.name.as_str(), item.split.as_str())).collect();
    assert_eq!(found, [("test/a", "test"), ("train/a", "train"), ("valid/a", "val")], "{:?}", set.rejected);
    assert!(set.items.iter().all(|item| decode(item).unwrap().1 == mask(2, 1)));
}

#[test]
fn the_split_is_what_folders_inside_the_data_or_the_lists_name_say() {
    for (list, split) in [
        ("instances_val2017", "val"),
        ("instances_validation", "val"),
        ("valid", "val"),
        ("instances_testing", "test"),
        ("instances_train2017", "train"),
        ("annotations", "train"),
    ] {
        let above = TempDir::new().unwrap();
        let folder = above.path().join("test/plants");
        coco(&folder);
        let lists = folder.join("annotations");
        fs::rename(lists.join("instances_val.json"), lists.join(format!("{list}.json"))).unwrap();
        let set = read(&folder, &ClassNames::parse(&["thistle=weed".to_owned()]).unwrap()).unwrap();
        assert_eq!(set.items[0].split, split, "{list}");
        let valid = above.path().join("valid");
        fs::rename(&folder, &valid).unwrap();
        let set = read(&valid, &ClassNames::parse(&["thistle=weed".to_owned()]).unwrap()).unwrap();
        let own = if list == "annotations" { "val" } else { split };
        assert_eq!(set.items[0].split, own, "{list} in a folder `valid`");
    }
    for (place, split) in [
        ("images/validation/a", "val"),
        ("images/valid2/a", "val"),
        ("images/testing/a", "test"),
        ("test/images/a", "test"),
        ("images/train/test_a", "train"),
        ("images/training/a", "train"),
    ] {
        let (_folder, set) = opened(|folder| {
            photograph(&folder.join(format!("{place}.jpg")));
            put(folder.join(format!("{}.txt", place.replace("images", "labels"))), BEET);
            put(folder.join("data.yaml"), "names: [Sugar beet]\n");
        });
        assert_eq!(set.items[0].split, split, "{place}");
    }
    let (_folder, set) = opened(|folder| {
        ours(folder, &["a"]);
        let rows = fs::read_to_string(folder.join("index.csv")).unwrap().replace(",val,", ",Train,");
        put(folder.join("index.csv"), &rows);
    });
    assert!(set.items.is_empty() && set.rejected[0].reason.contains("`Train`"), "{:?}", set.rejected);
}

#[test]
fn labels_drawn_on_a_photograph_as_it_is_held_lie_where_they_were_drawn() {
    let turned = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vision/tests/pictures/exif_turned.jpg");
    let put_turned = |path: PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&turned, path).unwrap();
    };
    // Stored 16x24, held 24x16: a leaf on the left, soil on the right.
    let outlined = |folder: &Path| {
        put_turned(folder.join("images/val/a.jpg"));
        put(folder.join("labels/val/a.txt"), "0 0 0 0.5 0 0.5 1 0 1\n");
        put(folder.join("data.yaml"), "names: [beet]\n");
    };
    let listed = |folder: &Path| {
        put_turned(folder.join("images/a.jpg"));
        let list = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 24, "height": 16}],
            "categories": [{"id": 1, "name": "beet"}],
            "annotations": [{"image_id": 7, "category_id": 1, "segmentation": [[0, 0, 12, 0, 12, 16, 0, 16]]}]}"#;
        put(folder.join("annotations/instances_val.json"), list);
    };
    for make in [&outlined as Make, &listed] {
        let (_folder, set) = opened(make);
        assert!(set.rejected.is_empty(), "{:?}", set.rejected);
        let (rgb, mask) = decode(&set.items[0]).unwrap();
        assert_eq!((set.items[0].size, rgb.dimensions(), mask.dimensions()), ((24, 16), (24, 16), (24, 16)));
        for (x, y, id) in mask.enumerate_pixels().filter(|(x, ..)| x.abs_diff(12) > 4) {
            let [r, g, _] = rgb.get_pixel(x, y).0;
            assert_eq!(id.0[0] == 2, g > r, "({x}, {y})");
        }
    }
    let (_folder, set) = opened(|folder| {
        ours(folder, &["a"]);
        put_turned(folder.join("field/images/a.jpg"));
        GrayImage::new(16, 24).save(folder.join("field/masks/a.png")).unwrap();
        let rows = fs::read_to_string(folder.join("index.csv")).unwrap().replace("40,30", "16,24");
        put(folder.join("index.csv"), &rows);
    });
    assert_eq!(decode(&set.items[0]).unwrap().0.dimensions(), (16, 24), "a mask is of what is stored");
}

#[test]
fn a_photograph_that_was_cut_off_is_rejected_when_it_is_decoded() {
    for (make, place) in
        [(&(|folder: &Path| ours(folder, &["a"])) as Make, "field/images/a.jpg"), (&yolo, "images/val/a.jpg")]
    {
        let (folder, set) = opened(make);
        let path = folder.path().join(place);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        let rejected = decode(&set.items[0]).unwrap_err();
        assert!(rejected.reason.contains("cut off"), "{rejected:?}");
    }
}

#[test]
fn an_object_of_several_outlines_is_all_of_them() {
    let (_folder, set) = opened(|folder| {
        coco(folder);
        let path = folder.join("annotations/instances_val.json");
        let text = fs::read_to_string(&path).unwrap();
        let both = "[[5, 6, 12, 6, 12, 14, 5, 14], [9, 6, 15, 6, 15, 14, 9, 14]]";
        put(path, &text.replace("[[5, 6, 15, 6, 15, 14, 5, 14]]", both));
    });
    assert_eq!(decode(&set.items[0]).unwrap().1, mask(2, 1));
}

#[test]
fn images_of_one_file_name_have_names_of_their_own_and_a_source_has_one() {
    let (folder, set) = opened(|folder| {
        for place in ["train/a.jpg", "train/a.png", "val/a.jpg"] {
            photograph(&folder.join("images").join(place));
        }
        for place in ["train", "val"] {
            put(folder.join(format!("labels/{place}/a.txt")), BEET);
        }
        put(folder.join("data.yaml"), "names: [Sugar beet]\n");
    });
    let names: Vec<&str> = set.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["images/train/a", "images/val/a"]);
    assert!(set.rejected.len() == 1 && set.rejected[0].place.ends_with("a.png"), "{:?}", set.rejected);
    assert!(set.rejected[0].reason.contains("images/train/a"), "{:?}", set.rejected);
    let above = folder.path().join("images/..");
    let again = read(&above, &ClassNames::default()).unwrap();
    let source = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    assert!([&set, &again].iter().all(|set| set.items.iter().all(|item| item.source == source)));
}
