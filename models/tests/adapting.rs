//! `kompas-model adapt` as its user calls it: photographs without labels in, weights out; and what measures it.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{GrayImage, Luma, Rgb, RgbImage};
use kompas_models::net::Params;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with photographs of a field, labelled images of another and a recipe of two steps.
struct Yard(TempDir);

impl Yard {
    fn new() -> Self {
        let yard = Self(tempfile::tempdir().unwrap());
        for folder in ["photographs", "data/other/images", "data/other/masks"] {
            fs::create_dir_all(yard.path(folder)).unwrap();
        }
        yard.photograph([100, 130]);
        for (name, at) in [("a", 90), ("b", 140)] {
            picture(at).save(yard.path(&format!("data/other/images/{name}.jpg"))).unwrap();
            let mask = GrayImage::from_fn(256, 256, |x, y| Luma([u8::from(is_leaf(at, x, y)) * 2]));
            mask.save(yard.path(&format!("data/other/masks/{name}.png"))).unwrap();
        }
        let index =
            "source,name,group,split,width,height\nother,a,a,train,256,256\nother,b,b,train,256,256\n";
        fs::write(yard.path("data/index.csv"), index).unwrap();
        yard.recipe("adapt.toml", &[("field", 0.5), ("other", 0.5)]);
        yard.recipe("plants.toml", &[("other", 1.0)]);
        yard
    }

    /// Photographs of a field whose rows lie at these places.
    fn photograph(&self, rows: [u32; 2]) {
        for (name, at) in ["1.png", "2.JPG"].iter().zip(rows) {
            picture(at).save(self.path("photographs").join(name)).unwrap();
        }
    }

