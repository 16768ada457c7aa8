//! Puts there what is there on the first start.
//!
//! A platform gets its demo data once, while nothing is kept for it, in one transaction with the note that says so.

use muster::PlatformName;
use muster::cloud::demo::{DEMOS, Demo, OWNER, Setting, app_settings, renew};
use muster::cloud::{
    Action, DeviceView, Operation, OperationError, OperationErrorKind, OperationResult, ProductView,
};
use serde_json::{Map, Value, json};

use super::Addresses;
use super::api;
use super::engine::{Engine, Keeper};
use super::error::ApiError;
use crate::exit::Exit;

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
        for action in demo.actions(&app_secret) {
            perform(keeper, demo.platform, action).map_err(|e| refused(demo, &e))?;
        }
        if demo.platform == PlatformName::Alibaba {
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

fn perform(
    keeper: &mut Keeper,
    platform: PlatformName,
    action: Action,
) -> Result<(), OperationError> {
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
    let broker = at.mqtt.get(&demo.platform).map(String::as_str).unwrap_or_default();
    demo.settings(product, broker, &at.http).map(object)
}

fn object(settings: Vec<Setting>) -> Value {
    settings.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect()
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
    if let Some(action) = renew(&owner) {
        api::run(engine, PlatformName::Alibaba, action).await?;
    }
    Ok(
        json!({ "settings": object(app_settings(&owner, app_secret.unwrap_or_default(), &at.http)) }),
    )
}
