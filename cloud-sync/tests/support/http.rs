//! Asks as a browser does.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A plain HTTP/1.0 GET: status line and headers, and the body.
pub(crate) fn get(map: &str, path: &str, header: &str) -> (String, String) {
    let host = map.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n{header}\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub(crate) fn json(map: &str, path: &str) -> Value {
    let (head, body) = get(map, path, "");
    assert!(head.starts_with("HTTP/1.0 200"), "{path}: {head}");
    serde_json::from_str(&body).unwrap()
}
