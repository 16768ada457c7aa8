//! `muster app`: the owner's side, one call or the guided bind.

mod driver;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use muster::alibaba::cipher::{CipherType, Mac, Random};
use muster::app::{
    App, AppConfig, AppInput, BindBy, BindPlan, Call, CallId, CipherPlan, CipherRequest,
    DeviceName, Wifi,
};
use muster::{PlatformName, Secret, Settings};

use self::driver::Driver;
use crate::device::config::{flat, pair, read_file};
use crate::exit::Exit;
use crate::local::{LocalArgs, LocalClouds};

/// Arguments of `muster app`.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(subcommand)]
    platform: Platform,
}

#[derive(Debug, Subcommand)]
enum Platform {
    /// Living Link: the eight provisioning calls, and `bind`.
    Alibaba(Alibaba),
}

#[derive(Debug, clap::Args)]
struct Alibaba {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    local: LocalArgs,
    /// Settings: TOML or JSON of flat keys (base_url, app_key, app_secret, iot_token, home_id, …).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting; any number of times.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Print JSON, one object a line.
    #[arg(long, global = true)]
    json: bool,
    /// Print keys and encrypted passwords, which are masked otherwise.
    #[arg(long, global = true)]
    reveal: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// /awss/enrollee/list/get: devices that were discovered.
    List {
        /// 1 to 99.
        #[arg(long, default_value_t = 20)]
        page_size: u32,
        /// From 1.
        #[arg(long, default_value_t = 1)]
        page_num: u32,
    },
    /// /awss/enrollee/product/filter: which of these devices can be bound.
    Filter {
        /// productKey/deviceName, any number of them.
        #[arg(required = true, value_name = "PRODUCT/DEVICE", value_parser = device_name)]
        devices: Vec<DeviceName>,
        /// Also products under development.
        #[arg(long)]
        scope_all: bool,
    },
    /// /awss/token/check: whose token it is.
    TokenCheck {
        /// As the device reported it.
        token: String,
        /// productKey.
        #[arg(long)]
        product_key: Option<String>,
        /// deviceName; needs the productKey.
        #[arg(long)]
        device_name: Option<String>,
    },
    /// /awss/token/user/bind: bind by token.
    TokenBind {
        /// productKey/deviceName.
        #[arg(value_name = "PRODUCT/DEVICE", value_parser = device_name)]
        device: DeviceName,
        /// As the device reported it.
        #[arg(long)]
        token: String,
        /// The configured home if absent.
        #[arg(long)]
        home_id: Option<String>,
    },
    /// /awss/time/window/user/bind: bind within the time after power-on.
    WindowBind {
        /// productKey/deviceName.
        #[arg(value_name = "PRODUCT/DEVICE", value_parser = device_name)]
        device: DeviceName,
        /// The configured home if absent.
        #[arg(long)]
        home_id: Option<String>,
    },
    /// /awss/cipher/get: the key of local provisioning.
    Cipher {
        /// productKey[/deviceName].
        device: String,
        #[command(flatten)]
        cipher: CipherArgs,
    },
    /// /thing/gateway/permit: let a gateway take in sub-devices, or stop it.
    Permit {
        /// iotId of the gateway.
        #[arg(long)]
        iot_id: String,
        /// productKey of the sub-devices.
        #[arg(long)]
        product_key: String,
        /// 0 always, 1 to 65534 seconds, 65535 closed.
        #[arg(long)]
        time: u32,
    },
    /// /thing/topo/remove: take a sub-device from its gateway.
    TopoRemove {
        /// iotId of the gateway.
        #[arg(long)]
        iot_id: String,
        /// iotId of the sub-device.
        #[arg(long)]
        sub_iot_id: String,
    },
    /// The guided flow: discover, filter, key, wait for the token, bind.
    Bind(Bind),
}

#[derive(Debug, clap::Args)]
struct CipherArgs {
    /// 3 by product, 4 by device, 6 Bluetooth by product, 7 Bluetooth by device.
    #[arg(long = "type", default_value = "3")]
    cipher: String,
    /// 32 hex characters, as the device announced them.
    #[arg(long, default_value = "00000000000000000000000000000000")]
    random: String,
    /// MAC address, for types 6 and 7.
    #[arg(long)]
    mac: Option<String>,
    /// The ProductKey's hexadecimal id, for types 6 and 7.
    #[arg(long)]
    product_id: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Bind {
    /// productKey/deviceName of devices found locally; the cloud's list if there are none.
    #[arg(value_name = "PRODUCT/DEVICE", value_parser = device_name)]
    devices: Vec<DeviceName>,
    /// The token, if it is known already; otherwise it may be typed while the flow waits for it.
    #[arg(long, conflicts_with = "window")]
    token: Option<String>,
    /// Bind by the time since power-on instead of a token.
    #[arg(long)]
    window: bool,
    /// Ask for a key first and hand it over, as for a device without network.
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    cipher: CipherArgs,
    /// The Wi-Fi network to hand over (needs --with-key).
    #[arg(long, requires = "with_key")]
    ssid: Option<String>,
    /// Its password; better given by the environment variable MUSTER_WIFI_PASSWORD.
    #[arg(long, requires = "ssid", env = "MUSTER_WIFI_PASSWORD", hide_env_values = true)]
    wifi_password: Option<String>,
    /// Also products under development.
    #[arg(long)]
    scope_all: bool,
    /// The configured home if absent.
    #[arg(long)]
    home_id: Option<String>,
    /// Give up after this many seconds.
    #[arg(long, default_value_t = 300)]
    within: u64,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let Platform::Alibaba(alibaba) = args.platform;
    let config = alibaba.app_config()?;
    let home = config.home_id().map(str::to_owned);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|e| Exit::local(format!("no entropy: {e}"), "check the system's random source"))?;
    let mut driver = Driver::new(|now| App::new(config, seed, now), alibaba.json, alibaba.reveal);
    match alibaba.what {
        What::Bind(bind) => {
            let within = Duration::from_secs(bind.within);
            let typed = !bind.window && bind.token.is_none();
            driver.bind(AppInput::Bind(bind.plan()?), typed, within)
        }
        one => driver.call(AppInput::Call(CallId(1), one.call(home.as_deref())?)),
    }
}

