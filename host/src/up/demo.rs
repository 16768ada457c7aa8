//! What is there on the first start: one product a platform, with names that are the same every time and secrets that
//! are new every time.
//!
//! A platform gets its demo data once, while nothing is kept for it, in one transaction with the note that says so.

use muster::PlatformName;
use muster::cloud::{
    Action, DeviceView, Operation, OperationError, OperationErrorKind, OperationResult, ProductView,
};
use serde_json::{Map, Value, json};

use super::Addresses;
use super::api;
use super::engine::{Engine, Keeper};
use super::error::ApiError;
use crate::exit::Exit;

/// The demo of one platform.
pub(crate) struct Demo {
    pub(crate) platform: PlatformName,
    pub(crate) product: &'static str,
    name: &'static str,
    switches: &'static [(&'static str, &'static str)],
    csv: &'static str,
    /// The device that settings are given for.
    pub(crate) device: &'static str,
}

/// One for each platform.
pub(crate) const DEMOS: [Demo; 4] = [
    Demo {
        platform: PlatformName::Ucloud,
        product: "muster0ucloud001",
        name: "Demo",
        switches: &[("DynamicRegister", "true"), ("PreRegister", "true")],
        csv: "device_sn\n112233445566\n112233445567\n112233445568\n112233445569\n112233445570\n",
        device: "112233445566",
    },
    Demo {
        platform: PlatformName::Cmcc,
        product: "1234567890123",
        name: "Demo",
        switches: &[],
        // TUI 11123456, check digits by Luhn; the IMEIs are of the kind that 3GPP keeps for tests.
        csv: "device_no_type,device_no\n\
              CMEI,111234560000011\nCMEI,111234560000029\nIMEI,490154203237518\nIMEI,490154203237526\n\
              SN,MUSTER-SN-0001\nSN,MUSTER-SN-0002\n",
        device: "111234560000011",
    },
    Demo {
        platform: PlatformName::Krtyun,
        product: "20191210",
        name: "Demo",
        switches: &[("DynamicRegister", "true"), ("AutoCreate", "true")],
        csv: "",
        device: "10001",
    },
    Demo {
        platform: PlatformName::Alibaba,
        product: "a1muster001",
        name: "Demo",
        switches: &[("DynamicRegister", "true"), ("published", "true")],
        csv: "DeviceName\nexample1\nexample2\nexample3\nexample4\nexample5\n",
        device: "example1",
    },
];

/// A gateway, for joining sub-devices (Alibaba): the sub-devices are the demo product's.
const GATEWAY: (&str, &str) = ("a1mustergw1", "DeviceName\ngateway1\n");

/// The demo app and its owner (Alibaba).
const APP_KEY: &str = "23456789";
const OWNER: &str = "demo";
const APP_SECRET: &str = "demo.app_secret";

/// Creates what is missing, and returns the demo app's secret.
pub(crate) fn seed(keeper: &mut Keeper) -> Result<Option<String>, Exit> {
    let unreadable = |e: rusqlite::Error| {
        Exit::local(
            format!("the clouds' database cannot be read: {e}"),
            "start with another folder: --data DIR",
        )
    };
    for demo in &DEMOS {
        let note = format!("demo.{}", demo.platform);
        let there = keeper.store().meta(&note).map_err(unreadable)?.is_some()
            || !keeper.store().is_empty(demo.platform).map_err(unreadable)?;
        if there {
            continue;
        }
        let mut notes = vec![(note.as_str(), "1")];
        let app_secret = random_secret()?;
        create(keeper, demo).map_err(|e| refused(demo, &e))?;
        if demo.platform == PlatformName::Alibaba {
            create_app(keeper, &app_secret).map_err(|e| refused(demo, &e))?;
            notes.push((APP_SECRET, &app_secret));
        }
        keeper.commit(&notes).map_err(|e| {
            Exit::local(
                format!("the demo data cannot be stored: {e}"),
                "free some space, or choose --data DIR",
            )
        })?;
    }
    keeper.store().meta(APP_SECRET).map_err(unreadable)
}

fn refused(demo: &Demo, error: &OperationError) -> Exit {
    Exit::local(
        format!("the demo data of {} was refused: {}", demo.platform, error.message),
        "this is a defect of Muster; report it, and start with another --data DIR meanwhile",
    )
}

fn create(keeper: &mut Keeper, demo: &Demo) -> Result<(), OperationError> {
    create_product(keeper, demo.platform, demo.product, demo.name, demo.switches)?;
    import(keeper, demo.platform, demo.product, demo.csv)
}

fn create_product(
    keeper: &mut Keeper,
    platform: PlatformName,
    id: &str,
    name: &str,
    switches: &[(&str, &str)],
) -> Result<(), OperationError> {
    let switches = switches.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    let action =
        Action::CreateProduct { name: name.into(), id: Some(id.into()), secret: None, switches };
    keeper.operate(Operation { platform, action }).map(drop)
}

