//! The encoder computes what the published EfficientNet-Lite0 computes in its own `PyTorch` code.

use kompas_models::net::{Params, TorchLayers, encode};
use serde_json::Value;
use std::path::Path;
use tch::{Kind, Tensor, no_grad};

/// The pattern of `tests/encoder_reference.py`.
fn picture(side: u32) -> Tensor {
    let value = |c: u32, y: u32, x: u32| {
        let (c, y, x) = (f64::from(c), f64::from(y), f64::from(x));
        1.8 * (0.11 * x + 0.07 * y * (c + 1.)).sin() * (0.05 * x * (c + 1.) - 0.13 * y).cos()
    };
    let values: Vec<f64> =
        (0..3).flat_map(|c| (0..side).flat_map(move |y| (0..side).map(move |x| value(c, y, x)))).collect();
    let side = i64::from(side);
    Tensor::from_slice(&values).to_kind(Kind::Float).view([1, 3, side, side])
}

#[test]
fn features_agree_with_the_reference_to_1e_4() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let weights = root.join("../vendor/encoder/efficientnet-lite0.safetensors");
    if !weights.exists() {
        eprintln!("skipped: needs vendor/encoder (models/setup-encoder.sh)");
        return;
    }
    let golden = std::fs::read_to_string(root.join("tests/golden/encoder_features.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let params = Params::pretrained(&weights, 0).unwrap();
    let side = u32::try_from(golden["side"].as_u64().unwrap()).unwrap();
    let taps = no_grad(|| encode(&mut TorchLayers::new(&params), &picture(side))).unwrap();
    for (tap, wanted) in taps.iter().zip(golden["taps"].as_array().unwrap()) {
        let shape: Vec<i64> =
            wanted["shape"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect();
        assert_eq!(tap.size(), shape);
        let flat: Vec<f32> = Vec::try_from(tap.contiguous().view([-1])).unwrap();
        let picked = wanted["picked"].as_array().unwrap();
        let step = (flat.len() / 40).max(1);
        assert_eq!(picked.len(), flat.len().div_ceil(step));
        for (found, wanted) in flat.iter().step_by(step).zip(picked) {
            let wanted = wanted.as_f64().unwrap();
            // Features reach 30, so 1e-4 is relative above one.
            let difference = (f64::from(*found) - wanted).abs() / wanted.abs().max(1.);
            assert!(difference < 1e-4, "{shape:?}: {found} instead of {wanted}");
        }
        let mean = flat.iter().map(|&v| f64::from(v)).sum::<f64>() / flat.len() as f64;
        assert!((mean - wanted["mean"].as_f64().unwrap()).abs() < 1e-4);
    }
}
