//! Files and values that cannot be used.

use super::yard::{Yard, assert_done, assert_refused, picture, released, shares};
use image::{GrayImage, Luma};
use std::fs;

#[test]
fn files_that_cannot_be_used_are_told_by_every_command_and_measured_against_what_it_reads() {
    let names: Vec<String> = (0..24).map(|number| format!("n{number}")).collect();
    let yard = Yard::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    fs::remove_file(yard.path("data/field/masks/n3.png")).unwrap();
    assert_done(&yard.crops(), "skipped data/index.csv:5");
    yard.image("other", "broken", "train");
    GrayImage::from_pixel(96, 96, Luma([9])).save(yard.path("data/other/masks/broken.png")).unwrap();
    yard.set(&[("sources", shares(&["other"]))]);
    assert_refused(&yard.crops(), "1 of 1 images are unusable");

    let yard = Yard::of(&["a"]);
    yard.put("yolo/data.yaml", "names: [cabbage]\n");
    yard.put("yolo/labels/val/a.txt", "0 0.1 0.1 0.3 0.1 0.3 0.3\n");
    fs::create_dir_all(yard.path("yolo/images/val")).unwrap();
    picture().save(yard.path("yolo/images/val/a.jpg")).unwrap();
    let weights = released("plants.onnx");
    let weights = weights.display();
    for command in [
        format!("offsets --try 0,0,0,0,0 --weights {weights}"),
        format!("quantise --out q.onnx --weights {weights}"),
        "crops --config plants.toml --out c.png".to_owned(),
    ] {
        assert_refused(&yard.call(&format!("{command} --data yolo")), "say what it is with --class");
    }
}

#[test]
fn masks_that_cannot_be_compared_are_refused() {
    let yard = Yard(tempfile::tempdir().unwrap());
    let mask = |name: &str, (width, height): (u32, u32), id: u8| {
        fs::create_dir_all(yard.path(name).parent().unwrap()).unwrap();
        GrayImage::from_fn(width, height, |x, _| Luma([if x == 1 { id } else { 0 }]))
            .save(yard.path(name))
            .unwrap();
    };
    let compare = || yard.call("compare --truth truth --predicted seen");
    fs::create_dir(yard.path("truth")).unwrap();
    assert_refused(&compare(), "no mask");
    mask("truth/a.png", (4, 3), 255);
    mask("seen/a.png", (4, 3), 4);
    assert_done(&compare(), "a.png");
    mask("seen/a.png", (4, 3), 255);
    assert_refused(&compare(), "class id 255");
    mask("seen/a.png", (5, 3), 1);
    assert_refused(&compare(), "5x3");
    mask("seen/a.png", (4, 3), 1);
    mask("truth/a.png", (4, 3), 9);
    assert_refused(&compare(), "class id 9");
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let yard = Yard::of(&["a"]);
    let weights = released("plants.onnx");
    let weights = weights.display();
    let rest = "--device cpu --data data --config plants.toml --out run";
    assert_refused(&yard.call(&format!("train --threads 0 {rest}")), "--threads");
    assert_refused(&yard.call(&format!("cross-validate --steps 0 --fold field/a {rest}")), "--steps");
    for value in ["nan", "inf", "-1"] {
        let call = format!("evaluate --consensus={value} --data data --model {weights}");
        assert_refused(&yard.call(&call), "--consensus");
    }
    for value in ["0,x,0,0,0,0", "0,nan,0,0,0", "0,inf,0,0,0", "0,0,0,0"] {
        let call = format!("offsets --try {value} --data data --weights {weights}");
        assert_refused(&yard.call(&call), "five numbers");
    }
    let card = |more: &str| {
        yard.put("notes.json", "{}");
        fs::copy(released("plants.onnx"), yard.path("plants.onnx")).unwrap();
        yard.call(&format!(
            "card --weights {weights} --files plants.onnx --data data --config plants.toml --training x \
             --notes notes.json {more}"
        ))
    };
    assert_refused(&card(""), "validation or test");
    yard.image("field", "b", "val");
    assert_refused(&card("--limit 0"), "--limit");
    assert_refused(&card("--temperature 0"), "--temperature");
    yard.set(&[("steps", 1.into())]);
    assert_done(&card("--temperature 1.7"), "written");
    assert_refused(&card("--keep-figures"), "--temperature 1.7");
    assert_done(&card("--keep-figures --temperature 1.7"), "written");
    assert_done(&yard.train(), "steps=1");
    let stale = "card --weights run/release.safetensors --files plants.onnx --data data --config plants.toml --training x \
                 --notes notes.json";
    assert_refused(&yard.call(stale), "plants.onnx holds other weights than run/release.safetensors");
    let quantise = || yard.call(&format!("quantise --weights {weights} --data data --out q.onnx"));
    yard.cut_off("data/field/images/a.jpg");
    assert_refused(&quantise(), "cut off");
    yard.put("data/index.csv", "source,name,group,split,width,height\nfield,b,b,val,96,96\n");
    assert_refused(&quantise(), "training image");
}

#[test]
fn a_mask_of_fewer_bits_is_refused_for_its_ids_would_be_others() {
    // 8 × 1 pixels of one bit, every other one set.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x01\x01\0\0\0\0\xcb{\xd2\xee\
        \0\0\0\nIDATx\x9ccX\x05\0\0\xac\0\xabf\x0b\xe4k\0\0\0\0IEND\xaeB`\x82";
    let yard = Yard::of(&["a"]);
    fs::create_dir(yard.path("truth")).unwrap();
    fs::write(yard.path("truth/a.png"), png).unwrap();
    assert_refused(&yard.call("compare --truth truth --predicted truth"), "1 bits a pixel");
}

#[test]
fn a_few_files_without_a_mask_and_a_few_with_a_wrong_one_are_many() {
    let names: Vec<String> = (0..30).map(|number| format!("n{number}")).collect();
    let yard = Yard::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    fs::remove_file(yard.path("data/field/masks/n3.png")).unwrap();
    assert_done(&yard.crops(), "skipped data/index.csv:5");
    let wrong = GrayImage::from_pixel(96, 96, Luma([9]));
    wrong.save(yard.path("data/field/masks/n4.png")).unwrap();
    assert_refused(&yard.crops(), "2 of 30 images are unusable");
}

#[test]
fn a_group_that_cannot_be_measured_is_told_before_it_is_trained_without() {
    let yard = Yard::of(&["a", "b"]);
    yard.cut_off("data/field/images/b.jpg");
    let found =
        yard.call("cross-validate --device cpu --data data --config plants.toml --fold field/b --out folds");
    assert_refused(&found, "field/b");
    assert!(found.1.contains("cut off") && !yard.path("folds").exists(), "{found:?}");
}

#[test]
fn a_scale_in_another_unit_is_refused_and_an_unknown_one_is_none() {
    let yard = Yard::of(&[]);
    let index = |gsd_mm: &str| {
        let row = format!("field,a,a,train,96,96,{gsd_mm}\n");
        yard.put("data/index.csv", &format!("source,name,group,split,width,height,gsd_mm\n{row}"));
        kompas_models::data::index::read(&yard.path("data")).unwrap()
    };
    yard.image("field", "a", "train");
    assert_eq!(index("0.5").items[0].gsd_mm, Some(0.5));
    for unknown in ["", "0", "NaN", "-1"] {
        assert_eq!(index(unknown).items[0].gsd_mm, None, "`{unknown}`");
    }
    for metres in ["0.0005", "500"] {
        let told = &index(metres).rejected[0].reason;
        assert!(told.contains("0.02 to 100 millimetres"), "{told}");
    }
}
