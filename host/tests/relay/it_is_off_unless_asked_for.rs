use serde_json::json;

use super::page::{ask_token, open, refusal, run};
use crate::support::{Up, muster, request};

#[test]
fn it_is_off_unless_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let at = up.http();
    assert_eq!(up.get("/api/relay"), json!({ "on": false, "allow": [], "own": [] }));
    let token = ask_token(at, &format!("Origin: http://{at}\r\n"));
    assert_eq!(
        (token.status, token.json()["kind"].as_str().unwrap().to_owned()),
        (404, "off".into())
    );
    let head = format!(
        "POST /relay/http HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nContent-Length: 0\r\n\r\n"
    );
    let (kind, said) = refusal(&request(at, &head, b""));
    assert_eq!(kind, "off");
    assert!(said["next"].as_str().unwrap().contains("--relay"), "{said}");
    let opened =
        run(open(at, "mqtt://iot.krtyun.com:16007", Some(&format!("http://{at}")), "mqtt"));
    assert_eq!(opened.err(), Some(404));
}

#[test]
fn it_says_where_it_goes() {
    let data = tempfile::tempdir().unwrap();
    let up = super::page::up(
        &data,
        &["--relay-allow", "10.1.2.3:1883", "--relay-allow", "*.example.com:443"],
    );
    let said = up.get("/api/relay");
    assert_eq!(said["on"], true);
    assert_eq!(said["own"], json!(["10.1.2.3:1883", "*.example.com:443"]));
    for entry in [
        "10.1.2.3:1883",
        "*.example.com:443",
        "ivs.chinamobiledevice.com:11443",
        "iot.krtyun.com:16007",
    ] {
        assert!(said["allow"].as_array().unwrap().contains(&json!(entry)), "{entry}: {said}");
    }
}

#[test]
fn what_is_not_meant_is_refused_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    for (args, says) in [
        (&["--relay", "--operator-listen", "0.0.0.0"][..], "--relay-beyond-loopback"),
        (&["--relay", "--relay-allow", "localhost:1883"][..], "such as 127.0.0.1:1883"),
        (&["--relay", "--relay-allow", "http://h"][..], "broker.example:8883"),
        (&["--relay", "--relay-ca", "/nowhere.pem"][..], "cannot read certificates"),
        (&["--relay-allow", "h:1883"][..], "--relay"),
        (&["--relay-ca", "x.pem"][..], "--relay"),
    ] {
        let output = muster()
            .args(["up", "--port", "0", "--json", "--data"])
            .arg(data.path())
            .args(args)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(says), "{args:?}: {told}");
    }
}
