//! See `loopiq_fuzz::catalog`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::catalog(data));
