//! Nothing registers a second time unless a person asks for it.

use muster::{
    Advice, Command, Error, Event, Input, Intent, LocalFailure, Outcome, Step, StoreKey, Warning,
};

use super::bench::{Bench, over_mqtt, settings};

#[test]
fn it_forgets_closes_and_begins_anew() {
    for settings in [settings(), over_mqtt()] {
        let mut bench = Bench::ready(&settings);
        let connection = bench.cloud.connection.unwrap();
        // The operator has reset the device.
        bench.cloud.active = false;
        bench.intent(Intent::RegisterAgain);
        assert_eq!(bench.commands.pop_front(), Some(Command::Close(connection)));
        let Some(Command::Erase(token, StoreKey::Credential)) = bench.commands.pop_front() else {
            panic!("not erased");
        };
        assert!(bench.commands.is_empty(), "it waits until the old secret is gone");
        assert_eq!(bench.events, [Event::Step { step: Step::EraseSecret }]);
        bench.answer(Command::Erase(token, StoreKey::Credential));
        assert_eq!(bench.credential(), None);
        bench.until_ready();
        assert_eq!(bench.cloud.issued.len(), 2);
        assert!(bench.credential().unwrap().contains(&bench.cloud.issued[1]));
    }
}

#[test]
fn it_works_from_every_step() {
    // From the first command to a device at work.
    for nth in 0..14 {
        for settings in [settings(), over_mqtt()] {
            let mut bench = Bench::new(&settings);
            for _ in 0..nth {
                if let Some(command) = bench.commands.pop_front() {
                    bench.answer(command);
                }
            }
            // What was under way is lost, a login included.
            bench.commands.clear();
            bench.cloud.active = false;
            bench.intent(Intent::RegisterAgain);
            bench.events.clear();
            bench.until_ready();
            let last = bench.cloud.issued.last().unwrap();
            assert!(bench.credential().unwrap().contains(last), "{nth}");
        }
    }
}

#[test]
fn a_secret_that_cannot_be_erased_stops_it() {
    let mut bench = Bench::ready(&settings());
    bench.intent(Intent::RegisterAgain);
    let token = bench.until(|command| match command {
        Command::Erase(token, _) => Some(*token),
        _ => None,
    });
    bench.input(Input::Stored(token, Outcome::Failed(LocalFailure::Store)));
    let error = Error::Local { failure: LocalFailure::Store };
    assert_eq!(bench.stopped(), (&error, Advice::CheckStorage));
    bench.cloud.active = false;
    bench.events.clear();
    bench.intent(Intent::TryAgain);
    bench.until_ready();
    assert_eq!(bench.cloud.issued.len(), 2);
}

#[test]
fn with_a_secret_in_the_settings_it_is_not_done() {
    let settings = settings().with("device_secret", "configured");
    let mut bench = Bench::new(&settings);
    bench.cloud.issued.push("configured".into());
    bench.until_ready();
    bench.settle();
    bench.events.clear();
    bench.intent(Intent::RegisterAgain);
    assert_eq!(bench.warnings(), [&Warning::SecretConfigured]);
    assert!(bench.commands.is_empty());
}

#[test]
fn an_active_device_that_lost_its_store_stops_and_says_what_helps() {
    let mut bench = Bench::ready(&settings());
    bench.cut_power();
    bench.stored = muster::Stored::empty();
    bench.power_on().unwrap();
    bench.settle();
    assert_eq!(bench.stopped().1, Advice::AlreadyRegistered);
    assert_eq!(bench.cloud.issued.len(), 1);
}
