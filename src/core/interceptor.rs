//! The registry of interceptors: it numbers them and counts the live ones, and knows nothing of any execution.

use super::ids::InterceptorId;

/// Numbers the installations of a run.
#[derive(Default)]
pub struct Interceptors {
    installed: u64,
    live: usize,
}

impl Interceptors {
    /// A new identity.
    pub fn install(&mut self) -> InterceptorId {
        self.installed += 1;
        self.live += 1;
        InterceptorId(self.installed)
    }

    /// One more segment stands for an installed interceptor.
    pub fn fork(&mut self) {
        self.live += 1;
    }

    /// A segment that stood for one is gone.
    pub fn remove(&mut self) {
        self.live -= 1;
    }

    /// Whether a perform has to look for interceptors at all.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.live > 0
    }
}
