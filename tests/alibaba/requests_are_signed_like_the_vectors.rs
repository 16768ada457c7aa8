//! API Gateway signatures.

use muster::Secret;
use muster::alibaba::sign::{
    Algorithm, JsonPost, SignedRequest, content_md5, default_signed_headers, json_post_headers,
    signature, split_signature_headers, string_to_sign,
};

use super::vectors::{pairs, section, text};

#[test]
fn every_vector_agrees() {
    for entry in section("api_gateway_signature") {
        let name = text(&entry, "name");
        let (query, form) = (pairs(&entry, "query"), pairs(&entry, "form"));
        let headers = pairs(&entry, "headers");
        let request = SignedRequest {
            method: text(&entry, "method"),
            path: text(&entry, "path"),
            query: &query,
            form: &form,
            headers: &headers,
            signed_headers: None,
        };
        let string = string_to_sign(&request);
        assert_eq!(string, text(&entry, "string_to_sign"), "{name}");

        let list = text(&entry, "signature_headers_value");
        assert_eq!(default_signed_headers(&headers).join(","), list, "{name}");

        // A verifier takes the names from the list, in whatever order and with whatever separator it came.
        let mut names = split_signature_headers(&list.replace(',', ":"));
        names.reverse();
        let listed = SignedRequest { signed_headers: Some(&names), ..request };
        assert_eq!(string_to_sign(&listed), string, "{name}");

        let algorithm: Algorithm = text(&entry, "algorithm").parse().unwrap();
        let secret = Secret::from(text(&entry, "secret"));
        assert_eq!(signature(algorithm, &secret, &string), text(&entry, "signature"), "{name}");

        let md5 = entry["content_md5"].as_str().map(String::from);
        assert_eq!(content_md5(text(&entry, "body").as_bytes()), md5, "{name}");
    }
}

#[test]
fn content_md5_is_left_out_for_an_empty_body() {
    for entry in section("content_md5") {
        let body = text(&entry, "body");
        let expected = (!body.is_empty()).then(|| text(&entry, "content_md5").to_owned());
        assert_eq!(content_md5(body.as_bytes()), expected);
    }
}

/// The bytes that two real clients put on the wire, signed with the secret of the vectors.
#[test]
fn captured_requests_of_real_clients_verify() {
    let secret = Secret::from("0123456789abcdef0123456789abcdef");
    for capture in [
        include_str!("../vectors/gateway-request-npm.http"),
        include_str!("../vectors/gateway-request-tea.http"),
    ] {
        let (head, body) = capture.split_once("\r\n\r\n").or(capture.split_once("\n\n")).unwrap();
        let mut lines = head.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let value = |name: &str| {
            let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.map(|(_, v)| v.as_str()).unwrap()
        };
        let names = split_signature_headers(value("x-ca-signature-headers"));
        let string = string_to_sign(&SignedRequest {
            method: "POST",
            path,
            query: &[],
            form: &[],
            headers: &headers,
            signed_headers: Some(&names),
        });
        assert_eq!(signature(Algorithm::HmacSha256, &secret, &string), value("x-ca-signature"));
        assert_eq!(content_md5(body.as_bytes()).as_deref(), Some(value("content-md5")));
        let wrong = Secret::from("0123456789abcdef0123456789abcdee");
        assert_ne!(signature(Algorithm::HmacSha256, &wrong, &string), value("x-ca-signature"));
    }
}

#[test]
fn the_resource_merges_query_and_form_and_keeps_the_first_of_a_repeated_key() {
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let query = [pair("b", "2"), pair("a", "first"), pair("a", "second"), pair("c", "")];
    let form = [pair("b", "form"), pair("B", "up"), pair("d", "raw &=/ 中")];
    let string = string_to_sign(&SignedRequest {
        method: "POST",
        path: "/p",
        query: &query,
        form: &form,
        headers: &[],
        signed_headers: None,
    });
    assert_eq!(string, "POST\n\n\n\n\n/p?B=up&a=first&b=2&c&d=raw &=/ 中");
}

