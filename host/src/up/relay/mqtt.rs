//! `/relay/mqtt?to=mqtts://host:port`: a WebSocket of subprotocol `mqtt`, carried on to a broker over TCP or TLS.
//!
//! The token comes as a second subprotocol, `muster-relay.…`: a page cannot set headers of a WebSocket, and a query
//! would be written into logs. The relay's first message is text: `{"open":"203.0.113.7:8883"}` once the broker is
//! reached, or `{"error":{"kind","message","next"}}` and a close code from 4000 on. Everything else is MQTT, in binary
//! messages both ways that need not match packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout};

use super::dial::{Reached, Stream, Target};
use super::refusal::Refusal;
use super::{Relay, admit};
use crate::device::transport::Address;
use crate::up::Up;
use crate::up::http::{Arrival, plain, query};

/// As large as the largest packet of the strictest cloud, and a header.
const MESSAGE: usize = 256 * 1024 + 16;
/// Keep alive is at most 20 minutes with all four vendors, and a broker waits half as long again.
const IDLE: Duration = Duration::from_secs(35 * 60);
/// A broker that takes nothing for so long is gone. A page that takes nothing is cut off by the connection itself.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
const TOKEN: &str = "muster-relay.";

pub(crate) async fn door(
    State(up): State<Arc<Up>>,
    arrival: Extension<Arrival>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if let Err(refusal) = admit(&up, &arrival, &parts.headers) {
        return refusal.response();
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols(["mqtt"]),
        Err(rejection) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        return plain(StatusCode::BAD_REQUEST, "ask for the WebSocket subprotocol `mqtt`\n");
    }
    let token = token(&parts.headers);
    let to = parts.uri.query().map(query).unwrap_or_default();
    upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .on_upgrade(move |socket| async move {
            if let Some(relay) = &up.relay {
                serve(relay, socket, token.as_deref(), &to).await;
            }
        })
}

/// The token among the subprotocols.
fn token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TOKEN))
        .map(str::to_owned)
}

async fn serve(relay: &Relay, mut socket: WebSocket, token: Option<&str>, to: &[(String, String)]) {
    let opening = async {
        relay.check(token)?;
        let slot =
            Arc::clone(&relay.connections).try_acquire_owned().map_err(|_| Refusal::busy())?;
        let target = target(to)?;
        let reached = relay.dialer.dial(&target).await?;
        Ok::<_, Refusal>((slot, target, reached))
    };
    // A page that goes away meanwhile is not noticed; the steps of dialling are short.
    match opening.await {
        Ok((slot, target, reached)) => {
            carry(socket, &target, reached).await;
            drop(slot);
        }
        Err(refusal) => {
            let said = json!({ "error": refusal }).to_string();
            if socket.send(Message::Text(said.into())).await.is_ok() {
                close(&mut socket, refusal.close_code(), &refusal.message).await;
            }
        }
    }
}

/// `to=mqtts://host:port`, and nothing else.
fn target(query: &[(String, String)]) -> Result<Target, Refusal> {
    let [(key, url)] = query else {
        return Err(Refusal::invalid("the relay takes one parameter, `to`, the broker's address"));
    };
    match Address::parse(url) {
        Some(address) if key == "to" && !address.websocket => {
            Ok(Target { tls: address.tls, host: address.host.to_owned(), port: address.port })
        }
        _ => Err(Refusal::invalid(
            "the broker's address has to be mqtt:// or mqtts:// with a host, without user name",
        )),
    }
}

/// How a connection ends.
enum End {
    /// The page closed it, or is gone.
    Page,
    /// With this code and reason.
    Say(u16, String),
}

async fn carry(mut socket: WebSocket, target: &Target, reached: Reached) {
    let said = json!({ "open": reached.at.to_string() }).to_string();
    if socket.send(Message::Text(said.into())).await.is_err() {
        return;
    }
    let (mut to_page, mut from_page) = socket.split();
    let (mut from_broker, mut to_broker) = tokio::io::split(reached.stream);
    let active = Active::new();
    // What goes one way must not wait for what goes the other.
    let end = tokio::select! {
        end = up(&mut from_page, &mut to_broker, target, &active) => end,
        end = down(&mut from_broker, &mut to_page, target, &active) => end,
        () = active.ends() => {
            let reason = format!("nothing passed for {} minutes", IDLE.as_secs() / 60);
            End::Say(4408, reason)
        }
    };
    // The broker hears that it is over, after all that was sent before.
    let _ = timeout(Duration::from_secs(1), to_broker.shutdown()).await;
    let Ok(mut socket) = to_page.reunite(from_page) else { return };
    match end {
        End::Say(code, reason) => close(&mut socket, code, &reason).await,
        // The library has the answer to a Close ready, and sends it when it is asked to go on.
        End::Page => drained(&mut socket).await,
    }
}

