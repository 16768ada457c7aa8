use muster::{Ack, Advice, Closed, Command, Error, Event, Input, Intent, QoS, Rejected, Stored};

use super::support::*;
use crate::common::{Bench, commands, events};

#[test]
fn by_connack() {
    for (code, advice) in [
        (4, Advice::CheckProductSecret),
        (5, Advice::ImportDevice),
        (2, Advice::CheckDevice),
        (1, Advice::AskVendor),
        (77, Advice::AskVendor),
    ] {
        let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
        let connection = token(&bench.outputs);
        let out = bench.give(Input::Closed(connection, Closed::Refused(code)));
        let error = Error::Rejected { by: Rejected::Connack { code } };
        assert_eq!(events(&out), [Event::Stopped { error, advice }]);
        assert_eq!(bench.deadline, None);
        let out = bench.give(Input::User(Intent::TryAgain));
        assert!(matches!(&commands(&out)[..], [Command::Connect(..)]), "alive for another try");
    }
}

#[test]
fn by_connack_after_a_person_had_the_secret_erased() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), stored(DEVICE_SECRET));
    let login = token(&bench.outputs);
    bench.give(Input::Closed(login, Closed::Refused(4)));
    let out = bench.give(Input::User(Intent::RegisterAgain));
    let out = bench.give(Input::Stored(token(&out), muster::Outcome::Done));
    let out = bench.give(Input::Closed(token(&out), Closed::Refused(5)));
    let error = Error::Rejected { by: Rejected::Connack { code: 5 } };
    assert_eq!(events(&out), [Event::Stopped { error, advice: Advice::AlreadyRegistered }]);
}

#[test]
fn by_suback() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(Input::Connected(connection));
    let out = bench.give(Input::Acked(token(&out), Ack::SubscribeRefused));
    assert_eq!(commands(&out), [Command::Close(connection)]);
    let error = Error::Rejected { by: Rejected::Suback { topic: topic("password_reply") } };
    assert_eq!(events(&out), [Event::Stopped { error, advice: Advice::AskVendor }]);
}

#[test]
fn by_ret_code() {
    for (code, advice) in [
        (r#""100008""#, Advice::ImportDevice),
        ("140", Advice::ImportDevice),
        (r#""240""#, Advice::ImportDevice),
        ("100003", Advice::CheckProductSecret),
        (r#""100014""#, Advice::CheckProductSecret),
        ("100072", Advice::CheckDevice),
        ("130", Advice::AskVendor),
    ] {
        let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
        let connection = token(&bench.outputs);
        let out = bench.give(Input::Connected(connection));
        let out = bench.give(Input::Acked(token(&out), Ack::Subscribed(QoS::AtLeastOnce)));
        let (_, _, request) = publishes(&out).remove(0);
        let id = request.trim_start_matches(r#"{"RequestID":"#).trim_end_matches('}').to_string();
        let reply = format!(
            r#"{{"RetCode":{code},"RequestID":{id},"Message":"no, {PRODUCT_SECRET} is known"}}"#
        );
        let out = bench.give(message("password_reply", &reply));
        assert_eq!(commands(&out), [Command::Close(connection)]);
        let [Event::Stopped { error: Error::Rejected { by }, advice: got }] = &events(&out)[..]
        else {
            panic!("{out:?}")
        };
        assert_eq!(*got, advice);
        let message = "no, *** is known".to_string();
        assert_eq!(*by, Rejected::Code { code: code.trim_matches('"').into(), message });
    }
}

#[test]
fn the_cloud_and_the_device_agree_on_each_reason() {
    type Prepare = fn(&mut muster::sim::World);
    let cases: [(Prepare, u8, Advice); 4] = [
        (|w| drop(w.operate(switch("DynamicRegister", "false"))), 5, Advice::ImportDevice),
        (|w| drop(w.operate(disable(true))), 5, Advice::ImportDevice),
        (
            |w| {
                let other = w.add(config(&static_()), Stored::empty()).unwrap();
                assert!(w.run_until(SOON, |w| is_ready(w, other)));
            },
            5,
            Advice::ImportDevice,
        ),
        (|w| drop(w.operate(switch("ConnackDynamicOff", "4"))), 0, Advice::ImportDevice),
    ];
    for (prepare, code, advice) in cases {
        let mut world = world();
        prepare(&mut world);
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        world.run_until(SOON, |world| is_ready(world, id) || is_stopped(world, id));
        let stopped = world.events(id).iter().find_map(|(_, event)| match event {
            Event::Stopped {
                error: Error::Rejected { by: Rejected::Connack { code } },
                advice,
            } => Some((*code, *advice)),
            _ => None,
        });
        match code {
            0 => assert!(is_ready(&world, id)),
            code => assert_eq!(stopped, Some((code, advice))),
        }
    }
}

#[test]
fn a_refusal_by_ret_code_reaches_the_device() {
    for (name, code) in [("DynamicRegister", "140"), ("", "100072")] {
        let mut world = world();
        world.operate(switch("RefuseByRetCode", "true")).unwrap();
        if name.is_empty() {
            world.operate(disable(true)).unwrap();
        } else {
            world.operate(switch(name, "false")).unwrap();
        }
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        assert!(world.run_until(SOON, |world| is_stopped(world, id)));
        let told = count(&world, id, |event| {
            matches!(event, Event::Stopped { error: Error::Rejected {
                by: Rejected::Code { code: told, .. } }, .. } if told == code)
        });
        assert_eq!(told, 1, "{:?}", world.events(id));
        // The operator mends it, a person says go on.
        world.operate(disable(false)).unwrap();
        world.operate(switch("DynamicRegister", "true")).unwrap();
        world.intent(id, Intent::TryAgain).unwrap();
        assert!(world.run_until(SOON, |world| is_ready(world, id)));
    }
}
