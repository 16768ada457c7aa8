use muster::sim::{EPOCH_MS, Fault};
use muster::{
    Agent, ApiMisuse, Event, Instant, Now, SecretBytes, StoreKey, Stored, UnixTime, Warning,
};

use super::setup::{
    DAY, HOUR, Hand, NUMBER, PRODUCT, config, counts, heartbeats, hours, is_ready, read,
    requests_to, run_to_ready, settings, stored_credential, watch, world,
};

const JUMPED: Event = Event::Warning { warning: Warning::ClockJumped };

/// A store of a device that reported at `reported` and is due at `next`.
fn stored(reported: u64, next: u64) -> Stored {
    let mut stored = stored_credential();
    let json = format!(
        r#"{{"device_no":"{NUMBER}","product_id":"{PRODUCT}","reported_at_ms":"{reported}","next_at_ms":"{next}"}}"#
    );
    stored.insert(StoreKey::Schedule, SecretBytes::new(json.into_bytes()));
    stored
}

/// A device that starts at `unix`, its monotonic clock at zero.
fn boot(stored: Stored, unix: u64) -> Hand {
    Hand::new(config(), stored, Now::new(0, unix))
}

const T: u64 = EPOCH_MS;

#[test]
fn before_t_next_nothing_is_sent_and_the_device_is_ready() {
    let hand = boot(stored(T, T + 12 * HOUR), T + 5 * HOUR);
    assert!(hand.maybe_request().is_none());
    let [Event::Ready, Event::Scheduled { next, next_unix, .. }] = hand.events()[..] else {
        panic!("{:?}", hand.events());
    };
    assert_eq!(next, Instant(7 * HOUR));
    assert_eq!(next_unix, Some(UnixTime(T + 12 * HOUR)));
}

#[test]
fn a_device_that_is_switched_on_every_hour_reports_no_more_than_one_that_stays_on() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    let sent = watch(&mut world, |_| Fault::None);
    for _ in 0..24 * 10 {
        world.cut_power(id);
        world.power_on(id).unwrap();
        hours(&mut world, 1);
    }
    assert_eq!(requests_to(&sent, "secret/info"), 1);
    let at = heartbeats(&world, id);
    assert!((19..=21).contains(&at.len()), "{}", at.len());
    // Each was found at the start after it was due at the latest, or on time.
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] < 13 * HOUR + 900_000));
}

#[test]
fn once_t_next_has_passed_the_report_goes_out_at_once() {
    for late in [0, 1, HOUR, 400 * DAY] {
        let hand = boot(stored(T, T + 12 * HOUR), T + 12 * HOUR + late);
        assert!(hand.request().1.url.ends_with("/report"));
        assert!(!hand.events().contains(&JUMPED));
    }
}

#[test]
fn without_a_wall_clock_nobody_knows_how_long_it_was_off_so_it_reports() {
    let hand = Hand::new(config(), stored(T, T + 12 * HOUR), Now::mono(0));
    assert!(hand.request().1.url.ends_with("/report"));
    assert!(!hand.events().contains(&JUMPED));
}

#[test]
fn a_wall_clock_before_the_last_report_proves_nothing_so_it_reports() {
    let hand = boot(stored(T, T + 12 * HOUR), T - DAY);
    assert!(hand.request().1.url.ends_with("/report"));
    assert!(hand.events().contains(&JUMPED));
    // A clock that is a few seconds behind is only inexact.
    let hand = boot(stored(T, T + 12 * HOUR), T - 5_000);
    assert!(hand.maybe_request().is_none());
}

#[test]
fn a_clock_that_is_put_right_after_the_start_moves_the_report_closer_and_never_away() {
    // A board without a battery went on from the time it was switched off. NTP then says that it was off for 9 hours
    // more; the clocks are compared at the latest an hour after the start.
    let mut hand = boot(stored(T, T + 12 * HOUR), T + HOUR);
    assert_eq!(hand.events()[0], Event::Ready);
    hand.now.unix = Some(UnixTime(T + 10 * HOUR));
    hand.wait();
    assert!(hand.events().contains(&JUMPED));
    assert_eq!(hand.now.unix, Some(UnixTime(T + 11 * HOUR)));
    assert_eq!(hand.next, Some(Instant(2 * HOUR)));
    hand.wait();
    assert!(hand.request().1.url.ends_with("/report"));

    // It was off for two days: the report is overdue.
    let mut hand = boot(stored(T, T + 12 * HOUR), T + HOUR);
    hand.now.unix = Some(UnixTime(T + 2 * DAY));
    hand.wait();
    assert!(hand.request().1.url.ends_with("/report"));
    assert_eq!(hand.now.mono, Instant(HOUR));

    // A jump back is no reason to wait longer.
    let mut hand = boot(stored(T, T + 12 * HOUR), T + 6 * HOUR);
    hand.now.unix = Some(UnixTime(T + 2 * HOUR));
    hand.wait();
    assert!(hand.events().contains(&JUMPED));
    let mut waited = hand.now.mono.0;
    while hand.maybe_request().is_none() {
        hand.wait();
        waited = hand.now.mono.0;
    }
    assert_eq!(waited, 6 * HOUR);
}

