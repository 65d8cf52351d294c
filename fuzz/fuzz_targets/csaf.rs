//! See `loopiq_fuzz::csaf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::csaf(data));
