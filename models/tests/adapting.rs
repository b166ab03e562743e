//! `kompas-model adapt` as its user calls it: photographs without labels in, weights out.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{Rgb, RgbImage};
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
        let picture = |at: u32| {
            RgbImage::from_fn(256, 256, |x, y| {
                let grain = u8::try_from((x * 7 + y * 13) % 23).unwrap();
                let leaf = x.abs_diff(at) < 20 && (y % 64) < 30;
                if leaf { Rgb([40, 150 + grain, 50]) } else { Rgb([120 + grain, 95, 70]) }
            })
        };
        picture(100).save(yard.path("photographs/1.png")).unwrap();
        picture(130).save(yard.path("photographs/2.JPG")).unwrap();
        picture(90).save(yard.path("data/other/images/a.jpg")).unwrap();
        let mask = image::GrayImage::from_fn(256, 256, |x, y| {
            image::Luma([u8::from(x.abs_diff(90) < 20 && (y % 64) < 30) * 2])
        });
        mask.save(yard.path("data/other/masks/a.png")).unwrap();
        let index = "source,name,group,split,width,height\nother,a,a,train,256,256\n";
        fs::write(yard.path("data/index.csv"), index).unwrap();
        let recipe = fs::read_to_string(released("../adapt.toml")).unwrap();
        let mut recipe: toml::Table = toml::from_str(&recipe).unwrap();
        for (key, value) in [("steps", 2), ("batch", 2), ("crop_px", 64)] {
            recipe.insert(key.into(), value.into());
        }
        recipe.remove("seedlings");
        let sources =
            toml::Table::from_iter([("field", 0.5), ("other", 0.5)].map(|(k, v)| (k.into(), v.into())));
        recipe.insert("sources".into(), sources.into());
        fs::write(yard.path("recipe.toml"), toml::to_string(&recipe).unwrap()).unwrap();
        yard
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn adapt(&self, model: &Path) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-model"));
        command.args(["adapt", "--device", "cpu", "--model"]).arg(model);
        for (key, name) in
            [("--images", "photographs"), ("--data", "data"), ("--config", "recipe.toml"), ("--out", "run")]
        {
            command.arg(key).arg(self.path(name));
        }
        command.output().unwrap()
    }
}

fn released(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released").join(name)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_released_model_learns_a_field_that_nobody_labelled() {
    let yard = Yard::new();
    let done = yard.adapt(&released("plants.onnx"));
    assert!(done.status.success(), "{}", told(&done));
    let labels = fs::read_dir(yard.path("run/labels")).unwrap().count();
    assert_eq!(labels, 2, "one for each photograph");
    let before = kompas_models::onnx::read(&released("plants.onnx")).unwrap();
    let after = Params::read(&yard.path("run/release.safetensors")).unwrap();
    let moved = before.iter().zip(after.iter()).filter(|((_, before), (_, after))| before != after);
    assert!(moved.count() > 10, "two steps change most weights");
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
    refused(&yard, &released("plants.onnx"), "none of 2 photographs can be used");
    fs::write(yard.path("recipe.toml"), fs::read(released("../plants.toml")).unwrap()).unwrap();
    refused(&yard, &released("plants.onnx"), "no share for `field`");
}
