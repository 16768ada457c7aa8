use crate::cloud::*;
use crate::time::Instant;
#[derive(Debug, Default)]
pub(crate) struct CloudState;
impl CloudSide for CloudState {
    fn load(&mut self, _: &str, _: &str, _: &[u8]) -> Result<(), minicbor::decode::Error> {
        Ok(())
    }
    fn connect(&mut self, _: ConnectionId, _: ConnectPacket, _: &mut CloudCx<'_>) {}
    fn packet(&mut self, _: ConnectionId, _: Packet, _: &mut CloudCx<'_>) {}
    fn lost(&mut self, _: ConnectionId, _: &mut CloudCx<'_>) {}
    fn serves(_: &str) -> bool {
        false
    }
    fn request(&mut self, _: RequestId, _: HttpRequest, _: &mut CloudCx<'_>) {}
    fn operate(
        &mut self,
        _: Operation,
        _: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        Ok(OperationResult::Done)
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
    fn expired(&mut self, _: &mut CloudCx<'_>) {}
}
