use std::io::{Read, Write};

use crate::support::{Up, connect, mqtt, request};

/// Reads to the end; a reset is an end too.
fn drain(stream: &mut std::net::TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn what_is_not_http_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let say = |bytes: &[u8]| {
        let mut stream = connect(up.http());
        let _ = stream.write_all(bytes);
        String::from_utf8_lossy(&drain(&mut stream)).into_owned()
    };
    assert!(say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").starts_with("HTTP/1.1 400"));
    assert!(say(b"GET / HTTP/9.9\r\n\r\n").starts_with("HTTP/1.1 "));
    assert!(say(b"POST /v2/customer/device/report HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").starts_with("HTTP/1.1 400"));
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    assert!(say(long.as_bytes()).starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200));
    assert!(say(many.as_bytes()).starts_with("HTTP/1.1 431"));

    let at = up.http();
    let path = "/v2/customer/device/report";
    let large = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n");
    assert_eq!(request(at, &large, b"").status, 413);
    let chunked = format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut chunk = format!("{:x}\r\n", 70_000).into_bytes();
    chunk.extend_from_slice(&[b'a'; 70_000]);
    assert_eq!(request(at, &chunked, &chunk).status, 413);
    assert_eq!(request(at, "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", b"").status, 400);
    assert_eq!(request(at, "GET /no/such/path HTTP/1.1\r\nHost: x\r\n\r\n", b"").status, 404);
    assert_eq!(up.get("/api/status")["engine"]["storing"], true, "and it goes on");
}

#[test]
fn what_is_not_mqtt_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    for platform in ["ucloud", "krtyun", "alibaba"] {
        for bytes in [
            // "G" and "E" read as the head of a packet of 69 bytes, so that many have to come.
            &[&b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: "[..], &[b'a'; 80]].concat()[..],
            b"\x10\xff\xff\xff\xff\x7f",
            b"\x10\xff\xff\xff\x7f",
            b"\xc0\x00",
            &mqtt::subscribe_packet(1, "/a"),
            b"\x10\x02\x00\x00",
            &[0; 64],
        ] {
            let mut stream = connect(up.mqtt(platform));
            stream.write_all(bytes).unwrap();
            assert_eq!(drain(&mut stream), b"", "{platform} answered to {bytes:?}");
        }
        // Refused in the protocol's own words.
        let mut stream = connect(up.mqtt(platform));
        stream.write_all(&mqtt::connect_packet("a", "b", "c")).unwrap();
        let said = drain(&mut stream);
        assert!(matches!(said.as_slice(), [0x20, 2, 0, 1..=5]), "{platform}: {said:?}");
    }
    assert_eq!(up.get("/api/status")["engine"]["storing"], true, "and it goes on");
}
