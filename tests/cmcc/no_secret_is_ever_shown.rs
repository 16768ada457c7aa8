use std::fmt::Write as _;
use std::time::Duration;

use muster::cloud::Action;
use muster::sim::{Crossing, Fault};
use muster::{Intent, Now, Stored};

use super::setup::{
    Hand, KEY, NUMBER, PRODUCT, SECRET, config, hours, operate, read, run_to_ready, settings,
    stored_credential, world,
};

fn has_secret(text: &str) -> bool {
    text.contains(SECRET) || text.contains(KEY)
}

#[test]
fn not_in_an_event_a_log_or_a_debug_text_of_any_flow() {
    let mut world = world();
    // A server that throws the request back at the device.
    let mut n = 0;
    let mut echo = String::new();
    world.set_fault(move |_, crossing| {
        n += 1;
        match crossing {
            Crossing::Request { body, .. } => {
                echo = String::from_utf8_lossy(body).replace('"', "'")
            }
            Crossing::Response { body, .. } if n % 3 == 0 => {
                *body = format!(r#"{{"code":"500","message":"{echo}"}}"#).into_bytes();
            }
            _ => {}
        }
        Fault::None
    });
    let id = world.add(config(), Stored::empty()).unwrap();
    let mut seen = String::new();
    for round in 0..40 {
        world.run_for(Duration::from_secs(3_600 * 5));
        let intent = match round % 4 {
            0 => Intent::TryAgain,
            1 => Intent::Report,
            2 => Intent::RegisterAgain,
            _ => Intent::Use { date: 20_260_101 },
        };
        world.intent(id, intent).unwrap();
        write!(seen, "{:?}", world.agent(id)).unwrap();
    }
    for (_, event) in world.events(id) {
        write!(seen, "{event:?}{}", serde_json::to_string(event).unwrap()).unwrap();
    }
    for entry in &world.log {
        write!(seen, "{entry:?}").unwrap();
    }
    write!(seen, "{:?}", world.cloud).unwrap();
    assert!(seen.contains("'productKey':'***'"), "the echo was there, and masked");
    assert!(seen.contains("'deviceSecret':'***'"));
    assert!(!has_secret(&seen));
}

#[test]
fn not_in_what_the_device_asks_of_its_host() {
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    assert!(!has_secret(&format!("{:?}", hand.out)));
    hand.reply(super::setup::info_reply());
    assert!(!has_secret(&format!("{:?}", hand.out)));
    hand.stored();
    assert!(!has_secret(&format!("{:?}", hand.out)));
    let hand = Hand::new(config(), stored_credential(), Now::mono(0));
    assert!(!has_secret(&format!("{:?} {:?}", hand.out, hand.agent)));
    assert!(!has_secret(&format!("{:?} {:?}", settings(), config())));
}

#[test]
fn not_in_a_kept_report_not_even_from_a_field_it_strayed_into() {
    let mut world = world();
    let config = read(&settings().with("net_type", SECRET).with("os", KEY));
    let id = world.add(config, Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    hours(&mut world, 1);
    let action = Action::ListReports { product: PRODUCT.into(), device: NUMBER.into() };
    let muster::cloud::OperationResult::Reports { items } = operate(&mut world, action).unwrap()
    else {
        panic!()
    };
    assert_eq!(items.len(), 1);
    assert!(!has_secret(&items[0].json), "{}", items[0].json);
    let report: serde_json::Value = serde_json::from_str(&items[0].json).unwrap();
    assert_eq!(report["deviceSecret"], "***");
    assert_eq!(report["productKey"], "***");
    assert_eq!(report["params"]["netType"], "***");
}
