//! One MQTT connection: bytes between a socket and a [`ServerSession`], packets between that and the engine.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use muster::PlatformName;
use muster::mqtt::{ServerEvent, ServerLimits, ServerSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use super::Up;
use super::engine::CONNECTION_QUEUE;
use super::listen::{Patient, accept};

/// How long a closed connection waits for the peer to read the last words.
const LINGER: Duration = Duration::from_secs(1);
/// Orders taken from the engine before they are written together.
const TOGETHER: usize = 64;

/// Bytes in and out, whatever carries them. Reading may be cancelled at any time.
pub(crate) trait Wire: Send {
    /// Some bytes; `None` is the end.
    fn read(&mut self) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;
    fn write(&mut self, bytes: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Serves one listener for ever.
pub(crate) async fn serve(
    up: Arc<Up>,
    listener: TcpListener,
    platform: PlatformName,
    slots: Arc<Semaphore>,
) {
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let (stream, _) = accept(&listener).await;
        let up = Arc::clone(&up);
        tokio::spawn(async move {
            drive(&up, platform, Tcp(Patient::new(stream))).await;
            drop(slot);
        });
    }
}

/// Carries one connection from its first byte to its last.
pub(crate) async fn drive(up: &Up, platform: PlatformName, mut wire: impl Wire) {
    let connection = up.engine.connection_id();
    let (sink, mut orders) = mpsc::channel(CONNECTION_QUEUE);
    // Handed over with CONNECT; while it is here the channel stays open and silent.
    let mut sink = Some(sink);
    let mut session = ServerSession::new(ServerLimits::default(), up.clock.mono());
    'life: loop {
        while let Some(event) = session.poll_event() {
            let handed = match event {
                ServerEvent::Connect(connect) => match sink.take() {
                    Some(sink) => up.engine.connect(connection, platform, connect, sink).await,
                    None => break 'life,
                },
                ServerEvent::Packet(packet) => up.engine.packet(connection, packet).await,
                // The engine hears of it below.
                ServerEvent::Lost(_) => Ok(()),
            };
            if handed.is_err() {
                break 'life;
            }
        }
        if let Some(bytes) = session.poll_transmit()
            && wire.write(bytes).await.is_err()
        {
            break;
        }
        if session.wants_close() {
            break;
        }
        let deadline = session.poll_timeout().map(|at| up.clock.until(at));
        tokio::select! {
            // What the cloud wants goes first: a flood of input must not delay a close.
            biased;
            order = orders.recv() => match order {
                Some(order) => {
                    session.apply(&order);
                    for _ in 0..TOGETHER {
                        match orders.try_recv() {
                            Ok(order) => session.apply(&order),
                            Err(_) => break,
                        }
                    }
                }
                // Cut off: this peer reads too slowly, or nothing can be stored.
                None => break,
            },
            read = wire.read() => match read {
                Ok(Some(bytes)) => session.receive(&bytes, up.clock.mono()),
                Ok(None) | Err(_) => session.connection_lost(),
            },
            () = sleep(deadline) => session.handle_timeout(up.clock.mono()),
        }
    }
    if sink.is_none() {
        up.engine.lost(connection).await;
    }
    let _ = tokio::time::timeout(LINGER, wire.close()).await;
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

struct Tcp(Patient<TcpStream>);

impl Tcp {
    /// The buffer lives on the stack, so that an idle connection costs none.
    fn take(stream: &TcpStream) -> io::Result<Vec<u8>> {
        let mut buffer = [0; 16 * 1024];
        let n = stream.try_read(&mut buffer)?;
        Ok(buffer.get(..n).unwrap_or_default().to_vec())
    }
}

impl Wire for Tcp {
    async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let stream = self.0.get_ref();
        loop {
            stream.readable().await?;
            match Self::take(stream) {
                Ok(bytes) if bytes.is_empty() => return Ok(None),
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.0.write_all(&bytes).await
    }

    async fn close(mut self) {
        if self.0.shutdown().await.is_err() {
            return;
        }
        // Closing with unread bytes resets the connection, and the peer may lose the refusal that we sent last. What a
        // peer sends beyond a few packets gets no such courtesy.
        let mut rest = [0; 1024];
        for _ in 0..64 {
            if !matches!(self.0.read(&mut rest).await, Ok(n) if n > 0) {
                return;
            }
        }
    }
}
