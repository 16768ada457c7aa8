//! One MQTT connection: a task that carries bytes between a transport and a session of the core.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use muster::mqtt::{ClientEvent, ClientSession};
use muster::{Ack, Closed, Connect, Failure, Message, Publish, Subscribe, Token};
use rustls::ClientConfig;
use tokio::sync::mpsc;

use super::clock::Clock;
use super::http::{host, io_failure};
use super::transport::Transport;

/// For what a server that takes nothing any more may still have said.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// What the driver wants of its connection.
#[derive(Debug)]
pub(super) enum Order {
    Subscribe(Token, Subscribe),
    Publish(Token, Publish),
    /// DISCONNECT, once everything before is sent.
    Close,
}

/// What happened on a connection. [`News::Closed`] is the last.
#[derive(Debug)]
pub(super) enum News {
    Connected,
    Message(Message),
    Acked(Token, Ack),
    Closed {
        closed: Closed,
        /// For the person: what the core's word for it does not say.
        detail: Option<String>,
    },
}

/// A connection under way or open.
#[derive(Debug)]
pub(super) struct Link {
    /// Of its `Connect`.
    pub(super) token: Token,
    orders: mpsc::UnboundedSender<Order>,
    task: tokio::task::JoinHandle<()>,
}

impl Link {
    /// Starts connecting. News come through `news` with `token`.
    pub(super) fn open(
        token: Token,
        connect: Connect,
        tls: Arc<ClientConfig>,
        clock: Clock,
        news: mpsc::Sender<(Token, News)>,
    ) -> Self {
        let (orders, mut inbox) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let at = host(&connect.url).to_owned();
            let opened = tokio::select! {
                opened = Transport::open(&connect.url, &tls) => Some(opened),
                () = given_up(&mut inbox) => None,
            };
            let (closed, detail) = match opened {
                None => (Closed::Requested, None),
                Some(Err((failure, detail))) => (Closed::Failed(failure), Some(detail)),
                Some(Ok(transport)) => {
                    let session = ClientSession::new(&connect, clock.mono());
                    drop(connect);
                    let untold = VecDeque::new();
                    let mut carrier =
                        Carrier { transport, session, at, clock, token, news: &news, untold };
                    let end = carrier.run(inbox).await;
                    carrier.transport.close().await;
                    // In their order, before the last of them.
                    for one in carrier.untold.drain(..) {
                        let _ = news.send((token, one)).await;
                    }
                    end
                }
            };
            let _ = news.send((token, News::Closed { closed, detail })).await;
        });
        Self { token, orders, task }
    }

    /// Gives an order; a connection that is over takes none, and says so in its last news.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Waits until it is over, but no longer than this.
    pub(super) async fn ended(mut self, within: Duration) {
        if tokio::time::timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    /// Ends it without a word.
    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

struct Carrier<'a> {
    transport: Transport,
    session: ClientSession,
    at: String,
    clock: Clock,
    token: Token,
    news: &'a mpsc::Sender<(Token, News)>,
    /// What the driver is too busy to hear. The connection does not wait for it: a server wants its answers in time.
    untold: VecDeque<News>,
}

/// So much news wait for the driver; then nothing more is read until it hears some.
const MOST_UNTOLD: usize = 256;

type End = (Closed, Option<String>);

impl Carrier<'_> {
    async fn run(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> End {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if let Some(end) = self.flush().await {
                return end;
            }
            let timeout = self.session.poll_timeout().map(|at| self.clock.at(at));
            let (news, token) = (self.news, self.token);
            tokio::select! {
                // A driver that is gone hears nothing; the orders' end tells us.
                Ok(permit) = news.reserve(), if !self.untold.is_empty() => {
                    if let Some(one) = self.untold.pop_front() {
                        permit.send((token, one));
                    }
                }
                order = orders.recv() => match order {
                    Some(Order::Subscribe(token, subscribe)) => {
                        // A topic that MQTT does not allow gets no answer: the core gives the step up by its timer.
                        let _ = self.session.subscribe(token, &subscribe);
                    }
                    Some(Order::Publish(token, publish)) => {
                        let _ = self.session.publish(token, &publish);
                    }
                    // The driver is gone: the same farewell.
                    Some(Order::Close) | None => {
                        self.session.disconnect();
                        let _ = self.flush().await;
                        return (Closed::Requested, None);
                    }
                },
                read = self.transport.read(&mut buffer), if self.untold.len() < MOST_UNTOLD => match read {
                    Ok(Some(bytes)) => self.session.receive(&bytes, self.clock.mono()),
                    Ok(None) => self.session.connection_lost(),
                    Err(error) => return self.broken(&error),
                },
                () = sleep(timeout) => self.session.handle_timeout(self.clock.mono()),
            }
        }
    }

    /// Sends what is to be sent and tells what there is to tell; the end, if it has come.
    async fn flush(&mut self) -> Option<End> {
        loop {
            let mut idle = true;
            while let Some(bytes) = self.session.poll_transmit() {
                idle = false;
                if let Err(error) = self.transport.write(bytes).await {
                    return Some(self.cut_off(&error).await);
                }
            }
            while let Some(event) = self.session.poll_event() {
                idle = false;
                let news = match event {
                    ClientEvent::Connected { .. } => News::Connected,
                    ClientEvent::Message(message) => News::Message(message),
                    ClientEvent::Acked(token, ack) => News::Acked(token, ack),
                    ClientEvent::Refused(code) => return Some((Closed::Refused(code), None)),
                    ClientEvent::Failed(failure) => {
                        let detail = self.detail(&failure);
                        return Some((Closed::Failed(failure), detail));
                    }
                };
                self.untold.push_back(news);
            }
            if idle {
                return None;
            }
        }
    }

    /// Nothing can be written any more. What the server said last may tell why: TLS has words for it.
    async fn cut_off(&mut self, error: &io::Error) -> End {
        let mut buffer = [0; 1024];
        let read = tokio::time::timeout(LAST_WORDS_WITHIN, self.transport.read(&mut buffer)).await;
        match read {
            Ok(Err(last)) if io_failure(&last, &self.at).0 == Failure::Tls => self.broken(&last),
            _ => self.broken(error),
        }
    }

    fn broken(&self, error: &io::Error) -> End {
        let (failure, detail) = io_failure(error, &self.at);
        (Closed::Failed(failure), Some(detail))
    }

    fn detail(&self, failure: &Failure) -> Option<String> {
        let at = &self.at;
        Some(match failure {
            Failure::TimedOut => format!("the broker at {at} is silent"),
            Failure::Lost => format!("the broker at {at} closed the connection"),
            Failure::Protocol => format!("what answers at {at} does not speak MQTT 3.1.1"),
            Failure::TooLarge => format!("the broker at {at} sent a packet that is too large"),
            _ => return None,
        })
    }
}

/// Returns when there is an order to close before there is anything to close. No other order can come so early.
async fn given_up(orders: &mut mpsc::UnboundedReceiver<Order>) {
    while !matches!(orders.recv().await, Some(Order::Close) | None) {}
}

/// Sleeps until then; for ever without a time.
pub(super) async fn sleep(until: Option<tokio::time::Instant>) {
    match until {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
