//! Saving and restoring ahead of every input gives the same outputs, byte for byte.

use muster::{Agent, ApiMisuse, Closed, Failure, Input, Intent, SecretBytes};

use super::bench::{Bench, config, ota, over_mqtt, settings, sys};

#[test]
fn a_whole_life_is_the_same() {
    for settings in [settings(), over_mqtt(), over_mqtt().with("auth_type", "regnwl")] {
        let life = |swap: bool| {
            let mut bench = Bench::new(&settings);
            bench.swap = swap;
            bench.until_ready();
            bench.settle();
            bench.intent(Intent::NewBindToken);
            bench.intent(Intent::PostProperties { json: r#"{"a":1}"#.into() });
            bench.message(&sys("thing/gateway/permit"), r#"{"id":"1","params":{"time":5}}"#);
            bench.message(
                &ota("upgrade"),
                r#"{"code":"1000","data":{"version":"2.0.0","url":"http://h/f","size":3}}"#,
            );
            bench.settle();
            bench.wait(5_000);
            bench.break_connection();
            bench.events.clear();
            bench.until_ready();
            bench.settle();
            let (token, _) = {
                bench.break_connection();
                bench.until_connect()
            };
            bench.input(Input::Closed(token, Closed::Refused(4)));
            bench.intent(Intent::TryAgain);
            let (token, _) = bench.until_connect();
            bench.input(Input::Closed(token, Closed::Failed(Failure::Dns)));
            bench.cloud.active = false;
            bench.intent(Intent::RegisterAgain);
            bench.events.clear();
            bench.until_ready();
            bench.outputs
        };
        let (kept, swapped) = (life(false), life(true));
        assert!(kept.len() > 60);
        assert_eq!(kept, swapped);
    }
}

#[test]
fn a_snapshot_that_is_none_is_refused() {
    let config = config(&settings());
    let mut bench = Bench::ready(&settings());
    let good = bench.agent.as_mut().unwrap().save();
    for cut in 0..good.expose().len() {
        let short = SecretBytes::new(good.expose()[..cut].to_vec());
        let restored = Agent::restore(config.clone(), &short, bench.now());
        assert_eq!(restored.map(|_| ()), Err(ApiMisuse::SnapshotUnreadable), "{cut}");
    }
}
