use super::Config;
use crate::agent::*;
use crate::error::*;
use crate::input::*;
use crate::platform::Device;
use crate::time::Timer;
use minicbor::{Decode, Encode};
#[derive(Debug, Encode, Decode)]
pub(crate) struct Flow {
    #[n(0)]
    u: crate::platform::update::Updater,
}
impl Device for Flow {
    type Config = Config;
    fn start(_c: &Config, stored: &Stored, _cx: &mut Cx<'_>) -> Result<Self, ApiMisuse> {
        Ok(Self { u: crate::platform::update::Updater::start("1", stored)? })
    }
    fn handle(mut self, _c: &Config, input: Input, cx: &mut Cx<'_>) -> Self {
        self.u.handle(&input, cx);
        self
    }
    fn expired(self, _c: &Config, _t: Timer, _cx: &mut Cx<'_>) -> Self {
        self
    }
    fn supports(_: &Intent) -> bool {
        false
    }
}
