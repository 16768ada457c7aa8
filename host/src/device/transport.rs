//! One byte stream to a broker: TCP, TLS, or WebSocket over either.
//!
//! The WebSocket is a feature: brokers of devices speak MQTT over TCP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "websocket")]
use futures_util::{SinkExt, StreamExt};
use muster::Failure;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
#[cfg(feature = "websocket")]
use tokio_tungstenite::WebSocketStream;
#[cfg(feature = "websocket")]
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
#[cfg(feature = "websocket")]
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};

use super::http::io_failure;

/// For each of: name and TCP, TLS, the WebSocket's handshake.
const STEP_WITHIN: Duration = Duration::from_secs(10);
/// A peer that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
#[cfg(feature = "websocket")]
const MAX_MESSAGE: usize = 512 * 1024;

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open connection.
pub(super) enum Transport {
    Plain(Box<dyn Stream>),
    #[cfg(feature = "websocket")]
    WebSocket(Box<WebSocketStream<Box<dyn Stream>>>),
}

/// Why there is none: for the core, and for the person.
pub(super) type NoTransport = (Failure, String);

/// A broker's address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(crate) tls: bool,
    pub(crate) websocket: bool,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl Transport {
    pub(super) async fn open(url: &str, tls: &Arc<ClientConfig>) -> Result<Self, NoTransport> {
        let address = Address::parse(url).ok_or_else(|| {
            (
                Failure::Forbidden,
                "the broker's address has to be mqtt://, mqtts://, ws:// or wss:// with a host"
                    .into(),
            )
        })?;
        let (host, port) = (address.host, address.port);
        let at = format!("{host}:{port}");
        let tcp = within(&at, tcp(host, port, &at)).await?;
        let stream: Box<dyn Stream> = if address.tls {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| (Failure::Tls, format!("{host} is no name that TLS can check")))?;
            let connector = TlsConnector::from(tls.clone());
            let connecting = async {
                connector.connect(name, tcp).await.map_err(|e| match io_failure(&e, &at) {
                    (Failure::Lost, _) => {
                        (Failure::Tls, format!("{at} ended the TLS handshake: {e}"))
                    }
                    other => other,
                })
            };
            Box::new(within(&at, connecting).await?)
        } else {
            Box::new(tcp)
        };
        if !address.websocket {
            return Ok(Self::Plain(stream));
        }
        #[cfg(feature = "websocket")]
        return within(&at, websocket(url, stream, &at)).await;
        #[cfg(not(feature = "websocket"))]
        Err((Failure::Forbidden, "this build speaks no WebSocket: give mqtt:// or mqtts://".into()))
    }

    /// The next bytes; `None` at the end. Can be dropped at any await without losing any.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Plain(stream) => {
                let n = stream.read(buffer).await?;
                Ok(buffer.get(..n).filter(|bytes| !bytes.is_empty()).map(<[u8]>::to_vec))
            }
            #[cfg(feature = "websocket")]
            Self::WebSocket(stream) => loop {
                match stream.next().await {
                    None => return Ok(None),
                    Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes.into())),
                    Some(Ok(Message::Close(_))) => return Ok(None),
                    // MQTT is binary; pings are answered by the library.
                    Some(Ok(Message::Text(_))) => {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "text in MQTT"));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(to_io(error)),
                }
            },
        }
    }

    pub(super) async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let writing = async {
            match self {
                Self::Plain(stream) => {
                    stream.write_all(&bytes).await?;
                    stream.flush().await
                }
                #[cfg(feature = "websocket")]
                Self::WebSocket(stream) => {
                    stream.send(Message::Binary(bytes.into())).await.map_err(to_io)
                }
            }
        };
        timeout(WRITE_WITHIN, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Says goodbye in the manner of each layer.
    pub(super) async fn close(mut self) {
        let closing = async {
            match &mut self {
                Self::Plain(stream) => stream.shutdown().await,
                #[cfg(feature = "websocket")]
                Self::WebSocket(stream) => stream.close(None).await.map_err(to_io),
            }
        };
        // The peer may be gone: then there is nobody to say it to.
        let _ = timeout(Duration::from_secs(1), closing).await;
    }
}

async fn within<T>(
    at: &str,
    step: impl Future<Output = Result<T, NoTransport>>,
) -> Result<T, NoTransport> {
    timeout(STEP_WITHIN, step)
        .await
        .unwrap_or_else(|_| Err((Failure::TimedOut, format!("{at} did not answer in time"))))
}

async fn tcp(host: &str, port: u16, at: &str) -> Result<TcpStream, NoTransport> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|e| (Failure::Dns, format!("the name {host} cannot be resolved: {e}")))?
        .collect();
    let mut last = (Failure::Dns, format!("the name {host} has no address"));
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small packets that wait for an answer: no reason to hold them back.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = io_failure(&error, at),
        }
    }
    Err(last)
}

#[cfg(feature = "websocket")]
async fn websocket(url: &str, stream: Box<dyn Stream>, at: &str) -> Result<Transport, NoTransport> {
    let no = |why: String| (Failure::Protocol, format!("no WebSocket for MQTT at {at}: {why}"));
    let mut request = url.into_client_request().map_err(|e| no(e.to_string()))?;
    let protocol = tungstenite::http::HeaderValue::from_static("mqtt");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(Transport::WebSocket(Box::new(stream))),
        Err(tungstenite::Error::Http(response)) => {
            Err(no(format!("HTTP status {}", response.status().as_u16())))
        }
        Err(tungstenite::Error::Io(error)) => Err(io_failure(&error, at)),
        Err(error) => Err(no(error.to_string())),
    }
}

#[cfg(feature = "websocket")]
fn to_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
            io::ErrorKind::ConnectionReset.into()
        }
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

impl<'a> Address<'a> {
    pub(crate) fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (tls, websocket, default) = match scheme {
            "mqtt" | "tcp" => (false, false, 1883),
            "mqtts" | "ssl" => (true, false, 8883),
            "ws" => (false, true, 80),
            "wss" => (true, true, 443),
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        if authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            // IPv6.
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|&port| port != 0)?,
            None => default,
        };
        (!host.is_empty()).then_some(Self { tls, websocket, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_the_usual_ports() {
        let address = |url| Address::parse(url).map(|a| (a.tls, a.websocket, a.host, a.port));
        assert_eq!(address("mqtt://h"), Some((false, false, "h", 1883)));
        assert_eq!(address("mqtts://h.example:9"), Some((true, false, "h.example", 9)));
        assert_eq!(address("ws://127.0.0.1:8/mqtt?x=1"), Some((false, true, "127.0.0.1", 8)));
        assert_eq!(address("wss://[::1]/"), Some((true, true, "::1", 443)));
        assert_eq!(address("mqtts://[fe80::1]:8883"), Some((true, false, "fe80::1", 8883)));
        for bad in
            ["http://h", "h:1883", "mqtt://", "mqtt://:1", "mqtt://h:x", "mqtt://h:0", "mqtt://u@h"]
        {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
