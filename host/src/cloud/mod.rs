//! `muster cloud …`: what an operator does in a vendor's console, on the local clouds.
//!
//! Every subcommand is one call of the operator API (see `docs/local-clouds.md`), shown to a person as a table and to
//! a script as the API's own JSON.

mod show;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use muster::PlatformName;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::local::{LocalArgs, LocalClouds};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    local: LocalArgs,
    /// ucloud, cmcc, krtyun or alibaba.
    #[arg(long, short = 'P', global = true, value_parser = parse_platform)]
    platform: Option<PlatformName>,
    /// The product's id [default: the only one, or the demo product].
    #[arg(long, short = 'p', global = true, value_name = "ID")]
    product: Option<String>,
    /// JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Addresses, connections, storage.
    Status,
    /// The demo devices' complete settings, with secrets.
    Demo,
    /// List products; of all platforms unless --platform names one.
    Products {
        /// Show secrets.
        #[arg(long)]
        reveal: bool,
    },
    /// Show some devices of a product.
    Device {
        /// Their names.
        #[arg(required = true)]
        device: Vec<String>,
        /// Show their secrets.
        #[arg(long)]
        reveal: bool,
    },
    /// List a product's firmware images, with sizes and digests.
    Images,
    /// Create a product. What is not given is generated.
    CreateProduct {
        /// A name for people.
        #[arg(long, default_value = "")]
        name: String,
        /// ProductSN, productId, ProductID or ProductKey.
        #[arg(long)]
        id: Option<String>,
        /// ProductSecret or productKey.
        #[arg(long)]
        secret: Option<String>,
        /// A switch, as `muster cloud switch` takes it.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
        set: Vec<(String, String)>,
    },
    /// List a product's devices.
    Devices {
        /// Only names after this one.
        #[arg(long, value_name = "NAME")]
        after: Option<String>,
        /// At most this many, up to 1000.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Show secrets.
        #[arg(long)]
        reveal: bool,
    },
    /// Import devices from CSV; `-` reads standard input.
    Import {
        /// The first row names the columns; a bare list of numbers works too.
        file: PathBuf,
    },
    /// Change a switch of a product, or of the whole platform.
    Switch {
        /// Its name, by docs/protocols.
        name: String,
        /// true, false or a value.
        value: String,
        /// Of the platform, not of a product.
        #[arg(long, conflicts_with = "product")]
        whole_platform: bool,
    },
    /// Forbid a device to connect; its session is closed.
    Disable {
        /// The device.
        device: String,
    },
    /// Allow a device to connect again.
    Enable {
        /// The device.
        device: String,
    },
    /// Put a device back to before its activation, so that it may register again.
    Reset {
        /// The device.
        device: String,
        /// Give it a new secret. The one in the field stops working.
        #[arg(long)]
        new_secret: bool,
        /// Yes, void the secret in the field.
        #[arg(long)]
        yes: bool,
    },
    /// Delete a device; its session is closed.
    Delete {
        /// The device.
        device: String,
        /// Yes, delete it.
        #[arg(long)]
        yes: bool,
    },
    /// Upload a firmware image.
    Firmware {
        /// The image.
        file: PathBuf,
        /// The version that it is.
        #[arg(long)]
        version: String,
        /// UCloud's module [default: default].
        #[arg(long)]
        module: Option<String>,
    },
    /// Order devices to update.
    Push {
        /// The version.
        #[arg(long)]
        version: String,
        /// Only this device; may be given several times [default: all of the product].
        #[arg(long, value_name = "NAME")]
        device: Vec<String>,
        /// UCloud's module [default: default].
        #[arg(long)]
        module: Option<String>,
    },
    /// Take orders to update back.
    Cancel {
        /// Only this device; may be given several times [default: all of the product].
        #[arg(long, value_name = "NAME")]
        device: Vec<String>,
        /// UCloud's module [default: default].
        #[arg(long)]
        module: Option<String>,
    },
    /// Updates that were ordered, with their states.
    Upgrades,
    /// What a device reported, latest first.
    Reports {
        /// The device.
        device: String,
    },
    /// Set properties on a device that is online.
    SetProperties {
        /// The device.
        device: String,
        /// A JSON object such as '{"led":1}'.
        json: String,
    },
    /// List owners, homes and bound devices (Alibaba).
    Owners {
        /// Show their tokens.
        #[arg(long)]
        reveal: bool,
    },
    /// Create an owner with a home and an iotToken (Alibaba).
    CreateOwner {
        /// Who.
        identity: String,
    },
    /// List devices that wait for an owner, with their bind tokens (Alibaba).
    BindTokens {
        /// Show the tokens.
        #[arg(long)]
        reveal: bool,
    },
    /// Open or close joining on a gateway (Alibaba).
    Permit {
        /// The gateway.
        gateway: String,
        /// 0 always, 1 to 65534 seconds, 65535 closed.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=65_535))]
        seconds: u32,
        /// Only for sub-devices of this product.
        #[arg(long, value_name = "ID")]
        sub_product: Option<String>,
    },
    /// Which device is behind which gateway (Alibaba).
    Topology {
        #[command(subcommand)]
        action: Topology,
    },
    /// What the clouds did and why.
    Log {
        /// Go on with what happens from now.
        #[arg(long, short)]
        follow: bool,
        /// Only lines after this number.
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
enum Topology {
    /// List gateways, who may join them, and their sub-devices.
    List,
    /// Take a sub-device from its gateway.
    Remove {
        /// The gateway.
        gateway: String,
        /// The sub-device.
        sub_device: String,
        /// The sub-device's product [default: the gateway's].
        #[arg(long, value_name = "ID")]
        sub_product: Option<String>,
    },
    /// Put a sub-device under a gateway.
    Add {
        /// The gateway.
        gateway: String,
        /// The sub-device.
        sub_device: String,
        /// The sub-device's product [default: the gateway's].
        #[arg(long, value_name = "ID")]
        sub_product: Option<String>,
    },
}

fn parse_platform(text: &str) -> Result<PlatformName, String> {
    text.parse().map_err(|_| "it is one of ucloud, cmcc, krtyun, alibaba".to_owned())
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    let clouds = LocalClouds::find(&args.local)?;
    let call = Call { clouds, platform: args.platform, product: args.product, json: args.json };
    let shown = call.carry_out(args.action)?;
    if let Some(text) = shown {
        print(&text)?;
    }
    Ok(())
}

/// Prints, and takes a closed pipe for an end.
fn print(text: &str) -> Result<(), Exit> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Exit::local(format!("cannot write to standard output: {e}"), "check where it goes"))
        }
        _ => Ok(()),
    }
}

