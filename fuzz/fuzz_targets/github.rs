//! See `loopiq_fuzz::github`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::github(data));