    /// The recipe of this name, of two small steps and with these sources.
    fn recipe(&self, name: &str, sources: &[(&str, f64)]) {
        let recipe = fs::read_to_string(released("..").join(name)).unwrap();
        let mut recipe: toml::Table = toml::from_str(&recipe).unwrap();
        for (key, value) in [("steps", 2), ("batch", 2), ("crop_px", 64)] {
            recipe.insert(key.into(), value.into());
        }
        // Two steps teach a fresh decoder nothing: let it be sure of beets nevertheless.
        recipe.insert(
            "score_offsets".into(),
            vec![0, 0, if name == "plants.toml" { 9 } else { 0 }, 0, 0].into(),
        );
        for key in ["seedlings", "corrections_file"] {
            recipe.remove(key);
        }
        let sources: toml::Table = sources.iter().map(|&(name, share)| (name.into(), share.into())).collect();
        recipe.insert("sources".into(), sources.into());
        fs::write(self.path(name), toml::to_string(&recipe).unwrap()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn adapt(&self, model: &Path) -> Output {
        self.adapt_and(model, &[])
    }

    /// With more arguments.
    fn adapt_and(&self, model: &Path, more: &[&std::ffi::OsStr]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-model"));
        command.args(["adapt", "--device", "cpu", "--model"]).arg(model);
        for (key, name) in
            [("--images", "photographs"), ("--data", "data"), ("--config", "adapt.toml"), ("--out", "run")]
        {
            command.arg(key).arg(self.path(name));
        }
        command.args(more).output().unwrap()
    }
}

fn is_leaf(at: u32, x: u32, y: u32) -> bool {
    x.abs_diff(at) < 20 && (y % 64) < 30
}

/// A row of leaves at `at`.
fn picture(at: u32) -> RgbImage {
    RgbImage::from_fn(256, 256, |x, y| {
        let grain = u8::try_from((x * 7 + y * 13) % 23).unwrap();
        if is_leaf(at, x, y) { Rgb([40, 150 + grain, 50]) } else { Rgb([120 + grain, 95, 70]) }
    })
}

fn released(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released").join(name)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_released_model_learns_a_field_that_nobody_labelled() {
    let (yard, other) = (Yard::new(), Yard::new());
    let model = released("plants.onnx");
    other.photograph([60, 190]);
    for yard in [&yard, &other] {
        let done = yard.adapt(&model);
        assert!(done.status.success(), "{}", told(&done));
        assert_eq!(fs::read_dir(yard.path("run/labels")).unwrap().count(), 2, "one for each photograph");
    }
    let learnt = |yard: &Yard| fs::read(yard.path("run/release.safetensors")).unwrap();
    assert!(learnt(&yard) != learnt(&other), "another field, another model");
    let before = kompas_models::onnx::read(&model).unwrap();
    let after = Params::read(&yard.path("run/release.safetensors")).unwrap();
    let moved = before.iter().zip(after.iter()).filter(|((_, before), (_, after))| before != after);
    assert!(moved.count() > 10, "two steps change most weights");
}

#[test]
fn photographs_of_two_cameras_are_taught_together() {
    let yard = Yard::new();
    fs::create_dir(yard.path("other-camera")).unwrap();
    picture(75).save(yard.path("other-camera/1.png")).unwrap();
    let more = yard.path("other-camera");
    let done = yard.adapt_and(&released("plants.onnx"), &["--images".as_ref(), more.as_os_str()]);
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(fs::read_dir(yard.path("run/labels")).unwrap().count(), 3);
    let one = yard.adapt(&released("plants.onnx"));
    assert_eq!(one.status.code(), Some(2), "the run was of both folders: {}", told(&one));
}

#[test]
fn a_run_goes_on_with_the_same_photographs_only() {
    let yard = Yard::new();
    let model = released("plants.onnx");
    assert!(yard.adapt(&model).status.success());
    let first = fs::read(yard.path("run/release.safetensors")).unwrap();
    fs::remove_file(yard.path("run/release.safetensors")).unwrap();
    let again = yard.adapt(&model);
    assert!(told(&again).contains("the labels of an earlier start are kept"), "{}", told(&again));
    assert!(first == fs::read(yard.path("run/release.safetensors")).unwrap());
    fs::rename(yard.path("run/labels/00001.png"), yard.path("label.png")).unwrap();
    let gone = yard.adapt(&model);
    assert!(gone.status.code() == Some(2) && told(&gone).contains("a label is gone"), "{}", told(&gone));
    fs::rename(yard.path("label.png"), yard.path("run/labels/00001.png")).unwrap();
    fs::copy(yard.path("photographs/1.png"), yard.path("photographs/3.png")).unwrap();
    let labels = || fs::read_dir(yard.path("run/labels")).unwrap().count();
    let refused = yard.adapt(&model);
    assert_eq!((refused.status.code(), labels()), (Some(2), 2), "{}", told(&refused));
    assert!(told(&refused).contains("choose a new folder"), "{}", told(&refused));
    assert!(first == fs::read(yard.path("run/release.safetensors")).unwrap());
}

#[test]
fn what_cannot_be_learnt_from_is_refused_with_its_reason() {
    let refused = |yard: &Yard, model: &Path, reason: &str| {
        let done = yard.adapt(model);
        assert_eq!(done.status.code(), Some(2), "{}", told(&done));
        assert!(told(&done).contains(reason), "{}", told(&done));
    };
    let yard = Yard::new();
    refused(&yard, &released("plants.int8.onnx"), "only 32-bit models");
    refused(&yard, &yard.path("gone.onnx"), "gone.onnx");
    let index = "source,name,group,split,width,height\nfield,a,a,train,256,256\n";
    fs::rename(yard.path("data/other"), yard.path("data/field")).unwrap();
    fs::write(yard.path("data/index.csv"), index).unwrap();
    refused(&yard, &released("plants.onnx"), "rename it");

    let yard = Yard::new();
    for name in ["1.png", "2.JPG"] {
        RgbImage::new(256, 256).save(yard.path("photographs").join(name)).unwrap();
    }
    refused(&yard, &released("plants.onnx"), "in none of 0 photographs; 2 cannot be used");
    let index = "source,name,group,split,width,height\nother,a,a,train,256,256\n";
    fs::write(yard.path("data/index.csv"), index.replace("other", "third")).unwrap();
    fs::rename(yard.path("data/other"), yard.path("data/third")).unwrap();
    refused(&yard, &released("plants.onnx"), "no labelled training image is of the configuration's sources");
    fs::copy(yard.path("plants.toml"), yard.path("adapt.toml")).unwrap();
    refused(&yard, &released("plants.onnx"), "no share for `field`");

    let yard = Yard::new();
    fs::rename(yard.path("photographs"), yard.path("elsewhere")).unwrap();
    refused(&yard, &released("plants.onnx"), "photographs");
    fs::create_dir(yard.path("photographs")).unwrap();
    refused(&yard, &released("plants.onnx"), "no photograph (.jpg, .png) is below it");
}

#[test]
fn cross_validation_reports_what_a_group_taught_without_its_labels() {
    let encoder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../vendor/encoder/efficientnet-lite0.safetensors");
    if !encoder.exists() {
        eprintln!("skipped: needs vendor/encoder (models/setup-encoder.sh)");
        return;
    }
    let cross_validate = |yard: &Yard, fold: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-model"));
        command.args(["cross-validate", "--device", "cpu", "--fold", fold, "--encoder"]).arg(&encoder);
        for (key, name) in
            [("--data", "data"), ("--config", "plants.toml"), ("--adapt", "adapt.toml"), ("--out", "folds")]
        {
            command.arg(key).arg(yard.path(name));
        }
        command.output().unwrap()
    };
    let (yard, relabelled) = (Yard::new(), Yard::new());
    let weeds = GrayImage::from_fn(256, 256, |x, _| Luma([u8::from(x > 128)]));
    weeds.save(relabelled.path("data/other/masks/a.png")).unwrap();
    for yard in [&yard, &relabelled] {
        let recipe = fs::read_to_string(yard.path("plants.toml")).unwrap();
        let wrong =
            "\n[[corrections.relabelled]]\nimages = [\"other/a\"]\nfrom = \"weed\"\nto = \"potato\"\n";
        fs::write(yard.path("plants.toml"), recipe + wrong).unwrap();
    }
    let run = |yard: &Yard| {
        let done = cross_validate(yard, "other/a");
        assert!(done.status.success(), "{}", told(&done));
        let report = fs::read(yard.path("folds/cross-validation.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let weights = ["fold0/release.safetensors", "fold0/adapted/release.safetensors"]
            .map(|name| fs::read(yard.path("folds").join(name)).unwrap());
        (report, weights)
    };
    let ((report, weights), (other_report, same)) = (run(&yard), run(&relabelled));
    assert!(weights == same, "labels of the left-out group must not be learnt from");
    for part in ["left_out", "adapted"] {
        let figures = |report: &serde_json::Value| report[part]["other/a"].clone();
        assert_eq!(figures(&report)["images"], 1);
        assert_ne!(figures(&report), figures(&other_report), "{part}: it is measured against them");
        // Only the other has weeds, which the recipe calls potatoes.
        let corrected = |report| figures(report)["corrected_labels"]["confusion"].clone();
        assert!(corrected(&report).is_array(), "{part}");
        assert_eq!(corrected(&report), figures(&report)["confusion"], "{part}");
        assert_ne!(corrected(&other_report), figures(&other_report)["confusion"], "{part}");
    }
    assert_eq!(report["adapted_steps"], 2);
    let kept = fs::read_to_string(yard.path("folds/fold0/config.toml")).unwrap();
    assert!(kept.contains(&format!("patience = {}", u32::MAX)), "labels of the left-out group stop nothing");
    let refused = cross_validate(&yard, "other/a,other/c");
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("no image is of the group 'other/c'"), "{}", told(&refused));
}
