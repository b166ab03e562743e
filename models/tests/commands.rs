//! What `kompas-model` does with input that is not what its user means, and at the ends of a run.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_models::train::{Config, Pool};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder that commands are called in: `data` with labelled images and `plants.toml`, a recipe of two small steps.
struct Yard(TempDir);

impl Yard {
    /// With these training images of the source `field`, each a group of its own.
    fn of(names: &[&str]) -> Self {
        let yard = Self(tempfile::tempdir().unwrap());
        yard.put("data/index.csv", "source,name,group,split,width,height\n");
        for name in names {
            yard.image("field", name, "train");
        }
        let recipe = fs::read_to_string(released("../plants.toml")).unwrap();
        yard.put("plants.toml", &recipe);
        yard.set(&[
            ("steps", 2.into()),
            ("batch", 2.into()),
            ("crop_px", 64.into()),
            ("condition_decoder", false.into()),
            ("sources", shares(&["field"])),
        ]);
        for key in ["seedlings", "corrections_file"] {
            yard.change(|recipe| recipe.remove(key).map(drop));
        }
        yard
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// One more image: a beet on soil.
    fn image(&self, source: &str, name: &str, split: &str) {
        let (images, masks) =
            (self.path(&format!("data/{source}/images")), self.path(&format!("data/{source}/masks")));
        fs::create_dir_all(&images).unwrap();
        fs::create_dir_all(&masks).unwrap();
        picture().save(images.join(format!("{name}.jpg"))).unwrap();
        let mask = GrayImage::from_fn(96, 96, |x, y| Luma([2 * u8::from(is_leaf(x, y))]));
        mask.save(masks.join(format!("{name}.png"))).unwrap();
        let rows = fs::read_to_string(self.path("data/index.csv")).unwrap();
        self.put("data/index.csv", &format!("{rows}{source},{name},{name},{split},96,96\n"));
    }

    fn change(&self, change: impl FnOnce(&mut toml::Table) -> Option<()>) {
        let mut recipe: toml::Table =
            toml::from_str(&fs::read_to_string(self.path("plants.toml")).unwrap()).unwrap();
        change(&mut recipe);
        self.put("plants.toml", &toml::to_string(&recipe).unwrap());
    }

    /// Changes values of the recipe.
    fn set(&self, values: &[(&str, toml::Value)]) {
        self.change(|recipe| {
            recipe.extend(values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            None
        });
    }

    /// Calls a command and gives its exit code and what it says.
    fn call(&self, arguments: &str) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-model"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let told = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (status.code(), told.concat())
    }

    /// Trains, or goes on, in the folder `run`.
    fn train(&self) -> (Option<i32>, String) {
        self.train_in("run")
    }

    fn train_in(&self, out: &str) -> (Option<i32>, String) {
        let from = released("plants.onnx");
        let from = from.display();
        self.call(&format!("train --device cpu --data data --config plants.toml --from {from} --out {out}"))
    }

    fn cut_off(&self, name: &str) {
        let bytes = self.read(name);
        fs::write(self.path(name), &bytes[..bytes.len() - 40]).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Draws crops, which reads all that training reads.
    fn crops(&self) -> (Option<i32>, String) {
        self.call("crops --data data --config plants.toml --batches 1 --out crops.png")
    }
}

fn released(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released").join(name)
}

fn is_leaf(x: u32, y: u32) -> bool {
    (30..60).contains(&x) && (30..60).contains(&y)
}

fn picture() -> RgbImage {
    RgbImage::from_fn(96, 96, |x, y| {
        let grain = u8::try_from((x * 7 + y * 13) % 23).unwrap();
        if is_leaf(x, y) { Rgb([40, 150 + grain, 50]) } else { Rgb([120 + grain, 95, 70]) }
    })
}

fn list(names: &[&str]) -> toml::Value {
    names.iter().copied().map(toml::Value::from).collect::<Vec<_>>().into()
}

fn corrections(key: &str, name: &str) -> toml::Value {
    toml::Table::from_iter([(key.to_owned(), list(&[name]))]).into()
}

fn shares(names: &[&str]) -> toml::Value {
    names.iter().map(|&name| (name.to_owned(), 1.0.into())).collect::<toml::Table>().into()
}

fn assert_refused(found: &(Option<i32>, String), reason: &str) {
    let (code, told) = found;
    assert!(*code == Some(2) && told.contains(reason), "{code:?}, wanted `{reason}`: {told}");
}

fn assert_done(found: &(Option<i32>, String), told: &str) {
    assert!(found.0 == Some(0) && found.1.contains(told), "wanted `{told}`: {found:?}");
}

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
    let quantise = || yard.call(&format!("quantise --weights {weights} --data data --out q.onnx"));
    yard.cut_off("data/field/images/a.jpg");
    assert_refused(&quantise(), "cut off");
    yard.put("data/index.csv", "source,name,group,split,width,height\nfield,b,b,val,96,96\n");
    assert_refused(&quantise(), "training image");
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