/// An answer, and how a person sees it.
type Shown = (Value, fn(&Value) -> String);

struct Call {
    clouds: LocalClouds,
    platform: Option<PlatformName>,
    product: Option<String>,
    json: bool,
}

impl Call {
    /// What to print.
    fn carry_out(&self, action: Action) -> Result<Option<String>, Exit> {
        let (value, show): Shown = match action {
            Action::Status => (self.clouds.get("/status")?, show::status),
            Action::Demo => (self.demo()?, show::demo),
            Action::Products { reveal } => {
                let platform = self.platform.map(|p| format!("platform={p}&")).unwrap_or_default();
                (self.clouds.get(&format!("/products?{platform}reveal={reveal}"))?, show::products)
            }
            Action::CreateProduct { name, id, secret, set } => {
                let switches: Map<String, Value> =
                    set.into_iter().map(|(k, v)| (k, Value::String(v))).collect();
                let body =
                    json!({ "name": name, "id": id, "secret": secret, "switches": switches });
                (self.operate("create_product", None, body)?, show::product)
            }
            Action::Devices { after, limit, reveal } => {
                let body = json!({ "after": after, "limit": limit, "reveal": reveal });
                (self.operate("list_devices", Some(self.product()?), body)?, show::devices)
            }
            Action::Device { device, reveal } => {
                let body = json!({ "devices": device, "reveal": reveal });
                (self.operate("get_devices", Some(self.product()?), body)?, show::found_devices)
            }
            Action::Images => {
                (self.operate("list_firmware", Some(self.product()?), json!({}))?, show::images)
            }
            Action::Import { file } => {
                let csv = read_csv(&file)?;
                (
                    self.operate("import_devices", Some(self.product()?), json!({ "csv": csv }))?,
                    show::imported,
                )
            }
            Action::Switch { name, value, whole_platform } => {
                let product = if whole_platform { None } else { Some(self.product()?) };
                (
                    self.operate("switch", product, json!({ "name": name, "value": value }))?,
                    show::done,
                )
            }
            Action::Disable { device } => self.disable(&device, true)?,
            Action::Enable { device } => self.disable(&device, false)?,
            Action::Reset { device, new_secret, yes } => {
                let product = self.product()?;
                if new_secret && !yes {
                    return Err(Exit::usage(
                        format!(
                            "this voids the secret that {product}/{device} has in the field: it can log in no more \
                             until it registers again"
                        ),
                        "if that is what you want, add --yes; without --new-secret the secret stays as it is",
                    ));
                }
                let body = json!({ "device": device, "new_secret": new_secret });
                (self.operate("reset", Some(product), body)?, show::done)
            }
            Action::Delete { device, yes } => {
                let product = self.product()?;
                if !yes {
                    return Err(Exit::usage(
                        format!(
                            "this deletes {product}/{device} with its secret, its reports and its updates, and \
                             closes its session; it cannot be undone"
                        ),
                        "if that is what you want, add --yes; `disable` keeps it out and can be taken back",
                    ));
                }
                (
                    self.operate("delete_device", Some(product), json!({ "device": device }))?,
                    show::done,
                )
            }
            Action::Firmware { file, version, module } => {
                (self.firmware(&file, &version, module)?, show::firmware)
            }
            Action::Push { version, device, module } => {
                let devices = if device.is_empty() { Value::Null } else { json!(device) };
                let body = json!({ "version": version, "module": module, "devices": devices });
                (self.operate("push_upgrade", Some(self.product()?), body)?, show::ordered)
            }
            Action::Cancel { device, module } => {
                let devices = if device.is_empty() { Value::Null } else { json!(device) };
                let body = json!({ "module": module, "devices": devices });
                (self.operate("cancel_upgrade", Some(self.product()?), body)?, show::ordered)
            }
            Action::Upgrades => {
                (self.operate("list_upgrades", Some(self.product()?), json!({}))?, show::upgrades)
            }
            Action::Reports { device } => {
                let body = json!({ "device": device });
                (self.operate("list_reports", Some(self.product()?), body)?, show::reports)
            }
            Action::SetProperties { device, json: properties } => {
                if !serde_json::from_str::<Value>(&properties).is_ok_and(|value| value.is_object())
                {
                    return Err(Exit::usage(
                        "the properties are not a JSON object",
                        "write them like '{\"led\":1}', in quotes that the shell leaves alone",
                    ));
                }
                let body = json!({ "device": device, "json": properties });
                (self.operate("set_properties", Some(self.product()?), body)?, show::done)
            }
            Action::Owners { reveal } => {
                (self.operate("list_owners", None, json!({ "reveal": reveal }))?, show::owners)
            }
            Action::CreateOwner { identity } => {
                (self.operate("create_owner", None, json!({ "identity": identity }))?, show::owners)
            }
            Action::BindTokens { reveal } => {
                let body = json!({ "reveal": reveal });
                (self.operate("list_bind_tokens", None, body)?, show::bind_tokens)
            }
            Action::Permit { gateway, seconds, sub_product } => {
                let body =
                    json!({ "device": gateway, "seconds": seconds, "sub_product": sub_product });
                (self.operate("permit", Some(self.product()?), body)?, show::done)
            }
            Action::Topology { action: Topology::Add { gateway, sub_device, sub_product } } => {
                let product = self.product()?;
                let sub_product = sub_product.unwrap_or_else(|| product.clone());
                let body = json!({ "device": gateway, "sub_product": sub_product, "sub_device": sub_device });
                (self.operate("add_topology", Some(product), body)?, show::done)
            }
            Action::Topology { action: Topology::List } => {
                (self.operate("list_topology", None, json!({}))?, show::topology)
            }
            Action::Topology { action: Topology::Remove { gateway, sub_device, sub_product } } => {
                let product = self.product()?;
                let sub_product = sub_product.unwrap_or_else(|| product.clone());
                let body = json!({ "device": gateway, "sub_product": sub_product, "sub_device": sub_device });
                (self.operate("remove_topology", Some(product), body)?, show::done)
            }
            Action::Log { follow, after } => {
                self.log(follow, after)?;
                return Ok(None);
            }
        };
        Ok(Some(if self.json { format!("{value}\n") } else { show(&value) }))
    }

