//! What a person meets before anything is built: the Makefile's recipes and the set-up scripts.
#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use kompas_tests::process::workspace;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn recipe(arguments: &[&str]) -> String {
    let mut make = Command::new("make");
    make.args(["-n", "demo"]).args(arguments).current_dir(workspace());
    // An outer make's own flags are not this one's.
    let done = make.env_remove("MAKEFLAGS").env_remove("CARGO_TARGET_DIR").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn the_demo_started_is_the_one_that_was_built() {
    assert!(recipe(&[]).contains("\ntarget/release/kompas-demo"), "{}", recipe(&[]));
    let elsewhere = recipe(&["CARGO_TARGET_DIR=/built"]);
    assert!(elsewhere.contains("\n/built/release/kompas-demo"), "{elsewhere}");
}

#[test]
fn only_a_demo_with_a_model_insists_on_onnx_runtime() {
    for without in [&[][..], &["SEGMENTER=exg"], &["SEGMENTER=exg", "IMAGES=photographs"]] {
        assert!(recipe(without).contains("setup-onnxruntime.sh --optional"), "{without:?}");
    }
    for with in [&["IMAGES=photographs"][..], &["SEGMENTER=model.onnx"]] {
        assert!(!recipe(with).contains("--optional"), "{with:?}");
    }
}

/// Exit code and words of the script on a machine that says it is another.
fn onnx_runtime_on_arm(home: &Path, arguments: &[&str]) -> (i32, String) {
    let uname = home.join("uname");
    std::fs::write(&uname, "#!/bin/sh\necho Linux aarch64\n").unwrap();
    std::fs::set_permissions(&uname, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
    let mut script = Command::new(workspace().join("vision/setup-onnxruntime.sh"));
    let done = script.args(arguments).arg(home.join("onnxruntime")).env("PATH", path).output().unwrap();
    (done.status.code().unwrap(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn a_machine_without_a_pinned_onnx_runtime_is_warned_and_stopped_only_for_a_model() {
    let home = TempDir::new().unwrap();
    let (code, said) = onnx_runtime_on_arm(home.path(), &["--optional"]);
    assert!(
        code == 0 && said.contains("Linux aarch64") && said.contains("excess green can"),
        "{code}: {said}"
    );
    let (code, said) = onnx_runtime_on_arm(home.path(), &[]);
    assert!(
        code == 1 && said.contains("libonnxruntime.so") && said.contains("segmenter.library"),
        "{code}: {said}"
    );
    // A person's own is enough.
    std::fs::create_dir(home.path().join("onnxruntime")).unwrap();
    std::fs::write(home.path().join("onnxruntime/libonnxruntime.so"), "").unwrap();
    assert_eq!(onnx_runtime_on_arm(home.path(), &[]), (0, String::new()));
}
