//! Artifact locations to repository-relative paths.

use std::collections::HashMap;

use super::schema::{ArtifactLocation, RunHead, index_of};
use crate::text::{normal_path, plain_path};

/// The deepest chain of base ids that is followed; a longer one goes in a circle.
const MOST_BASES: usize = 16;

/// Names that tools give to the folder of the repository, the surest first.
const ROOT_NAMES: [&str; 6] = [
    "REPOROOT",
    "REPOSITORYROOT",
    "SRCROOT",
    "PROJECTROOT",
    "ROOTPATH",
    "SOURCEROOT",
];

/// Knows where a run's files lie: its base ids, its repository's root and its list of artifacts.
pub(super) struct Paths<'h> {
    /// Each base id with its address, resolved as far as the file tells; a relative one is relative to the repository.
    bases: HashMap<&'h str, String>,
    root: Option<String>,
    artifacts: Vec<Option<&'h ArtifactLocation<'h>>>,
}

impl<'h> Paths<'h> {
    pub(super) fn of(run: &'h RunHead<'h>) -> Self {
        let given = run.original_uri_base_ids.iter().flatten();
        let lookup: HashMap<&'h str, &'h ArtifactLocation<'h>> =
            given.map(|(id, location)| (&**id, location)).collect();
        let bases: HashMap<&'h str, String> =
            lookup.keys().map(|id| (*id, base(&lookup, id))).collect();
        let root = root_of(run, &lookup, &bases);
        let artifacts = run
            .artifacts
            .iter()
            .map(|artifact| artifact.location.as_ref())
            .collect();
        Self {
            bases,
            root,
            artifacts,
        }
    }

    /// The path of a location, which may only name an artifact by its index.
    pub(super) fn path(&self, location: Option<&ArtifactLocation<'_>>) -> Option<String> {
        let location = location?;
        if let Some(uri) = location
            .uri
            .as_deref()
            .map(str::trim)
            .filter(|uri| !uri.is_empty())
        {
            let path = self.resolve(uri, location.uri_base_id.as_deref());
            return (!path.is_empty()).then_some(path);
        }
        let artifact = self
            .artifacts
            .get(index_of(location.index.as_ref())?)
            .copied()
            .flatten()?;
        let path = self.resolve(
            artifact.uri.as_deref()?.trim(),
            artifact.uri_base_id.as_deref(),
        );
        (!path.is_empty()).then_some(path)
    }

    fn resolve(&self, uri: &str, base_id: Option<&str>) -> String {
        let base = base_id
            .and_then(|id| self.bases.get(id))
            .map_or("", String::as_str);
        let root = self.root.as_deref();
        if base.is_empty() || is_absolute(uri) {
            return normal_path(uri, root);
        }
        let whole = format!("{}/{uri}", base.trim_end_matches('/'));
        if is_absolute(base) && !is_inside(base, root) {
            // Its own base lies outside of the repository's root, or no root is known: the base stands for the root.
            return normal_path(uri, None);
        }
        normal_path(&whole, root)
    }
}

fn is_absolute(uri: &str) -> bool {
    uri.starts_with(['/', '\\'])
        || uri.contains("://")
        || uri
            .get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case("file:"))
        || {
            matches!(uri.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
        }
}

fn is_inside(base: &str, root: Option<&str>) -> bool {
    let Some(root) = root else { return false };
    let base = format!("{}/", plain_path(base).trim_end_matches('/'));
    let root = format!("{}/", plain_path(root).trim_end_matches('/'));
    base.starts_with(&root)
}

/// A base id's address, with those of the bases it builds on before it.
fn base(given: &HashMap<&str, &ArtifactLocation<'_>>, id: &str) -> String {
    let mut address = String::new();
    let mut next = Some(id);
    for _ in 0..MOST_BASES {
        let Some(location) = next.and_then(|id| given.get(id)) else {
            break;
        };
        let uri = location.uri.as_deref().unwrap_or("").trim();
        address = if address.is_empty() {
            uri.to_owned()
        } else if uri.is_empty() {
            address
        } else {
            format!("{}/{address}", uri.trim_end_matches('/'))
        };
        if is_absolute(&address) {
            break;
        }
        next = location.uri_base_id.as_deref();
    }
    address
}

/// Where the repository lies: what the file maps its version control to, else the base that is called so (as far out as
/// its chain goes), else the only absolute base, else the folder that the tool ran in.
fn root_of(
    run: &RunHead<'_>,
    given: &HashMap<&str, &ArtifactLocation<'_>>,
    bases: &HashMap<&str, String>,
) -> Option<String> {
    let absolute = |address: &String| is_absolute(address).then(|| address.clone());
    let mapped = run.version_control_provenance.iter().find_map(|vcs| {
        let location = vcs.mapped_to.as_ref()?;
        let base = location.uri_base_id.as_deref().and_then(|id| bases.get(id));
        let uri = location.uri.as_deref().unwrap_or("").trim();
        match base {
            Some(base) if uri.is_empty() => absolute(base),
            Some(base) => absolute(&format!("{}/{uri}", base.trim_end_matches('/'))),
            None => absolute(&uri.to_owned()),
        }
    });
    let named = || {
        ROOT_NAMES.iter().find_map(|name| {
            let id = given
                .keys()
                .find(|id| id.trim_matches('%').eq_ignore_ascii_case(name))?;
            absolute(&bases[outermost(given, id)])
        })
    };
    let only = || {
        let mut addresses: Vec<String> = given
            .iter()
            .filter(|(_, location)| location.uri_base_id.is_none())
            .filter_map(|(id, _)| absolute(&bases[id]))
            .collect();
        (addresses.len() == 1).then(|| addresses.remove(0))
    };
    let worked_in = || {
        run.invocations.iter().find_map(|invocation| {
            let location = invocation.working_directory.as_ref()?;
            absolute(&location.uri.as_deref()?.trim().to_owned())
        })
    };
    mapped.or_else(named).or_else(only).or_else(worked_in)
}

fn outermost<'g>(given: &HashMap<&'g str, &'g ArtifactLocation<'_>>, id: &'g str) -> &'g str {
    let mut outer = id;
    for _ in 0..MOST_BASES {
        match given
            .get(outer)
            .and_then(|location| location.uri_base_id.as_deref())
        {
            Some(parent) if given.contains_key(parent) => outer = parent,
            _ => break,
        }
    }
    outer
}
