//! What is alive in the browser: leaves with serializable props. Their HTML comes from the server and works without them.

mod copy;
mod decision;

pub use copy::CopyButton;
pub use decision::{DecisionPanel, Draft, Fields, Warning};
