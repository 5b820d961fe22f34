//! What programs call: one folder for each version of the API.

pub(super) mod v1;
