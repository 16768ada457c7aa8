use std::io::{BufReader, Write};

use crate::support::{Up, connect, reply, request};

fn image(size: u32) -> Vec<u8> {
    (0..size)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(size as usize)
        .collect()
}

/// What UCloud's C SDK does: 4097 bytes at a time on one connection, the last range past the end.
#[test]
fn firmware_is_fetched_in_ranges() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let image = image(12_000);
    let product = up.demo("ucloud")["product_sn"].as_str().unwrap().to_owned();
    let uploaded = up.upload("ucloud", &product, "2.0.0", &image);
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let url = uploaded.json()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&format!("http://{}", up.http())).unwrap();

    let mut stream = connect(up.http());
    let mut from = BufReader::new(stream.try_clone().unwrap());
    let mut got = Vec::new();
    while got.len() < image.len() {
        let (first, last) = (got.len(), got.len() + 4096);
        write!(
            stream,
            "GET {path}?Signature=x HTTP/1.1\r\nHost: uiot-ota1.cn-sh2.ufileos.com\r\nRange: bytes={first}-{last}\r\n\
             Accept-Encoding: gzip, deflate\r\n\r\n"
        )
        .unwrap();
        let part = reply(&mut from, false);
        assert_eq!(part.status, 206);
        // The SDK compares the name byte by byte, and knows neither chunks nor compression.
        assert!(part.head.contains("\r\nContent-Length: "), "{}", part.head);
        assert_eq!(part.header("transfer-encoding"), None);
        assert_eq!(part.header("content-encoding"), None);
        let end = last.min(image.len() - 1);
        assert_eq!(
            part.header("content-range").unwrap(),
            format!("bytes {first}-{end}/{}", image.len())
        );
        got.extend_from_slice(&part.body);
    }
    assert!(got == image, "the parts are not the whole");
}

#[test]
fn the_whole_its_head_and_what_cannot_be_had() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let image = image(300_000);
    let product = up.demo("krtyun")["product_id"].as_str().unwrap().to_owned();
    let url =
        up.upload("krtyun", &product, "1.0.1", &image).json()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&format!("http://{}", up.http())).unwrap().to_owned();
    let ask = |method: &str, path: &str, more: &str| {
        request(up.http(), &format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n"), b"")
    };

    let whole = ask("GET", &path, "");
    assert!(whole.status == 200 && whole.body == image);
    let etag = whole.header("etag").unwrap().to_owned();
    let head = ask("HEAD", &path, "");
    assert_eq!((head.status, head.header("content-length")), (200, Some("300000")));
    assert_eq!(ask("GET", &path, &format!("If-None-Match: {etag}\r\n")).status, 304);
    assert_eq!(
        ask("GET", &path, &format!("Range: bytes=0-9\r\nIf-Range: {etag}\r\n")).body,
        image[..10]
    );
    assert_eq!(ask("GET", &path, "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n").status, 200);

    let outside = ask("GET", &path, "Range: bytes=300000-\r\n");
    assert_eq!((outside.status, outside.header("content-range")), (416, Some("bytes */300000")));
    assert_eq!(ask("DELETE", &path, "").status, 405);
    let (folder, name) = path.rsplit_once('/').unwrap();
    for wrong in [
        format!("{folder}/other.bin"),
        format!("{folder}/"),
        format!("{folder}/..%2f..%2fcloud.db"),
        format!("/firmware/{}/{name}", "0".repeat(32)),
        "/firmware/../cloud.db".to_owned(),
        "/firmware/..%2f/cloud.db".to_owned(),
        "/firmware/./../../cloud.db".to_owned(),
    ] {
        assert_eq!(ask("GET", &wrong, "").status, 404, "{wrong}");
    }

    // Images outlive the process.
    up.stop();
    let up = Up::start(data.path());
    assert!(
        request(up.http(), &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"), b"").body == image
    );
}

#[test]
fn an_image_that_is_refused_leaves_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let product = up.demo("krtyun")["product_id"].as_str().unwrap().to_owned();
    assert_eq!(up.upload("krtyun", "unknown", "1.0.1", b"x").status, 404);
    assert_eq!(up.upload("krtyun", &product, "../1", b"x").status, 400);
    assert_eq!(up.upload("krtyun", &product, "1.0.1", b"").status, 400);
    assert_eq!(up.upload("krtyun", &product, "1.0.1", b"first").status, 200);
    assert_eq!(up.upload("krtyun", &product, "1.0.1", b"second").status, 409);
    let head = format!(
        "POST /api/firmware?platform=krtyun&product={product}&version=9 HTTP/1.1\r\nHost: {}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: 67108865\r\n\r\n",
        up.http()
    );
    let large = request(up.http(), &head, b"");
    assert_eq!((large.status, large.json()["kind"].as_str()), (413, Some("too_large")));
    let kept = std::fs::read_dir(data.path().join("firmware")).unwrap().count();
    assert_eq!(kept, 1, "only the image that was taken is there");
}
