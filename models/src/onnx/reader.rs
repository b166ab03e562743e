//! Reads back the weights of a file that [`super::encode`] wrote, so that a released model can be trained further.

use super::schema::Model;
use crate::net::{ParamError, Params};
use prost::Message;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{TchError, Tensor};

/// Why a file's weights could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is no ONNX.
    #[error("{} is no ONNX file, or a damaged one", path.display())]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: prost::DecodeError,
    },
    /// The file holds another network, or this one in 8 bits.
    #[error("only 32-bit models of `kompas-model export` hold weights that can learn")]
    Params(#[from] ParamError),
    /// LibTorch refused.
    #[error(transparent)]
    Torch(#[from] TchError),
}

/// The weights of the ONNX file at `path`, score offsets included.
/// # Errors
/// [`ReadError`].
pub fn read(path: &Path) -> Result<Params, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
    let model = Model::decode(bytes.as_slice())
        .map_err(|source| ReadError::NotOnnx { path: path.to_owned(), source })?;
    let constants = model.graph.map(|graph| graph.initializer).unwrap_or_default();
    let mut tensors = BTreeMap::new();
    for constant in &constants {
        if let Some(values) = constant.to_floats() {
            let tensor = Tensor::f_from_slice(&values)?.f_view(constant.dims.as_slice())?;
            tensors.insert(constant.name.clone(), tensor);
        }
    }
    Ok(Params::of(path, tensors)?)
}
