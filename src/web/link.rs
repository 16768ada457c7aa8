//! Bytes of one MQTT session: over a WebSocket (to the broker, or to a relay that goes there over TCP or TLS), or into
//! the cloud of this tab.

use std::boxed::Box;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::string::{String, ToString};
use std::vec::Vec;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, poll_fn, select};
use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::relay::{self, Route};
use super::trouble;
use crate::error::Failure;
use crate::trace::{Trouble, TroubleReason};

/// How long a handshake may take once it has begun.
pub(super) const OPEN_WITHIN: u32 = 20_000;
/// Chromium paces handshakes: with more than these pending, each waits seconds instead of milliseconds.
pub(super) const PENDING: usize = 8;

/// What happens to a wire. [`News::Gone`] is the last.
pub(super) enum News {
    Open,
    Bytes(Vec<u8>),
    Gone(Failure, Option<Trouble>),
}

/// Takes the news.
pub(super) type Listener = Box<dyn Fn(News)>;

pub(super) enum Order {
    Bytes(Vec<u8>),
    /// Once everything before is sent.
    Close,
}

/// A wire under way or open. Dropping it cuts it.
pub(super) struct Wire(Option<mpsc::UnboundedSender<Order>>);

impl Wire {
    /// Connects to a broker.
    pub(super) fn open(url: &str, route: Route, listener: Listener) -> Self {
        let (orders, inbox) = mpsc::unbounded();
        let url = url.to_string();
        spawn_local(async move {
            if let Some((failure, trouble)) = carry(&url, route, inbox, &listener).await {
                listener(News::Gone(failure, trouble));
            }
        });
        Self(Some(orders))
    }

    /// Leads nowhere.
    pub(super) fn nowhere() -> Self {
        Self(None)
    }

    /// Whoever holds the other end carries the bytes.
    pub(super) fn to(orders: mpsc::UnboundedSender<Order>) -> Self {
        Self(Some(orders))
    }

    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        if let Some(orders) = &self.0 {
            let _ = orders.unbounded_send(Order::Bytes(bytes));
        }
    }

    /// Closes once everything before is sent. No news come of it.
    pub(super) fn close(&mut self) {
        if let Some(orders) = self.0.take() {
            let _ = orders.unbounded_send(Order::Close);
        }
    }

    /// Cuts it. No news come of it.
    pub(super) fn abort(&mut self) {
        self.0 = None;
    }
}

/// From the handshake to the end; what there is to tell of it, unless we ended it.
async fn carry(
    url: &str,
    route: Route,
    mut orders: mpsc::UnboundedReceiver<Order>,
    listener: &Listener,
) -> Option<(Failure, Option<Trouble>)> {
    let relayed = route.carries(url);
    if !relayed && let Some(trouble) = trouble::forbidden(url, &["ws://", "wss://"]) {
        return Some((Failure::Forbidden, Some(trouble)));
    }
    let slot = select(Box::pin(slot()), orders.next()).await;
    let Either::Left((slot, _)) = slot else { return None };
    let socket = if relayed {
        // Its server may be there and say nothing.
        let given_up = select(orders.next(), TimeoutFuture::new(OPEN_WITHIN));
        match select(Box::pin(relay::socket(url)), given_up).await {
            Either::Left((socket, _)) => socket,
            Either::Right((Either::Left(_), _)) => return None,
            Either::Right((Either::Right(_), _)) => Err(relay::gone(url)),
        }
    } else {
        WebSocket::open_with_protocol(url, "mqtt")
            .map_err(|error| (Failure::Forbidden, Some(trouble::refused(url, &error.message))))
    };
    let mut socket = match socket {
        Ok(socket) => socket,
        Err(no) => return Some(no),
    };
    let in_time = {
        let ready = poll_fn(|cx| socket.poll_ready_unpin(cx));
        match select(ready, select(orders.next(), TimeoutFuture::new(OPEN_WITHIN))).await {
            Either::Left(_) => true,
            Either::Right((Either::Right(_), _)) => false,
            // Given up before it was open.
            Either::Right((Either::Left(_), _)) => return None,
        }
    };
    if !in_time {
        let trouble =
            Trouble { reason: TroubleReason::TimedOut, url: url.to_string(), detail: None };
        return Some((Failure::TimedOut, Some(trouble)));
    }
    if !matches!(socket.state(), State::Open) {
        drop(socket);
        if relayed {
            return Some(relay::gone(url));
        }
        let trouble = trouble::behind_socket(url).await;
        drop(slot);
        return Some((failure_of(trouble.reason), Some(trouble)));
    }
    drop(slot);
    if relayed {
        // The relay says when it has reached the broker, or why it has not.
        let first = select(socket.next(), TimeoutFuture::new(OPEN_WITHIN));
        let said = match select(first, orders.next()).await {
            Either::Left((Either::Left((Some(Ok(Message::Text(said))), _)), _)) => said,
            Either::Left((Either::Left(_), _)) => return Some(relay::gone(url)),
            Either::Left((Either::Right(_), _)) => String::new(),
            Either::Right(_) => return None,
        };
        if let Some(no) = relay::refusal(&said, url) {
            return Some(no);
        }
    }
    listener(News::Open);
    loop {
        let next = {
            match select(orders.next(), socket.next()).await {
                Either::Left((order, _)) => Either::Left(order),
                Either::Right((message, _)) => Either::Right(message),
            }
        };
        match next {
            Either::Left(Some(Order::Bytes(bytes))) => {
                // A socket that cannot send says so by closing.
                let _ = socket.send(Message::Bytes(bytes)).await;
            }
            Either::Left(Some(Order::Close)) => {
                let _ = socket.close(Some(1000), None);
                return None;
            }
            // Cut.
            Either::Left(None) => return None,
            Either::Right(Some(Ok(Message::Bytes(bytes)))) => listener(News::Bytes(bytes)),
            // MQTT over WebSocket is binary (MQTT 3.1.1, section 6): what this is made of is no packet.
            Either::Right(Some(Ok(Message::Text(text)))) => {
                listener(News::Bytes(text.into_bytes()));
            }
            Either::Right(Some(Err(WebSocketError::ConnectionClose(close)))) => {
                let reason =
                    if close.was_clean { TroubleReason::Closed } else { TroubleReason::Lost };
                let detail = [close.code.to_string(), close.reason].join(" ");
                let detail = Some(String::from(detail.trim()));
                let trouble = Trouble { reason, url: url.to_string(), detail };
                return Some((Failure::Lost, Some(trouble)));
            }
            // The close event comes next, and knows more.
            Either::Right(Some(Err(_))) => {}
            Either::Right(None) => return Some((Failure::Lost, None)),
        }
    }
}

