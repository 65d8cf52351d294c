//! The table of endpoints: what each needs. An endpoint that is missing here fails the test. A request to an endpoint that changes something
//! names records that do not exist, or is a dry run, so that all callers find the same records.

mod api;
mod others;
mod pages;
mod tools;

use super::endpoint::Endpoint;

/// Every endpoint, those that end the caller's session last.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut all = pages::pages();
    all.extend(pages::forms());
    all.extend(api::api());
    all.extend(tools::tools());
    all.extend(others::others());
    all.sort_by_key(|endpoint| endpoint.ends_session);
    all
}