#[test]
fn headers_with_their_own_line_and_the_signature_itself_are_never_signed() {
    let headers: Vec<(String, String)> = [
        ("accept", "a"),
        ("Date", "d"),
        ("X-Ca-Signature", "s"),
        ("x-ca-signature-headers", "l"),
        ("x-CA-zed", "z"),
        ("X-Ca-Key", "k"),
        ("Host", "h"),
        ("x-ca", "short"),
        ("x-cä-y", "not ASCII"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    assert_eq!(default_signed_headers(&headers), ["X-Ca-Key", "x-CA-zed"]);
    let listed: Vec<String> =
        ["Date", "x-ca-key", "ACCEPT", "X-Ca-Signature", "host", "host", "absent"]
            .map(String::from)
            .into();
    let string = string_to_sign(&SignedRequest {
        method: "GET",
        path: "/",
        query: &[],
        form: &[],
        headers: &headers,
        signed_headers: Some(&listed),
    });
    assert_eq!(string, "GET\na\n\n\nd\nabsent:\nhost:h\nx-ca-key:k\n/");
}

#[test]
fn a_json_post_is_signed_over_exactly_the_headers_it_sends() {
    let secret = Secret::from("0123456789abcdef0123456789abcdef");
    for algorithm in [Algorithm::HmacSha256, Algorithm::HmacSha1] {
        let body = br#"{"id":"1"}"#;
        let headers = json_post_headers(&JsonPost {
            path: "/awss/token/check",
            body,
            app_key: "23456789",
            app_secret: &secret,
            algorithm,
            nonce: "b931bc77-645a-4299-b24b-f3669be577ac",
            timestamp_ms: Some(1_528_172_313_487),
            date: Some("Tue, 05 Jun 2018 04:18:33 GMT"),
            stage: Some("RELEASE"),
        });
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Accept",
                "Content-Type",
                "Content-MD5",
                "Date",
                "X-Ca-Key",
                "X-Ca-Nonce",
                "X-Ca-Timestamp",
                "X-Ca-Signature-Method",
                "X-Ca-Stage",
                "X-Ca-Signature-Headers",
                "X-Ca-Signature"
            ]
        );
        let (_, list) = &headers[9];
        assert_eq!(list, "X-Ca-Key,X-Ca-Nonce,X-Ca-Signature-Method,X-Ca-Stage,X-Ca-Timestamp");
        let listed = split_signature_headers(list);
        let string = string_to_sign(&SignedRequest {
            method: "POST",
            path: "/awss/token/check",
            query: &[],
            form: &[],
            headers: &headers,
            signed_headers: Some(&listed),
        });
        assert_eq!(headers[10].1, signature(algorithm, &secret, &string));
        assert!(string.contains(&content_md5(body).unwrap()));
    }
}

#[test]
fn without_clock_date_or_stage_those_headers_are_not_sent() {
    let headers = json_post_headers(&JsonPost {
        path: "/p",
        body: b"",
        app_key: "k",
        app_secret: &Secret::from("s"),
        algorithm: Algorithm::default(),
        nonce: "n",
        timestamp_ms: None,
        date: None,
        stage: None,
    });
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Accept",
            "Content-Type",
            "X-Ca-Key",
            "X-Ca-Nonce",
            "X-Ca-Signature-Method",
            "X-Ca-Signature-Headers",
            "X-Ca-Signature"
        ]
    );
}

#[test]
fn only_the_two_documented_methods_are_known() {
    assert_eq!("hmacsha1".parse(), Ok(Algorithm::HmacSha1));
    assert_eq!("HmacSHA256".parse(), Ok(Algorithm::HmacSha256));
    assert!("HmacMD5".parse::<Algorithm>().is_err());
    assert!("".parse::<Algorithm>().is_err());
}
