//! Artifact locations to repository-relative paths.

use std::collections::HashMap;

use super::schema::{ArtifactLocation, RunHead, index_of};
use crate::text::{clean_line, is_absolute_path, is_url, normal_path, plain_path};

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

/// A longer path is none: no file system has such, and each of many results could name it by a few bytes.
const MOST_PATH_BYTES: usize = 4_096;

/// Knows where a run's files lie: its base ids, its repository's root and its list of artifacts.
pub(super) struct Paths<'h> {
    /// The base ids as they are given.
    bases: HashMap<&'h str, &'h ArtifactLocation<'h>>,
    root: Option<String>,
    /// Whether several bases lie outside of the root, so that each has to be told.
    has_several_outside: bool,
    artifacts: Vec<Option<&'h ArtifactLocation<'h>>>,
}

impl<'h> Paths<'h> {
    pub(super) fn of(run: &'h RunHead<'h>) -> Self {
        let given = run.original_uri_base_ids.iter().flatten();
        let bases = given.map(|(id, location)| (&**id, location)).collect();
        let root = root_of(run, &bases);
        let artifacts = run
            .artifacts
            .iter()
            .map(|artifact| artifact.location.as_ref())
            .collect();
        let mut outside: Vec<String> = bases
            .keys()
            .map(|id| base(&bases, id))
            .filter(|base| is_absolute_path(base) && !is_inside(base, root.as_deref()))
            .collect();
        outside.sort_unstable();
        outside.dedup();
        let has_several_outside = outside.len() > 1;
        Self {
            bases,
            root,
            has_several_outside,
            artifacts,
        }
    }

    /// The path of a location, which may only name an artifact by its index.
    pub(super) fn path(&self, location: Option<&ArtifactLocation<'_>>) -> Option<String> {
        let location = location?;
        let given = |location: &ArtifactLocation<'_>| {
            let uri = location.uri.as_deref()?.trim();
            let path = self.resolve(uri, location.uri_base_id.as_deref())?;
            (!path.is_empty()).then_some(path)
        };
        if location
            .uri
            .as_deref()
            .is_some_and(|uri| !uri.trim().is_empty())
        {
            return given(location);
        }
        let at = index_of(location.index.as_ref())?;
        given(self.artifacts.get(at).copied().flatten()?)
    }

    /// Whether a location is an absolute path that lies outside of the repository's root, or with no root to be seen.
    pub(super) fn is_absolute(&self, location: Option<&ArtifactLocation<'_>>) -> bool {
        let uri = location.and_then(|location| location.uri.as_deref());
        uri.is_some_and(|uri| {
            let uri = uri.trim();
            is_absolute_path(uri) && !is_web(uri) && !is_inside(uri, self.root.as_deref())
        })
    }

    /// Whether nothing says where the repository lies.
    pub(super) const fn has_no_root(&self) -> bool {
        self.root.is_none()
    }

    /// Whether a location only names an artifact that is not listed.
    pub(super) fn is_lost(&self, location: Option<&ArtifactLocation<'_>>) -> bool {
        let Some(location) = location else {
            return false;
        };
        let has_uri = location
            .uri
            .as_deref()
            .is_some_and(|uri| !uri.trim().is_empty());
        let listed = index_of(location.index.as_ref()).map(|at| self.artifacts.get(at));
        !has_uri && matches!(listed, Some(None | Some(None)))
    }

    /// `None` if it is too long.
    fn resolve(&self, uri: &str, base_id: Option<&str>) -> Option<String> {
        if uri.len() > MOST_PATH_BYTES {
            return None;
        }
        let root = self.root.as_deref();
        let base = base_id.map_or_else(String::new, |id| base(&self.bases, id));
        if base.is_empty() || is_absolute_path(uri) {
            // An address of the web is no path: it stays as it is, unless the repository lies there.
            if is_web(uri) && !is_inside(uri, root) {
                return Some(clean_line(uri));
            }
            return Some(normal_path(uri, root));
        }
        let whole = format!("{}/{uri}", base.trim_end_matches('/'));
        if is_absolute_path(&base) && !is_inside(&base, root) {
            if is_web(&base) {
                return Some(clean_line(&whole));
            }
            if self.has_several_outside
                && let Some(id) = base_id
            {
                // The machine's folder is another one in the next run, but the base's name is not.
                let path = normal_path(uri, None);
                return Some(format!("{}/{path}", id.trim_matches('%')));
            }
            // Its own base lies outside of the repository's root, or no root is known: the base stands for the root.
            return Some(normal_path(uri, None));
        }
        Some(normal_path(&whole, root))
    }
}

