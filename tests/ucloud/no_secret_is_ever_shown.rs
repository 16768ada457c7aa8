//! Over every flow: no event, no log line, no `Debug` of anything that crosses shows one.

use std::cell::RefCell;
use std::rc::Rc;

use muster::sim::{Crossing, Fault};
use muster::{Intent, Stored};

use super::support::*;
use crate::common::Bench;

#[test]
fn by_the_device_or_the_cloud() {
    let mut world = world();
    let secrets =
        Rc::new(RefCell::new(vec![PRODUCT_SECRET.to_string(), DEVICE_SECRET.to_string()]));
    let seen = Rc::clone(&secrets);
    world.set_fault(move |_, crossing| {
        if let Crossing::Down { topic, payload } = crossing
            && topic.ends_with("password_reply")
        {
            let reply: serde_json::Value = serde_json::from_slice(payload).unwrap();
            seen.borrow_mut().push(reply["Password"].as_str().unwrap().into());
        }
        Fault::None
    });
    world.images.insert(IMAGE_URL.into(), image());
    world.operate(add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, 200_000)).unwrap();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    // A device that gives its own secret away.
    let json = format!(r#"{{"secret":"{DEVICE_SECRET}"}}"#);
    world.intent(id, Intent::PostProperties { json }).unwrap();
    world.run_for(SOON);
    world.operate(push("2.0.0")).unwrap();
    world.run_for(SOON);
    world.operate(reset(true)).unwrap();
    world.run_for(SOON);
    world.intent(id, Intent::RegisterAgain).unwrap();
    world.run_for(SOON);
    world.fail_stores(id, true);
    world.operate(reset(true)).unwrap();
    world.intent(id, Intent::RegisterAgain).unwrap();
    world.run_for(SOON);

    let list =
        muster::cloud::Action::ListReports { product: PRODUCT.into(), device: DEVICE.into() };
    let muster::cloud::OperationResult::Reports { items } = world.operate(operation(list)).unwrap()
    else {
        panic!()
    };
    let reports: Vec<String> = items.into_iter().map(|item| item.json).collect();
    let shown = format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}",
        world.events(id),
        world.log,
        world.agent(id),
        world.cloud,
        world.stored(id),
        reports,
    );
    assert!(secrets.borrow().len() >= 4);
    for secret in secrets.borrow().iter() {
        assert!(!shown.contains(secret.as_str()), "{secret} is shown");
    }
}

#[test]
fn by_commands_that_carry_them() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(muster::Input::Connected(connection));
    let ack = muster::Ack::Subscribed(muster::QoS::AtLeastOnce);
    let out = bench.give(muster::Input::Acked(token(&out), ack));
    let (_, _, body) = publishes(&out).remove(0);
    let reply = body.replace('}', &format!(r#","RetCode":"0","Password":"{DEVICE_SECRET}"}}"#));
    let reply = message("password_reply", &reply);
    let shown_input = format!("{reply:?}");
    bench.give(reply);
    let shown = format!("{shown_input}{:?}{:?}{:?}", bench.outputs, bench.agent, dynamic());
    for secret in [PRODUCT_SECRET, DEVICE_SECRET] {
        assert!(!shown.contains(secret));
    }
}
