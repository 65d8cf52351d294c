//! See `loopiq_fuzz::oscal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::oscal(data));