/// An address of the web, also without its scheme (`//cdn.example.org/x.js`). A share of a network has no dot in its first name.
fn is_web(uri: &str) -> bool {
    let host = uri
        .strip_prefix("//")
        .and_then(|rest| rest.split('/').next());
    is_url(uri) || host.is_some_and(|host| host.contains('.') && !host.starts_with('.'))
}

fn is_inside(base: &str, root: Option<&str>) -> bool {
    let Some(root) = root else { return false };
    let base = format!("{}/", plain_path(base).trim_end_matches('/'));
    let root = format!("{}/", plain_path(root).trim_end_matches('/'));
    base.starts_with(&root)
}

/// A base id's address, with those of the bases it builds on before it, as far as the file tells; a relative one is relative to
/// the repository. Empty if it is unknown or too long.
fn base(given: &HashMap<&str, &ArtifactLocation<'_>>, id: &str) -> String {
    let mut address = String::new();
    let mut next = Some(id);
    for _ in 0..MOST_BASES {
        let Some(location) = next.and_then(|id| given.get(id)) else {
            break;
        };
        let uri = location.uri.as_deref().unwrap_or("").trim();
        if uri.len() + address.len() > MOST_PATH_BYTES {
            return String::new();
        }
        address = if address.is_empty() {
            uri.to_owned()
        } else if uri.is_empty() {
            address
        } else {
            format!("{}/{address}", uri.trim_end_matches('/'))
        };
        if is_absolute_path(&address) {
            break;
        }
        next = location.uri_base_id.as_deref();
    }
    address
}

/// Where the repository lies: what the file maps its version control to, else the base that is called so (as far out as
/// its chain goes), else the only absolute base, else the folder that the tool ran in.
fn root_of(run: &RunHead<'_>, given: &HashMap<&str, &ArtifactLocation<'_>>) -> Option<String> {
    let absolute = |address: String| {
        (address.len() <= MOST_PATH_BYTES && is_absolute_path(&address)).then_some(address)
    };
    let mapped = run.version_control_provenance.iter().find_map(|vcs| {
        let location = vcs.mapped_to.as_ref()?;
        let base_id = location.uri_base_id.as_deref();
        let base = base_id
            .filter(|id| given.contains_key(id))
            .map(|id| base(given, id));
        let uri = location.uri.as_deref().unwrap_or("").trim();
        match base {
            Some(base) if uri.is_empty() => absolute(base),
            Some(base) => absolute(format!("{}/{uri}", base.trim_end_matches('/'))),
            None => absolute(uri.to_owned()),
        }
    });
    let named = || {
        ROOT_NAMES.iter().find_map(|name| {
            let id = given
                .keys()
                .find(|id| id.trim_matches('%').eq_ignore_ascii_case(name))?;
            absolute(base(given, outermost(given, id)))
        })
    };
    let only = || {
        let mut addresses = given
            .iter()
            .filter(|(_, location)| location.uri_base_id.is_none())
            .filter_map(|(id, _)| absolute(base(given, id)))
            .filter(|address| !is_web(address));
        let first = addresses.next()?;
        addresses.next().is_none().then_some(first)
    };
    let worked_in = || {
        run.invocations.iter().find_map(|invocation| {
            let location = invocation.working_directory.as_ref()?;
            absolute(location.uri.as_deref()?.trim().to_owned()).filter(|uri| !is_web(uri))
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