    fn disable(&self, device: &str, disabled: bool) -> Result<Shown, Exit> {
        let body = json!({ "device": device, "disabled": disabled });
        Ok((self.operate("disable", Some(self.product()?), body)?, show::done))
    }

    /// Platforms that alone have owners need not be named.
    fn platform(&self, action: &str) -> Result<PlatformName, Exit> {
        let only = matches!(
            action,
            "list_owners"
                | "create_owner"
                | "permit"
                | "add_topology"
                | "remove_topology"
                | "list_topology"
                | "list_bind_tokens"
        );
        self.platform.or(only.then_some(PlatformName::Alibaba)).ok_or_else(|| {
            Exit::usage(
                "which platform is not said",
                "add --platform ucloud, cmcc, krtyun or alibaba",
            )
        })
    }

    fn operate(
        &self,
        action: &str,
        product: Option<String>,
        mut body: Value,
    ) -> Result<Value, Exit> {
        let platform = self.platform(action)?;
        if let Value::Object(members) = &mut body {
            members.insert("platform".into(), json!(platform));
            members.insert("action".into(), json!(action));
            if let Some(product) = product {
                members.insert("product".into(), json!(product));
            }
        }
        self.clouds.post("/operate", &body)
    }

    /// The product that was named, or the only one, or the demo's.
    fn product(&self) -> Result<String, Exit> {
        if let Some(product) = &self.product {
            return Ok(product.clone());
        }
        let platform = match self.platform {
            Some(platform) => platform,
            None => self.platform("")?,
        };
        let products = self.clouds.get(&format!("/products?platform={platform}"))?;
        let ids: Vec<&str> = products["items"]
            .as_array()
            .map(|items| items.iter().filter_map(|item| item["id"].as_str()).collect())
            .unwrap_or_default();
        let demo = crate::up::demo_product(platform);
        match ids.as_slice() {
            [only] => Ok((*only).to_owned()),
            [] => Err(Exit::rejected(
                format!("{platform} has no product"),
                format!("create one: muster cloud create-product --platform {platform}"),
            )),
            many if many.contains(&demo) => Ok(demo.to_owned()),
            many => Err(Exit::usage(
                format!("{platform} has several products"),
                format!("name one of them with --product: {}", many.join(", ")),
            )),
        }
    }

