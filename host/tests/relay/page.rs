//! A page of the console, as far as the relay sees one.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{PATIENCE, Reply, Up, muster, request};

/// `muster up --relay` and what else.
pub fn up(data: &tempfile::TempDir, more: &[&str]) -> Up {
    Up::spawn(
        muster()
            .args(["up", "--port", "0", "--json", "--relay", "--data"])
            .arg(data.path())
            .args(more),
    )
}

/// The page, with its token.
pub struct Page {
    pub at: String,
    pub token: String,
}

impl Page {
    pub fn of(up: &Up) -> Self {
        let at = up.http().to_owned();
        let reply = ask_token(&at, &format!("Origin: http://{at}\r\n"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token = reply.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(token.len(), 64);
        Self { at, token }
    }

    /// A request by the relay; `more` are headers beside the usual ones.
    pub fn http(&self, method: &str, to: &str, headers: &Value, body: &[u8]) -> Reply {
        let Self { at, token } = self;
        let head = format!(
            "POST /relay/http HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nSec-Fetch-Site: same-origin\r\n\
             X-Relay-Token: {token}\r\nX-Relay-To: {to}\r\nX-Relay-Method: {method}\r\nX-Relay-Headers: {headers}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        request(at, &head, body)
    }

    /// The answer of a cloud: status and headers.
    pub fn answer(
        &self,
        method: &str,
        to: &str,
        headers: &Value,
        body: &[u8],
    ) -> (u16, Value, Vec<u8>) {
        let reply = self.http(method, to, headers, body);
        assert_eq!(
            (reply.status, reply.header("x-relay")),
            (200, Some("answer")),
            "{}",
            reply.text()
        );
        let status = reply.header("x-relay-status").unwrap().parse().unwrap();
        let headers = serde_json::from_str(reply.header("x-relay-headers").unwrap()).unwrap();
        (status, headers, reply.body)
    }

    /// What the relay says against it: the kind, and all of it.
    pub fn refused(&self, method: &str, to: &str, headers: &Value, body: &[u8]) -> (String, Value) {
        refusal(&self.http(method, to, headers, body))
    }

    pub async fn mqtt(&self, to: &str) -> Socket {
        let protocols = format!("mqtt, muster-relay.{}", self.token);
        open(&self.at, to, Some(&format!("http://{}", self.at)), &protocols).await.unwrap()
    }

    /// What the relay says against going there, and the close code.
    pub fn no_way(&self, to: &str) -> (Value, u16) {
        run(async {
            let mut socket = self.mqtt(to).await;
            socket.no_way().await
        })
    }
}

pub fn refusal(reply: &Reply) -> (String, Value) {
    assert_eq!(reply.header("x-relay"), Some("error"), "{} {}", reply.status, reply.text());
    assert!(reply.status >= 400);
    let said = reply.json();
    for part in ["message", "next"] {
        assert!(said[part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {said}");
    }
    (said["kind"].as_str().unwrap().to_owned(), said)
}

pub fn ask_token(at: &str, more: &str) -> Reply {
    let head = format!(
        "POST /api/relay/token HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n{more}\r\n"
    );
    request(at, &head, b"{}")
}

/// A WebSocket to the relay.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TcpStream>);

/// Opens one, or says the status with which it was refused.
pub async fn open(
    at: &str,
    to: &str,
    origin: Option<&str>,
    protocols: &str,
) -> Result<Socket, u16> {
    let stream = TcpStream::connect(at).await.unwrap();
    let mut request = format!("ws://{at}/relay/mqtt?to={to}").into_client_request().unwrap();
    let headers = request.headers_mut();
    if let Some(origin) = origin {
        headers.insert("Origin", HeaderValue::from_str(origin).unwrap());
    }
    headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_str(protocols).unwrap());
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, response)) => {
            // The token is not said back.
            assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");
            Ok(Socket(socket))
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Socket {
    async fn next(&mut self) -> Message {
        tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap()
    }

    /// The relay's first words.
    pub async fn said(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The broker is reached.
    pub async fn reached(&mut self) -> String {
        let said = self.said().await;
        said["open"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    pub async fn no_way(&mut self) -> (Value, u16) {
        let error = self.said().await["error"].clone();
        for part in ["kind", "message", "next"] {
            assert!(error[part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {error}");
        }
        let (code, reason) = self.closed().await;
        assert!(error["message"].as_str().unwrap().starts_with(&reason), "{reason}: {error}");
        (error, code)
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.send(Message::Binary(bytes.to_vec().into())).await.unwrap();
    }

    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// At least so many bytes.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut got = Vec::new();
        while got.len() < count {
            match self.next().await {
                Message::Binary(bytes) => got.extend_from_slice(&bytes),
                other => panic!("{other:?} after {got:?}"),
            }
        }
        got
    }

    /// Code and reason of the end.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Message::Close(Some(frame)) => {
                    return (frame.code.into(), frame.reason.as_str().to_owned());
                }
                Message::Close(None) => return (0, String::new()),
                _ => {}
            }
        }
    }

    /// Closes it in order: whether the other end answered.
    pub async fn close(mut self) -> bool {
        self.0.close(None).await.unwrap();
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Close(_))) => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    }
}

pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

pub fn none() -> Value {
    json!([])
}

pub const A_MOMENT: Duration = Duration::from_millis(300);
