//! Bundles: what is accepted, and every tampering that is not. Each case is put before both verifiers, that of this crate and `verify.py`,
//! and both must give the same answer in the same words.

mod cases;
mod checkpoints;
mod flips;
mod format;
mod log;
mod pack;
mod python;
mod tamper;
mod writer;
