//! See `loopiq_fuzz::osv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::osv(data));
