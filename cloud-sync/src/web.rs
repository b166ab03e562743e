//! The farmer's page: every file of it is in this binary, so it works with no internet.

use crate::api::{gzip, takes_gzip};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use kompas_field::Digest;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// No other host, no inline script, no frame: what the page needs and nothing else. MapLibre reads images from
/// blobs it made itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

struct File {
    kind: &'static str,
    bytes: &'static [u8],
    packed: Option<Vec<u8>>,
    etag: HeaderValue,
}

macro_rules! files {
    ($($name:literal => $kind:literal from $path:literal),* $(,)?) => {
        [$(($name, $kind, &include_bytes!(concat!("../web/", $path))[..])),*]
    };
}

static FILES: LazyLock<BTreeMap<&'static str, File>> = LazyLock::new(|| {
    let files = files! {
        "" => "text/html; charset=utf-8" from "app/index.html",
        "app/style.css" => "text/css; charset=utf-8" from "app/style.css",
        "app/main.js" => "text/javascript; charset=utf-8" from "app/main.js",
        "app/map.js" => "text/javascript; charset=utf-8" from "app/map.js",
        "app/text.js" => "text/javascript; charset=utf-8" from "app/text.js",
        "app/why.js" => "text/javascript; charset=utf-8" from "app/why.js",
        "app/totals.js" => "text/javascript; charset=utf-8" from "app/totals.js",
        "app/icon.svg" => "image/svg+xml" from "app/icon.svg",
        "vendor/maplibre-gl.mjs" => "text/javascript; charset=utf-8" from "vendor/maplibre-gl.mjs",
        "vendor/maplibre-gl-worker.mjs" => "text/javascript; charset=utf-8" from "vendor/maplibre-gl-worker.mjs",
        "vendor/maplibre-gl.css" => "text/css; charset=utf-8" from "vendor/maplibre-gl.css",
        "vendor/atkinson-hyperlegible-next.woff2" => "font/woff2" from "vendor/atkinson-hyperlegible-next.woff2",
        "vendor/maplibre-gl.LICENSE.txt" => "text/plain; charset=utf-8" from "vendor/maplibre-gl.LICENSE.txt",
        "vendor/atkinson-hyperlegible-next.LICENSE.txt" => "text/plain; charset=utf-8" from "vendor/atkinson-hyperlegible-next.LICENSE.txt",
    };
    files.into_iter().map(|(name, kind, bytes)| (name, file(kind, bytes))).collect()
});

fn file(kind: &'static str, bytes: &'static [u8]) -> File {
    let etag = format!("\"{}\"", Digest::of_bytes(bytes).short());
    let etag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
    // A font is compressed already.
    let packed = if kind.starts_with("font/") { None } else { gzip(bytes, Compression::default()) };
    File { kind, bytes, packed, etag }
}

/// The page and its files.
pub fn routes() -> Router {
    Router::new()
        .route("/", get(async |asked: HeaderMap| serve("", &asked)))
        .route("/{*name}", get(async |Path(name): Path<String>, asked: HeaderMap| serve(&name, &asked)))
}

fn serve(name: &str, asked: &HeaderMap) -> Response {
    let Some(file) = FILES.get(name) else {
        return (StatusCode::NOT_FOUND, "There is no such page here.\n").into_response();
    };
    let mut response = if asked.get(header::IF_NONE_MATCH) == Some(&file.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(packed) = file.packed.as_ref().filter(|_| takes_gzip(asked)) {
        ([(header::CONTENT_ENCODING, "gzip")], packed.clone()).into_response()
    } else {
        file.bytes.into_response()
    };
    let headers = response.headers_mut();
    let fixed = |text| HeaderValue::from_static(text);
    headers.insert(header::CONTENT_TYPE, fixed(file.kind));
    headers.insert(header::ETAG, file.etag.clone());
    headers.insert(header::CACHE_CONTROL, fixed("no-cache"));
    headers.insert(header::VARY, fixed("accept-encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, fixed(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
    response
}
