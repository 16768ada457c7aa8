//! The table of page 43906, as far as one gateway in front of one business can give it.

use muster::cloud::HttpRequest;
use muster::http::header;

use super::platform::{APP_KEY, Platform};

const PATH: &str = "/awss/token/check";
const BODY: &str = r#"{"id":"1","request":{"apiVer":"1.0.9"},"params":{}}"#;

/// Status and text of what comes of a request that was right before it was spoilt.
fn refusal(platform: &mut Platform, spoil: impl FnOnce(&mut HttpRequest)) -> (u16, String) {
    let mut request = platform.signed(PATH, BODY);
    spoil(&mut request);
    let response = platform.http(request);
    assert!(header(&response.headers, "X-Ca-Request-Id").is_some());
    let text = header(&response.headers, "X-Ca-Error-Message").unwrap_or_default().to_owned();
    (response.status, text)
}

fn set(request: &mut HttpRequest, name: &str, value: &str) {
    let found = request.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.unwrap().1 = value.into();
}

#[test]
fn one_after_the_other() {
    let mut platform = Platform::new();
    let p = &mut platform;
    assert_eq!(refusal(p, |_| {}), (200, String::new()));
    assert_eq!(refusal(p, |r| r.method = "GET".into()), (400, "Invalid HttpMethod".into()));
    assert_eq!(refusal(p, |r| set(r, "X-Ca-Key", "1")), (400, "Invalid AppKey".into()));
    let no_key = |r: &mut HttpRequest| r.headers.retain(|(n, _)| n != "X-Ca-Key");
    assert_eq!(refusal(p, no_key), (400, "Invalid AppKey".into()));
    assert_eq!(refusal(p, |r| set(r, "X-Ca-Signature", "")), (404, "Empty Signature".into()));
    let (status, text) = refusal(p, |r| set(r, "X-Ca-Signature", "AAAA"));
    assert_eq!(status, 400);
    assert!(text.starts_with("Invalid Signature, Server StringToSign:`POST#application/json"));
    assert!(text.ends_with(&format!("#{PATH}`")), "{text}");
    let unknown = |r: &mut HttpRequest| set(r, "X-Ca-Signature-Method", "HmacMD5");
    assert!(refusal(p, unknown).1.starts_with("Invalid Signature"));
}

#[test]
fn what_only_a_genuine_request_can_be_refused_for() {
    let mut platform = Platform::new();
    // Signed by a client whose clock is wrong.
    for (seconds, refused) in [(899, false), (901, true)] {
        let request = platform.signed(PATH, BODY);
        let before = platform.now;
        platform.pass(seconds);
        let response = platform.http(request);
        platform.now = before;
        assert_eq!(response.status == 400, refused);
        let text = header(&response.headers, "X-Ca-Error-Message");
        assert_eq!(text, refused.then_some("Timestamp Expired"));
    }
    let request = platform.signed(PATH, BODY);
    assert_eq!(platform.http(request.clone()).status, 200);
    let again = platform.http(request);
    assert_eq!(header(&again.headers, "X-Ca-Error-Message"), Some("Nonce Used"));

    for (body, text) in
        [("", "Empty Request Body"), ("[]", "Invalid Request Body"), ("{", "Invalid Request Body")]
    {
        let request = platform.signed(PATH, body);
        let response = platform.http(request);
        assert_eq!(
            (response.status, header(&response.headers, "X-Ca-Error-Message")),
            (400, Some(text))
        );
    }
}

#[test]
fn a_digest_of_an_empty_body_is_refused() {
    use muster::Secret;
    use muster::alibaba::sign::{Algorithm, SignedRequest, signature, string_to_sign};
    let mut platform = Platform::new();
    let mut request = HttpRequest {
        method: "POST".into(),
        path: PATH.into(),
        query: vec![],
        headers: vec![
            ("X-Ca-Key".into(), APP_KEY.into()),
            ("Content-MD5".into(), "1B2M2Y8AsgTpgAmY7PhCfg==".into()),
        ],
        body: vec![],
    };
    let sign = |request: &mut HttpRequest| {
        request.headers.retain(|(name, _)| name != "X-Ca-Signature");
        let string = string_to_sign(&SignedRequest {
            method: "POST",
            path: PATH,
            query: &[],
            form: &[],
            headers: &request.headers,
            signed_headers: Some(&["X-Ca-Key".to_owned()]),
        });
        let secret = Secret::from(super::platform::APP_SECRET);
        let signature = signature(Algorithm::HmacSha256, &secret, &string);
        request.headers.push(("X-Ca-Signature".into(), signature));
    };
    sign(&mut request);
    let response = platform.http(request.clone());
    assert_eq!(header(&response.headers, "X-Ca-Error-Message"), Some("Invalid Content-MD5"));
    request.headers.retain(|(name, _)| name != "Content-MD5");
    sign(&mut request);
    let response = platform.http(request.clone());
    assert_eq!(header(&response.headers, "X-Ca-Error-Message"), Some("Empty Request Body"));
    // A timestamp that is no number.
    request.headers.push(("X-Ca-Timestamp".into(), "now".into()));
    sign(&mut request);
    let response = platform.http(request);
    assert_eq!(header(&response.headers, "X-Ca-Error-Message"), Some("Invalid Timestamp"));
}

#[test]
fn an_app_may_lose_its_rights_and_its_rate() {
    let mut platform = Platform::new();
    platform.switch(&format!("app_authorized.{APP_KEY}"), "false");
    assert_eq!(refusal(&mut platform, |_| {}), (403, "Unauthorized".into()));
    platform.switch(&format!("app_authorized.{APP_KEY}"), "true");
    platform.switch("flow_limit", "2");
    assert_eq!(refusal(&mut platform, |_| {}).0, 200);
    assert_eq!(refusal(&mut platform, |_| {}).0, 200);
    assert_eq!(refusal(&mut platform, |_| {}), (403, "Throttled by APP Flow Control".into()));
    platform.pass(1);
    assert_eq!(refusal(&mut platform, |_| {}).0, 200);
}

#[test]
fn nothing_breaks_out_of_the_header() {
    let mut platform = Platform::new();
    let (_, text) =
        refusal(&mut platform, |r| set(r, "Accept", "a\r\nSet-Cookie: x\u{4e2d}`\u{7f}"));
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
    let long = "x".repeat(60_000);
    let (_, text) = refusal(&mut platform, |r| set(r, "Accept", &long));
    assert!(text.len() < 2_200);
}

#[test]
fn what_is_remembered_of_nonces_is_bounded() {
    use muster::cloud::{Cloud, CloudConfig, Limits};
    let mut platform = Platform::new();
    let limits = Limits { remembered: 10, ..Limits::default() };
    platform.cloud = Cloud::new(CloudConfig { limits }, [1; 32], platform.now);
    for ((table, key), value) in platform.kept.clone() {
        let alibaba = muster::PlatformName::Alibaba;
        platform.cloud.load(alibaba, table, &key, value.expose()).unwrap();
    }
    let first = platform.signed(PATH, BODY);
    assert_eq!(platform.http(first.clone()).status, 200);
    assert_eq!(platform.http(first.clone()).status, 400);
    for _ in 0..10 {
        let next = platform.signed(PATH, BODY);
        assert_eq!(platform.http(next).status, 200);
    }
    // Eleven do not fit: the first is forgotten.
    assert_eq!(platform.http(first).status, 200);
}
