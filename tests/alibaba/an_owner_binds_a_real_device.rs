//! App, cloud and the real agent in one world: the device registers, reports its token, and is bound.

use std::time::Duration;

use muster::app::{App, AppConfig, AppEvent, AppInput, AppOutput, BindBy, BindPlan, DeviceName};
use muster::cloud::{Action, Operation, OperationResult};
use muster::sim::{World, to_server};
use muster::{Answer, Event, PlatformName, Settings, Stored};

use super::bench::{DN, PK, PRODUCT_SECRET, config, over_mqtt, settings};

fn operate(world: &mut World, action: Action) -> OperationResult {
    world.operate(Operation { platform: PlatformName::Alibaba, action }).unwrap()
}

fn world() -> (World, App) {
    let mut world = World::new(Duration::from_millis(20));
    let switches = [("DynamicRegister", "true"), ("published", "true")];
    let switches = switches.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    let (id, secret) = (Some(PK.to_owned()), Some(PRODUCT_SECRET.to_owned()));
    operate(&mut world, Action::CreateProduct { name: "lamp".into(), id, secret, switches });
    operate(&mut world, Action::ImportDevices { product: PK.into(), csv: DN.into() });
    let (name, value) = ("app_secret.app".to_owned(), "secret-of-the-app".to_owned());
    operate(&mut world, Action::Switch { product: None, name, value });
    let OperationResult::Owners { items } =
        operate(&mut world, Action::CreateOwner { identity: "alice".into() })
    else {
        panic!()
    };
    let app = Settings::new()
        .with("base_url", "http://127.0.0.1:7878")
        .with("app_key", "app")
        .with("app_secret", "secret-of-the-app")
        .with("iot_token", items[0].iot_token.as_deref().unwrap())
        .with("home_id", &items[0].home_id);
    let app = App::new(AppConfig::from_settings(&app).unwrap(), [3; 32], world.now());
    (world, app)
}

/// Runs app and world until the app's flow is over.
fn run(world: &mut World, app: &mut App, device: muster::sim::DeviceId) -> Vec<AppEvent> {
    let mut events = Vec::new();
    let mut announced = 0;
    for _ in 0..10_000 {
        let wake = loop {
            match app.poll_output() {
                AppOutput::Request(token, request) => {
                    let request = to_server(request);
                    let response = world.http(request).unwrap();
                    app.handle_input(
                        AppInput::Response(token, Answer::Response(response)),
                        world.now(),
                    );
                }
                AppOutput::Event(event) => events.push(event),
                AppOutput::Timeout(at) => break at,
                other => panic!("{other:?}"),
            }
        };
        if !app.is_binding() {
            return events;
        }
        // What the device announces on the local network, the app hears.
        let tokens: Vec<String> = world
            .events(device)
            .iter()
            .filter_map(|(_, event)| match event {
                Event::BindToken { token, .. } => Some(token.clone()),
                _ => None,
            })
            .collect();
        if tokens.len() > announced {
            announced = tokens.len();
            let token = tokens.last().unwrap().clone();
            app.handle_input(AppInput::BindToken(token), world.now());
            continue;
        }
        let left = wake.map_or(1_000, |at| at.millis_since(world.now().mono));
        if left == 0 {
            app.handle_input(AppInput::Timeout, world.now());
        } else {
            world.run_for(Duration::from_millis(left.min(100)));
        }
    }
    panic!("it never ends; {events:?}");
}

#[test]
fn by_token_and_by_window_over_both_registrations() {
    for settings in [settings(), over_mqtt()] {
        for by in [BindBy::Token(None), BindBy::Window] {
            let (mut world, mut app) = world();
            let device = world.add(config(&settings), Stored::empty()).unwrap();
            let plan = BindPlan {
                devices: vec![DeviceName::new(PK, DN)],
                choose: None,
                scope_all: false,
                cipher: None,
                by,
                home_id: None,
            };
            app.handle_input(AppInput::Bind(plan), world.now());
            let events = run(&mut world, &mut app, device);
            assert!(matches!(events.last(), Some(AppEvent::Bound { .. })), "{events:?}");
            let OperationResult::Owners { items } =
                operate(&mut world, Action::ListOwners { reveal: false })
            else {
                panic!()
            };
            assert_eq!(items[0].devices, [format!("{PK}/{DN}")]);
        }
    }
}
