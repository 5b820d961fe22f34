//! What the instance's signing keys are for.

crate::words! {
    /// What a signing key signs. Keys are apart by purpose, so that the loss of one is not the loss of all.
    KeyPurpose {
        /// Reports and bundles.
        Report => "report",
        /// Heads of the activity log.
        Log => "log",
        /// Statements of the server about what somebody did.
        Attestation => "attestation",
    }
}
