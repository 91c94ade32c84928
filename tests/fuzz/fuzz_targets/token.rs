#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| azureml_aks::internals::fuzz_token(bytes));
