#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pfcluster_tests::fuzz::worker::run(bytes));
