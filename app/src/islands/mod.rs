//! Islands: components that run in the browser. Their HTML comes from the server and works without a script.

mod copy;
mod decision;

pub use copy::CopyButton;
pub use decision::{DecisionPanel, Draft, Fields, Warning};
