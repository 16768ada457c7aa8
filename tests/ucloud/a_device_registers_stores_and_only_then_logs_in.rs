use muster::{Ack, Closed, Command, Due, Event, Input, Outcome, QoS, Step, StoreKey};

use super::support::*;
use crate::common::{Bench, commands, events};

#[test]
fn the_device_waits_for_every_answer() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), muster::Stored::empty());
    let [Command::Connect(connection, connect)] = &commands(&bench.outputs)[..] else { panic!() };
    let connection = *connection;
    assert_eq!(connect.client_id, "70ly1tvowt696r15.112233445566");
    assert_eq!(connect.username, "70ly1tvowt696r15|112233445566|2");
    assert_eq!(connect.password.expose(), PRODUCT_SECRET);
    assert_eq!(connect.keep_alive, 240);

    let out = bench.give(Input::Connected(connection));
    let [Command::Subscribe(subscribe, filter)] = &commands(&out)[..] else { panic!("{out:?}") };
    assert_eq!(filter.topic, "/$system/70ly1tvowt696r15/112233445566/password_reply");
    assert_eq!(filter.qos, QoS::AtLeastOnce);

    // Nothing is asked before the SUBACK.
    let out = bench.give(Input::Acked(*subscribe, Ack::Subscribed(QoS::AtLeastOnce)));
    let [(to, QoS::AtLeastOnce, body)] = &publishes(&out)[..] else { panic!("{out:?}") };
    assert_eq!(to, "/$system/70ly1tvowt696r15/112233445566/password");
    let request: serde_json::Value = serde_json::from_str(body).unwrap();
    let request_id = request["RequestID"].as_str().unwrap();
    assert_eq!(*body, format!(r#"{{"RequestID":"{request_id}"}}"#));

    let reply =
        format!(r#"{{"RetCode":"0","RequestID":"{request_id}","Password":"{DEVICE_SECRET}"}}"#);
    let out = bench.give(message("password_reply", &reply));
    let [Command::Store(store, StoreKey::Credential, value)] = &commands(&out)[..] else {
        panic!("{out:?}")
    };
    let kept: serde_json::Value = serde_json::from_slice(value.expose()).unwrap();
    assert_eq!(
        kept,
        serde_json::json!({
            "product_sn": PRODUCT, "device_sn": DEVICE, "device_secret": DEVICE_SECRET
        })
    );

    // Only what is stored is used.
    let out = bench.give(Input::Stored(*store, Outcome::Done));
    assert_eq!(commands(&out), [Command::Close(connection)]);
    assert!(matches!(
        &events(&out)[..],
        [Event::Step { step: Step::LeaveRegistration }, Event::Registered { .. }]
    ));
    let out = bench.give(Input::Closed(connection, Closed::Requested));
    let [Command::Connect(login, connect)] = &commands(&out)[..] else { panic!("{out:?}") };
    assert_eq!(connect.username, "70ly1tvowt696r15|112233445566|1");
    assert_eq!(connect.password.expose(), DEVICE_SECRET);

    let out = bench.give(Input::Connected(*login));
    let mut last = Vec::new();
    for command in commands(&out) {
        let Command::Subscribe(token, _) = command else { panic!("{command:?}") };
        last = bench.give(Input::Acked(token, Ack::Subscribed(QoS::AtLeastOnce)));
    }
    let bodies: Vec<String> = publishes(&last).into_iter().map(|(_, _, body)| body).collect();
    assert_eq!(
        bodies,
        [
            r#"{"Method":"report_version","Payload":{"Module":"default","Version":"1.0.0"}}"#,
            r#"{"Method":"request_firmware","Payload":{"Module":"default","Version":"1.0.0"}}"#,
        ]
    );
    let mut out = Vec::new();
    for command in commands(&last) {
        out = bench.give(Input::Acked(command_token(&command).unwrap(), Ack::Published));
    }
    assert!(matches!(
        events(&out)[..],
        [Event::Ready, Event::Heartbeat { next: Some(_), why: Due::KeepAlive, .. }]
    ));
    assert_eq!(bench.deadline, None);
    assert_eq!(bench.agent.stray_inputs(), 0);
}

#[test]
fn against_the_cloud_it_is_ready_within_a_second() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Default::default()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    assert!(world.now().mono.0 < 1_000);
    let steps: Vec<Step> = world
        .events(id)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Step { step } => Some(*step),
            _ => None,
        })
        .collect();
    assert_eq!(
        steps,
        [
            Step::ConnectToRegister,
            Step::SubscribeForSecret,
            Step::RequestSecret,
            Step::StoreSecret,
            Step::LeaveRegistration,
            Step::Login,
            Step::Subscribe,
            Step::ReportVersion,
        ]
    );
    let view = device_view(&mut world);
    assert_eq!((view.state.as_str(), view.version.as_deref()), ("online", Some("1.0.0")));
    assert_eq!(view.secret.as_deref(), Some(DEVICE_SECRET));
    assert_eq!(world.agent(id).unwrap().stray_inputs(), 0);
}
