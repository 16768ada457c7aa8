//! The clouds alone, with one product each.

use muster::cloud::{
    Action, Cloud, CloudConfig, CloudInput, CloudOutput, DeviceView, Operation, OperationError,
    OperationErrorKind, OperationResult, RequestId,
};
use muster::{Now, PlatformName};

pub(crate) const PLATFORMS: [PlatformName; 4] =
    [PlatformName::Ucloud, PlatformName::Cmcc, PlatformName::Krtyun, PlatformName::Alibaba];
pub(crate) const PRODUCT: &str = "a1product";
/// Names that every platform takes.
pub(crate) const NAMES: [&str; 5] = ["dev-0001", "dev-0002", "dev-0003", "dev-0004", "dev-0005"];

pub(crate) struct Clouds(Cloud);

impl Clouds {
    /// A product with [`NAMES`] at each platform.
    pub(crate) fn new() -> Self {
        let now = Now::new(1_000, muster::sim::EPOCH_MS);
        let mut clouds = Self(Cloud::new(CloudConfig::default(), [5; 32], now));
        for platform in PLATFORMS {
            let (name, secret) = ("lamp".to_owned(), None);
            let id = Some(PRODUCT.to_owned());
            clouds.done(platform, Action::CreateProduct { name, id, secret, switches: [].into() });
            let (product, csv) = (PRODUCT.to_owned(), NAMES.join("\n"));
            clouds.done(platform, Action::ImportDevices { product, csv });
        }
        clouds
    }

    /// What came of it, and how many lines were written to the log.
    pub(crate) fn operate(
        &mut self,
        platform: PlatformName,
        action: Action,
    ) -> (Result<OperationResult, OperationError>, usize) {
        let now = Now::new(2_000, muster::sim::EPOCH_MS + 1_000);
        let operation = Operation { platform, action };
        self.0.handle_input(CloudInput::Operate { id: RequestId(1), operation }, now);
        let (mut result, mut lines) = (None, 0);
        loop {
            match self.0.poll_output() {
                CloudOutput::Timeout(_) => return (result.unwrap(), lines),
                CloudOutput::Operated { result: done, .. } => result = Some(done),
                CloudOutput::Log(_) => lines += 1,
                _ => {}
            }
        }
    }

    pub(crate) fn done(&mut self, platform: PlatformName, action: Action) -> OperationResult {
        self.operate(platform, action).0.unwrap()
    }

    pub(crate) fn refused(&mut self, platform: PlatformName, action: Action) -> OperationErrorKind {
        self.operate(platform, action).0.unwrap_err().kind
    }
}

pub(crate) fn devices(result: OperationResult) -> (usize, Vec<DeviceView>) {
    match result {
        OperationResult::Devices { total, items } => (total, items),
        _ => panic!("no devices"),
    }
}
