//! The program as people and scripts meet it: it is killed, started again, and given wrong input.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::uplink::Rules;
use kompas_cloud_sync::{UplinkConfig, spawn_uplink};
use kompas_field::ids::{BootId, FarmId, RobotId};
use kompas_field::units::Seconds;
use kompas_field::{ClockQuality, Datum};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use support::http::{get, json};
use support::season::Season;
use tempfile::TempDir;

struct Server {
    child: Child,
    map: String,
    broker: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Cargo names the program; a compiler cache may drop that name, then it lies beside this test.
fn program() -> Command {
    let beside = || std::env::current_exe().unwrap().with_file_name("../kompas-cloud");
    Command::new(option_env!("CARGO_BIN_EXE_kompas-cloud").map_or_else(beside, Into::into))
}

fn serve(data: &Path, mqtt: &str) -> Server {
    let mut child = program()
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--mqtt-listen", mqtt, "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let text = |key: &str| said[key].as_str().unwrap().to_owned();
    Server { map: text("map_url"), broker: text("broker_url"), child }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn outbox(path: &Path) -> Outbox {
    Outbox::open(path, &RobotId::new("kompas-01").unwrap(), OutboxLimits::default()).unwrap()
}

fn uplink(path: &Path, broker: &str) -> kompas_cloud_sync::UplinkHandle {
    let rules =
        Rules { receipt_wait: Seconds::new(0.5), longest_retry: Seconds::new(0.5), ..Rules::default() };
    let config = UplinkConfig {
        robot: RobotId::new("kompas-01").unwrap(),
        farm: FarmId::new("valthermond").unwrap(),
        broker: broker.parse().unwrap(),
        limits: OutboxLimits::default(),
        rules,
        seed: 3,
    };
    spawn_uplink(path, config).unwrap()
}

#[test]
fn a_cloud_that_is_killed_again_and_again_ends_with_each_record_once() {
    let directory = TempDir::new().unwrap();
    let (data, path) = (directory.path().join("data"), directory.path().join("outbox.sqlite"));
    let mqtt = format!("127.0.0.1:{}", free_port());
    let mut server = serve(&data, &mqtt);
    let uplink = uplink(&path, &server.broker);

    let mut outbox = outbox(&path);
    let boot = BootId::new("b-1").unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::Gnss, datum: Datum::Etrs89 };
    let season = Season { size_m: (50.0, 24.0), ..Season::small(11) };
    let drafts = season.drafts();
    let kills = 4;
    for (round, part) in drafts.chunks(drafts.len() / kills + 1).enumerate() {
        for draft in part {
            outbox.append(&origin, std::slice::from_ref(draft)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(60 * round as u64));
        drop(server); // SIGKILL
        server = serve(&data, &mqtt);
    }
    for _ in 0..3_000 {
        if outbox.counts().unwrap().waiting == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = uplink.stop();
    let counts = outbox.counts().unwrap();
    println!("{counts:?} {status:?}");
    assert_eq!((counts.waiting, counts.committed), (0, drafts.len() as u64));
    assert!(status.connections > 2, "{status:?}");

    let said = json(&server.map, "/api/status");
    assert_eq!(said["counts"]["records"], drafts.len());
    assert_eq!((&said["counts"]["quarantined"], &said["counts"]["disputed"]), (&0.into(), &0.into()));
    let mission = &json(&server.map, "/api/missions")[0];
    assert_eq!(mission["plants"], mission["finished"]["plants"]);
    assert_eq!(mission["treated"], mission["finished"]["plants_treated"]);
    the_answers_hold_together(&server.map, mission);
}

fn the_answers_hold_together(map: &str, mission: &Value) {
    let path = |what: &str| format!("/api/missions/{}/{what}", mission["mission"].as_str().unwrap());
    let fields = json(map, "/api/fields");
    assert!(
        fields[0].get("geometry").is_none() && fields[0].get("json").is_none(),
        "a list without geometry"
    );
    let field = json(map, &format!("/api/fields/{}", fields[0]["field"].as_str().unwrap()));
    assert_eq!(field["geometry"]["coordinates"].as_array().unwrap().len(), 2, "a boundary and its pond");

    let cells = json(map, &path("cells"));
    let cells = cells["features"].as_array().unwrap();
    let table = json(map, &path("cells?form=table"));
    assert_eq!(cells.len(), table["rows"].as_array().unwrap().len());
    let treated = cells.iter().find(|cell| cell["properties"]["openings"].as_u64() > Some(0)).unwrap();
    let (col, row) = (&treated["properties"]["col"], &treated["properties"]["row"]);
    let why = json(map, &path(&format!("cells/{col}/{row}/why")));
    assert_eq!(
        why["openings"].as_array().unwrap().len() as u64,
        treated["properties"]["openings"].as_u64().unwrap()
    );
    let plant = why["plants"].as_array().unwrap().iter().find(|plant| plant["verdict"] == "treat").unwrap();
    assert_eq!(plant["rule"], "treat_unwanted");
    let name = format!(
        "plants/{}/{}/{}/why",
        plant["robot"].as_str().unwrap(),
        plant["boot"].as_str().unwrap(),
        plant["plant"]
    );
    assert_eq!(json(map, &path(&name))["decided_wall_ms"], plant["decided_wall_ms"]);

    let plants = json(map, &path("plants"));
    assert_eq!(plants["features"].as_array().unwrap().len() as u64, mission["plants"].as_u64().unwrap());
    let ring = treated["geometry"]["coordinates"][0].as_array().unwrap();
    let within = [&ring[0][0], &ring[0][1], &ring[2][0], &ring[2][1]].map(ToString::to_string).join(",");
    let near = json(map, &path(&format!("plants?only=unwanted&within={within}")));
    let near = near["features"].as_array().unwrap();
    assert!(!near.is_empty() && near.len() < 400 && near.iter().all(|p| p["properties"]["role"] != "crop"));
    assert!(
        json(map, &path("track"))["features"][0]["geometry"]["coordinates"].as_array().unwrap().len() > 100
    );
    assert_eq!(
        json(map, &path("openings"))["features"].as_array().unwrap().len() as u64,
        mission["openings"].as_u64().unwrap()
    );
    assert_eq!(json(map, &path("incidents")).as_array().unwrap().len(), 2);

    let field = json(map, &path("field"));
    assert_eq!(field["properties"]["area_m2"], mission["area_m2"]);
    let head = get(map, &path("cells"), "").0;
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let etag = format!("If-None-Match: {etag}\r\n");
    assert!(get(map, &path("cells"), &etag).0.starts_with("HTTP/1.0 304"));
    for (missing, code) in [
        ("/api/missions/none", 404),
        ("/api/fields/none", 404),
        ("/api/nothing", 404),
        ("/api/missions/a b", 400),
        ("/nothing", 404),
    ] {
        let head = get(map, &missing.replace(' ', "%20"), "").0;
        assert!(head.starts_with(&format!("HTTP/1.0 {code}")), "{missing}: {head}");
    }
    let farm = mission["farm"].as_str().unwrap();
    assert_eq!(
        json(map, &path(&format!("cells?farm={farm}")))["features"].as_array().unwrap().len(),
        cells.len()
    );
    for what in ["cells", "incidents", "cells/1/1/why"] {
        let head = get(map, &path(&format!("{what}?farm=another")), "").0;
        assert!(head.starts_with("HTTP/1.0 404"), "{what}: {head}");
    }
    assert!(get(map, &path(&format!("cells/{}/0/why", 1_000_000)), "").0.starts_with("HTTP/1.0 404"));
}

#[test]
fn the_page_needs_no_other_host() {
    let directory = TempDir::new().unwrap();
    let server = serve(directory.path(), "127.0.0.1:0");
    let (head, page) = get(&server.map, "/", "");
    assert!(head.contains("default-src 'none'") && head.contains("connect-src 'self'"), "{head}");
    let own = page.split('"').filter(|part| part.starts_with("app/") || part.starts_with("vendor/"));
    let own: Vec<&str> = own.collect();
    assert!(own.len() >= 4, "{own:?}");
    for file in own.iter().chain(&["app/map.js", "vendor/maplibre-gl.mjs", "vendor/maplibre-gl-worker.mjs"]) {
        let (head, _) = get(&server.map, &format!("/{file}"), "Accept-Encoding: gzip\r\n");
        assert!(head.starts_with("HTTP/1.0 200"), "{file}: {head}");
    }
    for text in [page.as_str(), &get(&server.map, "/app/style.css", "").1] {
        let others: Vec<_> = text
            .match_indices("http")
            .filter(|(at, _)| !text[*at..].starts_with("http://www.w3.org/2000/svg"))
            .collect();
        assert!(others.is_empty(), "another host in the page: {others:?}");
    }
}

fn fails(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = program().args(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn wrong_input_is_named_and_ends_with_2() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let data = directory.path().join("data");
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = ["--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"];
    for (arguments, word) in [
        (vec!["serve"], "--data"),
        (vec!["serve", "--data", data, "--listen", "nowhere"], "--listen"),
        (vec!["serve", "--data", data, "--broker", "http://x"], "mqtt://"),
        ([&["serve", "--data", file][..], &free].concat(), "a-file"),
        (vec!["serve", "--data", data, "--listen", &taken], taken.as_str()),
        (vec!["serve", "--data", data, "--listen", "127.0.0.1:0", "--mqtt-listen", &taken], taken.as_str()),
    ] {
        let (code, said) = fails(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?} should name {word}: {said}");
    }
    let running = serve(Path::new(data), "127.0.0.1:0");
    let (code, said) = fails(&[&["serve", "--data", data][..], &free].concat());
    assert!(code == Some(2) && said.contains("another kompas-cloud"), "{code:?} {said}");
    let (code, said) = fails(&["rebuild", "--data", data]);
    assert!(code == Some(2) && said.contains("another kompas-cloud"), "{code:?} {said}");
    drop(running);
    assert_eq!(fails(&["rebuild", "--data", data]).0, Some(0), "the server is stopped");
    std::fs::write(
        Path::new(data).join("cloud.sqlite"),
        "this is no database, whatever its name may say, is it",
    )
    .unwrap();
    std::fs::remove_file(Path::new(data).join("cloud.sqlite-wal")).ok();
    for arguments in [[&["serve", "--data", data][..], &free].concat(), vec!["rebuild", "--data", data]] {
        let (code, said) = fails(&arguments);
        let named = said.contains("cloud.sqlite does not open");
        assert!(code == Some(2) && named, "{arguments:?}: {code:?} {said}");
    }
}

#[test]
fn on_every_address_it_prints_one_that_can_be_reached_and_says_who_comes_in_and_who_does_not() {
    let (every, own) = ("0.0.0.0:0", "127.0.0.1:0");
    for (map, mqtt) in [(every, every), (own, own), (every, own)] {
        let directory = TempDir::new().unwrap();
        let mut child = program()
            .args(["serve", "--json", "--listen", map, "--mqtt-listen", mqtt, "--data"])
            .arg(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let url = |key: &str| said[key].as_str().unwrap().to_owned();
        let page = get(&url("map_url"), "/", "").0;
        let broker = TcpStream::connect(url("broker_url").trim_start_matches("mqtt://")).is_ok();
        child.kill().unwrap();
        let stderr = String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned();
        assert!(page.starts_with("HTTP/1.0 200") && broker, "{line}");
        assert!(!line.contains("//0.0.0.0"), "{line}");
        assert_eq!(stderr.contains("no sign-in"), map == every, "{stderr}");
        let deaf = (map, mqtt) == (every, own);
        assert_eq!(
            stderr.contains("only robots on this machine") && stderr.contains("--mqtt-listen 0.0.0.0:0"),
            deaf,
            "{stderr}"
        );
    }
}

#[test]
fn sigterm_ends_it_gracefully() {
    let directory = TempDir::new().unwrap();
    let mut server = serve(directory.path(), "127.0.0.1:0");
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    for _ in 0..200 {
        if let Some(status) = server.child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it did not end within four seconds");
}
