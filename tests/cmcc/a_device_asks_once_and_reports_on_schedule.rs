use std::time::Duration;

use muster::sim::Fault;
use muster::{Due, Event, Instant, Intent, Step, StoreKey, Stored, UnixTime};

use super::setup::{
    EARLIEST, HOUR, LATEST, config, counts, heartbeats, hours, read, requests_to, run_to_ready,
    settings, told, watch, world,
};

#[test]
fn the_steps_come_in_order() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let told = told(&world, id);
    let step = |step| Event::Step { step };
    assert_eq!(told[..2], [step(Step::RequestSecret), step(Step::StoreSecret)]);
    assert!(
        matches!(&told[2], Event::Registered { identity } if identity.device == super::setup::NUMBER)
    );
    assert_eq!(told[3], step(Step::Heartbeat));
    // 4 crossings of 20 ms.
    let Event::Heartbeat { next: Some(Instant(next)), next_unix: Some(UnixTime(unix)), why } =
        told[4]
    else {
        panic!("{:?}", told[4]);
    };
    assert!((80 + EARLIEST..=80 + LATEST).contains(&next));
    assert_eq!(unix, muster::sim::EPOCH_MS + next);
    assert_eq!(why, Due::PeriodWithJitter);
    assert_eq!(told[5], Event::Ready);
    assert_eq!(told.len(), 6);
    assert_eq!(counts(&world), (1, 1));
    assert!(world.stored(id).get(StoreKey::Credential).is_some());
    assert!(world.stored(id).get(StoreKey::Schedule).is_some());
}

#[test]
fn twelve_hours_and_a_random_offset_lie_between_reports_and_ready_is_said_once() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::None);
    let id = world.add(config(), Stored::empty()).unwrap();
    hours(&mut world, 24 * 60);
    let at = heartbeats(&world, id);
    assert!(at.len() > 110, "{}", at.len());
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The report itself takes two crossings.
    assert!(gaps.iter().all(|gap| (EARLIEST..=LATEST + 40).contains(gap)), "{gaps:?}");
    let (low, high) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(high - low > 1_500_000, "offsets are spread over the half hour: {low} {high}");
    assert_eq!(requests_to(&sent, "secret/info"), 1);
    assert_eq!(told(&world, id).iter().filter(|event| **event == Event::Ready).count(), 1);
}

#[test]
fn a_fleet_that_is_switched_on_at_once_does_not_report_at_once_again() {
    let mut world = world();
    let list: String = (0..300).map(|n| format!("SN,FLEET-{n}\n")).collect();
    super::setup::import(&mut world, &format!("device_no_type,device_no\n{list}"));
    let ids: Vec<_> = (0..300)
        .map(|n| {
            let settings = settings()
                .with("device_no_type", "SN")
                .with("device_no", &format!("FLEET-{n}"))
                .with("cmei", "");
            world.add(read(&settings), Stored::empty()).unwrap()
        })
        .collect();
    hours(&mut world, 13);
    let mut minutes = [0u32; 31];
    for id in ids {
        let second = heartbeats(&world, id)[1];
        minutes[usize::try_from((second - EARLIEST) / 60_000).unwrap()] += 1;
    }
    // 300 in 30 minutes: 10 expected in each; a fixed time would have put all into one.
    assert!(minutes.iter().all(|&count| count < 30), "{minutes:?}");
    assert!(minutes.iter().filter(|&&count| count > 0).count() > 25, "{minutes:?}");
}

#[test]
fn a_person_may_report_at_once_and_the_schedule_starts_from_there() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    hours(&mut world, 5);
    world.intent(id, Intent::Report).unwrap();
    // A second wish while the first is under way changes nothing.
    world.intent(id, Intent::Report).unwrap();
    hours(&mut world, 11);
    let at = heartbeats(&world, id);
    assert_eq!(at.len(), 2);
    world.run_for(Duration::from_millis(2 * HOUR));
    let at = heartbeats(&world, id);
    assert_eq!(at.len(), 3);
    assert!((EARLIEST..=LATEST + 40).contains(&(at[2] - at[1])));
    // Neither means anything while all is well.
    let before = world.outputs(id);
    world.intent(id, Intent::TryAgain).unwrap();
    world.intent(id, Intent::Use { date: 20_260_101 }).unwrap();
    assert_eq!(world.outputs(id), before);
}

#[test]
fn intents_of_other_platforms_are_the_callers_mistake() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    assert!(world.intent(id, Intent::NewBindToken).is_err());
    assert!(world.intent(id, Intent::RequestFirmware).is_err());
    run_to_ready(&mut world, id);
}

#[test]
fn a_changed_firmware_version_is_seen_at_the_next_report() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    world.cut_power(id);
    world.power_on_with(id, read(&settings().with("firmware_version", "2.0.0"))).unwrap();
    let sent = watch(&mut world, |_| Fault::None);
    hours(&mut world, 13);
    let sent = sent.borrow();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].1.contains(r#""firmwareVersion":"2.0.0""#));
}