    fn demo(&self) -> Result<Value, Exit> {
        let all = self.clouds.get("/demo")?;
        Ok(match (self.platform, all) {
            (Some(platform), Value::Object(mut members)) => {
                members.retain(|name, _| name.split('_').next() == Some(platform.as_str()));
                Value::Object(members)
            }
            (_, all) => all,
        })
    }

    fn firmware(&self, path: &Path, version: &str, module: Option<String>) -> Result<Value, Exit> {
        let platform = self.platform("firmware")?;
        let product = self.product()?;
        let file = File::open(path).map_err(|e| {
            Exit::local(format!("cannot read {}: {e}", path.display()), "name the image's file")
        })?;
        let module = module.map(|m| format!("&module={}", encode(&m))).unwrap_or_default();
        let query = format!(
            "platform={platform}&product={}&version={}{module}",
            encode(&product),
            encode(version)
        );
        self.clouds.post_file(&format!("/firmware?{query}"), file)
    }

    fn log(&self, follow: bool, after: Option<u64>) -> Result<(), Exit> {
        let mut query = vec![];
        query.extend(follow.then(|| "follow=true".to_owned()));
        query.extend(self.platform.map(|platform| format!("platform={platform}")));
        query.extend(after.map(|seq| format!("after={seq}")));
        let mut lines = BufReader::new(self.clouds.stream(&format!("/log?{}", query.join("&")))?);
        let mut line = String::new();
        loop {
            line.clear();
            match lines.read_line(&mut line) {
                Ok(0) if follow => {
                    return Err(Exit::network(
                        "the local clouds went away",
                        "start them again: muster up",
                    ));
                }
                Ok(0) => return Ok(()),
                Ok(_) if self.json => print(&line)?,
                Ok(_) => print(&show::log_line(&line))?,
                Err(e) => {
                    let next = "start the clouds again with `muster up`, then follow once more";
                    return Err(Exit::network(format!("the log broke off: {e}"), next));
                }
            }
        }
    }
}

fn read_csv(path: &Path) -> Result<String, Exit> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map(|_| text).map_err(|e| {
        Exit::local(
            format!("cannot read {}: {e}", path.display()),
            "name a CSV file in UTF-8, or -",
        )
    })
}

/// Percent-encodes for a query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
