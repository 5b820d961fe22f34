//! What a run says about its rules, worked out once for each rule.

use std::collections::HashMap;

use super::schema::{
    ComponentReference, Descriptor, Given, Message, Properties, Reference, RunHead, ToolComponent,
    index_of,
};
use holdpoint_domain::Severity;

use crate::Shared;
use crate::json::{Loose, Text};
use crate::text::{clean, clean_line, is_url};

/// A rule, with the texts that all of its findings share.
#[derive(Debug)]
pub(super) struct Rule<'h> {
    pub(super) id: Option<Shared>,
    pub(super) name: Option<Shared>,
    pub(super) short: Option<Shared>,
    pub(super) description: Option<Shared>,
    pub(super) help: Option<Shared>,
    pub(super) help_url: Option<Shared>,
    pub(super) level: &'h Given<Text<'h>>,
    pub(super) rank: Option<f64>,
    pub(super) security_severity: Scored,
    pub(super) ids: Ids,
    pub(super) tags: Vec<Shared>,
    pub(super) messages: Option<&'h HashMap<crate::json::Text<'h>, Message<'h>>>,
}

/// Ids of vulnerabilities and weaknesses.
#[derive(Clone, Debug, Default)]
pub(in crate::formats) struct Ids {
    pub(in crate::formats) cve: Vec<String>,
    pub(in crate::formats) cwe: Vec<u32>,
    pub(in crate::formats) aliases: Vec<String>,
}

impl Ids {
    pub(in crate::formats) fn add_all(&mut self, other: &Self) {
        add_new(&mut self.cve, &other.cve);
        add_new(&mut self.cwe, &other.cwe);
        add_new(&mut self.aliases, &other.aliases);
    }

    /// Takes every id of a known kind out of a text.
    pub(in crate::formats) fn add_from(&mut self, text: &str) {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':')) {
            self.add_word(word);
        }
    }

    fn add_word(&mut self, word: &str) {
        let Some(kind) = word.get(..4).filter(|_| word.len() <= MOST_ID_BYTES) else {
            return;
        };
        if kind.eq_ignore_ascii_case("CVE-") {
            // Some tools append the package: CVE-2021-36159-libcrypto.
            let mut parts = word.split('-').skip(1);
            if let (Some(year), Some(number)) = (parts.next(), parts.next())
                && year.len() == 4
                && number.len() >= 4
                && [year, number]
                    .iter()
                    .all(|part| part.bytes().all(|b| b.is_ascii_digit()))
            {
                push_new(&mut self.cve, format!("CVE-{year}-{number}"));
            }
        } else if kind.eq_ignore_ascii_case("CWE-") || kind.eq_ignore_ascii_case("CWE:") {
            self.add_cwe(&word[4..]);
        } else if kind.eq_ignore_ascii_case("GHSA") {
            let groups = word.split('-').skip(1).take(3);
            let groups: Vec<String> = groups.map(str::to_ascii_lowercase).collect();
            if groups.len() == 3 && groups.iter().all(|group| group.len() == 4) {
                push_new(&mut self.aliases, format!("GHSA-{}", groups.join("-")));
            }
        } else if ["RUSTSEC-", "PYSEC-", "OSV-", "MAL-", "SNYK-", "BDSA-"]
            .iter()
            .any(|kind| word.starts_with(kind))
            || (word.starts_with("GO-") && word.bytes().filter(|b| *b == b'-').count() == 2)
        {
            push_new(
                &mut self.aliases,
                word.trim_end_matches([':', '-']).to_owned(),
            );
        }
    }

    pub(in crate::formats) fn add_cwe(&mut self, number: &str) {
        let digits = number.trim().trim_start_matches("CWE-");
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        if let Ok(number) = digits[..end].parse()
            && number > 0
        {
            push_new(&mut self.cwe, number);
        }
    }

    pub(super) fn add_properties(&mut self, properties: &Properties<'_>) {
        if let Some(cwe) = &properties.cwe {
            cwe.each_text(&mut |text| {
                let text = text.trim();
                if text.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
                    self.add_cwe(text);
                } else {
                    self.add_from(text);
                }
            });
        }
        for value in [&properties.cve, &properties.tags].into_iter().flatten() {
            value.each_text(&mut |text| self.add_from(text));
        }
    }
}

/// So many ids of one kind a finding has at most; a text that is made of ids would otherwise take long to read.
const MOST_IDS: usize = 200;

/// A longer id of a rule is cut where its findings show it, and is none of a vulnerability.
const MOST_ID_BYTES: usize = 1_000;
/// What a rule says of itself is cut here: each of its findings has it.
const MOST_TEXT_BYTES: usize = 64 * 1024;

