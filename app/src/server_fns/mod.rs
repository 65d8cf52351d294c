//! Server functions: public endpoints under `/do`. Each parses, calls the engine, and renders; the engine authorizes.

mod answer;
mod decide;
mod policy;
mod requests;
mod status;

pub use decide::*;
pub use policy::*;
pub use requests::*;
pub use status::*;
