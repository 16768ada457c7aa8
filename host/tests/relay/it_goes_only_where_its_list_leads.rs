use serde_json::json;

use super::page::{Page, none, up};
use super::server::{Server, answer};
use crate::mosquitto::free_ports;

#[test]
fn a_host_that_is_not_on_the_list_is_refused() {
    let server = Server::new(|_| answer("200 OK", "", ""));
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &[]);
    let page = Page::of(&up);
    let at = server.at();
    for to in [
        format!("http://{at}/"),
        format!("https://{at}/"),
        "http://evil.example/".into(),
        "https://ivs.chinamobiledevice.com/".into(),
    ] {
        let (kind, said) = page.refused("GET", &to, &none(), b"");
        assert_eq!(kind, "host", "{to}");
        assert!(said["next"].as_str().unwrap().contains("--relay-allow "), "{said}");
    }
    for to in [
        format!("mqtt://{at}"),
        format!("mqtts://{at}"),
        "mqtt://evil.example:1883".into(),
        "mqtt://localhost:1883".into(),
    ] {
        let (error, code) = page.no_way(&to);
        assert_eq!((error["kind"].as_str(), code), (Some("host"), 4403), "{to}: {error}");
    }
    assert_eq!(server.heard().len(), 0);
}

/// Names of this machine, however they are spelled: what a resolver makes of them counts, and not the list.
#[test]
fn a_name_does_not_lead_to_this_machine() {
    let server = Server::new(|_| answer("200 OK", "", ""));
    let data = tempfile::tempdir().unwrap();
    let names = ["127.1", "0x7f000001", "2130706433", "0177.0.0.1"]
        .map(|name| format!("{name}:{}", server.port));
    let allow: Vec<&str> = names.iter().flat_map(|name| ["--relay-allow", name]).collect();
    let up = up(&data, &allow);
    let page = Page::of(&up);
    for name in &names {
        let (kind, said) = page.refused("GET", &format!("http://{name}/"), &none(), b"");
        assert_eq!(kind, "address", "{said}");
        assert!(
            said["next"].as_str().unwrap().contains(&format!("--relay-allow {}", server.at())),
            "{said}"
        );
        let (error, code) = page.no_way(&format!("mqtt://{name}"));
        assert_eq!((error["kind"].as_str(), code), (Some("address"), 4403), "{error}");
    }
    assert_eq!(server.heard().len(), 0);
}

/// With the address itself on the list, the name beside it may lead there.
#[test]
fn an_address_that_is_named_is_gone_to() {
    let server = Server::new(|_| answer("200 OK", "", "here"));
    let data = tempfile::tempdir().unwrap();
    let name = format!("127.1:{}", server.port);
    let up = up(&data, &["--relay-allow", &name, "--relay-allow", &server.at()]);
    let page = Page::of(&up);
    for at in [&name, &server.at()] {
        assert_eq!(page.answer("GET", &format!("http://{at}/"), &none(), b"").2, b"here");
    }
}

#[test]
fn a_redirect_does_not_lead_off_the_list() {
    let other = Server::new(|_| answer("200 OK", "", "the image"));
    let away = other.at();
    let server = Server::new(move |first| {
        let to = match first.split(' ').nth(1).unwrap() {
            "/away" => format!("http://{away}/"),
            "/name" => "http://127.1/".into(),
            "/nowhere" => "ftp://h/".into(),
            "/round" => "/round".into(),
            "/first" => "second?x=1".into(),
            _ => return answer("200 OK", "", "followed"),
        };
        answer("302 Found", &format!("Location: {to}\r\n"), "")
    });
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at()]);
    let page = Page::of(&up);
    let to = |path: &str| format!("http://{}{path}", server.at());
    for (path, kind) in [
        ("/away", "redirect"),
        ("/name", "redirect"),
        ("/nowhere", "redirect"),
        ("/round", "failed"),
    ] {
        assert_eq!(page.refused("GET", &to(path), &none(), b"").0, kind, "{path}");
    }
    assert_eq!(other.heard().len(), 0);
    assert_eq!(page.answer("GET", &to("/first"), &none(), b"").2, b"followed");
    assert!(server.heard().last().unwrap().starts_with("GET /second?x=1 "));
    // A signed call means what it says to whom it was signed for.
    assert_eq!(page.answer("POST", &to("/away"), &none(), b"").0, 302);
    assert_eq!(other.heard().len(), 0);
}

/// A signature or a secret was given to one host.
#[test]
fn a_redirect_takes_no_credentials_to_another_host() {
    let other = Server::new(|_| answer("200 OK", "", "the image"));
    let away = other.at();
    let server = Server::new(move |first| match first.split(' ').nth(1).unwrap() {
        "/here" => answer("302 Found", "Location: /there\r\n", ""),
        _ => answer("302 Found", &format!("Location: http://{away}/\r\n"), ""),
    });
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at(), "--relay-allow", &other.at()]);
    let headers =
        json!([["Authorization", "Bearer s3cret"], ["X-Ca-Key", "k"], ["Range", "bytes=0-"]]);
    let to = format!("http://{}/here", server.at());
    assert_eq!(Page::of(&up).answer("GET", &to, &headers, b"").2, b"the image");
    let own = server.heard();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|request| request.contains("s3cret")), "{own:?}");
    let heard = other.heard().concat();
    assert!(heard.contains("Range: bytes=0-"), "{heard}");
    assert!(!heard.contains("s3cret") && !heard.contains("X-Ca-Key"), "{heard}");
}

#[test]
fn nobody_there_is_said_to_be_nobody() {
    let [port] = free_ports();
    let at = format!("127.0.0.1:{port}");
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &at, "--relay-allow", "nobody.invalid"]);
    let page = Page::of(&up);
    let (error, code) = page.no_way(&format!("mqtt://{at}"));
    assert_eq!((error["kind"].as_str(), code), (Some("refused"), 4502), "{error}");
    assert_eq!(page.refused("GET", &format!("http://{at}/"), &none(), b"").0, "refused");
    // RFC 6761: `.invalid` has no address, wherever one asks.
    let (error, code) = page.no_way("mqtt://nobody.invalid");
    assert_eq!((error["kind"].as_str(), code), (Some("dns"), 4502), "{error}");
}
