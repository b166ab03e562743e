//! The scenes of a run, split by group, and the crops drawn from them.

use super::Config;
use crate::augment::{
    Crop, Drawn, Sprite, View, cut_sprites, degrade, paste, paste_debris, read_seedlings, transplant,
};
use crate::components::components;
use crate::data::scene::Scene;
use crate::data::{DataSet, Item, Rejected, evenly};
use crate::parallel::in_parallel;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

/// Plant pixels remembered per scene and class as crop centres.
const PLACES: usize = 300;

/// Smallest and largest size of the plant in a crop whose plant is shown at an even size, in pixels of the crop.
const EVEN_SIZES: (f32, f32) = (18., 150.);

/// Classes that the ground of a transplanted or sown crop is drawn around: soil mostly, weeds sometimes.
const GROUND_SHARES: [f64; 5] = [0.75, 0.25, 0., 0., 0.];

/// A training scene with places to look at.
struct Trained {
    scene: Scene,
    /// Pixels of each class id; empty where it is absent.
    places: [Vec<Place>; 5],
}

/// An image as the pool keeps it.
enum Read {
    Training(Trained, Vec<Sprite>),
    Validation(Scene),
}

impl Read {
    fn of(item: &Item, number: usize, config: &Config) -> Result<Self, Rejected> {
        if is_held_out(item, config) {
            return Scene::read(item).map(Self::Validation);
        }
        let scene = Scene::read_fine(item, &config.corrections)?;
        // A stream per image, far from those of the steps: what is drawn does not depend on the threads.
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(u64::MAX / 2 + number as u64);
        let (sprites, places) = (cut_sprites(&scene), places(&scene, &mut rng));
        Ok(Self::Training(Trained { scene, places }, sprites))
    }
}

/// A pixel to look at.
#[derive(Clone, Copy)]
struct Place {
    x: u32,
    y: u32,
    /// Shorter side of the box around the plant it belongs to, in pixels of the scene: of a row whose plants
    /// touch that is the width of a plant. The side of the scene for soil.
    plant: f32,
}

/// The scenes of one group that hold a class.
struct Stratum {
    /// How often it is drawn among the strata of its class.
    weight: f64,
    /// Indices of its scenes.
    scenes: Vec<usize>,
}

/// Scenes to train and to validate on.
pub struct Pool {
    scenes: Vec<Trained>,
    /// Per class id, the groups that hold it.
    strata: [Vec<Stratum>; 5],
    /// Sprites per class id.
    sprites: BTreeMap<u8, Vec<Sprite>>,
    drawn: Option<Drawn>,
    /// Scenes of held-out groups and of validation splits.
    pub validation: Vec<Scene>,
    /// Images that could not be read.
    pub rejected: Vec<Rejected>,
    /// Number of single seedlings.
    pub seedlings: usize,
    /// Photographs of seedlings that could not be read.
    pub rejected_seedlings: Vec<Rejected>,
    threads: usize,
}

impl Pool {
    /// Bytes that the training images of `config` take once they are read; cut-outs and places to look at come on top.
    pub fn bytes(data: &DataSet, config: &Config) -> u64 {
        let is_learnt =
            |item: &&Item| config.sources.contains_key(&item.source) && !is_held_out(item, config);
        data.items.iter().filter(is_learnt).map(Scene::fine_bytes).sum()
    }

