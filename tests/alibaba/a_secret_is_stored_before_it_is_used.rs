//! Persist, then acknowledge.

use muster::{Advice, Command, Error, Event, Input, Intent, LocalFailure, Outcome};

use super::bench::{Bench, over_mqtt, settings};

#[test]
fn nothing_is_sent_while_the_secret_is_on_its_way_to_the_storage() {
    for settings in [settings(), over_mqtt(), over_mqtt().with("auth_type", "regnwl")] {
        let mut bench = Bench::new(&settings);
        let (token, key, value) = bench.until_store();
        bench.wait(3_600_000);
        assert!(bench.commands.is_empty());
        assert!(!bench.events.iter().any(|event| matches!(event, Event::Registered { .. })));
        bench.answer(Command::Store(token, key, value));
        bench.until_ready();
        assert_eq!(bench.cloud.issued.len(), 1);
    }
}

#[test]
fn a_secret_that_could_not_be_stored_is_kept_in_memory_and_stored_on_demand() {
    for settings in [settings(), over_mqtt()] {
        let mut bench = Bench::new(&settings);
        let (token, ..) = bench.until_store();
        bench.input(Input::Stored(token, Outcome::Failed(LocalFailure::Store)));
        let error = Error::Local { failure: LocalFailure::Store };
        assert_eq!(bench.stopped(), (&error, Advice::CheckStorage));
        bench.settle();
        assert!(bench.cloud.logins.is_empty());
        bench.events.clear();
        bench.intent(Intent::TryAgain);
        bench.until_ready();
        assert_eq!(bench.cloud.issued.len(), 1, "it does not register again for it");
    }
}
