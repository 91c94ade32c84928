mod creating;
mod listing;
mod patching;
mod removing;

use crate::support::raw::*;
use crate::support::raw_services::*;
use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Emulator, Fault};
use serde_json::{Value, json};
