//! See `loopiq_fuzz::verifier`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::verifier(data));
