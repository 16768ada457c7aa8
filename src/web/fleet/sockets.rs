//! The WebSockets of a fleet: three listeners for all of them, and a number on each.
//!
//! A task, its channels and four listeners for each socket are most of what a device would take in memory; a fleet's
//! sockets have none of that. What happens to them comes as [`Word`]s, in the order in which it happened.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use futures_channel::mpsc;
use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use super::crowd::Word;
use crate::web::link::Slot;

/// The member of a socket that holds its number.
const NUMBER: &str = "muster";

/// One socket, from its handshake to the end of its closing: until then the browser counts it.
struct Entry {
    socket: WebSocket,
    /// Of whom; none: it is closing, and nobody cares for it any more.
    member: Option<u32>,
    slot: Option<Slot>,
}

pub(super) struct Sockets {
    entries: BTreeMap<u32, Entry>,
    last: u32,
    on_open: Closure<dyn FnMut(Event)>,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Sockets {
    pub(super) fn new(words: &mpsc::UnboundedSender<Word>) -> Self {
        let (opened, heard, closed) = (words.clone(), words.clone(), words.clone());
        Self {
            entries: BTreeMap::new(),
            last: 0,
            on_open: Closure::new(move |event: Event| {
                if let Some(socket) = number(&event) {
                    let _ = opened.unbounded_send(Word::Opened(socket));
                }
            }),
            on_message: Closure::new(move |event: MessageEvent| {
                let Some(socket) = number(&event) else { return };
                let data = event.data();
                // MQTT over WebSocket is binary (MQTT 3.1.1, section 6): what a text is made of is no packet.
                let bytes = match data.dyn_ref::<ArrayBuffer>() {
                    Some(buffer) => Uint8Array::new(buffer).to_vec(),
                    None => data.as_string().unwrap_or_default().into_bytes(),
                };
                let _ = heard.unbounded_send(Word::Heard(socket, bytes));
            }),
            on_close: Closure::new(move |event: CloseEvent| {
                if let Some(socket) = number(&event) {
                    let _ = closed.unbounded_send(Word::Closed(socket, event.was_clean()));
                }
            }),
        }
    }

    /// Begins a handshake.
    pub(super) fn open(&mut self, url: &str, member: u32, slot: Slot) -> Result<u32, String> {
        let socket = WebSocket::new_with_str(url, "mqtt").map_err(|error| {
            let message = error.dyn_ref::<js_sys::Error>().map(js_sys::Error::message);
            message.map(String::from).unwrap_or_default()
        })?;
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let _ = Reflect::set(&socket, &NUMBER.into(), &number.into());
        socket.set_binary_type(BinaryType::Arraybuffer);
        socket.set_onopen(Some(self.on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        self.entries.insert(number, Entry { socket, member: Some(member), slot: Some(slot) });
        Ok(number)
    }

    /// Whose it is, if anybody's.
    pub(super) fn member(&self, socket: u32) -> Option<u32> {
        self.entries.get(&socket)?.member
    }

    /// Its handshake is over.
    pub(super) fn opened(&mut self, socket: u32) {
        if let Some(entry) = self.entries.get_mut(&socket) {
            entry.slot = None;
            entry.socket.set_onopen(None);
        }
    }

    pub(super) fn send(&self, socket: u32, bytes: &[u8]) {
        // A socket that cannot send says so by closing.
        if let Some(entry) = self.entries.get(&socket) {
            let _ = entry.socket.send_with_u8_array(bytes);
        }
    }

    /// Closes it, once what was sent is on its way. No more is heard of it, and it counts until it is closed.
    pub(super) fn close(&mut self, socket: u32) {
        if let Some(entry) = self.entries.get_mut(&socket) {
            entry.member = None;
            entry.socket.set_onmessage(None);
            let _ = entry.socket.close_with_code(1000);
        }
    }

    /// It is closed, with its handshake's slot.
    pub(super) fn closed(&mut self, socket: u32) -> Option<Slot> {
        let entry = self.entries.remove(&socket)?;
        entry.socket.set_onopen(None);
        entry.socket.set_onmessage(None);
        entry.socket.set_onclose(None);
        entry.slot
    }

    /// Those that the browser counts.
    pub(super) fn used(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn pending(&self) -> usize {
        self.entries.values().filter(|entry| entry.slot.is_some()).count()
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let numbers: Vec<u32> = self.entries.keys().copied().collect();
        for number in numbers {
            self.close(number);
            // Its listeners are about to go.
            drop(self.closed(number));
        }
    }
}

/// The number of the socket that an event is of.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as it was set")]
fn number(event: &Event) -> Option<u32> {
    let number = Reflect::get(event.target()?.as_ref(), &NUMBER.into()).ok()?;
    number.as_f64().map(|number| number as u32)
}

impl core::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Sockets({})", self.entries.len())
    }
}
