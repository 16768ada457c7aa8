//! The device's side of every platform behind one loop.

use alloc::vec::Vec;

use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Error};
use crate::http::Request;
use crate::input::{Input, Intent};
use crate::output::{
    Command, Connect, Download, Event, Install, Output, Publish, QoS, Step, StoreKey, Subscribe,
    Token,
};
use crate::platform::{Config, Flow};
use crate::rng::Rng;
use crate::secret::SecretBytes;
use crate::snapshot::{Kept, Walk};
use crate::time::{Instant, Millis, Now, Timer, TimerTable};

/// The layout of a snapshot. A snapshot of another number is refused, and the host starts from what is stored.
pub const SNAPSHOT_SCHEMA: u32 = 2;

/// One device. See the [crate's page](crate) for the loop.
///
/// Methods come in four kinds: [`Agent::new`] and [`Agent::restore`] make one; [`Agent::handle_input`] is the only
/// mutation; [`Agent::poll_output`] drains its effects; the rest are getters.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    flow: Flow,
    core: Core,
    /// The oldest first.
    outbox: Vec<Output>,
}

/// Everything about a running agent that is not its platform's flow.
#[derive(Debug, Kept)]
struct Core {
    rng: Rng,
    timers: TimerTable,
    now: Now,
    next_token: u32,
    stray: u64,
}

impl Agent {
    /// Brings a device to life from its configuration and what it stored. Drain [`Agent::poll_output`] next.
    ///
    /// `seed` comes from the host's entropy source, new at every boot.
    pub fn new(
        config: Config,
        stored: Stored,
        seed: [u8; 32],
        now: Now,
    ) -> Result<Self, ApiMisuse> {
        let mut core = Core::new(seed, now);
        let mut outbox = Vec::with_capacity(8);
        let mut cx = Cx { core: &mut core, outbox: &mut outbox, misuse: None };
        let mut flow = Flow::blank(&config);
        flow.start(&config, &stored, &mut cx);
        match cx.misuse {
            Some(misuse) => Err(misuse),
            None => Ok(Self { config, flow, core, outbox }),
        }
    }

    /// Goes on from [`Agent::save`]: same configuration, same clocks, another copy of the code.
    ///
    /// Nothing is sent: connection, timers and awaited answers are those of the agent that was saved.
    pub fn restore(config: Config, snapshot: &SecretBytes, now: Now) -> Result<Self, ApiMisuse> {
        let mut walk = Walk::reading(snapshot.expose());
        let mut agent = Self {
            flow: Flow::blank(&config),
            config,
            core: Core::new([0; 32], Now::mono(0)),
            outbox: Vec::new(),
        };
        if !agent.walk(&mut walk) || walk.from.finish().is_err() {
            return Err(ApiMisuse::SnapshotUnreadable);
        }
        agent.core.advance(now);
        Ok(agent)
    }

    /// Everything needed to go on elsewhere. It may hold a secret that is not stored yet: keep it in memory only.
    ///
    /// It changes nothing; what it takes mutably is the one walk over the state, which also restores it.
    pub fn save(&mut self) -> SecretBytes {
        let mut walk = Walk::writing();
        self.walk(&mut walk);
        SecretBytes::new(walk.to.into_bytes())
    }

    /// `false`: the snapshot is of another schema or platform.
    fn walk(&mut self, walk: &mut Walk<'_>) -> bool {
        let platform = self.config.platform() as u32;
        let is = [SNAPSHOT_SCHEMA, platform].map(|number| walk.variant(number, u32::MAX) == number);
        if is != [true; 2] {
            return false;
        }
        self.core.walk(walk);
        self.flow.walk(walk);
        true
    }

    /// Takes one input. **Drain [`Agent::poll_output`] until [`Output::Timeout`] before the next.**
    ///
    /// The only error is an [`Intent`] that means nothing on this platform; the agent goes on as before.
    pub fn handle_input(&mut self, input: Input, now: Now) -> Result<(), ApiMisuse> {
        self.core.advance(now);
        if let Input::User(intent) = &input
            && !self.config.supports(intent)
        {
            return Err(ApiMisuse::IntentNotSupported);
        }
        if input == Input::Timeout {
            // Each timer at most once: one that is set again for now waits for the next call.
            for _ in Timer::ALL {
                let Some(timer) = self.core.timers.take_expired(self.core.now.mono) else { break };
                let mut cx = Cx { core: &mut self.core, outbox: &mut self.outbox, misuse: None };
                self.flow.expired(&self.config, timer, &mut cx);
            }
        } else {
            let mut cx = Cx { core: &mut self.core, outbox: &mut self.outbox, misuse: None };
            self.flow.handle(&self.config, &input, &mut cx);
        }
        Ok(())
    }

