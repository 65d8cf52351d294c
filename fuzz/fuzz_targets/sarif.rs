//! See `loopiq_fuzz::sarif`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::sarif(data));
