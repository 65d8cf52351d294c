//! See `loopiq_fuzz::spdx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::spdx(data));
