use crate::support::{Reply, Up, request};

#[test]
fn other_web_pages_cannot_operate() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let (at, port) = (up.http(), up.http().rsplit(':').next().unwrap());
    let get = |path: &str, host: &str, more: &str| -> Reply {
        request(at, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"), b"")
    };
    for path in ["/", "/api/demo", "/api/status", "/api/unknown"] {
        // DNS rebinding: a name of the attacker's that resolves to 127.0.0.1.
        for host in [
            format!("evil.example:{port}"),
            "evil.example".to_owned(),
            "127.0.0.1.evil.example".to_owned(),
        ] {
            assert_eq!(get(path, &host, "").status, 403, "{path} for {host}");
        }
        // A page elsewhere, in the same browser.
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"] {
            assert_eq!(
                get(path, at, &format!("Origin: {origin}\r\n")).status,
                403,
                "{path} from {origin}"
            );
        }
    }
    assert_eq!(get("/api/demo", at, "Sec-Fetch-Site: cross-site\r\n").status, 403);
    assert_eq!(get("/api/demo", at, "Sec-Fetch-Site: same-site\r\n").status, 403);

    for (host, origin) in [
        (at.to_owned(), format!("http://{at}")),
        (format!("localhost:{port}"), format!("http://localhost:{port}")),
    ] {
        let own = get(
            "/api/demo",
            &host,
            &format!("Origin: {origin}\r\nSec-Fetch-Site: same-origin\r\n"),
        );
        assert_eq!(own.status, 200, "{host}");
        let cors = own.head.to_ascii_lowercase();
        assert!(!cors.contains("access-control"), "{cors}");
    }
}

#[test]
fn a_post_needs_a_content_type_that_a_stranger_cannot_send() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let at = up.http();
    let body = r#"{"platform":"cmcc","action":"create_product","name":"x"}"#;
    let post = |kind: &str| {
        let head = format!(
            "POST /api/operate HTTP/1.1\r\nHost: {at}\r\n{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        request(at, &head, body.as_bytes())
    };
    for kind in
        ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"]
    {
        assert_eq!(post(kind).status, 415, "{kind}");
    }
    assert_eq!(post("Content-Type: application/json; charset=utf-8\r\n").status, 200);
    let preflight = request(
        at,
        &format!(
            "OPTIONS /api/operate HTTP/1.1\r\nHost: {at}\r\nOrigin: http://evil.example\r\n\
             Access-Control-Request-Method: POST\r\n\r\n"
        ),
        b"",
    );
    assert_eq!(preflight.status, 403);
}

#[test]
fn errors_say_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let cases = [
        ("{", 400, "invalid"),
        (r#"{"platform":"ucloud","action":"fly"}"#, 400, "invalid"),
        (r#"{"platform":"ucloud","action":"list_devices","product":"none"}"#, 404, "not_found"),
        (r#"{"platform":"cmcc","action":"list_owners"}"#, 422, "unsupported"),
    ];
    for (body, status, kind) in cases {
        let head = format!(
            "POST /api/operate HTTP/1.1\r\nHost: {0}\r\nContent-Type: application/json\r\nContent-Length: {1}\r\n\r\n",
            up.http(),
            body.len()
        );
        let answer = request(up.http(), &head, body.as_bytes());
        assert_eq!((answer.status, answer.json()["kind"].as_str()), (status, Some(kind)), "{body}");
        for key in ["message", "next"] {
            assert!(
                answer.json()[key].as_str().is_some_and(|text| !text.is_empty()),
                "{body} {key}"
            );
        }
    }
    let typo = request(
        up.http(),
        &format!("GET /api/devices?platfrom=cmcc HTTP/1.1\r\nHost: {}\r\n\r\n", up.http()),
        b"",
    );
    assert_eq!(typo.status, 400);
}

/// Device doors may be open to the network while the operator's side stays at home.
#[test]
fn the_operators_side_stays_on_loopback() {
    let data = tempfile::tempdir().unwrap();
    let Some(own) = network_address() else {
        eprintln!("this machine has no address but loopback: nothing to see");
        return;
    };
    let up = Up::spawn(
        crate::support::muster()
            .args(["up", "--port", "0", "--json", "--listen", "0.0.0.0", "--data"])
            .arg(data.path()),
    );
    let port = up.http().rsplit(':').next().unwrap();
    let outside = format!("{own}:{port}");
    let get = |path: &str| {
        request(&outside, &format!("GET {path} HTTP/1.1\r\nHost: {outside}\r\n\r\n"), b"")
    };
    assert_eq!(get("/").status, 403);
    assert_eq!(get("/api/demo").status, 403);
    // A vendor's path answers, if only to say that it takes something else.
    let body = "{}";
    let head = format!(
        "POST /v2/customer/device/secret/info HTTP/1.1\r\nHost: {outside}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(request(&outside, &head, body.as_bytes()).status, 200);
    assert_eq!(up.get("/api/status")["engine"]["storing"], true);
}

/// The address by which this machine would reach another; nothing is sent.
fn network_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}
