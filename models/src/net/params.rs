//! The parameters of the network: named tensors, loaded, initialised and stored.

use super::{Conv, convolutions, torch::channels_last};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, TchError, Tensor};

/// Batch normalisation's epsilon in EfficientNet-Lite0.
const EPSILON: f64 = 1e-3;

/// Why parameters could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum ParamError {
    /// The file does not hold what the network needs.
    #[error("{}: no tensor `{name}` of shape {expected:?} (found {found:?}): was it written for this network?", path.display())]
    Misfit {
        /// The file read.
        path: PathBuf,
        /// The tensor asked for.
        name: String,
        /// Its shape in the network.
        expected: Vec<i64>,
        /// Its shape in the file, if it is there.
        found: Option<Vec<i64>>,
    },
    /// The file cannot be read or written.
    #[error("cannot read or write parameters in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: TchError,
    },
    /// LibTorch refused an operation.
    #[error(transparent)]
    Torch(#[from] TchError),
}

/// Weights and biases by name (`decoder.head.weight`), sorted.
pub struct Params {
    tensors: BTreeMap<String, Tensor>,
}

impl Params {
    /// A pretrained encoder with its batch normalisation folded in, and a decoder drawn from `seed`.
    /// # Errors
    /// [`ParamError::Misfit`] when `encoder` is another network's.
    pub fn pretrained(encoder: &Path, seed: u64) -> Result<Self, ParamError> {
        let stored = Stored::read(encoder)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut tensors = BTreeMap::new();
        for (name, conv) in convolutions() {
            let (weight, bias) = match foreign_names(&name) {
                Some((weight, norm)) => stored.folded(&weight, &norm, &conv)?,
                None => drawn(&conv, &mut rng)?,
            };
            tensors.insert(format!("{name}.weight"), channels_last(&weight)?);
            tensors.insert(format!("{name}.bias"), bias);
        }
        Ok(Self { tensors })
    }

    /// What [`Params::write`] wrote.
    /// # Errors
    /// [`ParamError::Misfit`] when the file is another network's.
    pub fn read(path: &Path) -> Result<Self, ParamError> {
        Self::chosen(&Stored::read(path)?)
    }

    /// Of the tensors of `path`, by name, those of the network.
    /// # Errors
    /// [`ParamError::Misfit`] when they are another network's.
    pub fn of(path: &Path, tensors: BTreeMap<String, Tensor>) -> Result<Self, ParamError> {
        Self::chosen(&Stored { path: path.to_owned(), tensors })
    }

    fn chosen(stored: &Stored) -> Result<Self, ParamError> {
        let mut tensors = BTreeMap::new();
        for (name, conv) in convolutions() {
            let weight = stored.get(&format!("{name}.weight"), &shape(&conv))?;
            let bias = stored.get(&format!("{name}.bias"), &[conv.outputs])?;
            tensors.insert(format!("{name}.weight"), channels_last(weight)?);
            tensors.insert(format!("{name}.bias"), copy(bias)?);
        }
        Ok(Self { tensors })
    }

    /// Writes all tensors as safetensors.
    /// # Errors
    /// [`ParamError::File`].
    pub fn write(&self, path: &Path) -> Result<(), ParamError> {
        let plain: Vec<_> = (self.tensors.iter())
            .map(|(name, tensor)| Ok((name, tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?)))
            .collect::<Result<_, TchError>>()?;
        Tensor::write_safetensors(&plain, path)
            .map_err(|source| ParamError::File { path: path.to_owned(), source })
    }

    /// Weight and bias of the convolution `name`.
    /// # Errors
    /// If the network has none of that name.
    pub fn conv(&self, name: &str) -> Result<(&Tensor, &Tensor), TchError> {
        let get = |part: &str| {
            let key = format!("{name}.{part}");
            self.tensors.get(&key).ok_or_else(|| TchError::Convert(format!("no parameter `{key}`")))
        };
        Ok((get("weight")?, get("bias")?))
    }

    /// All tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// A copy that shares nothing and asks for no gradient.
    /// # Errors
    /// If LibTorch cannot allocate.
    pub fn detached_copy(&self) -> Result<Self, TchError> {
        let tensors = (self.tensors.iter())
            .map(|(name, tensor)| Ok((name.clone(), copy(&tensor.f_detach()?)?)))
            .collect::<Result<_, TchError>>()?;
        Ok(Self { tensors })
    }

    /// Whether every tensor is the other's, to the bit.
    /// # Errors
    /// If LibTorch cannot compare them.
    pub fn is_same(&self, other: &Self) -> Result<bool, TchError> {
        let alike = |((a, x), (b, y)): ((&str, &Tensor), (&str, &Tensor))| Ok(a == b && x.f_equal(y)?);
        let alike: Vec<bool> = self.iter().zip(other.iter()).map(alike).collect::<Result<_, TchError>>()?;
        Ok(self.tensors.len() == other.tensors.len() && alike.into_iter().all(|alike| alike))
    }

