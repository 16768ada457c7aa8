//! A broker of our own that does what a real one does only when it breaks.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use muster::cloud::Packet;
use muster::mqtt::{ServerEvent, ServerLimits, ServerSession};
use muster::{Instant as Mono, QoS, SecretBytes};

use super::process::PATIENCE;

pub struct Listener(TcpListener);

/// One accepted connection.
pub struct Peer {
    stream: TcpStream,
    session: ServerSession,
    /// Packets as they came, acknowledgements of the device included.
    pub raw: Vec<u8>,
}

impl Listener {
    pub fn bind() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).unwrap())
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.0.local_addr().unwrap())
    }

    /// The next connection, its CONNECT accepted.
    pub fn accept(&self) -> Peer {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let session = ServerSession::new(ServerLimits::default(), Mono(0));
        let mut peer = Peer { stream, session, raw: Vec::new() };
        let ServerEvent::Connect(_) = peer.next() else { panic!("no CONNECT") };
        peer.session.connack(0, None);
        peer.flush();
        peer
    }
}

impl Listener {
    /// Whether nobody else has connected.
    #[allow(dead_code)] // Of `upgrade.rs`, which shares this file.
    pub fn is_quiet(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let quiet = self.0.accept().is_err();
        self.0.set_nonblocking(false).unwrap();
        quiet
    }
}

impl Peer {
    /// Waits for a SUBSCRIBE and does not answer it: its packet id, and how many filters it has.
    #[allow(dead_code)] // Of `upgrade.rs`.
    pub fn subscription(&mut self) -> (u16, usize) {
        match self.next() {
            ServerEvent::Packet(Packet::Subscribe { packet_id, filters }) => {
                (packet_id, filters.len())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Grants it.
    #[allow(dead_code)] // Of `upgrade.rs`.
    pub fn suback(&mut self, id: u16, filters: usize) {
        self.session.suback(id, &vec![1; filters]);
        self.flush();
    }

    pub fn next(&mut self) -> ServerEvent {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        loop {
            if let Some(event) = self.session.poll_event() {
                return event;
            }
            assert!(Instant::now() < deadline, "the device says nothing");
            match self.stream.read(&mut buffer) {
                Ok(0) => self.session.connection_lost(),
                Ok(n) => {
                    self.raw.extend_from_slice(&buffer[..n]);
                    self.session.receive(&buffer[..n], Mono(0));
                }
                Err(_) => {}
            }
            self.flush();
        }
    }

    /// Grants and acknowledges until a publish on `topic`, and returns its payload and its packet id, not acknowledged.
    pub fn publish_on(&mut self, topic: &str) -> (Vec<u8>, u16) {
        loop {
            match self.next() {
                ServerEvent::Packet(Packet::Subscribe { packet_id, filters }) => {
                    self.session.suback(packet_id, &vec![1; filters.len()]);
                }
                ServerEvent::Packet(Packet::Publish { packet_id, topic: to, payload, .. }) => {
                    if to == topic {
                        return (payload.expose().to_vec(), packet_id.unwrap_or(0));
                    }
                    if let Some(id) = packet_id {
                        self.session.puback(id);
                    }
                }
                ServerEvent::Packet(Packet::Acked { .. }) => {}
                other => panic!("{other:?}"),
            }
            self.flush();
        }
    }

    pub fn puback(&mut self, id: u16) {
        self.session.puback(id);
        self.flush();
    }

    /// PUBLISH, QoS 1.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        self.session.publish(1, topic, QoS::AtLeastOnce, &SecretBytes::new(payload.to_vec()));
        self.flush();
    }

    /// Everything that still comes until the device hangs up.
    pub fn rest(&mut self) -> Vec<u8> {
        let (mut rest, mut buffer) = (Vec::new(), [0; 4096]);
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "the device does not hang up");
            match self.stream.read(&mut buffer) {
                Ok(0) => return rest,
                Ok(n) => rest.extend_from_slice(&buffer[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return rest,
            }
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads until the device has sent these bytes.
    pub fn wait_for(&mut self, bytes: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        while !self.raw.windows(bytes.len()).any(|window| window == bytes) {
            assert!(Instant::now() < deadline, "no {bytes:x?} in {:x?}", self.raw);
            if let Ok(n) = self.stream.read(&mut buffer) {
                self.raw.extend_from_slice(&buffer[..n]);
            }
        }
    }

    fn flush(&mut self) {
        while let Some(bytes) = self.session.poll_transmit() {
            let _ = self.stream.write_all(&bytes);
        }
    }
}
