//! Lives of each platform, with a recorder where a host has it.

use muster::replay::{KEPT_BYTES, Recorder, Recording};
use muster::{Agent, Config, Event, Output, PlatformName};

use crate::lives::{self, Life};

/// Lives the life again, and records it. What people were told comes along.
pub(crate) fn record(life: &Life, most: usize) -> (Recording, Vec<Event>) {
    let Life { platform, settings, recording } = life;
    let config = Config::from_settings(*platform, settings).unwrap();
    let mut recorder = Recorder::new(
        *platform,
        settings.clone(),
        recording.stored.clone(),
        recording.seed,
        recording.born,
        most,
    );
    let mut agent =
        Agent::new(config, recording.stored.clone(), recording.seed, recording.born).unwrap();
    let mut events = Vec::new();
    recorder.said(&agent);
    drain(&mut agent, &mut events);
    recorder.rest(&mut agent);
    for (i, (now, input)) in recording.inputs.iter().enumerate() {
        recorder.input(input, *now, i as u32);
        let _ = agent.handle_input(input.clone(), *now);
        recorder.said(&agent);
        drain(&mut agent, &mut events);
        recorder.rest(&mut agent);
    }
    (recorder.recording().clone(), events)
}

fn drain(agent: &mut Agent, events: &mut Vec<Event>) {
    loop {
        match agent.poll_output() {
            Output::Timeout(_) => return,
            Output::Event(event) => events.push(event),
            Output::Command(_) => {}
        }
    }
}

/// A whole life of each platform.
pub(crate) fn lives() -> impl Iterator<Item = (PlatformName, Recording, Vec<Event>)> {
    PlatformName::ALL.into_iter().map(|platform| {
        let (recording, events) = record(&lives::life(platform), KEPT_BYTES);
        (platform, recording, events)
    })
}
