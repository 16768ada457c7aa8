use muster::Stored;

use crate::support::*;

#[test]
fn in_no_event_no_log_line_and_no_debug_output() {
    let mut world = world(&[]);
    world.operate(add_firmware("2.0.0")).unwrap();
    world.operate(push_upgrade("2.0.0")).unwrap();
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    let mut shown = String::new();
    for _ in 0..80 {
        world.step();
        shown += &format!("{:?}{:?}", world.agent(id), world.cloud);
    }
    assert!(is_settled(&world, id));
    shown += &format!("{:?}{:?}", world.events(id), world.log);
    for (_, event) in world.events(id) {
        shown += &serde_json::to_string(event).unwrap();
    }
    for entry in &world.log {
        shown += &serde_json::to_string(entry).unwrap();
    }
    shown += &format!("{:?}{:?}", world.stored(id), config(&settings()));
    let device_secret = view(&mut world).secret.unwrap();
    assert!(!shown.contains(PRODUCT_SECRET));
    assert!(!shown.contains(&device_secret));
    assert!(shown.contains(DEVICE));
}

#[test]
fn not_even_one_that_the_platform_sends_back() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (_, id) = hand.until_asked();
    let body = format!(r#"{{"CMD":21,"ID":"{id}","DEVICE_SECRET":"not usable {DEVICE_SECRET}"}}"#);
    hand.message(&topic("register/set"), body.as_bytes());
    assert!(!format!("{:?}", hand.events).contains(DEVICE_SECRET));
}