#[test]
fn a_wall_clock_that_becomes_known_later_is_stored_with_the_schedule() {
    let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
    hand.reply(super::setup::REPORT_REPLY);
    assert!(hand.events().contains(&Event::Ready));
    // There is nothing to store yet that a restart could use.
    assert!(!hand.out.iter().any(|output| matches!(output, muster::Output::Command(_))));
    hand.now.unix = Some(UnixTime(T));
    // The clocks are compared once an hour, without any other input.
    hand.wait();
    let (_, key, value) = hand.store();
    assert_eq!(key, StoreKey::Schedule);
    let value: serde_json::Value = serde_json::from_str(&value).unwrap();
    // The wall clock stands at T plus that hour now.
    assert_eq!(value["reported_at_ms"], T.to_string());
    assert!(!hand.events().contains(&JUMPED));
}

#[test]
fn a_schedule_of_another_device_or_in_pieces_is_ignored() {
    let other = |from: &str, to: &str| {
        let stored_one = stored(T, T + 12 * HOUR);
        let text = stored_one.get(StoreKey::Schedule).unwrap().expose();
        let text = String::from_utf8(text.to_vec()).unwrap().replace(from, to);
        let mut stored = stored_credential();
        stored.insert(StoreKey::Schedule, SecretBytes::new(text.into_bytes()));
        stored
    };
    for (from, to) in [
        (NUMBER, "111234561234560"),
        (PRODUCT, "9999999999999"),
        ("\"next_at_ms\"", "\"was\""),
        ("\"reported_at_ms\":\"", "\"reported_at_ms\":\"x"),
        ("}", ""),
    ] {
        let hand = boot(other(from, to), T + HOUR);
        assert!(hand.request().1.url.ends_with("/report"), "{from} -> {to}");
    }
    // A nonsensical span is cut to what the settings would have.
    let hand = boot(stored(T, T + 900 * DAY), T + HOUR);
    let Event::Scheduled { next, .. } = hand.events()[1] else { panic!("{:?}", hand.events()) };
    assert_eq!(next, Instant(11 * HOUR + 900_000));
    let hand = boot(stored(u64::MAX, u64::MAX), T);
    assert!(hand.request().1.url.ends_with("/report"));
}

#[test]
fn an_unreadable_credential_is_for_a_person_to_decide_about() {
    for text in ["", "{", "[]", "{}", r#"{"device_id":"1","device_secret":"s"}"#] {
        let mut stored = Stored::empty();
        stored.insert(StoreKey::Credential, SecretBytes::new(text.into()));
        let refused = Agent::new(config(), stored, [0; 32], Now::mono(0)).unwrap_err();
        assert_eq!(refused, ApiMisuse::StoredUnreadable(StoreKey::Credential), "{text}");
    }
}

#[test]
fn the_secret_is_asked_for_again_only_for_another_number_or_product() {
    let mut world = world();
    super::setup::import(&mut world, "device_no_type,device_no\nCMEI,111234561234560\n");
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let first = world.stored(id).get(StoreKey::Credential).unwrap().clone();
    // The kind of number names nothing: numbers are unique in a product.
    world.power_on_with(id, read(&settings().with("device_no_type", "SN"))).unwrap();
    hours(&mut world, 13);
    assert_eq!(counts(&world).0, 1);

    world.clear_events(id);
    world.power_on_with(id, read(&settings().with("device_no", "111234561234560"))).unwrap();
    run_to_ready(&mut world, id);
    assert_eq!(counts(&world).0, 2);
    let second = world.stored(id).get(StoreKey::Credential).unwrap();
    assert_ne!(second, &first);
    assert!(String::from_utf8_lossy(second.expose()).contains("111234561234560"));
    // The old number's schedule did not hold back the new number's first report.
    assert!(is_ready(&world, id));
    assert!(matches!(world.events(id)[3].1, Event::Step { step: muster::Step::Heartbeat }));
}
