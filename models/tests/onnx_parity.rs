//! The ONNX file, run by ONNX Runtime, gives what LibTorch gives.

use kompas_models::net::{Params, TorchLayers, segment};
use kompas_models::onnx::encode;
use kompas_vision::onnx::{Engine, Provider, find_library};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use tch::{Tensor, no_grad};

#[test]
fn a_hundred_random_inputs_agree_to_1e_4() {
    let encoder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../vendor/encoder/efficientnet-lite0.safetensors");
    let Some(library) = find_library().filter(|_| encoder.exists()) else {
        eprintln!("skipped: needs vendor/encoder and vendor/onnxruntime (their set-up scripts)");
        return;
    };
    tch::set_num_threads(1);
    let params = Params::pretrained(&encoder, 3).unwrap();
    let bytes = encode(&params, None).unwrap();
    let mut engine = Engine::load(&library, Provider::Cpu, 1, Path::new("made here"), &bytes).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for round in 0..100 {
        let [height, width] = [0, 1].map(|_| 32 * rng.random_range(1..=4_usize));
        let image: Vec<f32> = (0..3 * height * width).map(|_| rng.random()).collect();
        let sides = [height, width].map(|side| i64::try_from(side).unwrap());
        let x = Tensor::from_slice(&image).view([1, 3, sides[0], sides[1]]);
        let wanted = no_grad(|| segment(&mut TorchLayers::new(&params), &x)).unwrap();
        let wanted: Vec<f32> = Vec::try_from(wanted.contiguous().view([-1])).unwrap();
        let found = engine.run(&image, [height, width], |_, scores| scores.to_vec()).unwrap();
        assert_eq!(found.len(), wanted.len());
        let largest =
            wanted.iter().zip(&found).map(|(a, b)| (a - b).abs() / a.abs().max(1.)).fold(0., f32::max);
        assert!(largest < 1e-4, "input {round} of {width}x{height}: {largest}");
    }
}
