use std::time::Duration;

use muster::cloud::{Action, Cloud, CloudConfig, OperationResult};
use muster::sim::World;
use muster::{Intent, PlatformName, Stored};

use super::setup::{
    KEY, NUMBER, PRODUCT, config, counts, hours, http, operate, run_to_ready, switch, world,
};

/// A new cloud from what the old one had persisted.
fn restart(world: &mut World) {
    let mut cloud = Cloud::new(CloudConfig::default(), [9; 32], world.now());
    for ((platform, table, key), value) in &world.kept {
        cloud.load(*platform, table, key, value.expose()).unwrap();
    }
    world.cloud = cloud;
}

fn seen(world: &mut World) -> String {
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    let mut seen = String::new();
    for action in [
        Action::ListProducts { reveal: true },
        Action::ListDevices { product: product.clone(), after: None, limit: None, reveal: true },
        Action::ListReports { product, device },
    ] {
        let result: OperationResult = operate(world, action).unwrap();
        seen.push_str(&serde_json::to_string(&result).unwrap());
    }
    seen
}

#[test]
fn products_numbers_secrets_switches_and_reports_are_the_same() {
    let mut world = world();
    switch(&mut world, None, "numeric_code", "true");
    switch(&mut world, Some(PRODUCT), "lenient_params", "true");
    super::setup::import(&mut world, "A-1\nA-2\n");
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    hours(&mut world, 24 * 12);
    let before = seen(&mut world);
    assert!(before.contains("\"numeric_code\":\"true\""));
    restart(&mut world);
    assert_eq!(seen(&mut world), before);
    // And the device notices nothing.
    let asked = counts(&world);
    world.intent(id, Intent::Report).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(counts(&world), (asked.0, asked.1 + 1));
    // The ring of reports goes on where it was.
    hours(&mut world, 24 * 30);
    assert_eq!(world.kept.keys().filter(|(_, table, _)| *table == "report").count(), 20);
}

#[test]
fn a_secret_is_the_same_after_a_restart_at_any_moment() {
    for restart_after in 0..6 {
        let mut world = world();
        let id = world.add(config(), Stored::empty()).unwrap();
        for n in 0..6 {
            if n == restart_after {
                restart(&mut world);
            }
            world.step();
        }
        run_to_ready(&mut world, id);
        hours(&mut world, 13);
        assert!(counts(&world).1 >= 2);
    }
}

#[test]
fn an_answer_is_counted_before_it_is_given() {
    let mut world = world();
    let body = format!(
        r#"{{"deviceNoType":"CMEI","deviceNo":"{NUMBER}","productId":"{PRODUCT}","productKey":"{KEY}"}}"#
    );
    for _ in 0..3 {
        world.http(http("/v2/customer/device/secret/info", &body)).unwrap();
    }
    restart(&mut world);
    assert!(seen(&mut world).contains(r#""secret_info_answers":"3""#));
}

#[test]
fn a_value_of_a_later_version_or_in_pieces_is_an_error_with_a_name() {
    let world = world();
    let mut cloud = Cloud::new(CloudConfig::default(), [9; 32], world.now());
    cloud.load(PlatformName::Cmcc, "later", "x", &[1]).unwrap();
    for table in ["product", "device", "report", "platform"] {
        let error = cloud.load(PlatformName::Cmcc, table, "1", &[0xff]).unwrap_err();
        assert_eq!((error.table.as_str(), error.key.as_str()), (table, "1"));
    }
    let mut key = world.kept.iter().find(|((_, table, _), _)| *table == "device").unwrap();
    assert!(cloud.load(PlatformName::Cmcc, "report", "x", key.1.expose()).is_err());
    key = world.kept.iter().next().unwrap();
    assert_eq!(key.0.0, PlatformName::Cmcc);
}