    /// Decodes what the configuration names on `threads` threads, calling `progress` after every image. As many
    /// make crops later on.
    pub fn read(
        data: &DataSet,
        folder: &Path,
        config: &Config,
        threads: NonZeroUsize,
        progress: impl Fn() + Sync,
    ) -> Self {
        let mut scenes = Vec::new();
        let mut sprites: BTreeMap<u8, Vec<Sprite>> = BTreeMap::new();
        let (mut validation, mut rejected) = (Vec::new(), Vec::new());
        let chosen = chosen_for_validation(data, config);
        let wanted: Vec<_> = (data.items.iter().enumerate())
            .filter(|(number, item)| {
                let named = config.sources.contains_key(&item.source);
                named && (!is_held_out(item, config) || chosen.contains(number))
            })
            .collect();
        let read = in_parallel(&wanted, threads, |(number, item)| {
            let read = Read::of(item, *number, config);
            progress();
            read
        });
        for read in read {
            match read {
                Ok(Read::Validation(scene)) => validation.push(scene),
                Ok(Read::Training(scene, cut)) => {
                    scenes.push(scene);
                    for sprite in cut {
                        sprites.entry(sprite.class).or_default().push(sprite);
                    }
                }
                Err(reason) => rejected.push(reason),
            }
        }
        let (seedlings, rejected_seedlings) = config.seedlings.as_ref().map_or_else(
            || (Vec::new(), Vec::new()),
            |seedlings| read_seedlings(&folder.join(&seedlings.folder), &seedlings.species),
        );
        let seedlings_read = seedlings.len();
        for sprite in seedlings {
            sprites.entry(sprite.class).or_default().push(sprite);
        }
        let strata = strata(&scenes, config);
        let drawn = (config.augment.sown_share > 0.).then(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
            rng.set_stream(u64::MAX / 8); // far from those of images and steps
            Drawn::plants(&mut rng)
        });
        Self {
            scenes,
            strata,
            sprites,
            drawn,
            validation,
            rejected,
            seedlings: seedlings_read,
            rejected_seedlings,
            threads: threads.get(),
        }
    }

    /// Threads that make crops.
    pub(super) const fn threads(&self) -> usize {
        self.threads
    }

    /// Numbers of training scenes, validation scenes and sprites.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.scenes.len(), self.validation.len(), self.sprites.values().map(Vec::len).sum())
    }

    /// The crops of a step: the same for the same seed and step, whatever ran before.
    pub fn batch(&self, config: &Config, step: u32) -> Vec<Crop> {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(u64::from(step) + 1);
        (0..config.batch).filter_map(|_| self.crop(config, &mut rng)).collect()
    }

    fn crop(&self, config: &Config, rng: &mut impl Rng) -> Option<Crop> {
        let augment = &config.augment;
        // Without drawn plants nothing is drawn here, so that crops are those of runs before there were any.
        let drawn = self.drawn.as_ref().filter(|_| rng.random::<f32>() < augment.sown_share);
        let shares = if drawn.is_some() { &GROUND_SHARES } else { &config.class_shares };
        let (mut crop, zoom) = self.plain_crop(config, shares, rng)?;
        if let Some(drawn) = drawn {
            drawn.sow(&mut crop, zoom, rng);
        } else if rng.random::<f32>() < augment.transplant_share {
            let (ground, _) = self.plain_crop(config, &GROUND_SHARES, rng)?;
            transplant(&mut crop, ground);
        }
        if rng.random::<f32>() < augment.debris_share {
            for _ in 0..rng.random_range(1..=8) {
                let lists = self.sprites.values().filter(|list| !list.is_empty());
                let Some(list) = lists.clone().nth(rng.random_range(0..lists.count().max(1))) else {
                    continue;
                };
                let shape = &list[rng.random_range(0..list.len())];
                paste_debris(&mut crop, shape, rng.random_range(5_f32.ln()..70_f32.ln()).exp(), rng);
            }
        }
        if rng.random::<f32>() < augment.composite_share {
            for _ in 0..rng.random_range(1..=6) {
                self.paste_one(&mut crop, config, zoom, rng);
            }
        }
        degrade(&mut crop, augment, rng);
        Some(crop)
    }

    /// A view of a scene around a pixel of a class drawn by `shares`, and its zoom against working size.
    fn plain_crop(&self, config: &Config, shares: &[f64; 5], rng: &mut impl Rng) -> Option<(Crop, f32)> {
        let shares = shares.iter().zip(&self.strata);
        let class = chosen(shares.map(|(share, strata)| if strata.is_empty() { 0. } else { *share }), rng)?;
        let strata = &self.strata[class];
        let stratum = &strata[chosen(strata.iter().map(|stratum| stratum.weight), rng)?];
        let Trained { scene, places } =
            &self.scenes[stratum.scenes[rng.random_range(0..stratum.scenes.len())]];
        let Place { x, y, plant } = places[class][rng.random_range(0..places[class].len())];
        let (augment, side) = (&config.augment, config.crop_px);
        // As often as not every plant is shown as large as any other, so that no class is known by its size.
        let zoom = if class != 0 && rng.random::<f32>() < augment.even_size_share {
            let (least, most) = EVEN_SIZES;
            let wanted = rng.random_range(least.ln()..=most.ln()).exp();
            (wanted / (plant * scene.nominal)).clamp(0.5 * augment.scale_min, 1.2 * augment.scale_max)
        } else {
            rng.random_range(augment.scale_min.ln()..=augment.scale_max.ln()).exp()
        };
        // A tile is not shrunk so far that the crop shows more of its mirror images than of itself.
        let long = scene.rgb.width().max(scene.rgb.height()) as f32;
        let scale = (zoom * scene.nominal).max(0.8 * side as f32 / long);
        let view = View::random((x as f32, y as f32), scale, side, rng);
        Some((view.crop(scene, side), zoom))
    }

    /// Pastes a plant of any source, as large as it stands at working size, times `zoom`, give or take.
    fn paste_one(&self, crop: &mut Crop, config: &Config, zoom: f32, rng: &mut impl Rng) {
        let Some(class) = chosen(config.paste_shares.iter().copied(), rng) else { return };
        let list = u8::try_from(class).ok().and_then(|class| self.sprites.get(&class));
        let Some(list) = list.filter(|list| !list.is_empty()) else { return };
        let sprite = &list[rng.random_range(0..list.len())];
        let own = sprite.outline.width().max(sprite.outline.height()) as f32;
        let length = match sprite.nominal {
            Some(nominal) => own * nominal * zoom * rng.random_range(0.6..1.5),
            None => zoom * rng.random_range(18_f32.ln()..110_f32.ln()).exp(),
        };
        paste(crop, sprite, length.clamp(6., 0.9 * crop.side as f32), rng);
    }
}

