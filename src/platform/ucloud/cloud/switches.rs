//! What operators can change about the platform, and every choice that the vendor's documents leave open.

use crate::cloud::OperationError;

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not MQTT 3.1.1.
    Protocol,
    /// Keep alive outside 30…1200 seconds.
    KeepAlive,
    /// A DeviceSN of a shape that the console would not take.
    DeviceSn,
    /// ClientID and UserName contradict each other, or are not made as documented.
    Names,
    /// No such product, or a wrong secret.
    Secret,
    /// The product does not allow dynamic registration.
    DynamicOff,
    /// The device was never imported, or was deleted.
    NotImported,
    /// Dynamic registration of a device that logged in with its own secret already.
    Activated,
    /// An operator disabled the device.
    Disabled,
    /// The product has as many devices as it may have.
    Full,
}

type Row = (Refusal, &'static str, u8, Option<(&'static str, u32)>);

/// Reason; name of the CONNACK switch, its default; name of the RetCode switch, its default. Only what a peer with the right
/// product secret may be told has a RetCode.
///
/// The vendor documents neither number. CONNACK: 4 and 5 after what its SDK's source says they mean. RetCode: from the
/// platform's one list, `retcode.md`.
const TABLE: [Row; 10] = [
    (Refusal::Protocol, "ConnackProtocol", 1, None),
    (Refusal::KeepAlive, "ConnackKeepAlive", 2, None),
    (Refusal::DeviceSn, "ConnackDeviceSN", 2, None),
    (Refusal::Names, "ConnackNames", 4, None),
    (Refusal::Secret, "ConnackSecret", 4, None),
    (Refusal::DynamicOff, "ConnackDynamicOff", 5, Some(("RetCodeDynamicOff", 140))),
    (Refusal::NotImported, "ConnackNotImported", 5, Some(("RetCodeNotImported", 100_008))),
    (Refusal::Activated, "ConnackActivated", 5, Some(("RetCodeActivated", 240))),
    (Refusal::Disabled, "ConnackDisabled", 5, Some(("RetCodeDisabled", 100_072))),
    (Refusal::Full, "ConnackFull", 5, Some(("RetCodeFull", 100_019))),
];

/// Refuse a dynamic registration with a RetCode in the reply instead of a CONNACK code.
const REFUSE_BY_RET_CODE: &str = "RefuseByRetCode";

impl Refusal {
    fn row(self) -> usize {
        self as usize
    }

    /// For the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Protocol => "not MQTT 3.1.1",
            Self::KeepAlive => "a keep alive outside 30 to 1200 seconds",
            Self::DeviceSn => "a DeviceSN that is not 4 to 64 letters, digits, `-`, `_`, `@`, `:`",
            Self::Names => "ClientID and UserName are not those of one device",
            Self::Secret => "no such product, or a wrong secret",
            Self::DynamicOff => "dynamic registration is switched off for the product",
            Self::NotImported => "the device is not imported",
            Self::Activated => "the device is active: dynamic registration is over until a reset",
            Self::Disabled => "the device is disabled",
            Self::Full => "the product has as many devices as it may have",
        }
    }
}

/// The platform's switches.
#[derive(Debug)]
pub(super) struct Switches {
    by_ret_code: bool,
    connack: [u8; TABLE.len()],
    ret_code: [Option<u32>; TABLE.len()],
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            by_ret_code: false,
            connack: TABLE.map(|(_, _, code, _)| code),
            ret_code: TABLE.map(|(_, _, _, told)| told.map(|(_, code)| code)),
        }
    }
}

impl Switches {
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), OperationError> {
        if name == REFUSE_BY_RET_CODE {
            self.by_ret_code = flag(value)?;
            return Ok(());
        }
        for (i, (_, connack, _, told)) in TABLE.iter().enumerate() {
            if name == *connack {
                self.connack[i] = number(value, 1, 255, "a CONNACK code from 1 to 255")?;
                return Ok(());
            }
            if told.is_some_and(|(ret_code, _)| name == ret_code) {
                let code = number(value, 1, 999_999, "a RetCode from 1 to 999999")?;
                self.ret_code[i] = Some(code);
                return Ok(());
            }
        }
        Err(OperationError::not_found(
            "no such switch of the platform; there are RefuseByRetCode; Connack… followed by Protocol, \
             KeepAlive, DeviceSN, Names, Secret, DynamicOff, NotImported, Activated, Disabled or \
             Full; RetCode… followed by one of the last five. DynamicRegister and PreRegister are a \
             product's",
        ))
    }

    pub(super) fn connack(&self, refusal: Refusal) -> u8 {
        self.connack[refusal.row()]
    }

    /// The RetCode to refuse with, whether or not it is switched on; `None` for what is always refused at CONNECT.
    pub(super) fn ret_code(&self, refusal: Refusal) -> Option<u32> {
        self.ret_code[refusal.row()]
    }

    /// Whether a login is let in, to be refused by RetCode.
    pub(super) fn tells(&self, refusal: Refusal) -> bool {
        self.by_ret_code && self.ret_code(refusal).is_some()
    }
}

/// `true` or `false`, as people write them.
pub(super) fn flag(value: &str) -> Result<bool, OperationError> {
    match value {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(OperationError::invalid("the value has to be true or false")),
    }
}

fn number<T: TryFrom<u32>>(
    value: &str,
    low: u32,
    high: u32,
    what: &str,
) -> Result<T, OperationError> {
    let wrong = || OperationError::invalid(&["the value has to be ", what].concat());
    let n: u32 = value.parse().map_err(|_| wrong())?;
    if !(low..=high).contains(&n) {
        return Err(wrong());
    }
    T::try_from(n).map_err(|_| wrong())
}
