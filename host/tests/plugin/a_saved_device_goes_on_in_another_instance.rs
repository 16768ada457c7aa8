//! A plugin is replaced between two inputs, and nobody outside sees it.

use muster::PlatformName;
use muster::wire::{Open, Restore};
use muster_host::plugin::PluginError;

use super::{executors, lives};

#[test]
fn after_every_input() {
    for platform in PlatformName::ALL {
        let life = lives::life(platform);
        let rec = &life.recording;
        let settings = &life.settings;
        let open =
            Open::new(life.platform, settings.clone(), rec.stored.clone(), rec.seed, rec.born);
        let (mut whole, mut swapped) = (executors::core(), executors::core());
        assert_eq!(whole.open(&open).unwrap(), swapped.open(&open).unwrap());
        for (now, input) in rec.inputs.iter().take(60) {
            let snapshot = swapped.save().unwrap();
            swapped = executors::core();
            swapped.restore(&Restore::new(platform, settings.clone(), snapshot, *now)).unwrap();
            match (whole.handle(input, *now), swapped.handle(input, *now)) {
                (Ok(right), Ok(outputs)) => assert_eq!(right, outputs),
                (Err(PluginError::Refused(right)), Err(PluginError::Refused(refusal))) => {
                    assert_eq!(right, refusal);
                }
                (right, outputs) => panic!("{outputs:?} instead of {right:?}"),
            }
        }
    }
}