    /// Counts an input of a kind that this build does not know. **Drain next, as after any other.**
    pub fn ignore_input(&mut self, now: Now) {
        self.core.advance(now);
        self.core.stray = self.core.stray.saturating_add(1);
    }

    /// The next output; [`Output::Timeout`] is always the last.
    pub fn poll_output(&mut self) -> Output {
        if self.outbox.is_empty() { self.timeout() } else { self.outbox.remove(0) }
    }

    /// The last output.
    pub(crate) fn timeout(&self) -> Output {
        // Never a time in the past.
        Output::Timeout(self.core.timers.next().map(|(at, _)| at.max(self.core.now.mono)))
    }

    /// The outputs before the time-out, for who drains all at once.
    pub(crate) fn outputs(&self) -> &[Output] {
        &self.outbox
    }

    /// They were read.
    pub(crate) fn forget_outputs(&mut self) {
        self.outbox.clear();
    }

    /// Gives back the room that outputs took: a device among thousands is at rest most of the time.
    #[cfg(all(feature = "fleet", target_family = "wasm"))]
    pub(crate) fn rest(&mut self) {
        self.outbox.shrink_to_fit();
    }

    /// Why the agent wants to be called again.
    pub fn timeout_reason(&self) -> Option<Timer> {
        self.core.timers.next().map(|(_, timer)| timer)
    }

    /// How many answers carried an unknown or repeated token, or came for a step that was over, and how many inputs
    /// were of a kind that this build does not know.
    pub fn stray_inputs(&self) -> u64 {
        self.core.stray
    }

    /// The configuration it was born with.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// For who replays a life.
#[cfg(feature = "tool")]
impl Agent {
    /// [`Agent::new`], with what was drawn from the seed once in place of the seed.
    pub(crate) fn drawing(
        config: Config,
        stored: Stored,
        seed: [u8; 32],
        drawn: crate::rng::Drawn,
        now: Now,
    ) -> Result<Self, ApiMisuse> {
        let mut core = Core::new(seed, now);
        core.rng.draw_from(drawn);
        let mut outbox = Vec::new();
        let mut cx = Cx { core: &mut core, outbox: &mut outbox, misuse: None };
        let mut flow = Flow::blank(&config);
        flow.start(&config, &stored, &mut cx);
        match cx.misuse {
            Some(misuse) => Err(misuse),
            None => Ok(Self { config, flow, core, outbox }),
        }
    }

    /// [`Agent::restore`] leaves that to its caller.
    pub(crate) fn draw_from(&mut self, drawn: crate::rng::Drawn) {
        self.core.rng.draw_from(drawn);
    }

    pub(crate) fn rng(&self) -> &Rng {
        &self.core.rng
    }

    /// The secrets in its state.
    pub(crate) fn secrets(&mut self) -> Vec<crate::Secret> {
        let mut walk = Walk::writing();
        self.walk(&mut walk);
        walk.secrets
    }

    /// What a person may see of its state: no secret.
    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    pub(crate) fn timers(&self) -> &TimerTable {
        &self.core.timers
    }
}

impl Core {
    fn new(seed: [u8; 32], now: Now) -> Self {
        Self { rng: Rng::new(seed), timers: TimerTable::new(), now, next_token: 1, stray: 0 }
    }

    /// Time never goes back on the monotonic clock; the wall clock is taken as it comes.
    fn advance(&mut self, now: Now) {
        self.now = Now { mono: self.now.mono.max(now.mono), unix: now.unix };
    }
}

/// What the device finds on its stable storage when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored([Option<SecretBytes>; StoreKey::ALL.len()]);

impl Stored {
    /// An empty store: a device fresh from the factory.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds what was stored under `key`.
    pub fn insert(&mut self, key: StoreKey, value: SecretBytes) {
        self.0[key as usize] = Some(value);
    }

    /// Removes what was stored under `key`.
    pub fn remove(&mut self, key: StoreKey) {
        self.0[key as usize] = None;
    }

    /// What was stored under `key`.
    pub fn get(&self, key: StoreKey) -> Option<&SecretBytes> {
        self.0[key as usize].as_ref()
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = (StoreKey, &SecretBytes)> {
        StoreKey::ALL
            .into_iter()
            .zip(&self.0)
            .filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}

/// What a step may use: the time, randomness, timers, and the way out.
#[derive(Debug)]
pub(crate) struct Cx<'a> {
    core: &'a mut Core,
    outbox: &'a mut Vec<Output>,
    /// Why the device cannot start.
    misuse: Option<ApiMisuse>,
}

impl Cx<'_> {
    /// Notes that the device cannot start. The first reason counts.
    pub(crate) fn misuse(&mut self, misuse: impl Into<ApiMisuse>) {
        self.misuse.get_or_insert(misuse.into());
    }

