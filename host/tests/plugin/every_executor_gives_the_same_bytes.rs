//! `(settings, stored, seed, inputs)` decides every byte, whatever runs the code.

use muster::wire::{self, Handle, Open};
use muster::{Agent, Config, Output, PlatformName};

use super::{executors, lives};

#[test]
fn for_ucloud() {
    compare(PlatformName::Ucloud);
}

#[test]
fn for_cmcc() {
    compare(PlatformName::Cmcc);
}

#[test]
fn for_krtyun() {
    compare(PlatformName::Krtyun);
}

#[test]
fn for_alibaba() {
    compare(PlatformName::Alibaba);
}

fn compare(platform: PlatformName) {
    let life = lives::life(platform);
    let rec = &life.recording;
    let open = Open::new(platform, life.settings.clone(), rec.stored.clone(), rec.seed, rec.born);

    // The agent itself, without any bytes, says what is right.
    let config = Config::from_settings(platform, &life.settings).unwrap();
    let mut agent = Agent::new(config, rec.stored.clone(), rec.seed, rec.born).unwrap();
    let mut right = vec![Ok(drain(&mut agent))];
    for (now, input) in &rec.inputs {
        let result = agent.handle_input(input.clone(), *now);
        right.push(result.map(|()| drain(&mut agent)));
    }

    let mut transcripts = Vec::new();
    for (name, mut executor) in executors::all() {
        let mut replies = vec![executor.describe(), executor.open(open.to_bytes().expose())];
        for (now, input) in &rec.inputs {
            let request = Handle { now: *now, input: input.clone() }.to_bytes();
            replies.push(executor.handle(request.expose()));
        }
        replies.push(executor.save());
        // A second life in the same instance is refused; in another one it goes on.
        replies.push(executor.restore(&[]));
        transcripts.push((name, replies));
    }

    let (_, native) = &transcripts[0];
    for (reply, right) in native[1..native.len() - 2].iter().zip(&right) {
        match (wire::drained(reply).unwrap(), right) {
            (Ok(drain), Ok(outputs)) => assert_eq!(&drain.outputs, outputs),
            (Err(wire::Refusal::Misuse(misuse)), Err(right)) => assert_eq!(&misuse, right),
            (reply, right) => panic!("{reply:?} instead of {right:?}"),
        }
    }
    for (name, replies) in &transcripts[1..] {
        assert_eq!(replies.len(), native.len());
        for (i, (reply, right)) in replies.iter().zip(native).enumerate() {
            assert_eq!(reply, right, "{platform}: {name} differs in reply {i}");
        }
    }
}

fn drain(agent: &mut Agent) -> Vec<Output> {
    let mut outputs = Vec::new();
    loop {
        let output = agent.poll_output();
        outputs.push(output);
        if let Some(Output::Timeout(_)) = outputs.last() {
            return outputs;
        }
    }
}
