//! What tests of several platforms share: an agent or a cloud driven by hand, and drained after every input.
#![allow(dead_code, unreachable_pub)]

use std::time::Duration;

use muster::cloud::{Cloud, CloudConfig, CloudInput, CloudOutput};
use muster::sim::World;
use muster::{
    Agent, Command, Config, Event, Input, Instant, Now, Output, PlatformName, Settings, Stored,
};

/// Settings from pairs.
pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in pairs {
        settings.set(key, value);
    }
    settings
}

/// One agent without a world around it.
pub struct Bench {
    pub agent: Agent,
    pub now: Now,
    /// When it wants to be woken.
    pub deadline: Option<Instant>,
    /// Everything it said so far.
    pub outputs: Vec<Output>,
}

impl Bench {
    /// Switches it on; its first outputs are in [`Bench::outputs`].
    pub fn new(platform: PlatformName, settings: &Settings, stored: Stored) -> Self {
        let config = Config::from_settings(platform, settings).unwrap();
        let now = Now::new(1_000, muster::sim::EPOCH_MS);
        let agent = Agent::new(config, stored, [3; 32], now).unwrap();
        let mut bench = Self { agent, now, deadline: None, outputs: Vec::new() };
        bench.drain();
        bench
    }

    fn drain(&mut self) -> Vec<Output> {
        let mut new = Vec::new();
        loop {
            match self.agent.poll_output() {
                Output::Timeout(at) => {
                    self.deadline = at;
                    self.outputs.extend(new.iter().cloned());
                    return new;
                }
                output => new.push(output),
            }
        }
    }

    /// Gives one input and returns what came out.
    pub fn give(&mut self, input: Input) -> Vec<Output> {
        self.agent.handle_input(input, self.now).unwrap();
        self.drain()
    }

    /// Moves time to the agent's deadline and wakes it. Returns the milliseconds that passed, and what came out.
    pub fn wake(&mut self) -> (u64, Vec<Output>) {
        let at = self.deadline.expect("no deadline");
        let passed = at.millis_since(self.now.mono);
        self.now.mono = at;
        (passed, self.give(Input::Timeout))
    }

    /// Replaces the agent by one restored from its snapshot.
    pub fn swap(&mut self) {
        let config = self.agent.config().clone();
        self.agent = Agent::restore(config, &self.agent.save(), self.now).unwrap();
    }
}

/// The commands among outputs.
pub fn commands(outputs: &[Output]) -> Vec<Command> {
    let command = |output: &Output| match output {
        Output::Command(command) => Some(command.clone()),
        _ => None,
    };
    outputs.iter().filter_map(command).collect()
}

/// The events among outputs.
pub fn events(outputs: &[Output]) -> Vec<Event> {
    let event = |output: &Output| match output {
        Output::Event(event) => Some(event.clone()),
        _ => None,
    };
    outputs.iter().filter_map(event).collect()
}

/// One cloud without a world around it.
pub struct CloudBench {
    pub cloud: Cloud,
    pub now: Now,
}

impl CloudBench {
    pub fn new() -> Self {
        let now = Now::new(1_000, muster::sim::EPOCH_MS);
        Self { cloud: Cloud::new(CloudConfig::default(), [9; 32], now), now }
    }

    /// Gives one input and returns everything up to the timeout.
    pub fn give(&mut self, input: CloudInput) -> Vec<CloudOutput> {
        self.cloud.handle_input(input, self.now);
        let mut outputs = Vec::new();
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Timeout(_) => return outputs,
                output => outputs.push(output),
            }
        }
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
    }
}

/// Replaces a world's cloud by one that knows what was kept and nothing else, as after a restart of the host.
pub fn restart_cloud(world: &mut World) {
    let mut cloud = Cloud::new(CloudConfig::default(), [11; 32], world.now());
    for ((platform, table, key), value) in &world.kept {
        cloud.load(*platform, table, key, value.expose()).unwrap();
    }
    world.cloud = cloud;
}
