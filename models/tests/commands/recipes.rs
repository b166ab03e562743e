//! What a recipe says, and how its run ends and goes on.

use super::yard::{Yard, assert_done, assert_refused, corrections, list, picture, shares};
use image::GrayImage;
use kompas_models::train::{Config, Pool};
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

#[test]
fn a_file_beside_the_seedlings_loses_none_of_them_and_a_missing_folder_is_told() {
    let yard = Yard::of(&["a"]);
    let species = |class: i64| -> toml::Value {
        let species: toml::Table = [("maize".to_owned(), class.into())].into_iter().collect();
        let both: [(String, toml::Value); 2] =
            [("folder".into(), "../seedlings".into()), ("species".into(), species.into())];
        both.into_iter().collect::<toml::Table>().into()
    };
    yard.set(&[("seedlings", species(4))]);
    assert_refused(&yard.crops(), "seedlings");
    fs::create_dir_all(yard.path("seedlings/maize")).unwrap();
    for number in 0..3 {
        picture().save(yard.path(&format!("seedlings/maize/{number}.png"))).unwrap();
    }
    yard.put("seedlings/maize/.DS_Store", "");
    yard.put("seedlings/maize/4.jpg", "no picture");
    let sizes = || {
        let config =
            Config::parse(&fs::read_to_string(yard.path("plants.toml")).unwrap(), Path::new("")).unwrap();
        let data = kompas_models::data::index::read(&yard.path("data")).unwrap();
        Pool::read(&data, &yard.path("data"), &config, NonZeroUsize::MIN, || ()).sizes()
    };
    assert_eq!(sizes(), (1, 0, 4), "the plant of the image and three seedlings");
    yard.set(&[("corrections", corrections("images_ignored", "field/a"))]);
    assert_eq!(sizes(), (1, 0, 3), "of an image that is not learnt from no plant is cut out");
    yard.change(|recipe| recipe.remove("corrections").map(drop));
    assert_refused(&yard.crops(), "1 of 4 images are unusable");
    fs::remove_file(yard.path("seedlings/maize/4.jpg")).unwrap();
    assert_done(&yard.crops(), "");
    yard.set(&[("seedlings", species(7))]);
    assert_refused(&yard.crops(), "seedlings.species");
}

