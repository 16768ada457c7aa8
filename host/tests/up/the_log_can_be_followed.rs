use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::support::{Up, connect, request};

fn follow(up: &Up, accept: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = connect(up.http());
    write!(
        stream,
        "GET /api/log?follow&platform=krtyun HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\n\r\n",
        up.http()
    )
    .unwrap();
    BufReader::new(stream).lines().map(|line| line.unwrap())
}

/// Lines of JSON in a chunked body: the chunk sizes are skipped.
#[test]
fn the_log_can_be_followed() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let product = up.demo("krtyun")["product_id"].as_str().unwrap().to_owned();
    let mut lines = follow(&up, "*/*").filter(|line| line.starts_with('{'));
    // What was before, and then what comes.
    assert!(lines.next().unwrap().contains("\"krtyun\""));
    up.done(&json!({"platform": "krtyun", "action": "import_devices", "product": product, "csv": "556677"}));
    let found = lines.find(|line| line.contains("import")).unwrap();
    let line: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (line["platform"].as_str(), line["what"].as_str()),
        (Some("krtyun"), Some("operated"))
    );
    assert!(line["seq"].as_u64().unwrap() > 0 && line["at"].as_u64().unwrap() > 1_600_000_000_000);
}

#[test]
fn a_browser_gets_events() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let mut lines = follow(&up, "text/event-stream");
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(head.iter().any(|line| line == "Content-Type: text/event-stream"), "{head:?}");
    let id = lines.find(|line| line.starts_with("id: ")).unwrap();
    let event = lines.next().unwrap();
    let line: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(format!("id: {}", line["seq"]), id);
}

/// A page that follows the log looks at what it speaks of; were that logged too, it would never rest.
#[test]
fn looking_is_not_written_down() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let lines = || {
        let head = format!("GET /api/log HTTP/1.1\r\nHost: {}\r\n\r\n", up.http());
        request(up.http(), &head, b"").text()
    };
    let before = lines();
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        let product = up.get(&format!("/api/products?platform={platform}"))["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        up.get(&format!("/api/devices?platform={platform}&product={product}"));
        if platform != "cmcc" {
            up.get(&format!("/api/upgrades?platform={platform}&product={product}"));
        }
    }
    up.get("/api/owners");
    assert_eq!(lines(), before);
}
