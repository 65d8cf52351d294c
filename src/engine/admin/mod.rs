//! Administration: sign-in, tokens and grants, identities, imports, the scrub of evidence, generic words, operator
//! requests, pauses, sessions of browsers, tenants and catalogs.

pub(crate) mod access;
pub(crate) mod catalog;
pub(crate) mod generic_words;
pub(crate) mod grants;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod operator_requests;
pub(crate) mod pauses;
pub(crate) mod provider_tokens;
pub(crate) mod releases;
pub(crate) mod scrub;
pub(crate) mod sessions;
pub(crate) mod tenants;
pub(crate) mod tokens;
