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

/// Exit code and words of `setup/tools.sh` on a machine whose tools say these versions; a cargo without rustfmt and clippy
/// knows `--version` only.
fn tools_that_are(versions: [&str; 3], with_components: bool) -> (i32, String) {
    let home = TempDir::new().unwrap();
    let fake = |name: &str, text: String| {
        let path = home.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    let [cargo, node, python] = versions;
    let components =
        if with_components { "echo rustfmt 1.8.0" } else { "echo no such command >&2; exit 101" };
    fake(
        "cargo",
        format!("case $1 in --version) echo 'cargo {cargo} (0000 2025-01-01)' ;; *) {components} ;; esac"),
    );
    fake("node", format!("echo v{node}"));
    fake("npm", "echo 9.2.0".to_owned());
    fake("python3", format!("echo Python {python}"));
    let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap());
    let mut script = Command::new(workspace().join("setup/tools.sh"));
    script.args(["cargo", "rustfmt", "clippy", "node", "npm", "python3"]).env("PATH", path);
    let done = script.output().unwrap();
    (done.status.code().unwrap(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn tools_that_are_too_old_are_told_before_anything_is_built() {
    assert_eq!(tools_that_are(["1.92.0", "20.0.0", "3.11.0"], true), (0, String::new()));
    let (code, said) = tools_that_are(["1.63.0", "18.19.0", "3.9.2"], false);
    assert_eq!(code, 2, "{said}");
    let told = [
        "cargo (Rust) is 1.63.0: 1.92 or newer is needed",
        "rustfmt is missing",
        "clippy is missing",
        "node (Node.js) is 18.19.0: 20 or newer",
        "apt-get install -y npm && sudo npm install -g n && sudo n 22",
        "python3 is 3.9.2: 3.11 or newer",
    ];
    for told in told {
        assert!(said.contains(told), "{told} is missing in {said}");
    }
    assert!(!said.contains("npm ("), "npm's version does not matter: {said}");
}
