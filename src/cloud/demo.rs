//! What a local cloud has on its first start: one product a platform, with names that are the same every time and
//! secrets that are new every time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Action, OwnerView, ProductView};
use crate::platform::PlatformName;

/// The demo of one platform.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// The platform.
    pub platform: PlatformName,
    /// The product's id.
    pub product: &'static str,
    switches: &'static [(&'static str, &'static str)],
    csv: &'static str,
    /// The device that settings are given for.
    pub device: &'static str,
}

/// One for each platform.
pub const DEMOS: [Demo; 4] = [
    Demo {
        platform: PlatformName::Ucloud,
        product: "muster0ucloud001",
        switches: &[("DynamicRegister", "true"), ("PreRegister", "true")],
        csv: "device_sn\n112233445566\n112233445567\n112233445568\n112233445569\n112233445570\n",
        device: "112233445566",
    },
    Demo {
        platform: PlatformName::Cmcc,
        product: "1234567890123",
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
        switches: &[("DynamicRegister", "true"), ("AutoCreate", "true")],
        csv: "",
        device: "10001",
    },
    Demo {
        platform: PlatformName::Alibaba,
        product: "a1muster001",
        switches: &[("DynamicRegister", "true"), ("published", "true")],
        csv: "DeviceName\nexample1\nexample2\nexample3\nexample4\nexample5\n",
        device: "example1",
    },
];

/// A gateway, for joining sub-devices (Alibaba): the sub-devices are the demo product's.
const GATEWAY: Demo = Demo {
    platform: PlatformName::Alibaba,
    product: "a1mustergw1",
    switches: &[
        ("DynamicRegister", "true"),
        ("published", "true"),
        ("nodeType", "1"),
        ("netType", "7"),
    ],
    csv: "DeviceName\ngateway1\n",
    device: "gateway1",
};

/// The demo app (Alibaba).
pub const APP_KEY: &str = "23456789";
/// The demo app's owner (Alibaba).
pub const OWNER: &str = "demo";

/// A setting and its value.
pub type Setting = (&'static str, String);

impl Demo {
    /// What creates it. `app_secret` is the demo app's, for the platform that has apps.
    pub fn actions(&self, app_secret: &str) -> Vec<Action> {
        let mut actions = self.product("Demo");
        if self.platform == PlatformName::Alibaba {
            actions.extend(GATEWAY.product("Demo gateway"));
            actions.push(Action::Switch {
                product: None,
                name: ["app_secret.", APP_KEY].concat(),
                value: app_secret.into(),
            });
            actions.push(Action::CreateOwner { identity: OWNER.into() });
        }
        actions
    }

    fn product(&self, name: &str) -> Vec<Action> {
        let switches = self.switches.iter().map(|&(name, value)| (name.into(), value.into()));
        let mut actions = Vec::from([Action::CreateProduct {
            name: name.into(),
            id: Some(self.product.into()),
            secret: None,
            switches: switches.collect(),
        }]);
        if !self.csv.is_empty() {
            actions
                .push(Action::ImportDevices { product: self.product.into(), csv: self.csv.into() });
        }
        actions
    }

    /// Complete settings of the demo device; `None` if the product's secret is not shown.
    pub fn settings(
        &self,
        product: &ProductView,
        broker: &str,
        http: &str,
    ) -> Option<Vec<Setting>> {
        let secret = product.secret.clone()?;
        let id = product.id.clone();
        let device = self.device.to_string();
        let (broker, http) = (broker.to_string(), http.to_string());
        Some(match self.platform {
            PlatformName::Ucloud => Vec::from([
                ("broker", broker),
                ("product_sn", id),
                ("product_secret", secret),
                ("device_sn", device),
            ]),
            PlatformName::Cmcc => Vec::from([
                ("base_url", http),
                ("product_id", id),
                ("product_key", secret),
                ("device_no_type", "CMEI".into()),
                ("device_no", device.clone()),
                ("cmei", device),
            ]),
            PlatformName::Krtyun => Vec::from([
                ("broker", broker),
                ("product_id", id),
                ("product_secret", secret),
                ("device_id", device),
            ]),
            PlatformName::Alibaba => Vec::from([
                ("broker", broker),
                ("auth_url", http),
                ("product_key", id),
                ("product_secret", secret),
                ("device_name", device),
            ]),
        })
    }
}

/// A token lives for two hours: the action after which the one that is shown works from now on.
pub fn renew(owner: &OwnerView) -> Option<Action> {
    let token = owner.iot_token.clone()?;
    let name = ["iot_token.", owner.identity.as_str()].concat();
    Some(Action::Switch { product: None, name, value: token })
}

/// Complete settings of the demo app.
pub fn app_settings(owner: &OwnerView, app_secret: &str, http: &str) -> Vec<Setting> {
    let mut settings = Vec::from([
        ("base_url", http.to_string()),
        ("app_key", APP_KEY.into()),
        ("app_secret", app_secret.to_string()),
        ("home_id", owner.home_id.clone()),
    ]);
    settings.extend(owner.iot_token.clone().map(|token| ("iot_token", token)));
    settings
}
