//! MQTT over WebSocket: `/mqtt/<platform>`, subprotocol `mqtt`, binary frames that need not match packets.

use std::io;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use muster::PlatformName;

use super::Up;
use super::http::plain;
use super::mqtt::{Wire, drive};

/// As large as the largest packet, and a header.
const FRAME: usize = 256 * 1024 + 16;

/// `/mqtt/ucloud`, `/mqtt/krtyun`, `/mqtt/alibaba`.
pub(crate) async fn door(
    State(up): State<Arc<Up>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match name.parse() {
        Ok(platform) if super::speaks_mqtt(platform) => upgrade(up, platform, request).await,
        _ => plain(
            StatusCode::NOT_FOUND,
            "MQTT is at /mqtt/ucloud, /mqtt/krtyun and /mqtt/alibaba\n",
        ),
    }
}

/// UCloud documents its WebSocket without a path.
pub(crate) async fn ucloud_root(up: Arc<Up>, request: Request) -> Response {
    upgrade(up, PlatformName::Ucloud, request).await
}

async fn upgrade(up: Arc<Up>, platform: PlatformName, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    // MQTT 3.1.1, 6: the client has to offer `mqtt`. Older clients say `mqttv3.1` beside it or instead.
    let upgrade = upgrade.protocols(["mqtt", "mqttv3.1"]);
    if upgrade.selected_protocol().is_none() {
        return plain(StatusCode::BAD_REQUEST, "ask for the WebSocket subprotocol `mqtt`\n");
    }
    let Ok(slot) = Arc::clone(&up.mqtt_slots).try_acquire_owned() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "too many connections\n");
    };
    upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_message_size(FRAME)
        .max_frame_size(FRAME)
        .on_upgrade(move |socket| async move {
            drive(&up, platform, Ws(socket)).await;
            drop(slot);
        })
}

struct Ws(WebSocket);

impl Wire for Ws {
    async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.0.recv().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes.into())),
                // Answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(Message::Text(_))) => {
                    // MQTT 3.1.1, 6: anything but a binary frame closes the connection. 1003: unsupported data.
                    let reason =
                        CloseFrame { code: 1003, reason: "MQTT travels in binary frames".into() };
                    let _ = self.0.send(Message::Close(Some(reason))).await;
                    return Ok(None);
                }
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.0.send(Message::Binary(bytes.into())).await.map_err(io::Error::other)
    }

    async fn close(mut self) {
        let reason = CloseFrame { code: 1000, reason: "".into() };
        if self.0.send(Message::Close(Some(reason))).await.is_ok() {
            while matches!(self.0.recv().await, Some(Ok(_))) {}
        }
    }
}
