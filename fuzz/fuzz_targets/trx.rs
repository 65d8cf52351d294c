//! See `loopiq_fuzz::trx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loopiq_fuzz::trx(data));
