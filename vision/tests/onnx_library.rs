//! A library that is not there. In a process of its own: a process loads one library.

use kompas_vision::onnx::{Engine, EngineError, Provider};
use std::path::Path;

#[test]
fn a_missing_library_says_what_to_run() {
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    let Err(error) = Engine::load(nowhere, Provider::Cpu, 1, Path::new("m.onnx"), &[]) else {
        panic!("nothing to load");
    };
    assert!(matches!(error, EngineError::Library { .. }));
    assert!(error.to_string().contains("vision/setup-onnxruntime.sh"), "{error}");
}
