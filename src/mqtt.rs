//! MQTT 3.1.1 sessions over bytes: bytes in, bytes out, events, and when to come back.
//!
//! The device's agent says Connect, Subscribe, Publish; the clouds say ConnAck, SubAck, Publish. What lies between
//! them and a socket (or a WebSocket in a browser) is here, for one connection at a time: [`ClientSession`] for the
//! device's end, [`ServerSession`] for the cloud's. Neither opens a socket or asks a clock.
//!
//! Framing, parsing and building of packets are `mqtt-protocol-core`'s. Its connection object is not used: it keeps
//! QoS 2 and stored-session state that no platform here wants, answers a malformed CONNECT in its own words, and
//! hides what a strict vendor cloud has to see (will, retain, QoS 2, the protocol level of a refused CONNECT).
//!
//! Deliberately absent: MQTT 5, QoS 2, wills, retained messages, sessions that outlive their connection. The client
//! never sends them; the server reports them to the cloud, whose answer is the vendor's.

mod client;
mod codec;
#[cfg(feature = "cloud")]
mod server;

pub use client::{ClientEvent, ClientSession, NotSent};
#[cfg(feature = "cloud")]
pub use server::{Breach, Loss, ServerEvent, ServerLimits, ServerSession};