fn add_new<T: Clone + PartialEq>(list: &mut Vec<T>, others: &[T]) {
    if list.is_empty() {
        list.extend_from_slice(others);
        return;
    }
    for other in others {
        push_new(list, other.clone());
    }
}

fn up_to(text: &str, most_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(most_bytes)]
}

/// Adds a value that is not there yet.
pub(in crate::formats) fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if list.len() < MOST_IDS && !list.contains(&value) {
        list.push(value);
    }
}

/// All rules of a run, by where they may be looked up. Whatever a result can name is found without a search: both the results
/// and what they name may be many.
pub(super) struct Rules<'h> {
    /// The driver first, then its extensions.
    components: Vec<Component<'h>>,
    component_names: Names<'h>,
    /// The first component that has a rule of an id, and the rule's place there.
    by_id: HashMap<&'h str, (usize, usize)>,
    /// The strings that all rules share: of several with one id the first counts.
    messages: HashMap<&'h str, &'h str>,
    taxonomies: Taxonomies<'h>,
}

/// The driver, then its extensions.
fn components<'h>(run: &'h RunHead<'h>) -> impl Iterator<Item = &'h ToolComponent<'h>> {
    std::iter::once(&run.tool.driver).chain(run.tool.extensions.iter())
}

struct Component<'h> {
    rules: Vec<Rule<'h>>,
    by_id: HashMap<&'h str, usize>,
    by_guid: HashMap<&'h str, usize>,
}

/// Where in a list the first component of a name or guid is.
#[derive(Default)]
struct Names<'h> {
    by_name: HashMap<&'h str, usize>,
    by_guid: HashMap<&'h str, usize>,
}

impl<'h> Names<'h> {
    fn of(components: impl Iterator<Item = &'h ToolComponent<'h>>) -> Self {
        let mut names = Self::default();
        for (at, component) in components.enumerate() {
            if let Some(name) = component.name.as_deref() {
                names.by_name.entry(name).or_insert(at);
            }
            if let Some(guid) = component.guid.as_deref() {
                names.by_guid.entry(guid).or_insert(at);
            }
        }
        names
    }

    /// The first that has the name or the guid.
    fn find(&self, named: &ComponentReference<'_>) -> Option<usize> {
        let filled = |text: &Option<crate::json::Text<'_>>, by: &HashMap<&str, usize>| {
            let text = text.as_deref().filter(|text| !text.is_empty())?;
            by.get(text).copied()
        };
        let by_name = filled(&named.name, &self.by_name);
        let by_guid = filled(&named.guid, &self.by_guid);
        by_name.into_iter().chain(by_guid).min()
    }
}

struct Taxonomies<'h> {
    /// The run's, then the driver and its extensions, which may have taxa of their own.
    list: Vec<&'h ToolComponent<'h>>,
    /// How many are the run's: only those are counted by an index. The driver is the next one.
    n_of_run: usize,
    names: Names<'h>,
    /// The ids of taxa by taxonomy and guid.
    by_guid: HashMap<(usize, &'h str), Option<&'h str>>,
}

impl<'h> Taxonomies<'h> {
    fn of(run: &'h RunHead<'h>) -> Self {
        let list: Vec<_> = run.taxonomies.iter().chain(components(run)).collect();
        let mut by_guid = HashMap::new();
        for (at, taxonomy) in list.iter().enumerate() {
            for taxon in &*taxonomy.taxa {
                if let Some(guid) = taxon.guid.as_deref() {
                    by_guid.entry((at, guid)).or_insert(taxon.id.as_deref());
                }
            }
        }
        Self {
            names: Names::of(list.iter().copied()),
            n_of_run: run.taxonomies.len(),
            list,
            by_guid,
        }
    }

    /// The weakness or vulnerability that a reference to a taxonomy names.
    fn add(&self, reference: &Reference<'_>, ids: &mut Ids) {
        let component = reference.tool_component.as_ref();
        // 3.52.7: one that names no component is the driver's.
        let taxonomy = component.map_or(Some(self.n_of_run), |component| {
            let at = index_of(component.index.as_ref()).filter(|at| *at < self.n_of_run);
            at.or_else(|| self.names.find(component))
        });
        let listed = taxonomy.map(|at| self.list[at]);
        let name = listed
            .and_then(|t| t.name.as_deref())
            .or_else(|| component?.name.as_deref())
            .unwrap_or("");
        let by_index = || {
            let at = index_of(reference.index.as_ref())?;
            listed?.taxa.get(at)?.id.as_deref()
        };
        let by_guid = || {
            let guid = reference.guid.as_deref()?;
            self.by_guid.get(&(taxonomy?, guid)).copied()?
        };
        if let Some(id) = reference.id.as_deref().or_else(by_index).or_else(by_guid) {
            let id = up_to(id, MOST_ID_BYTES);
            if up_to(name, MOST_ID_BYTES)
                .to_ascii_uppercase()
                .contains("CWE")
                && id.bytes().next().is_some_and(|b| b.is_ascii_digit())
            {
                ids.add_cwe(id);
            } else {
                ids.add_from(id);
            }
        }
    }
}

