use std::time::Duration;

use muster::{CodecError, Due, Error, Event, Intent, Now, Stored, Warning};

use super::setup::{
    DAY, HOUR, Hand, REPORT_REPLY, counts, heartbeats, hours, info_reply, read, run_to_ready,
    settings, stored_credential, told, world,
};

fn daily() -> muster::Config {
    read(&settings().with("strategy", "daily"))
}

fn use_on(world: &mut muster::sim::World, id: muster::sim::DeviceId, date: u32) {
    world.intent(id, Intent::Use { date }).unwrap();
    world.run_for(Duration::from_secs(1));
}

#[test]
fn one_report_a_day_at_its_first_use() {
    let mut world = world();
    let id = world.add(daily(), Stored::empty()).unwrap();
    // Told before the first report was accepted, so that this counts for the day.
    world.intent(id, Intent::Use { date: 20_260_101 }).unwrap();
    run_to_ready(&mut world, id);
    assert_eq!(counts(&world), (1, 1));
    let whys: Vec<Due> = told(&world, id)
        .iter()
        .filter_map(|event| match event {
            Event::Heartbeat { why, .. } => Some(*why),
            _ => None,
        })
        .collect();
    assert_eq!(whys, [Due::FirstUseOfDay]);
    for day in 2..=28u32 {
        // A little earlier every day: later, and the 24 hours would be over first.
        hours(&mut world, 7);
        // Several uses a day, one report.
        for _ in 0..3 {
            use_on(&mut world, id, 20_260_100 + day);
            hours(&mut world, 4);
        }
        hours(&mut world, 3);
        assert_eq!(counts(&world).1, day as usize, "day {day}");
    }
    assert!(heartbeats(&world, id).windows(2).all(|pair| pair[1] - pair[0] <= DAY));
}

#[test]
fn a_device_that_nobody_uses_reports_before_24_hours_are_over() {
    let mut world = world();
    let id = world.add(daily(), Stored::empty()).unwrap();
    hours(&mut world, 24 * 21);
    let at = heartbeats(&world, id);
    assert!((21..=23).contains(&at.len()), "{}", at.len());
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (23 * HOUR..=DAY - 1_800_000 + 40).contains(gap)), "{gaps:?}");
    let spread = gaps.iter().max().unwrap() - gaps.iter().min().unwrap();
    assert!(spread > 900_000, "a fleet that nobody uses does not report at once: {spread}");
}

#[test]
fn the_day_of_the_last_report_outlives_a_restart() {
    let mut world = world();
    let id = world.add(daily(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    use_on(&mut world, id, 20_260_101);
    assert_eq!(counts(&world).1, 2, "the report at the start knew no date");
    for _ in 0..3 {
        world.cut_power(id);
        hours(&mut world, 1);
        world.power_on(id).unwrap();
        use_on(&mut world, id, 20_260_101);
    }
    assert_eq!(counts(&world).1, 2);
    use_on(&mut world, id, 20_260_102);
    assert_eq!(counts(&world).1, 3);
    // Without a wall clock a restart reports, and that is the day's report if the day is the same.
    world.forget_wall_clock();
    world.cut_power(id);
    world.power_on(id).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(counts(&world).1, 4);
    use_on(&mut world, id, 20_260_102);
    assert_eq!(counts(&world).1, 4);
}

#[test]
fn a_day_that_failed_is_tried_again_and_not_forgotten() {
    let mut world = world();
    let id = world.add(daily(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    world.set_fault(|_, _| muster::sim::Fault::Lose);
    use_on(&mut world, id, 20_260_102);
    hours(&mut world, 1);
    assert_eq!(counts(&world).1, 1);
    world.clear_fault();
    hours(&mut world, 1);
    assert_eq!(counts(&world).1, 2);
    use_on(&mut world, id, 20_260_102);
    assert_eq!(counts(&world).1, 2);
}

#[test]
fn a_use_while_a_report_is_on_its_way_is_covered_by_it() {
    let mut hand = Hand::new(daily(), stored_credential(), Now::mono(0));
    hand.intent(Intent::Use { date: 20_260_101 });
    assert!(hand.maybe_request().is_none());
    // The request of the start is still the one that is awaited.
    hand.reply_to(muster::Token(1), 200, REPORT_REPLY);
    assert!(hand.events().contains(&Event::Ready));
    hand.stored();
    hand.intent(Intent::Use { date: 20_260_101 });
    assert!(hand.maybe_request().is_none());
    hand.intent(Intent::Use { date: 20_260_102 });
    assert!(hand.maybe_request().is_some());
}

#[test]
fn a_date_that_is_none_is_ignored_with_a_warning() {
    let mut hand = Hand::new(daily(), Stored::empty(), Now::mono(0));
    hand.reply(info_reply());
    hand.stored();
    hand.reply(REPORT_REPLY);
    for date in [0, 1, 20_261_301, 20_260_100, 20_260_132, u32::MAX] {
        hand.intent(Intent::Use { date });
        let error = Error::Codec { error: CodecError::Invalid("date".into()) };
        assert_eq!(hand.events(), [Event::Warning { warning: Warning::Ignored { error } }]);
        assert!(hand.maybe_request().is_none());
    }
}
