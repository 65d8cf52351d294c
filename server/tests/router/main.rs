//! The service as a whole, over its real router: what a browser or a probe sees of it. One test program, because linking
//! is what takes the time.

mod commands;
mod demands_sign_in;
mod files;
mod functions;
mod limits;
mod modes;
mod operations;
mod policy;
mod rates;
mod requests;
mod sign_in;
mod sign_out;
mod support;