    /// The same on `device`.
    /// # Errors
    /// If LibTorch cannot allocate there.
    pub fn on(self, device: Device) -> Result<Self, TchError> {
        let tensors = (self.tensors.into_iter())
            .map(|(name, tensor)| Ok((name, tensor.f_to_device(device)?)))
            .collect::<Result<_, TchError>>()?;
        Ok(Self { tensors })
    }

    /// Where the tensors are.
    pub fn device(&self) -> Device {
        self.tensors.values().next().map_or(Device::Cpu, Tensor::device)
    }

    /// A copy whose scores are higher by `offsets`, one per class.
    /// # Errors
    /// If LibTorch refuses.
    pub fn with_score_offsets(&self, offsets: &[f32; 5]) -> Result<Self, TchError> {
        let shifted = self.detached_copy()?;
        let (_, bias) = shifted.conv("decoder.head")?;
        drop(bias.shallow_clone().f_add_(&Tensor::f_from_slice(offsets)?.f_to_device(self.device())?)?);
        Ok(shifted)
    }

    /// Asks for gradients of every tensor whose name `wanted` accepts, and of no other.
    /// # Errors
    /// If LibTorch refuses.
    pub fn train_only(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), TchError> {
        for (name, tensor) in &mut self.tensors {
            *tensor = tensor.f_detach()?.f_set_requires_grad(wanted(name))?;
        }
        Ok(())
    }
}

fn shape(conv: &Conv) -> [i64; 4] {
    [conv.outputs, conv.inputs / conv.groups, conv.kernel, conv.kernel]
}

/// He initialisation: keeps the variance through rectified layers.
fn drawn(conv: &Conv, rng: &mut ChaCha8Rng) -> Result<(Tensor, Tensor), TchError> {
    let shape = shape(conv);
    let fan_in = (shape[1] * shape[2] * shape[3]) as f32;
    let spread = (6. / fan_in).sqrt(); // uniform of this half-width has variance 2 / fan_in
    let count = usize::try_from(shape.iter().product::<i64>()).unwrap_or(0);
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-spread..spread)).collect();
    let weight = Tensor::f_from_slice(&values)?.f_view(shape)?;
    Ok((weight, Tensor::f_zeros([conv.outputs], (Kind::Float, Device::Cpu))?))
}

/// Names of the weight and of its batch normalisation in the published state dict.
fn foreign_names(name: &str) -> Option<(String, String)> {
    let inner = name.strip_prefix("encoder.")?;
    if inner == "stem" {
        return Some(("_conv_stem".into(), "_bn0".into()));
    }
    let (block, part) = inner.strip_prefix("block")?.split_once('.')?;
    let norm = match (part, block) {
        ("expand", _) => "_bn0",
        ("depthwise", _) => "_bn1",
        _ => "_bn2",
    };
    Some((format!("_blocks.{block}._{part}_conv"), format!("_blocks.{block}.{norm}")))
}

struct Stored {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl Stored {
    fn read(path: &Path) -> Result<Self, ParamError> {
        let list = Tensor::read_safetensors(path)
            .map_err(|source| ParamError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), tensors: list.into_iter().collect() })
    }

    fn get(&self, name: &str, expected: &[i64]) -> Result<&Tensor, ParamError> {
        let found = self.tensors.get(name);
        match found {
            Some(tensor) if tensor.size() == expected => Ok(tensor),
            _ => Err(ParamError::Misfit {
                path: self.path.clone(),
                name: name.to_owned(),
                expected: expected.to_vec(),
                found: found.map(Tensor::size),
            }),
        }
    }

    /// A convolution without bias and the normalisation after it, as one convolution with bias.
    fn folded(&self, weight: &str, norm: &str, conv: &Conv) -> Result<(Tensor, Tensor), ParamError> {
        let channels = [conv.outputs];
        let weight = self.get(&format!("{weight}.weight"), &shape(conv))?;
        let gain = self.get(&format!("{norm}.weight"), &channels)?;
        let offset = self.get(&format!("{norm}.bias"), &channels)?;
        let mean = self.get(&format!("{norm}.running_mean"), &channels)?;
        let variance = self.get(&format!("{norm}.running_var"), &channels)?;
        let scale = gain.f_div(&variance.f_add_scalar(EPSILON)?.f_sqrt()?)?;
        let bias = offset.f_sub(&mean.f_mul(&scale)?)?;
        Ok((weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?, bias))
    }
}

fn copy(tensor: &Tensor) -> Result<Tensor, TchError> {
    let mut fresh = tensor.f_empty_like()?;
    fresh.f_copy_(tensor)?;
    Ok(fresh)
}