    /// The monotonic clock.
    pub(crate) fn mono(&self) -> Instant {
        self.core.now.mono
    }

    pub(crate) fn now(&self) -> Now {
        self.core.now
    }

    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.core.rng
    }

    /// Sets `timer`, replacing its old deadline.
    #[inline(never)]
    pub(crate) fn after(&mut self, timer: Timer, wait: Millis) -> Instant {
        let at = self.core.now.mono + wait;
        self.core.timers.set(timer, at);
        at
    }

    /// Says that something failed, and sets `timer` for when it is to be tried again.
    #[inline(never)]
    pub(crate) fn retrying(&mut self, timer: Timer, error: Error, backoff: &mut Backoff) {
        let wait = backoff.next(self.rng());
        self.retrying_in(timer, error, backoff, wait);
    }

    /// The same for a caller that knows when.
    #[inline(never)]
    pub(crate) fn retrying_in(
        &mut self,
        timer: Timer,
        error: Error,
        backoff: &Backoff,
        wait: Millis,
    ) {
        self.after(timer, wait);
        self.event(Event::Retrying { error, failures: backoff.failures(), in_ms: wait.0 });
    }

    pub(crate) fn at(&mut self, timer: Timer, at: Instant) {
        self.core.timers.set(timer, at);
    }

    #[inline(never)]
    pub(crate) fn stop(&mut self, timer: Timer) {
        self.core.timers.stop(timer);
    }

    #[inline(never)]
    pub(crate) fn stop_all(&mut self) {
        self.core.timers = TimerTable::new();
    }

    /// Counts an answer that nobody waits for.
    #[inline(never)]
    pub(crate) fn stray(&mut self) {
        self.core.stray = self.core.stray.saturating_add(1);
    }

    #[inline(never)]
    pub(crate) fn event(&mut self, event: Event) {
        self.outbox.push(Output::Event(event));
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.event(Event::Step { step });
    }

    #[inline(never)]
    fn token(&mut self) -> Token {
        let token = Token(self.core.next_token);
        self.core.next_token = self.core.next_token.wrapping_add(1).max(1);
        token
    }

    fn command(&mut self, make: impl FnOnce(Token) -> Command) -> Token {
        let token = self.token();
        self.outbox.push(Output::Command(make(token)));
        token
    }

    pub(crate) fn connect(&mut self, connect: Connect) -> Token {
        self.command(|token| Command::Connect(token, connect))
    }

    /// Closes the connection that `connect` returned.
    pub(crate) fn close(&mut self, connection: Token) {
        self.outbox.push(Output::Command(Command::Close(connection)));
    }

    pub(crate) fn subscribe(&mut self, topic: impl Into<alloc::string::String>) -> Token {
        let subscribe = Subscribe { topic: topic.into(), qos: QoS::AtLeastOnce };
        self.command(|token| Command::Subscribe(token, subscribe))
    }

    pub(crate) fn publish(
        &mut self,
        topic: impl Into<alloc::string::String>,
        qos: QoS,
        payload: Vec<u8>,
    ) -> Token {
        let publish = Publish { topic: topic.into(), qos, payload: SecretBytes::new(payload) };
        self.command(|token| Command::Publish(token, publish))
    }

    pub(crate) fn request(&mut self, request: Request) -> Token {
        self.command(|token| Command::Request(token, request))
    }

    pub(crate) fn store(&mut self, key: StoreKey, value: Vec<u8>) -> Token {
        self.command(|token| Command::Store(token, key, SecretBytes::new(value)))
    }

    pub(crate) fn erase(&mut self, key: StoreKey) -> Token {
        self.command(|token| Command::Erase(token, key))
    }

    pub(crate) fn download(&mut self, download: Download) -> Token {
        self.command(|token| Command::Download(token, download))
    }

    pub(crate) fn cancel_download(&mut self, token: Token) {
        self.outbox.push(Output::Command(Command::CancelDownload(token)));
    }

    pub(crate) fn install(&mut self, install: Install) -> Token {
        self.command(|token| Command::Install(token, install))
    }
}

impl Config {
    fn supports(&self, intent: &Intent) -> bool {
        match intent {
            Intent::TryAgain | Intent::RegisterAgain | Intent::Report => true,
            other => self.supports_specific(other),
        }
    }
}
