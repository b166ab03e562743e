//! The network as an ONNX file, in single precision or with 8-bit integers (QDQ, activations u8, weights s8
//! per channel).
//!
//! Input `image`: `[n, 3, height, width]`, RGB in 0..=1, sides divisible by 32. Output `scores`:
//! `[n, 5, height, width]`, one logit per class id. Standardising is inside the graph; working size and
//! exposure ([`kompas_vision::normalise`]) are before it.

mod calibration;
mod reader;
mod schema;
mod writer;

pub use calibration::{Calibration, Range};
pub use reader::{ReadError, read};
pub use writer::OnnxLayers;

use crate::net::{CLASSES, Params, segment};
use prost::Message;
use schema::{Graph, Model, OperatorSet, Property, ValueInfo};
use tch::TchError;

/// Operator set: has everything used here and is read by every current runtime.
const OPSET: i64 = 17;
/// File format that goes with it.
const IR_VERSION: i64 = 8;

/// The bytes of an ONNX file; with a calibration the 8-bit one.
/// # Errors
/// If a parameter or a calibrated range is missing.
pub fn encode(params: &Params, calibration: Option<&Calibration>) -> Result<Vec<u8>, TchError> {
    let mut layers = OnnxLayers::new(params, calibration);
    let scores = segment(&mut layers, &"image".to_owned())?;
    let (node, initializer) = layers.finish(&scores, "scores");
    let free = [Err("n"), Ok(0), Err("height"), Err("width")];
    let info = |name: &str, channels: i64| {
        let mut dims = free;
        dims[1] = Ok(channels);
        ValueInfo::floats(name, &dims)
    };
    let graph = Graph {
        node,
        name: "kompas_plants".into(),
        initializer,
        input: vec![info("image", 3)],
        output: vec![info("scores", CLASSES)],
    };
    let property = |key: &str, value: String| Property { key: key.into(), value };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "kompas-model".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: "Plant recognition: soil, weed, sugar beet, potato, other crop per pixel.".into(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: vec![
            property("kompas.classes", crate::CLASS_NAMES.join(",")),
            property(
                "kompas.input",
                "rgb 0..1, working size and exposure of kompas, sides divisible by 32".into(),
            ),
        ],
    };
    Ok(model.encode_to_vec())
}