impl<'h> Rules<'h> {
    pub(super) fn of(run: &'h RunHead<'h>) -> Self {
        let mut rules = Self {
            components: Vec::new(),
            component_names: Names::of(components(run)),
            by_id: HashMap::new(),
            messages: HashMap::new(),
            taxonomies: Taxonomies::of(run),
        };
        for component in components(run) {
            let described = component
                .rules
                .iter()
                .map(|rule| rules.describe(rule))
                .collect();
            let by = |key: fn(&'h Descriptor<'h>) -> Option<&'h str>| {
                // Of rules with one id the first counts.
                let keyed = component.rules.iter().enumerate().rev();
                keyed
                    .filter_map(|(at, rule)| key(rule).map(|key| (key, at)))
                    .collect()
            };
            let by_id: HashMap<&'h str, usize> = by(|rule| rule.id.as_deref());
            for (id, at) in &by_id {
                let home = rules.components.len();
                rules.by_id.entry(id).or_insert((home, *at));
            }
            for (id, message) in component.global_message_strings.iter().flatten() {
                if let Some(text) = message.plain() {
                    rules.messages.entry(id).or_insert(text);
                }
            }
            rules.components.push(Component {
                rules: described,
                by_id,
                by_guid: by(|rule| rule.guid.as_deref()),
            });
        }
        rules
    }

    /// The weakness or vulnerability that a reference to a taxonomy names.
    pub(super) fn add_taxon(&self, reference: &Reference<'_>, ids: &mut Ids) {
        self.taxonomies.add(reference, ids);
    }

    fn describe(&self, rule: &'h Descriptor<'h>) -> Rule<'h> {
        let shared = |message: &Option<Message<'_>>| {
            let text = message.as_ref()?.plain()?;
            Some(Shared::from(clean(up_to(text.trim(), MOST_TEXT_BYTES))))
        };
        // It may name the rule, so it is one line.
        let line = |text: &str| clean_line(up_to(text, MOST_ID_BYTES));
        let short = shared(&rule.short_description).map(|short| Shared::from(line(&short)));
        let id = rule.id.as_deref().map(line).filter(|id| !id.is_empty());
        let name = rule.name.as_deref().map(line);
        let name = name.filter(|name| !name.is_empty() && Some(name) != id.as_ref());
        let help = shared(&rule.help);
        let help_is_url = help.as_deref().is_some_and(is_url);
        let help_url = rule
            .help_uri
            .as_deref()
            .map(str::trim)
            .filter(|url| is_url(url))
            .map(Shared::from);
        let mut ids = Ids::default();
        for text in [rule.id.as_deref(), rule.name.as_deref()]
            .into_iter()
            .flatten()
        {
            ids.add_from(text);
        }
        rule.deprecated_ids.iter().for_each(|id| ids.add_from(id));
        for relationship in &*rule.relationships {
            self.add_taxon(&relationship.target, &mut ids);
        }
        let mut tags = Vec::new();
        if let Some(properties) = &rule.properties {
            ids.add_properties(properties);
            if let Some(given) = &properties.tags {
                given.each_text(&mut |tag| {
                    if let Some(cwe) = tag.to_ascii_lowercase().strip_prefix("external/cwe/cwe-") {
                        ids.add_cwe(cwe);
                    }
                    push_new(&mut tags, Shared::from(line(tag)));
                });
            }
        }
        let configuration = rule.default_configuration.as_ref();
        Rule {
            id: id.map(Shared::from),
            name: name.map(Shared::from),
            description: shared(&rule.full_description).or_else(|| shared(&rule.short_description)),
            short,
            help_url: help_url.or_else(|| help.clone().filter(|_| help_is_url)),
            help: help.filter(|_| !help_is_url),
            level: configuration.map_or(&Given::Absent, |c| &c.level),
            rank: configuration.and_then(|c| c.rank.as_ref()?.as_number()),
            security_severity: rule.properties.as_ref().map_or(Scored::Absent, score_of),
            ids,
            tags,
            messages: rule.message_strings.as_ref(),
        }
    }

    /// The rule that a result names, and where it is wrong about it, what is wrong.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        index: Option<f64>,
        reference: Option<&Reference<'_>>,
    ) -> (Option<&Rule<'h>>, Option<String>) {
        let component = reference.and_then(|r| r.tool_component.as_ref());
        let component = component.map_or(Some(&self.components[0]), |named| self.component(named));
        let id = id.or_else(|| reference?.id.as_deref());
        let index = index.or_else(|| reference?.index.as_ref()?.as_number());
        let by_guid = || {
            let home = component?;
            home.rules
                .get(*home.by_guid.get(reference?.guid.as_deref()?)?)
        };
        // -1 is how the standard writes that there is no index.
        let by_index = index
            .filter(|number| *number >= 0.0 || *number < -1.0)
            .map(|number| {
                let at = crate::json::whole_number(number).and_then(|n| usize::try_from(n).ok());
                at.and_then(|at| component?.rules.get(at)).ok_or(number)
            });
        let by_id = || {
            let own = component.and_then(|home| home.rule(id?));
            own.or_else(|| self.rule(id?))
        };
        match by_index {
            Some(Ok(rule))
                if id.is_none_or(|id| rule.id.as_deref().is_none_or(|own| is_part_of(id, own))) =>
            {
                (Some(rule), None)
            }
            // The id is what people see, so where both disagree the id counts.
            Some(Ok(rule)) => (by_id().or(Some(rule)), None),
            Some(Err(number)) => {
                let n = component.map_or(0, |home| home.rules.len());
                let problem =
                    format!("ruleIndex {number} is out of range: the tool lists {n} rules.");
                (by_id(), Some(problem))
            }
            None => (by_guid().or_else(by_id), None),
        }
    }

    fn component(&self, named: &ComponentReference<'_>) -> Option<&Component<'h>> {
        let by_index = index_of(named.index.as_ref()).and_then(|at| self.components.get(at + 1));
        by_index.or_else(|| self.components.get(self.component_names.find(named)?))
    }

    /// By id, in the first component that knows any part of it.
    fn rule(&self, id: &str) -> Option<&Rule<'h>> {
        let found = parts_of(id).filter_map(|part| self.by_id.get(part));
        // Of one component the longest part, which comes first.
        let (home, at) = found.min_by_key(|(home, _)| *home)?;
        self.components[*home].rules.get(*at)
    }

    /// A message string by its id: the rule's own, or one that all rules of the tool share.
    pub(super) fn message(&self, rule: Option<&Rule<'h>>, id: &str) -> Option<&'h str> {
        let own = rule.and_then(|rule| rule.messages?.get(id)?.plain());
        own.or_else(|| self.messages.get(id).copied())
    }
}

