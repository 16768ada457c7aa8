use serde_json::json;

use super::page::{Page, none, up};
use super::server::{Server, answer};
use crate::support::Up;

/// A real cloud on one side, the relay of another server on the other.
#[test]
fn china_mobile_hears_the_devices_address() {
    let (cloud_data, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cloud = Up::start(cloud_data.path());
    let demo = cloud.demo("cmcc");
    let up = up(&data, &["--relay-allow", cloud.http()]);
    let page = Page::of(&up);
    let kind = json!([["Content-Type", "application/json"]]);
    let ask = json!({
        "deviceNoType": "SN", "deviceNo": "MUSTER-SN-0001",
        "productId": demo["product_id"], "productKey": demo["product_key"],
    });
    let call = |path: &str, body: &serde_json::Value| {
        let to = format!("http://{}{path}", cloud.http());
        let (status, headers, body) = page.answer("POST", &to, &kind, body.to_string().as_bytes());
        assert_eq!(status, 200);
        assert!(headers.to_string().contains("application/json"), "{headers}");
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    };
    let secret = call("/v2/customer/device/secret/info", &ask);
    assert_eq!(secret["code"], "200", "{secret}");
    let report = json!({
        "deviceId": secret["data"]["deviceId"], "deviceSecret": secret["data"]["deviceSecret"],
        "productId": demo["product_id"], "productKey": demo["product_key"],
        "params": {
            "innerIp": ["127.0.0.1"], "netSpeed": "0Mbps", "netType": "wifi", "platform": "RTOS",
            "sdkVersion": "ai_http_1.0", "firmwareVersion": "1.0.0", "imei": "", "cmei": "", "mac": "",
        },
    });
    let reported = call("/v2/customer/device/report", &report);
    assert_eq!(reported["code"], "200", "{reported}");
    let reports = cloud.done(&json!({
        "platform": "cmcc", "action": "list_reports",
        "product": demo["product_id"], "device": "MUSTER-SN-0001",
    }));
    assert!(reports.to_string().contains(r#"\"X-AI-IP\":\"127.0.0.1\""#), "{reports}");
}

#[test]
fn what_was_asked_is_sent_and_what_was_answered_comes_back() {
    let server = Server::new(|first| match first.split(' ').nth(1).unwrap() {
        "/report" => answer(
            "404 Not Found",
            "X-Word: 中文\r\nSet-Cookie: a=b\r\nConnection: close\r\n",
            "gone",
        ),
        _ => answer("200 OK", "", "fine"),
    });
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at()]);
    let page = Page::of(&up);
    let headers = json!([["Content-Type", "application/json"], ["X-Ca-Key", "k"]]);
    let to = format!("http://{}/report?a=b%20c", server.at());
    let (status, headers, body) = page.answer("POST", &to.replace("?a=b%20c", ""), &headers, b"{}");
    assert_eq!((status, &body[..]), (404, &b"gone"[..]));
    // A cookie is not the console's; how the connection ends is nobody's business.
    assert_eq!(headers, json!([["x-word", "中文"], ["content-length", "4"]]));
    let (status, _, body) = page.answer("PUT", &to.replace("report", "other"), &none(), b"bytes");
    assert_eq!((status, &body[..]), (200, &b"fine"[..]));
    let heard = server.heard();
    assert!(
        heard[0].starts_with("POST /report HTTP/1.1\r\n") && heard[0].ends_with("\r\n\r\n{}"),
        "{heard:?}"
    );
    assert!(
        heard[1].starts_with("PUT /other?a=b%20c HTTP/1.1\r\n")
            && heard[1].ends_with("\r\n\r\nbytes"),
        "{heard:?}"
    );
    for line in [
        &format!("Host: {}", server.at()),
        "Content-Type: application/json",
        "X-Ca-Key: k",
        "Content-Length: 2",
    ] {
        assert!(heard[0].contains(&format!("\r\n{line}\r\n")), "{line}: {heard:?}");
    }
    for request in &heard {
        let request = request.to_ascii_lowercase();
        // Nothing of the page's own goes along, and the device's address only to China Mobile's calls.
        for never in ["origin:", "cookie:", "x-relay", "x-ai-ip", "sec-fetch", &page.token] {
            assert!(!request.contains(never), "{never}: {request}");
        }
    }
}

#[test]
fn an_image_is_streamed_whole() {
    let (cloud_data, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cloud = Up::start(cloud_data.path());
    let image: Vec<u8> =
        (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let uploaded = cloud.upload("ucloud", "muster0ucloud001", "2.0.0", &image);
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let url = uploaded.json()["url"]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| panic!("{}", uploaded.text()));
    let up = up(&data, &["--relay-allow", cloud.http()]);
    let (status, headers, body) = Page::of(&up).answer("GET", &url, &none(), b"");
    assert_eq!(status, 200);
    assert!(headers.to_string().contains(r#"["content-length","3000000"]"#), "{headers}");
    assert!(body == image, "{} bytes", body.len());
}

#[test]
fn too_much_is_refused() {
    let server = Server::new(|first| match first.split(' ').nth(1).unwrap() {
        "/huge" => b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n".to_vec(),
        "/head" => answer("200 OK", &format!("X-Long: {}\r\n", "x".repeat(20_000)), ""),
        "/nonsense" => b"SSH-2.0-OpenSSH\r\n".to_vec(),
        _ => answer("200 OK", "", &"x".repeat(2_000_000)),
    });
    let data = tempfile::tempdir().unwrap();
    let up = up(&data, &["--relay-allow", &server.at()]);
    let page = Page::of(&up);
    let to = |path: &str| format!("http://{}{path}", server.at());
    let refused = |method, path, body: &[u8]| page.refused(method, &to(path), &none(), body).0;
    assert_eq!(refused("POST", "/", &vec![b'x'; 65 * 1024]), "limit");
    assert_eq!(server.heard().len(), 0, "nothing of it was sent");
    assert_eq!(refused("POST", "/", b""), "limit");
    assert_eq!(refused("GET", "/huge", b""), "limit");
    // Of HEAD it is what a GET would bring.
    assert_eq!(page.answer("HEAD", &to("/huge"), &none(), b"").0, 200);
    assert_eq!(refused("GET", "/head", b""), "limit");
    assert_eq!(refused("GET", "/nonsense", b""), "failed");
    assert_eq!(page.answer("GET", &to("/"), &none(), b"").2.len(), 2_000_000);
    let many = json!(vec![["X-Ca-Long", "x"]; 1_000]);
    assert_eq!(page.refused("GET", &to("/"), &many, b"").0, "limit");
    assert_eq!(page.refused("GET", &to("/"), &json!([["Cookie", "a=b"]]), b"").0, "invalid");
    assert_eq!(page.refused("GET", &to("/"), &json!([["X-AI-IP", "1.2.3.4"]]), b"").0, "invalid");
    assert_eq!(page.refused("TRACE", &to("/"), &none(), b"").0, "invalid");
    assert_eq!(page.refused("GET", "ftp://127.0.0.1/", &none(), b"").0, "invalid");
}