impl Alibaba {
    /// The local cloud's demo owner, then the file, then the command line.
    fn app_config(&self) -> Result<AppConfig, Exit> {
        let mut own = Vec::new();
        if let Some(path) = &self.config {
            own.extend(read_file(path, PlatformName::Alibaba)?);
        }
        own.extend(self.set.iter().cloned());
        let complete = |pairs: &[(String, String)]| {
            let mut settings = Settings::new();
            for (key, value) in pairs {
                settings.set(key, value);
            }
            AppConfig::from_settings(&settings)
        };
        let named = self.local.local.is_some() || self.local.url.is_some();
        if !named && (self.config.is_some() || complete(&own).is_ok()) {
            return complete(&own).map_err(setting);
        }
        let demo = LocalClouds::find(&self.local)?.get("/demo")?;
        let demo = demo.get("alibaba_app").and_then(|app| app.get("settings"));
        let mut pairs = demo.and_then(|settings| flat(settings).ok()).ok_or_else(|| {
            Exit::usage(
                "the local cloud has no demo owner any more",
                "give the settings with --config FILE",
            )
        })?;
        pairs.extend(own);
        complete(&pairs).map_err(setting)
    }
}

fn setting(error: muster::ConfigError) -> Exit {
    Exit::usage(
        error,
        "set it with --set KEY=VALUE or --config FILE; docs/protocols/alibaba.md lists the settings",
    )
}

fn parameter(error: impl std::fmt::Display) -> Exit {
    Exit::usage(error, "see `--help` of this call")
}

fn device_name(text: &str) -> Result<DeviceName, String> {
    match text.split_once('/') {
        Some((product, device)) if !product.is_empty() && !device.is_empty() => {
            Ok(DeviceName::new(product, device))
        }
        _ => Err("write it as productKey/deviceName".into()),
    }
}

impl What {
    fn call(self, home: Option<&str>) -> Result<Call, Exit> {
        match self {
            What::List { page_size, page_num } => Call::list(page_size, page_num),
            What::Filter { devices, scope_all } => Call::filter(&devices, scope_all),
            What::TokenCheck { token, product_key, device_name } => {
                Call::token_check(&token, product_key.as_deref(), device_name.as_deref())
            }
            What::TokenBind { device, token, home_id } => {
                Call::token_bind(home_id.as_deref().or(home), &device, &token)
            }
            What::WindowBind { device, home_id } => {
                Call::window_bind(home_id.as_deref().or(home), &device)
            }
            What::Cipher { device, cipher } => {
                let (product, device) = match device.split_once('/') {
                    Some((product, device)) => (product, Some(device)),
                    None => (device.as_str(), None),
                };
                let plan = cipher.plan()?;
                Call::cipher(&CipherRequest {
                    cipher: plan.cipher,
                    product_key: (!plan.cipher.is_ble()).then(|| product.to_owned()),
                    product_id: plan.product_id,
                    device_name: device.map(str::to_owned),
                    mac: plan.mac,
                    random: plan.random,
                })
            }
            What::Permit { iot_id, product_key, time } => Call::permit(&iot_id, &product_key, time),
            What::TopoRemove { iot_id, sub_iot_id } => Call::topo_remove(&iot_id, &sub_iot_id),
            What::Bind(_) => return Err(parameter("bind is no single call")),
        }
        .map_err(parameter)
    }
}

impl CipherArgs {
    fn plan(&self) -> Result<CipherPlan, Exit> {
        Ok(CipherPlan {
            cipher: self.cipher.parse::<CipherType>().map_err(parameter)?,
            random: self.random.parse::<Random>().map_err(parameter)?,
            mac: self.mac.as_deref().map(str::parse::<Mac>).transpose().map_err(parameter)?,
            product_id: self.product_id.clone(),
            wifi: None,
        })
    }
}

impl Bind {
    fn plan(self) -> Result<BindPlan, Exit> {
        let cipher = if self.with_key {
            let mut plan = self.cipher.plan()?;
            plan.wifi = self.ssid.map(|ssid| Wifi {
                ssid,
                password: Secret::new(self.wifi_password.unwrap_or_default()),
            });
            Some(plan)
        } else {
            None
        };
        Ok(BindPlan {
            devices: self.devices,
            choose: None,
            scope_all: self.scope_all,
            cipher,
            by: if self.window { BindBy::Window } else { BindBy::Token(self.token) },
            home_id: self.home_id,
        })
    }
}
