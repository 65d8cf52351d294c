//! Server functions: public endpoints under `/do`. Each parses, calls the engine, and renders; the engine authorizes.

mod catalog;
mod clients;
mod decide;
mod form_response;
mod pauses;
mod policy;
mod requests;
mod sessions;
mod status;

pub use catalog::*;
pub use clients::*;
pub use decide::*;
pub use pauses::*;
pub use policy::*;
pub use requests::*;
pub use sessions::*;
pub use status::*;
