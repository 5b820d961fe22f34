//! What a file with results of perhaps several targets was of: of one, or of none that could name its series.

use super::reading::Reading;

/// The targets that a file names.
#[derive(Debug, Default)]
pub(super) struct Targets {
    only: Option<String>,
    has_several: bool,
}

impl Targets {
    /// Takes the target of one result; an empty name says nothing.
    pub(super) fn add(&mut self, name: &str) {
        let name = name.trim();
        match &self.only {
            _ if name.is_empty() => {}
            None => self.only = Some(name.to_owned()),
            Some(only) => self.has_several |= only != name,
        }
    }

    /// Names the target of the scan, where it is one.
    pub(super) fn tell(self, reading: &mut Reading<'_>) {
        if let Some(only) = self.only.filter(|_| !self.has_several) {
            reading.target(&only);
        }
    }
}
