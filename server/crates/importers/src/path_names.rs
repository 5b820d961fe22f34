//! The names of files, each kept once: a scan may name a few thousand files a hundred thousand times, or as many files as it
//! has findings.

use string_interner::{DefaultSymbol, StringInterner, backend::StringBackend};

/// Which name of a [`PathNames`]: four bytes, and equal for equal names of the same one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathName(DefaultSymbol);

const _: () = assert!(size_of::<Option<PathName>>() == 4);

/// The paths of a scan, and of what its series knows.
#[derive(Debug)]
pub struct PathNames(StringInterner<StringBackend>);

impl Default for PathNames {
    fn default() -> Self {
        Self::for_about(0)
    }
}

impl PathNames {
    /// With room for about so many paths.
    pub fn for_about(paths: usize) -> Self {
        Self(StringInterner::with_capacity(paths))
    }

    /// The name of a path, which is kept if it was not yet.
    pub fn name(&mut self, path: &str) -> PathName {
        PathName(self.0.get_or_intern(path))
    }

    /// The path that a name is of. A name of another list may be any path here, or none: then it is empty.
    pub fn path(&self, name: PathName) -> &str {
        self.0.resolve(name.0).unwrap_or_default()
    }
}
