//! How far a download is, on a terminal. The small build says it in lines.

#[cfg(feature = "full")]
pub(super) use drawn::Bar;
#[cfg(not(feature = "full"))]
pub(super) use none::Bar;

#[cfg(feature = "full")]
mod drawn {
    use std::time::Duration;

    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    pub(in super::super) struct Bar(ProgressBar);

    impl Bar {
        /// Whether there are bars.
        pub(in super::super) const EXISTS: bool = true;

        pub(in super::super) fn begin(total: Option<u64>) -> Option<Self> {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stdout());
            let template = "{bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            Some(Self(bar))
        }

        pub(in super::super) fn set(&self, received: u64, total: Option<u64>) {
            if let Some(total) = total {
                self.0.set_length(total);
            }
            self.0.set_position(received);
        }

        /// A line above it.
        pub(in super::super) fn line(&self, line: String) {
            self.0.println(line);
        }

        pub(in super::super) fn end(self) {
            self.0.finish_and_clear();
        }
    }
}

#[cfg(not(feature = "full"))]
mod none {
    /// There is none.
    pub(in super::super) enum Bar {}

    impl Bar {
        pub(in super::super) const EXISTS: bool = false;

        pub(in super::super) fn begin(_: Option<u64>) -> Option<Self> {
            None
        }

        pub(in super::super) fn set(&self, _: u64, _: Option<u64>) {
            match *self {}
        }

        pub(in super::super) fn line(&self, _: String) {
            match *self {}
        }

        pub(in super::super) fn end(self) {
            match self {}
        }
    }
}
