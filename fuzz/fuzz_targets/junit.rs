//! See `loopiq_fuzz::junit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::junit(data));
