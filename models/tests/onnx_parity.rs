//! The ONNX file, run by ONNX Runtime, gives what LibTorch gives.

use kompas_models::net::{Params, TorchLayers, segment};
use kompas_models::onnx::{Calibration, ReadError, encode, read};
use kompas_vision::onnx::{Engine, Provider, find_library};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use tch::{Tensor, no_grad};

const INPUTS: u32 = 100;

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
    let mut largest_of_all = 0_f32;
    for round in 0..INPUTS {
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
        largest_of_all = largest_of_all.max(largest);
    }
    // tests/figures/recognition publishes what was compared, and nothing where nothing was.
    println!("{}", serde_json::json!({ "inputs": INPUTS, "largest_difference": largest_of_all }));
}

#[test]
fn a_written_model_can_be_read_back_and_one_of_8_bits_is_refused() {
    tch::set_num_threads(1);
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("released/plants.onnx");
    let params = read(&released).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let again = read(&written("plants.onnx", &encode(&params, None).unwrap())).unwrap();
    let names = |params: &Params| params.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&params));
    assert!(again.iter().zip(params.iter()).all(|((_, read), (_, made))| read == made));
    let mut calibration = Calibration::default();
    let grey = Tensor::full([1, 3, 64, 64], 0.5, (tch::Kind::Float, tch::Device::Cpu));
    calibration.observe(&params, &grey).unwrap();
    let bytes = encode(&params, Some(&calibration)).unwrap();
    assert!(matches!(read(&written("int8.onnx", &bytes)), Err(ReadError::Params(_))));
    assert!(matches!(read(&written("torn.onnx", &bytes[..999])), Err(ReadError::NotOnnx { .. })));
    assert!(matches!(read(&folder.path().join("gone.onnx")), Err(ReadError::File { .. })));
}
