//! The folder that the commands of these tests are called in.

use image::{GrayImage, Luma, Rgb, RgbImage};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder that commands are called in: `data` with labelled images and `plants.toml`, a recipe of two small steps.
pub(crate) struct Yard(pub(crate) TempDir);

impl Yard {
    /// With these training images of the source `field`, each a group of its own.
    pub(crate) fn of(names: &[&str]) -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// One more image: a beet on soil.
    pub(crate) fn image(&self, source: &str, name: &str, split: &str) {
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

    pub(crate) fn change(&self, change: impl FnOnce(&mut toml::Table) -> Option<()>) {
        let mut recipe: toml::Table =
            toml::from_str(&fs::read_to_string(self.path("plants.toml")).unwrap()).unwrap();
        change(&mut recipe);
        self.put("plants.toml", &toml::to_string(&recipe).unwrap());
    }

    /// Changes values of the recipe.
    pub(crate) fn set(&self, values: &[(&str, toml::Value)]) {
        self.change(|recipe| {
            recipe.extend(values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            None
        });
    }

    /// Calls a command and gives its exit code and what it says.
    pub(crate) fn call(&self, arguments: &str) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-model"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let told = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (status.code(), told.concat())
    }

    /// Trains, or goes on, in the folder `run`.
    pub(crate) fn train(&self) -> (Option<i32>, String) {
        self.train_in("run")
    }

    pub(crate) fn train_in(&self, out: &str) -> (Option<i32>, String) {
        let from = released("plants.onnx");
        let from = from.display();
        self.call(&format!("train --device cpu --data data --config plants.toml --from {from} --out {out}"))
    }

    pub(crate) fn cut_off(&self, name: &str) {
        let bytes = self.read(name);
        fs::write(self.path(name), &bytes[..bytes.len() - 40]).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Draws crops, which reads all that training reads.
    pub(crate) fn crops(&self) -> (Option<i32>, String) {
        self.call("crops --data data --config plants.toml --batches 1 --out crops.png")
    }
}

pub(crate) fn released(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released").join(name)
}

pub(crate) fn is_leaf(x: u32, y: u32) -> bool {
    (30..60).contains(&x) && (30..60).contains(&y)
}

pub(crate) fn picture() -> RgbImage {
    RgbImage::from_fn(96, 96, |x, y| {
        let grain = u8::try_from((x * 7 + y * 13) % 23).unwrap();
        if is_leaf(x, y) { Rgb([40, 150 + grain, 50]) } else { Rgb([120 + grain, 95, 70]) }
    })
}

pub(crate) fn list(names: &[&str]) -> toml::Value {
    names.iter().copied().map(toml::Value::from).collect::<Vec<_>>().into()
}

pub(crate) fn corrections(key: &str, name: &str) -> toml::Value {
    toml::Table::from_iter([(key.to_owned(), list(&[name]))]).into()
}

pub(crate) fn shares(names: &[&str]) -> toml::Value {
    names.iter().map(|&name| (name.to_owned(), 1.0.into())).collect::<toml::Table>().into()
}

pub(crate) fn assert_refused(found: &(Option<i32>, String), reason: &str) {
    let (code, told) = found;
    assert!(*code == Some(2) && told.contains(reason), "{code:?}, wanted `{reason}`: {told}");
}

pub(crate) fn assert_done(found: &(Option<i32>, String), told: &str) {
    assert!(found.0 == Some(0) && found.1.contains(told), "wanted `{told}`: {found:?}");
}
