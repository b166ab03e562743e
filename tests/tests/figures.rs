//! Figures do not take silence for success: the topics' own judgements, with programs that do nothing.
#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use kompas_tests::process::workspace;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn program(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// What `judge` prints as JSON, with the topic's functions at hand and `home` as target folder and first on the path.
fn judged(topic: &str, home: &Path, judge: &str) -> serde_json::Value {
    let load = "import importlib.machinery, importlib.util, json, pathlib, sys\n\
        loader = importlib.machinery.SourceFileLoader('topic', sys.argv[1]); home = pathlib.Path(sys.argv[2])\n\
        topic = importlib.util.module_from_spec(importlib.util.spec_from_loader('topic', loader))\n\
        loader.exec_module(topic)\n";
    let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
    let mut python = Command::new("python3");
    python.args(["-B", "-c", &format!("{load}{judge}")]);
    python.arg(workspace().join("tests/figures").join(topic)).arg(home);
    let done = python.env("PATH", path).env("CARGO_TARGET_DIR", home).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn a_planner_that_refuses_at_once_has_no_time() {
    let home = TempDir::new().unwrap();
    program(&home.path().join("release/kompas-plan"), "echo no plan today >&2; exit 2");
    let row = r#"{"rig": "3 m", "field": "f", "cpu_s": 0.01, "refused": "no plan today"}"#;
    let judge = format!("short = []; print(json.dumps([topic.speed(short, [{row}], home), short]))");
    let found = judged("planner", home.path(), &judge);
    let none = serde_json::json!({ "square_cpu_s": {}, "replan_cpu_s": {}, "plants_on_40_ha": {} });
    assert_eq!(found[0], none);
    let short = found[1].as_array().unwrap();
    assert!(
        short.iter().all(|line| line.as_str().unwrap().ends_with("no plan, so no time: no plan today")),
        "{short:?}"
    );
    assert_eq!(short.len(), 6, "four squares, the plants, the re-plan: {short:?}");
}

#[test]
fn a_test_that_was_skipped_has_compared_nothing() {
    let home = TempDir::new().unwrap();
    let compare = "page = topic.Page(); topic.compared(page, 'n', 'inputs', 100, 1e-4, 'file', 'test')\n\
        print(json.dumps([page.figures, page.short]))";
    let say = |script: &str| {
        program(&home.path().join("cargo"), script);
        judged("recognition", home.path(), compare)
    };
    let nothing = |why: &str| serde_json::json!([{}, [format!("n: nothing was compared: {why}")]]);
    assert_eq!(
        say("echo 'skipped: needs vendor/encoder' >&2; echo 'test result: ok.'"),
        nothing("skipped: needs vendor/encoder")
    );
    assert_eq!(
        say("echo 'test result: ok. 0 passed'"),
        nothing("test result: ok. 0 passed"),
        "a test that was renamed"
    );
    let line = r#"{"inputs": 100, "largest_difference": 2e-6}"#;
    let found: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(say(&format!("echo '{line}'")), serde_json::json!([{ "n": found }, []]));
    let few = say(r#"echo '{"inputs": 3, "largest_difference": 2e-6}'"#);
    assert!(few[1][0].as_str().unwrap().ends_with("aim 0.0001 over 100 inputs"), "{few}");
}

#[test]
fn what_was_skipped_stays_on_the_page_as_it_was() {
    let home = TempDir::new().unwrap();
    let judge = "topic.PAGE = home / 'docs/figures.md'; known = {'chain': None}\n\
        full = {'topic': 'chain', 'figures': {'real': {'a': 1.5, 'b': [2]}, 'really': 3}, 'short': ['x']}\n\
        less = {'topic': 'chain', 'figures': {'real': 'skipped: needs data', 'really': 4}, 'short': []}\n\
        topic.write(full, False, known); first = topic.PAGE.read_text()\n\
        topic.write(less, True, known); second = topic.PAGE.read_text()\n\
        topic.write({'topic': 'chain', 'figures': {}, 'short': []}, True, known)\n\
        print(json.dumps([first, second, topic.PAGE.read_text()]))";
    let pages = judged("run", home.path(), judge);
    let page = |number: usize| pages[number].as_str().unwrap();
    let rows =
        |number: usize| page(number).lines().filter(|line| line.starts_with("| r")).collect::<Vec<_>>();
    assert_eq!(rows(0), ["| real.a | 1.5 |", "| real.b | [2] |", "| really | 3 |"]);
    assert!(page(0).contains("- Falls short: x"), "{}", page(0));
    let kept = ["| real.a | 1.5 (of a full run) |", "| real.b | [2] (of a full run) |", "| really | 4 |"];
    assert_eq!(rows(1), kept);
    assert!(page(1).contains("- Falls short: x"), "{}", page(1));
    assert_eq!(page(2), page(1));
}
