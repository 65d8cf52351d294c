//! See `loopiq_fuzz::cyclonedx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::cyclonedx(data));