#[test]
fn a_name_in_the_recipe_that_the_data_do_not_have_is_told_before_anything_is_learnt() {
    let yard = Yard::of(&["a", "b"]);
    yard.set(&[("hold_out", list(&["field/bb"]))]);
    let refused = yard.train();
    assert_refused(&refused, "field/bb");
    assert!(refused.1.contains(r#"["field/a", "field/b"]"#), "{refused:?}");
    assert!(!yard.path("run").exists());
    assert_refused(&yard.crops(), "hold_out");

    for key in ["border_weeds_ignored", "bare_weeds_ignored"] {
        yard.set(&[
            ("sources", shares(&["field"])),
            ("hold_out", list(&["field/b"])),
            ("corrections", corrections(key, "field/bb")),
        ]);
        assert_done(&yard.crops(), &format!("{key}: no image is of `field/bb`"));
        yard.set(&[("sources", shares(&["field", "feild"])), ("corrections", corrections(key, "field/a"))]);
        let told = yard.crops();
        assert_done(&told, "sources: no image is of `feild`");
        assert!(!told.1.contains(key), "{told:?}");
    }
    yard.set(&[("sources", shares(&["feild"]))]);
    assert_refused(&yard.train(), "feild");
    yard.set(&[("sources", shares(&["field"])), ("hold_out", list(&["field/a", "field/b"]))]);
    assert_refused(&yard.train(), "no training image that is not held out");
    assert!(!yard.path("run").exists());
}

#[test]
fn a_run_that_gets_no_better_ends_on_time_with_its_best_weights_and_stays_as_it_is() {
    let yard = Yard::of(&["a"]);
    yard.image("field", "b", "val");
    // So slow that no pixel changes its class.
    yard.set(&[
        ("steps", 9.into()),
        ("validate_every", 1.into()),
        ("patience", 2.into()),
        ("checkpoint_every", 100.into()),
        ("learning_rate", 1e-6.into()),
        ("ema_decay", 0.5.into()),
        ("score_offsets", vec![0, 0, 0, 0, 0].into()),
    ]);
    assert_done(&yard.train(), "steps=3");
    let written =
        ["last", "best", "checkpoint", "release"].map(|name| yard.read(&format!("run/{name}.safetensors")));
    let [last, best, _, release] = &written;
    let tensors = |bytes: &[u8]| {
        yard.put("tensors.safetensors", "");
        fs::write(yard.path("tensors.safetensors"), bytes).unwrap();
        kompas_models::net::Params::read(&yard.path("tensors.safetensors")).unwrap()
    };
    let (last, best, release) = (tensors(last), tensors(best), tensors(release));
    let same = |a: &kompas_models::net::Params, b: &kompas_models::net::Params| {
        a.iter().zip(b.iter()).all(|((_, a), (_, b))| a == b)
    };
    assert!(same(&best, &release) && !same(&last, &best), "the best is released");
    assert_done(&yard.train(), "steps=3");
    let again =
        ["last", "best", "checkpoint", "release"].map(|name| yard.read(&format!("run/{name}.safetensors")));
    assert!(again == written, "a run that ended goes nowhere");
    yard.set(&[("patience", 0.into())]);
    assert_refused(&yard.train(), "patience");
    yard.set(&[("patience", 1.into()), ("label_smoothing", 1.5.into())]);
    assert_refused(&yard.train(), "label_smoothing");
    let shares = |of: [f64; 5]| toml::Value::from(of.to_vec());
    yard.set(&[("label_smoothing", 0.0.into()), ("class_shares", shares([0.; 5]))]);
    assert_refused(&yard.train(), "class_shares");
    yard.set(&[
        ("class_shares", shares([0.5, 0.5, 0., 0., 0.])),
        ("paste_shares", shares([0., -1., 1., 0., 0.])),
    ]);
    assert_refused(&yard.train(), "paste_shares");
}

#[test]
fn a_run_goes_on_with_the_same_data_and_start_only() {
    let yard = Yard::of(&["a", "b"]);
    assert_done(&yard.train(), "steps=2");
    let first = yard.read("run/release.safetensors");
    let mask = yard.read("data/field/masks/a.png");
    GrayImage::new(96, 96).save(yard.path("data/field/masks/a.png")).unwrap();
    assert_refused(&yard.train(), "other data");
    fs::remove_file(yard.path("run/checkpoint.safetensors")).unwrap();
    assert_refused(&yard.train(), "choose a new folder");
    fs::write(yard.path("data/field/masks/a.png"), mask).unwrap();
    assert_done(&yard.train(), "finished before");
    let other = yard
        .call("train --device cpu --data data --config plants.toml --from run/last.safetensors --out run");
    assert_refused(&other, "start");
    yard.set(&[("condition_decoder", true.into())]);
    let taken_apart = yard
        .call("train --device cpu --data data --config plants.toml --from run/last.safetensors --out anew");
    assert_refused(&taken_apart, "condition_decoder = true is for a fresh decoder");
    yard.set(&[("condition_decoder", false.into())]);
    let facts = fs::read_dir(yard.path("run")).unwrap().map(|entry| entry.unwrap().path());
    for json in facts.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        fs::remove_file(json).unwrap();
    }
    assert_done(&yard.train(), "not known what this run learnt from");
    assert!(first == yard.read("run/release.safetensors"));
}

#[test]
fn a_recipe_learns_by_its_file_of_corrections_and_evaluate_measures_by_it_too() {
    let yard = Yard::of(&["a", "b"]);
    yard.set(&[("corrections_file", "wrong.toml".into())]);
    assert_refused(&yard.crops(), "wrong.toml: cannot be read");
    yard.put("wrong.toml", "");
    assert_done(&yard.train_in("as_they_are"), "");
    let maize = "[[relabelled]]\nimages = [\"field/a\"]\nfrom = \"sugar_beet\"\nto = \"other_crop\"\n";
    yard.put("wrong.toml", maize);
    assert_done(&yard.train(), "");
    let kept: toml::Table = fs::read_to_string(yard.path("run/config.toml")).unwrap().parse().unwrap();
    assert_eq!(kept["corrections"]["relabelled"][0]["images"][0].as_str(), Some("field/a"));
    assert_ne!(yard.read("run/last.safetensors"), yard.read("as_they_are/last.safetensors"));

    let evaluate = "evaluate --model run/release.safetensors --data data --json";
    let report = |command: &str| -> serde_json::Value {
        let (code, told) = yard.call(command);
        assert_eq!(code, Some(0), "{told}");
        let json = told.lines().find(|line| line.starts_with('{')).unwrap();
        serde_json::from_str::<serde_json::Value>(json).unwrap()["per_source"]["field"].clone()
    };
    let for_people = evaluate.replace("--json", "--corrections wrong.toml");
    assert_done(&yard.call(&for_people), "field, by corrected labels: soil ");
    let plain = report(evaluate);
    assert!(plain["corrected_labels"].is_null());
    let by_both = report(&format!("{evaluate} --corrections wrong.toml"));
    assert_eq!(by_both["confusion"], plain["confusion"]);
    let pixels = |class: usize| {
        let row = by_both["corrected_labels"]["confusion"][class].as_array().unwrap();
        row.iter().map(|number| number.as_u64().unwrap()).sum::<u64>()
    };
    assert!(pixels(2) > 0, "one picture shows beet as before");
    assert_eq!(pixels(2), pixels(4), "and one the other crop");

    yard.put("wrong.toml", &maize.replace("field/a", "field/c"));
    let unknown = "relabelled.images: no image is of `field/c`";
    assert_done(&yard.call(&format!("{evaluate} --corrections wrong.toml")), unknown);
    assert_done(&yard.crops(), unknown);
    assert_refused(&yard.train(), "run/config.toml differs from the configuration or its corrections");
}

#[test]
fn labels_are_put_right_in_a_new_folder_that_is_read_like_the_old_one() {
    let yard = Yard::of(&["a", "b"]);
    let list = "[[relabelled]]\nimages = [\"field/a\"]\nfrom = \"sugar_beet\"\nto = \"potato\"\n";
    yard.put("list.toml", list);
    assert_refused(&yard.call("correct --data data --corrections none.toml --out right"), "none.toml");
    assert!(!yard.path("right").exists());
    let done = yard.call("correct --data data --corrections list.toml --out right");
    assert_done(&done, "labels of 1 of 2 images are put right");
    let ids = |name: &str| {
        let mask = image::open(yard.path(name)).unwrap().into_luma8();
        mask.pixels().map(|pixel| pixel.0[0]).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids("data/field/masks/a.png"), [0, 2].into());
    assert_eq!(
        (ids("right/field/masks/a.png"), ids("right/field/masks/b.png")),
        ([0, 3].into(), [0, 2].into())
    );
    assert_eq!(yard.read("right/field/images/a.jpg"), yard.read("data/field/images/a.jpg"));
    assert_done(&yard.call("crops --data right --config plants.toml --batches 1 --out crops.png"), "");
    // Nothing that is there is written over, least of all the labels themselves.
    for there in ["right", "data"] {
        let refused = yard.call(&format!("correct --data data --corrections list.toml --out {there}"));
        assert_refused(&refused, "is there already");
    }
    // Of a folder that cannot be used nothing is left, and no row leads to labels elsewhere.
    let rows = std::fs::read_to_string(yard.path("data/index.csv")).unwrap();
    yard.put("data/index.csv", &format!("{rows}../data/field,b,b,train,96,96\n"));
    let refused = yard.call("correct --data data --corrections list.toml --out anew");
    assert_refused(&refused, "`../data/field/b` leads out of the folder");
    assert!(!yard.path("anew").exists());
}
