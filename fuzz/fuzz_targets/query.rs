//! See `loopiq_fuzz::query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::query(data));