impl<'h> Component<'h> {
    /// By id; of a hierarchical id (`CA1000/1`) the longest part that is a rule.
    fn rule(&self, id: &str) -> Option<&Rule<'h>> {
        let at = parts_of(id).find_map(|part| self.by_id.get(part))?;
        self.rules.get(*at)
    }
}

/// So many parts of a hierarchical id are looked up: one that is made of slashes would otherwise take long to read.
const MOST_PARTS: usize = 32;

/// A hierarchical id and what it is a part of, the longest first.
fn parts_of(id: &str) -> impl Iterator<Item = &str> {
    let parts = std::iter::successors(Some(id), |part| Some(part.rsplit_once('/')?.0));
    parts.take(MOST_PARTS)
}

fn is_part_of(id: &str, own: &str) -> bool {
    id.trim() == own
        || id
            .strip_prefix(own)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// What `security-severity` says: a score from 0 to 10 by GitHub's convention, which most tools follow.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scored {
    Absent,
    Score(f64),
    /// A word of a severity, as some tools write it.
    Word(Severity),
    /// Neither.
    Unknown(String),
}

pub(super) fn score_of(properties: &Properties<'_>) -> Scored {
    let value = match &properties.security_severity {
        Given::Absent => return Scored::Absent,
        Given::Null => return Scored::Unknown("null".to_owned()),
        Given::Value(value) => value,
    };
    let text = match value {
        Loose::Text(text) => text.trim(),
        _ => "",
    };
    // As people of some countries write decimals.
    let score = value
        .as_number()
        .or_else(|| text.replace(',', ".").parse().ok());
    match score.filter(|score| (0.0..=10.0).contains(score)) {
        Some(score) => Scored::Score(score),
        None => match Severity::from_scanner_word(text) {
            Some(severity) => Scored::Word(severity),
            None => Scored::Unknown(crate::text::title(&value.own_text())),
        },
    }
}