/// What the core is told of a handshake that failed.
pub(super) fn failure_of(reason: TroubleReason) -> Failure {
    match reason {
        TroubleReason::RefusedByPolicy | TroubleReason::MixedContent | TroubleReason::BadUrl => {
            Failure::Forbidden
        }
        TroubleReason::NotWebsocket => Failure::Protocol,
        _ => Failure::Unreachable,
    }
}

std::thread_local! {
    /// Handshakes of this Worker.
    static GATE: RefCell<Gate> =
        const { RefCell::new(Gate { most: PENDING, pending: 0, waiting: VecDeque::new() }) };
}

struct Gate {
    most: usize,
    pending: usize,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// The right to one handshake.
#[derive(Debug)]
pub(super) struct Slot(());

/// How many handshakes of this Worker may be pending from now on: the Workers of a page share what the browser takes.
/// How many are: none of them is given up.
pub(super) fn set_pending(most: usize) -> usize {
    GATE.with_borrow_mut(|gate| gate.most = most.min(PENDING));
    open_gate();
    GATE.with_borrow(|gate| gate.pending)
}

/// Lets in those who wait, as far as there is room.
fn open_gate() {
    loop {
        let next = GATE.with_borrow_mut(|gate| {
            let room = gate.pending < gate.most;
            let next = if room { gate.waiting.pop_front() } else { None };
            gate.pending += usize::from(next.is_some());
            next
        });
        // One who is gone drops it, and comes back here: so the gate is not held meanwhile.
        let Some(next) = next else { return };
        drop(next.send(Slot(())));
    }
}

/// A slot, if there is one now and nobody waits for it.
#[cfg(feature = "fleet")]
pub(super) fn free_slot() -> Option<Slot> {
    GATE.with_borrow_mut(|gate| {
        let free = gate.pending < gate.most && gate.waiting.is_empty();
        gate.pending += usize::from(free);
        // A slot that is made is one to be given back.
        if free { Some(Slot(())) } else { None }
    })
}

async fn slot() -> Slot {
    let wait = GATE.with_borrow_mut(|gate| {
        if gate.pending < gate.most {
            gate.pending += 1;
            return None;
        }
        let (give, wait) = oneshot::channel();
        gate.waiting.push_back(give);
        Some(wait)
    });
    match wait {
        None => Slot(()),
        // The giver is never dropped without giving.
        Some(wait) => wait.await.unwrap_or(Slot(())),
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        GATE.with_borrow_mut(|gate| gate.pending = gate.pending.saturating_sub(1));
        open_gate();
    }
}
