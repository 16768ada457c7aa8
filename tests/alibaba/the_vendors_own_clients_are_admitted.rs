//! Requests that real clients sent pass the gateway, and pass no more once anything about them is changed.

use muster::cloud::HttpRequest;
use muster::http::header;
use muster::{Now, Secret};
use serde_json::Value;

use super::platform::{APP_KEY, APP_SECRET, Platform};
use super::vectors;

/// What a server makes of the bytes of a request.
fn parse(http: &str) -> HttpRequest {
    let (head, body) = http.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        })
        .collect();
    HttpRequest { method, path, query: vec![], headers, body: body.as_bytes().to_vec() }
}

fn npm() -> HttpRequest {
    parse(include_str!("../vectors/gateway-request-npm.http"))
}

fn tea() -> HttpRequest {
    parse(include_str!("../vectors/gateway-request-tea.http"))
}

/// A cloud whose clock stands where it stood when the requests were made.
fn platform() -> Platform {
    let mut platform = Platform::new();
    platform.now = Now::new(2_000, 1_795_298_692_183);
    // Alice's token is in one of the requests.
    platform.switch("iot_token.alice", super::platform::ALICE);
    platform
}

fn message(platform: &mut Platform, request: HttpRequest) -> String {
    let response = platform.http(request);
    assert_ne!(response.status, 200);
    header(&response.headers, "X-Ca-Error-Message").unwrap().to_owned()
}

#[test]
fn node_and_python_reach_the_business() {
    let mut platform = platform();
    let response = platform.http(npm());
    assert_eq!(response.status, 200);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    // This client sent no iotToken.
    assert_eq!((&body["code"], &body["id"]), (&Value::from(401), &Value::from("1")));

    let response = platform.http(tea());
    assert_eq!(response.status, 200);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["code"], 200);
    assert_eq!(body["id"], "e8365a8ccdc3c83e90174c0f7402245c");
    assert_eq!(body["data"]["totalNum"], 0);
}

#[test]
fn not_under_another_secret() {
    let mut platform = platform();
    platform.switch(&format!("app_secret.{APP_KEY}"), "another");
    for request in [npm(), tea()] {
        assert!(
            message(&mut platform, request)
                .starts_with("Invalid Signature, Server StringToSign:`POST#")
        );
    }
}

#[test]
fn not_with_another_body() {
    let mut platform = platform();
    for mut request in [npm(), tea()] {
        let at = request.body.iter().position(|&byte| byte == b'1').unwrap();
        request.body[at] = b'2';
        assert_eq!(message(&mut platform, request), "Invalid Content-MD5");
    }
}

#[test]
fn not_with_any_signed_part_changed() {
    let mut platform = platform();
    for request in [npm(), tea()] {
        for name in ["accept", "content-type", "x-ca-nonce", "content-md5"] {
            let mut changed = request.clone();
            let found = changed.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.unwrap().1.push('x');
            assert!(message(&mut platform, changed).starts_with("Invalid Signature"), "{name}");
        }
        let mut changed = request.clone();
        changed.path = "/awss/token/check".into();
        assert!(message(&mut platform, changed).starts_with("Invalid Signature"));
        let mut changed = request;
        changed.query.push(("a".into(), "b".into()));
        assert!(message(&mut platform, changed).starts_with("Invalid Signature"));
    }
}

#[test]
fn not_twice_and_not_later() {
    let mut platform = platform();
    assert_eq!(platform.http(tea()).status, 200);
    assert_eq!(message(&mut platform, tea()), "Nonce Used");
    // Node's client sends a timestamp, Python's does not.
    platform.pass(15 * 60 + 1);
    assert_eq!(message(&mut platform, npm()), "Timestamp Expired");
    assert_eq!(platform.http(tea()).status, 200);
}

#[test]
fn every_signed_vector_is_admitted_with_its_signature_and_no_other() {
    let mut admitted = 0;
    for entry in vectors::section("api_gateway_signature") {
        if vectors::text(&entry, "method") != "POST" || vectors::text(&entry, "body").is_empty() {
            continue;
        }
        let mut platform = Platform::new();
        platform.now = Now::new(2_000, 1_528_172_313_487);
        let key = vectors::text(&entry, "app_key");
        platform.switch(&format!("app_secret.{key}"), vectors::text(&entry, "secret"));
        let mut headers = vectors::pairs(&entry, "headers");
        let list = vectors::text(&entry, "signature_headers_value");
        headers.push(("X-Ca-Signature-Headers".into(), list.into()));
        headers.push(("X-Ca-Signature".into(), vectors::text(&entry, "signature").into()));
        let request = HttpRequest {
            method: "POST".into(),
            path: vectors::text(&entry, "path").into(),
            query: vectors::pairs(&entry, "query"),
            headers,
            body: vectors::text(&entry, "body").into(),
        };
        if !muster_serves(&request.path) {
            continue;
        }
        let name = vectors::text(&entry, "name");
        let mut forged = request.clone();
        let response = platform.http(request);
        let refusal = header(&response.headers, "X-Ca-Error-Message");
        assert_eq!(response.status, 200, "{name}: {refusal:?}");
        admitted += 1;
        let signature = &mut forged.headers.last_mut().unwrap().1;
        let first = if signature.starts_with('A') { "B" } else { "A" };
        signature.replace_range(..1, first);
        assert!(message(&mut platform, forged).starts_with("Invalid Signature"), "{name}");
    }
    assert!(admitted >= 8, "{admitted}");
}

fn muster_serves(path: &str) -> bool {
    path.starts_with("/awss/") || path.starts_with("/thing/")
}

#[test]
fn the_list_of_names_may_be_unsorted_or_divided_by_colons() {
    let mut platform = platform();
    for (separator, reversed) in [(",", true), (":", false), (":", true)] {
        let mut request = npm();
        let list = request.headers.iter_mut().find(|(name, _)| name == "x-ca-signature-headers");
        let list = &mut list.unwrap().1;
        let mut names: Vec<&str> = list.split(',').collect();
        if reversed {
            names.reverse();
        }
        *list = names.join(separator);
        platform.pass(16 * 60);
        platform.now = Now::new(platform.now.mono.0, 1_795_298_692_183);
        assert_eq!(platform.http(request).status, 200);
    }
}

#[test]
fn without_a_list_only_the_key_is_signed() {
    use muster::alibaba::sign::{Algorithm, SignedRequest, signature, string_to_sign};
    let mut platform = platform();
    let mut request = npm();
    request
        .headers
        .retain(|(name, _)| !["x-ca-signature-headers", "x-ca-signature"].contains(&name.as_str()));
    // Signed as `X-Ca-Key`, although the header is spelled otherwise.
    let string = string_to_sign(&SignedRequest {
        method: "POST",
        path: &request.path,
        query: &[],
        form: &[],
        headers: &request.headers,
        signed_headers: Some(&["X-Ca-Key".to_owned()]),
    });
    let signature = signature(Algorithm::HmacSha256, &Secret::from(APP_SECRET), &string);
    request.headers.push(("x-ca-signature".into(), signature));
    assert_eq!(platform.http(request).status, 200);
}