fn import(
    keeper: &mut Keeper,
    platform: PlatformName,
    product: &str,
    csv: &str,
) -> Result<(), OperationError> {
    if csv.is_empty() {
        return Ok(());
    }
    let action = Action::ImportDevices { product: product.into(), csv: csv.into() };
    match keeper.operate(Operation { platform, action })? {
        OperationResult::Imported { rejected, .. } => match rejected.into_iter().next() {
            None => Ok(()),
            Some(row) => Err(OperationError {
                kind: OperationErrorKind::Invalid,
                message: format!("line {}: {}", row.line, row.reason),
            }),
        },
        _ => Ok(()),
    }
}

fn create_app(keeper: &mut Keeper, secret: &str) -> Result<(), OperationError> {
    let platform = PlatformName::Alibaba;
    let switches =
        [("DynamicRegister", "true"), ("published", "true"), ("nodeType", "1"), ("netType", "7")];
    create_product(keeper, platform, GATEWAY.0, "Demo gateway", &switches)?;
    import(keeper, platform, GATEWAY.0, GATEWAY.1)?;
    let action = Action::Switch {
        product: None,
        name: format!("app_secret.{APP_KEY}"),
        value: secret.into(),
    };
    keeper.operate(Operation { platform, action })?;
    keeper
        .operate(Operation { platform, action: Action::CreateOwner { identity: OWNER.into() } })?;
    Ok(())
}

/// 32 hex characters from the system.
fn random_secret() -> Result<String, Exit> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Exit::local(format!("the system gives no random numbers: {e}"), "check /dev/urandom")
    })?;
    Ok(muster::hex::lower(&bytes))
}

/// Complete settings of the demo device of each platform, as `muster device` takes them. `null` where the demo product
/// is gone.
pub(crate) async fn settings(
    engine: &Engine,
    addresses: &Addresses,
    app_secret: Option<&str>,
) -> Result<Value, ApiError> {
    let mut all = Map::new();
    for demo in &DEMOS {
        let products = api::list_products(engine, demo.platform, true).await?;
        let product = products.into_iter().find(|p| p.id == demo.product);
        let devices = match &product {
            Some(_) => device_names(engine, demo).await?,
            None => Vec::new(),
        };
        let value = match product.as_ref().and_then(|p| device(demo, p, addresses)) {
            Some(settings) => json!({ "settings": settings, "devices": devices }),
            None => Value::Null,
        };
        all.insert(demo.platform.as_str().into(), value);
    }
    all.insert("alibaba_app".into(), app(engine, addresses, app_secret).await?);
    Ok(Value::Object(all))
}

async fn device_names(engine: &Engine, demo: &Demo) -> Result<Vec<String>, ApiError> {
    let action = Action::ListDevices {
        product: demo.product.into(),
        after: None,
        limit: Some(20),
        reveal: false,
    };
    match api::run(engine, demo.platform, action).await? {
        OperationResult::Devices { items, .. } => {
            Ok(items.into_iter().map(|DeviceView { name, .. }| name).collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn device(demo: &Demo, product: &ProductView, at: &Addresses) -> Option<Value> {
    let secret = product.secret.as_deref()?;
    let broker = at.mqtt.get(&demo.platform);
    Some(match demo.platform {
        PlatformName::Ucloud => json!({
            "broker": broker, "product_sn": product.id, "product_secret": secret, "device_sn": demo.device,
        }),
        PlatformName::Cmcc => json!({
            "base_url": at.http, "product_id": product.id, "product_key": secret,
            "device_no_type": "CMEI", "device_no": demo.device, "cmei": demo.device,
        }),
        PlatformName::Krtyun => json!({
            "broker": broker, "product_id": product.id, "product_secret": secret, "device_id": demo.device,
        }),
        PlatformName::Alibaba => json!({
            "broker": broker, "auth_url": at.http, "product_key": product.id, "product_secret": secret,
            "device_name": demo.device,
        }),
    })
}

async fn app(engine: &Engine, at: &Addresses, app_secret: Option<&str>) -> Result<Value, ApiError> {
    let action = Action::ListOwners { reveal: true };
    let OperationResult::Owners { items } = api::run(engine, PlatformName::Alibaba, action).await?
    else {
        return Ok(Value::Null);
    };
    let Some(owner) = items.into_iter().find(|owner| owner.identity == OWNER) else {
        return Ok(Value::Null);
    };
    // A token lives for two hours; what is shown here has to work now, so the same one starts anew.
    if let Some(token) = &owner.iot_token {
        let action = Action::Switch {
            product: None,
            name: format!("iot_token.{OWNER}"),
            value: token.clone(),
        };
        api::run(engine, PlatformName::Alibaba, action).await?;
    }
    Ok(json!({ "settings": {
        "base_url": at.http, "app_key": APP_KEY, "app_secret": app_secret, "iot_token": owner.iot_token,
        "home_id": owner.home_id,
    }}))
}