/// Whether an image is kept from training: its group is held out or its source calls it validation or test.
pub fn is_held_out(item: &Item, config: &Config) -> bool {
    item.split != "train" || config.hold_out.contains(&item.full_group())
}

/// What an image is validated under: its group where that is held out, else its source.
pub(super) fn validated_as(item: &Item, config: &Config) -> String {
    let group = item.full_group();
    if config.hold_out.contains(&group) { group } else { item.source.clone() }
}

/// Indices of at most `validate_images` held-out images per source or held-out group, evenly taken.
fn chosen_for_validation(data: &DataSet, config: &Config) -> Vec<usize> {
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, item) in data.items.iter().enumerate().filter(|(_, item)| is_held_out(item, config)) {
        parts.entry(validated_as(item, config)).or_default().push(number);
    }
    parts.into_values().flat_map(|numbers| evenly(&numbers, config.validate_images)).collect()
}

fn places(scene: &Scene, rng: &mut impl Rng) -> [Vec<Place>; 5] {
    let mut found: [Vec<Place>; 5] = Default::default();
    let whole = scene.mask.width().min(scene.mask.height()) as f32;
    for part in components(&scene.mask, |class| class < 5) {
        let (left, top, right, bottom) = part.bounds;
        let plant = if part.class == 0 { whole } else { ((right - left).min(bottom - top) + 1) as f32 };
        found[usize::from(part.class)].extend(part.pixels.iter().map(|&(x, y)| Place { x, y, plant }));
    }
    for list in found.iter_mut().filter(|list| list.len() > PLACES) {
        *list = (0..PLACES).map(|_| list[rng.random_range(0..list.len())]).collect();
    }
    found
}

/// Groups per class. Their weight is the share of their source times the root of their number of images:
/// between fair to groups and fair to images.
fn strata(scenes: &[Trained], config: &Config) -> [Vec<Stratum>; 5] {
    std::array::from_fn(|class| {
        let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (index, Trained { scene, places }) in scenes.iter().enumerate() {
            if !places[class].is_empty() {
                groups.entry((&scene.item.source, &scene.item.group)).or_default().push(index);
            }
        }
        let mut roots: BTreeMap<&str, f64> = BTreeMap::new();
        for ((source, _), scenes) in &groups {
            *roots.entry(source).or_default() += (scenes.len() as f64).sqrt();
        }
        (groups.iter())
            .map(|((source, _), scenes)| Stratum {
                weight: config.sources[*source] * (scenes.len() as f64).sqrt() / roots[source],
                scenes: scenes.clone(),
            })
            .collect()
    })
}

/// An index drawn with the given weights.
fn chosen(weights: impl Iterator<Item = f64> + Clone, rng: &mut impl Rng) -> Option<usize> {
    let mut left = rng.random::<f64>() * weights.clone().sum::<f64>();
    let count = weights.clone().count();
    let hit = weights.into_iter().position(|weight| {
        left -= weight;
        left < 0.
    });
    hit.or_else(|| count.checked_sub(1))
}
