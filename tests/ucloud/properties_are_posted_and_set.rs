use muster::cloud::{Action, OperationResult};
use muster::sim::{Crossing, Fault};
use muster::{CodecError, Error, Event, Intent, Rejected, Step, Stored, Warning};

use super::support::*;
use crate::common::commands;

fn post(json: &str) -> Intent {
    Intent::PostProperties { json: json.into() }
}

fn reports(world: &mut muster::sim::World) -> Vec<String> {
    let list = Action::ListReports { product: PRODUCT.into(), device: DEVICE.into() };
    match world.operate(operation(list)).unwrap() {
        OperationResult::Reports { items } => items.into_iter().map(|item| item.json).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn posted_properties_reach_the_cloud_and_are_acknowledged() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    // What is posted before the login waits for it.
    world.intent(id, post(r#"{"humidity":5,"name":"caf\u00e9"}"#)).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.intent(id, post(r#"{ "temperature" : { "deep" : [ 1, 2 ] } }"#)).unwrap();
    world.run_for(SOON);
    assert_eq!(count(&world, id, |event| *event == Event::PropertiesPosted), 2);
    let reports = reports(&mut world);
    assert_eq!(
        reports[..2],
        [
            r#"{"Topic":"tmodel/property/post","Payload":{"RequestID":"2","Property":{"temperature":{"Value":{"deep":[1,2]}}}}}"#,
            r#"{"Topic":"tmodel/property/post","Payload":{"RequestID":"1","Property":{"humidity":{"Value":5},"name":{"Value":"caf\u00e9"}}}}"#,
        ]
    );
}

#[test]
fn what_is_no_json_object_is_not_posted() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    for (json, error) in [("", CodecError::NotJson), ("[1]", CodecError::NotAnObject)] {
        world.clear_events(id);
        world.intent(id, post(json)).unwrap();
        let warning = Warning::Ignored { error: error.into() };
        assert_eq!(world.events(id).last().unwrap().1, Event::Warning { warning });
    }
}

#[test]
fn a_lost_reply_is_waited_for_and_the_post_repeated_and_then_given_up() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    for losses in [2, 4] {
        let mut left = losses;
        world.set_fault(move |_, crossing| match crossing {
            Crossing::Down { topic, .. } if topic.ends_with("post_reply") && left > 0 => {
                left -= 1;
                Fault::Lose
            }
            _ => Fault::None,
        });
        world.clear_events(id);
        world.intent(id, post(r#"{"a":1}"#)).unwrap();
        world.run_for(HOUR);
        let posted = count(&world, id, |event| *event == Event::PropertiesPosted);
        let error = Error::NoReply { step: Step::PostProperties };
        let given_up = Event::Warning { warning: Warning::Ignored { error } };
        let given_up = count(&world, id, |event| *event == given_up);
        assert_eq!((posted, given_up), if losses == 2 { (1, 0) } else { (0, 1) });
    }
}

#[test]
fn a_post_that_a_broken_connection_swallowed_is_posted_in_the_next_session() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.intent(id, post(r#"{"a":1}"#)).unwrap();
    world.break_connection(id);
    world.run_for(HOUR);
    assert_eq!(count(&world, id, |event| *event == Event::PropertiesPosted), 1);
}

#[test]
fn a_refused_post_is_said_to_be_refused() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(600));
    world.intent(id, post(&long)).unwrap();
    world.run_for(SOON);
    let message = "a property of more than 512 bytes, or without a name".to_string();
    let by = Rejected::Code { code: "230".into(), message };
    let warning = Warning::Ignored { error: Error::Rejected { by } };
    assert_eq!(count(&world, id, |event| *event == Event::Warning { warning: warning.clone() }), 1);
}

#[test]
fn only_so_many_posts_wait() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    for i in 0..1000 {
        world.intent(id, post(&format!(r#"{{"a":{i}}}"#))).unwrap();
    }
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.run_for(SOON);
    assert_eq!(count(&world, id, |event| *event == Event::PropertiesPosted), 8);
    assert!(reports(&mut world)[0].contains(r#""Value":999"#), "the latest are kept");
}

#[test]
fn properties_set_by_an_operator_reach_the_device_and_are_answered() {
    let mut world = world();
    let set = |json: &str| {
        let (product, device) = (PRODUCT.into(), DEVICE.into());
        operation(Action::SetProperties { product, device, json: json.into() })
    };
    world.operate(set(r#"{"a":1}"#)).unwrap_err();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.operate(set(r#"{"switch":1,"color":{"r":255}}"#)).unwrap();
    world.run_for(SOON);
    let json = r#"{"switch":1,"color":{"r":255}}"#.to_string();
    assert_eq!(count(&world, id, |event| *event == Event::PropertiesSet { json: json.clone() }), 1);
    let reply = r#"{"Topic":"tmodel/property/set_reply","Payload":{"RequestID":"2","RetCode":0}}"#;
    assert_eq!(reports(&mut world)[0], reply);
    for bad in ["", "[]", "{", &format!(r#"{{"a":"{}"}}"#, "x".repeat(3000))] {
        world.operate(set(bad)).unwrap_err();
    }
}

#[test]
fn a_set_is_answered_with_its_own_request_id() {
    let mut bench = crate::common::Bench::new(UCLOUD, &static_(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(muster::Input::Connected(connection));
    for command in commands(&out) {
        let ack = muster::Ack::Subscribed(muster::QoS::AtLeastOnce);
        bench.give(muster::Input::Acked(command_token(&command).unwrap(), ack));
    }
    for (id, answered) in [("7", true), (r#""x""#, true), (r#"{"a":1}"#, false), ("null", false)] {
        let set = format!(r#"{{"RequestID":{id},"Property":{{"a":1}}}}"#);
        let out = bench.give(message("tmodel/property/set", &set));
        let replies = publishes(&out);
        assert_eq!(replies.len(), usize::from(answered), "{id}");
        for (to, _, body) in replies {
            assert_eq!(to, topic("tmodel/property/set_reply"));
            assert_eq!(body, format!(r#"{{"RequestID":{id},"RetCode":0}}"#));
        }
    }
}
