//! See `loopiq_fuzz::openvex`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::openvex(data));
