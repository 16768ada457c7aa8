use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Up, mqtt};

async fn open(
    at: &str,
    path: &str,
    protocol: Option<&'static str>,
) -> Result<(WebSocketStream<TcpStream>, Option<String>), u16> {
    let stream = TcpStream::connect(at).await.unwrap();
    let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
    }
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, response)) => {
            let chosen = response.headers().get("sec-websocket-protocol");
            Ok((socket, chosen.map(|value| value.to_str().unwrap().to_owned())))
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

async fn packet(socket: &mut WebSocketStream<TcpStream>) -> Option<Vec<u8>> {
    loop {
        match socket.next().await? {
            Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[test]
fn mqtt_over_websocket_needs_its_subprotocol() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let at = up.http().to_owned();
    run(async {
        assert_eq!(open(&at, "/mqtt/ucloud", None).await.err(), Some(400));
        assert_eq!(open(&at, "/mqtt/ucloud", Some("chat")).await.err(), Some(400));
        assert_eq!(open(&at, "/mqtt/cmcc", Some("mqtt")).await.err(), Some(404));
        // UCloud documents no path at all.
        for path in ["/mqtt/ucloud", "/mqtt/krtyun", "/mqtt/alibaba", "/"] {
            let (_, chosen) = open(&at, path, Some("mqtt")).await.unwrap();
            assert_eq!(chosen.as_deref(), Some("mqtt"), "{path}");
        }
    });
}

#[test]
fn frames_need_not_match_packets() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let demo = up.demo("krtyun");
    let (product, secret) =
        (demo["product_id"].as_str().unwrap(), demo["product_secret"].as_str().unwrap());
    let connect = mqtt::connect_packet(product, "77", secret);
    let topic = format!("/sys/{product}/77/thing/register/set");
    let subscribe = mqtt::subscribe_packet(9, &topic);
    run(async {
        let (mut socket, _) = open(up.http(), "/mqtt/krtyun", Some("mqtt")).await.unwrap();
        // A packet in three frames, the last of which carries a second packet whole.
        let (a, b) = connect.split_at(1);
        let (b, c) = b.split_at(10);
        for part in [a.to_vec(), b.to_vec(), [c, &subscribe].concat()] {
            socket.send(Message::Binary(part.into())).await.unwrap();
        }
        let mut got = Vec::new();
        while got.len() < 9 {
            got.extend(packet(&mut socket).await.expect("closed"));
        }
        assert_eq!(got, [0x20, 2, 0, 0, 0x90, 3, 0, 9, 1]);
    });
}

#[test]
fn text_frames_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    run(async {
        let (mut socket, _) = open(up.http(), "/mqtt/ucloud", Some("mqtt")).await.unwrap();
        socket.send(Message::Text("hello".into())).await.unwrap();
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1003),
            other => panic!("{other:?}"),
        }
    });
}
