//! Images on their way into the staging slot, spoiled where a fault says so.

#[cfg(feature = "lab")]
use gloo_timers::future::TimeoutFuture;

#[cfg(feature = "lab")]
use super::fetch::IDLE;
use super::fetch::{Aborter, Broken, Hasher, Image};
use crate::error::Failure;
#[cfg(feature = "lab")]
pub(super) use crate::faults::Fault;
use crate::input::Progress;
use crate::output::Download;

/// A module without faults knows none.
#[cfg(not(feature = "lab"))]
#[derive(Debug)]
pub(super) enum Fault {}

/// Takes an image in, piece by piece.
pub(super) struct Pour<'a, P> {
    hasher: Hasher,
    fault: Option<Fault>,
    aborter: Aborter,
    progress: &'a mut P,
}

/// What a server answers by a fault, instead of an image.
pub(super) fn refusal(fault: Option<&Fault>) -> Result<(), Broken> {
    match fault {
        #[cfg(feature = "lab")]
        Some(Fault::DownloadStatus { status }) => {
            Err(Broken { failure: Failure::Status(*status), trouble: None })
        }
        _ => Ok(()),
    }
}

impl<'a, P: FnMut(Progress)> Pour<'a, P> {
    pub(super) fn new(
        download: &Download,
        announced: Option<u64>,
        fault: Option<Fault>,
        aborter: &Aborter,
        progress: &'a mut P,
    ) -> Self {
        let hasher = Hasher::new(download, announced);
        Self { hasher, fault, aborter: aborter.clone(), progress }
    }

    /// Takes a piece; false if the image is over with it.
    #[cfg(not(feature = "lab"))]
    pub(super) async fn take(&mut self, piece: &[u8]) -> Result<bool, Failure> {
        self.keep(piece)
    }

    /// Takes a piece; false if the image is over with it.
    #[cfg(feature = "lab")]
    pub(super) async fn take(&mut self, piece: &[u8]) -> Result<bool, Failure> {
        match self.fault.clone() {
            Some(Fault::DownloadCorrupt { bytes, after }) => {
                let mut spoiled = piece.to_vec();
                let from = usize::try_from(self.before(after)).unwrap_or(usize::MAX);
                let gone = self.hasher.received().saturating_sub(u64::from(after));
                let left = usize::try_from(u64::from(bytes).saturating_sub(gone)).unwrap_or(0);
                for byte in spoiled.iter_mut().skip(from).take(left) {
                    *byte = !*byte;
                }
                self.keep(&spoiled)
            }
            Some(Fault::DownloadTruncate { after }) => {
                let (piece, over) = self.split(piece, after);
                self.keep(piece)?;
                Ok(over.is_empty())
            }
            Some(Fault::DownloadBreak { after }) => {
                let (piece, over) = self.split(piece, after);
                self.keep(piece)?;
                if over.is_empty() { Ok(true) } else { Err(Failure::Lost) }
            }
            Some(Fault::DownloadStall { after, ms }) => {
                let (piece, over) = self.split(piece, after);
                self.keep(piece)?;
                if !over.is_empty() {
                    self.wait(ms.min(IDLE)).await?;
                    if ms >= IDLE {
                        return Err(Failure::TimedOut);
                    }
                    self.fault = None;
                    self.keep(over)?;
                }
                Ok(true)
            }
            Some(Fault::DownloadSlow { bytes_per_s }) => {
                let size = usize::try_from(bytes_per_s / 10).unwrap_or(usize::MAX).max(1);
                for part in piece.chunks(size) {
                    let ms = part.len() as u64 * 1_000 / u64::from(bytes_per_s.max(1));
                    self.wait(u32::try_from(ms).unwrap_or(u32::MAX)).await?;
                    self.keep(part)?;
                }
                Ok(true)
            }
            _ => self.keep(piece),
        }
    }

    /// All of it is here.
    pub(super) fn end(self) -> Image {
        self.hasher.end(self.progress)
    }

    /// How many bytes are still to come before this place.
    #[cfg(feature = "lab")]
    fn before(&self, after: u32) -> u64 {
        u64::from(after).saturating_sub(self.hasher.received())
    }

    /// What comes before this place, and what after.
    #[cfg(feature = "lab")]
    fn split<'p>(&self, piece: &'p [u8], after: u32) -> (&'p [u8], &'p [u8]) {
        let at = usize::try_from(self.before(after)).unwrap_or(usize::MAX);
        piece.split_at_checked(at).unwrap_or((piece, &[]))
    }

    fn keep(&mut self, piece: &[u8]) -> Result<bool, Failure> {
        self.hasher.take(piece, self.progress).map(|()| true)
    }

    #[cfg(feature = "lab")]
    async fn wait(&self, ms: u32) -> Result<(), Failure> {
        TimeoutFuture::new(ms).await;
        // Nobody waits for it any more.
        if self.aborter.is_aborted() { Err(Failure::Lost) } else { Ok(()) }
    }
}