async fn up(
    from_page: &mut (impl StreamExt<Item = Result<Message, axum::Error>> + Unpin),
    to_broker: &mut WriteHalf<Box<dyn Stream>>,
    target: &Target,
    active: &Active,
) -> End {
    let mut first = true;
    while let Some(message) = from_page.next().await {
        let bytes = match message {
            Ok(Message::Binary(bytes)) => bytes,
            // Answered by the library.
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Text(_)) => return End::Say(1003, "MQTT travels in binary frames".into()),
            Err(error) if is_too_long(&error) => {
                return End::Say(4413, format!("one message is at most {MESSAGE} bytes long"));
            }
            Ok(Message::Close(_)) | Err(_) => return End::Page,
        };
        // MQTT 3.1.1, 3.1: a client begins with CONNECT. So nothing else is spoken through here.
        if std::mem::take(&mut first) && bytes.first() != Some(&0x10) {
            return End::Say(4400, "what goes through here begins with MQTT's CONNECT".into());
        }
        active.now();
        match timeout(WRITE_WITHIN, to_broker.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Say(4502, format!("{target}: {error}")),
            Err(_) => return End::Say(4504, format!("{target} takes nothing any more")),
        }
        if let Ok(Err(error)) = timeout(WRITE_WITHIN, to_broker.flush()).await {
            return End::Say(4502, format!("{target}: {error}"));
        }
    }
    End::Page
}

async fn down(
    from_broker: &mut ReadHalf<Box<dyn Stream>>,
    to_page: &mut (impl SinkExt<Message> + Unpin),
    target: &Target,
    active: &Active,
) -> End {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from_broker.read(&mut buffer).await {
            Ok(0) => return End::Say(1000, format!("{target} closed the connection")),
            Ok(n) => {
                active.now();
                let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                if to_page.send(Message::Binary(bytes.into())).await.is_err() {
                    return End::Page;
                }
            }
            // Many a server ends TLS without its last words.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return End::Say(1000, format!("{target} closed the connection"));
            }
            Err(error) => return End::Say(4502, format!("{target}: {error}")),
        }
    }
}

/// When bytes last passed, whichever way.
struct Active {
    begun: Instant,
    last: AtomicU64,
}

impl Active {
    fn new() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0) }
    }

    fn now(&self) {
        self.last.store(self.begun.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// Once nothing has passed for too long.
    async fn ends(&self) {
        loop {
            let until = Duration::from_secs(self.last.load(Ordering::Relaxed)) + IDLE;
            if self.begun.elapsed() >= until {
                return;
            }
            tokio::time::sleep_until(self.begun + until).await;
        }
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    use tokio_tungstenite::tungstenite::Error;
    let inner = std::error::Error::source(error).and_then(|error| error.downcast_ref::<Error>());
    matches!(inner, Some(Error::Capacity(_)))
}

async fn close(socket: &mut WebSocket, code: u16, reason: &str) {
    // RFC 6455, 5.5: 125 bytes with the code.
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = Utf8Bytes::from(reason.get(..end).unwrap_or_default());
    let frame = CloseFrame { code, reason };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        drained(socket).await;
    }
}

/// Until the page has heard how it ended, or for a second.
async fn drained(socket: &mut WebSocket) {
    let rest = async { while matches!(socket.recv().await, Some(Ok(_))) {} };
    let _ = timeout(Duration::from_secs(1), rest).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::refusal::Kind;
    use super::*;

    #[test]
    fn only_brokers_over_tcp_and_tls_are_targets() {
        let to = |text: &str| target(&query(text)).map(|target| (target.tls, target.to_string()));
        assert_eq!(to("to=mqtt%3A%2F%2Fh").unwrap(), (false, "h:1883".into()));
        assert_eq!(to("to=mqtts://h.example:9").unwrap(), (true, "h.example:9".into()));
        assert_eq!(to("to=mqtts://[::1]").unwrap(), (true, "[::1]:8883".into()));
        for bad in [
            "",
            "to=",
            "at=mqtt://h",
            "to=ws://h",
            "to=wss://h",
            "to=http://h",
            "to=mqtt://u@h",
            "to=mqtt://h&to=mqtt://i",
            "to=mqtt://h&x=1",
        ] {
            assert_eq!(to(bad).unwrap_err().kind, Kind::Invalid, "{bad}");
        }
    }
}
