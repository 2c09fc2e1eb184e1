#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bitmart_fuzz_targets::rest_responses(input));
