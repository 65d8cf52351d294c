//! See `loopiq_fuzz::gitlab`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::gitlab(data));
