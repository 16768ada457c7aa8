use super::page::{Page, run, up};
use crate::mosquitto::Broker;
use crate::support::mqtt::{connect_packet, publish_packet, subscribe_packet};

#[test]
fn mqtt_is_carried_over_tcp_and_tls() {
    let broker = Broker::start();
    let data = tempfile::tempdir().unwrap();
    let ca = broker.dir.path().join("ca.pem");
    let allow = [broker.tcp, broker.tls].map(|port| format!("127.0.0.1:{port}"));
    let up = up(
        &data,
        &[
            "--relay-allow",
            &allow[0],
            "--relay-allow",
            &allow[1],
            "--relay-ca",
            ca.to_str().unwrap(),
        ],
    );
    let page = Page::of(&up);
    for (scheme, port) in [("mqtt", broker.tcp), ("mqtts", broker.tls)] {
        run(async {
            let mut socket = page.mqtt(&format!("{scheme}://127.0.0.1:{port}")).await;
            assert_eq!(socket.reached().await, format!("127.0.0.1:{port}"));
            socket.send(&connect_packet(&format!("by-{scheme}"), "u", "p")).await;
            assert_eq!(socket.bytes(4).await, [0x20, 2, 0, 0]);
            socket.send(&subscribe_packet(1, "to/and/fro")).await;
            assert_eq!(socket.bytes(5).await, [0x90, 3, 0, 1, 1]);
            // Large enough for many frames and TLS records, in messages that do not match packets.
            let payload = "0123456789abcdef".repeat(8 * 1024);
            let publish = publish_packet(7, "to/and/fro", &payload);
            for part in publish.chunks(50_000) {
                socket.send(part).await;
            }
            // PUBACK, and the message itself, in whichever order.
            let got = socket.bytes(publish.len() + 4).await;
            assert_eq!(got.len(), publish.len() + 4);
            assert!(String::from_utf8_lossy(&got).contains(&payload));
            assert!(socket.close().await, "a close in order is answered in order");
        });
        // The broker learns that the page is gone.
        broker.wait_for(&[&format!("by-{scheme}"), "closed its connection"], 1);
    }
}

#[test]
fn a_broker_that_closes_is_heard_with_its_reason() {
    let broker = Broker::start();
    let data = tempfile::tempdir().unwrap();
    let at = format!("127.0.0.1:{}", broker.tcp);
    let up = up(&data, &["--relay-allow", &at]);
    let page = Page::of(&up);
    run(async {
        let mut socket = page.mqtt(&format!("mqtt://{at}")).await;
        socket.reached().await;
        let connect = connect_packet("twice", "u", "p");
        // MQTT 3.1.1, 3.1.0-2: a second CONNECT ends the connection.
        socket.send(&[connect.clone(), connect].concat()).await;
        assert_eq!(socket.bytes(4).await, [0x20, 2, 0, 0]);
        let (code, reason) = socket.closed().await;
        assert!(code == 1000 || code == 4502, "{code} {reason}");
        assert!(reason.contains(&at), "{reason}");
    });
}

#[test]
fn tls_is_verified() {
    let broker = Broker::start();
    let ca = broker.dir.path().join("ca.pem");
    let ports = [broker.tls, broker.misnamed, broker.tcp].map(|port| format!("127.0.0.1:{port}"));
    let allow =
        ["--relay-allow", &ports[0], "--relay-allow", &ports[1], "--relay-allow", &ports[2]];
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Without the broker's authority, and with it.
    let strict = up(&one, &allow);
    let knowing = up(&other, &[&allow[..], &["--relay-ca", ca.to_str().unwrap()]].concat());
    for (up, port, says) in [
        (
            &strict,
            broker.tls,
            "comes from a CA that is not trusted here; if it is your own, give it with --relay-ca FILE",
        ),
        (&knowing, broker.misnamed, "the certificate is for another name than"),
        (&knowing, broker.tcp, "127.0.0.1"),
    ] {
        let (error, code) = Page::of(up).no_way(&format!("mqtts://127.0.0.1:{port}"));
        assert_eq!((error["kind"].as_str(), code), (Some("tls"), 4502), "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}

#[test]
fn nothing_but_mqtt_passes() {
    let broker = Broker::start();
    let data = tempfile::tempdir().unwrap();
    let at = format!("127.0.0.1:{}", broker.tcp);
    let up = up(&data, &["--relay-allow", &at]);
    let page = Page::of(&up);
    run(async {
        for (bytes, code) in [(&b"GET / HTTP/1.1\r\n\r\n"[..], 4400), (&[][..], 4400)] {
            let mut socket = page.mqtt(&format!("mqtt://{at}")).await;
            socket.reached().await;
            socket.send(bytes).await;
            assert_eq!(socket.closed().await.0, code, "{bytes:?}");
        }
        let mut socket = page.mqtt(&format!("mqtt://{at}")).await;
        socket.reached().await;
        socket.send_text("hello").await;
        assert_eq!(socket.closed().await.0, 1003);
        let mut socket = page.mqtt(&format!("mqtt://{at}")).await;
        socket.reached().await;
        socket.send(&vec![0x10; 300 * 1024]).await;
        assert_eq!(socket.closed().await.0, 4413, "longer than any cloud takes");
    });
    assert!(!broker.log().iter().any(|line| line.contains("GET")), "{:?}", broker.log());
}
