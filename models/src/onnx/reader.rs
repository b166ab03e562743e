//! Reads back the weights of a file that [`super::encode`] wrote, so that a released model can be trained further.

use super::schema::{Model, TensorData};
use crate::net::{ParamError, Params};
use prost::Message;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{TchError, Tensor};

/// How the schema calls 32-bit floats.
const FLOAT: i32 = 1;

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
    let floats = constants.iter().filter(|constant| constant.data_type == FLOAT);
    let tensors: BTreeMap<String, Tensor> = floats
        .map(|constant| Ok((constant.name.clone(), tensor(constant)?)))
        .collect::<Result<_, TchError>>()?;
    Ok(Params::of(path, tensors)?)
}

fn tensor(constant: &TensorData) -> Result<Tensor, TchError> {
    let values: Vec<f32> =
        constant.raw_data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Tensor::f_from_slice(&values)?.f_view(constant.dims.as_slice())
}
