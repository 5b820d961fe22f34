//! What a run says about its rules, worked out once for each rule.

use std::collections::HashMap;

use super::schema::{
    ComponentReference, Descriptor, Message, Properties, Reference, RunHead, ToolComponent,
    index_of,
};
use crate::Shared;
use crate::text::{clean, clean_line};

/// A rule, with the texts that all of its findings share.
#[derive(Debug, Default)]
pub(super) struct Rule<'h> {
    pub(super) id: Option<Shared>,
    pub(super) name: Option<Shared>,
    pub(super) short: Option<Shared>,
    pub(super) description: Option<Shared>,
    pub(super) help: Option<Shared>,
    pub(super) help_url: Option<Shared>,
    pub(super) level: Option<&'h str>,
    pub(super) rank: Option<f64>,
    pub(super) security_severity: Option<f64>,
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
        other
            .cve
            .iter()
            .for_each(|id| push_new(&mut self.cve, id.clone()));
        other.cwe.iter().for_each(|id| push_new(&mut self.cwe, *id));
        other
            .aliases
            .iter()
            .for_each(|id| push_new(&mut self.aliases, id.clone()));
    }

    /// Takes every id of a known kind out of a text.
    pub(in crate::formats) fn add_from(&mut self, text: &str) {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':')) {
            self.add_word(word);
        }
    }

    fn add_word(&mut self, word: &str) {
        let Some(kind) = word.get(..4) else { return };
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

/// Adds a value that is not there yet.
pub(in crate::formats) fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if list.len() < MOST_IDS && !list.contains(&value) {
        list.push(value);
    }
}

/// All rules of a run, by where they may be looked up.
pub(super) struct Rules<'h> {
    /// The driver first, then its extensions.
    components: Vec<Component<'h>>,
    taxonomies: &'h [ToolComponent<'h>],
}

struct Component<'h> {
    name: &'h str,
    guid: &'h str,
    rules: Vec<Rule<'h>>,
    by_id: HashMap<&'h str, usize>,
    by_guid: HashMap<&'h str, usize>,
    messages: Option<&'h HashMap<crate::json::Text<'h>, Message<'h>>>,
}

impl<'h> Rules<'h> {
    pub(super) fn of(run: &'h RunHead<'h>) -> Self {
        let mut rules = Self {
            components: Vec::new(),
            taxonomies: &run.taxonomies,
        };
        for component in std::iter::once(&run.tool.driver).chain(run.tool.extensions.iter()) {
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
            rules.components.push(Component {
                name: component.name.as_deref().unwrap_or(""),
                guid: component.guid.as_deref().unwrap_or(""),
                rules: described,
                by_id: by(|rule| rule.id.as_deref()),
                by_guid: by(|rule| rule.guid.as_deref()),
                messages: component.global_message_strings.as_ref(),
            });
        }
        rules
    }

    fn describe(&self, rule: &'h Descriptor<'h>) -> Rule<'h> {
        let shared = |message: &Option<Message<'_>>| {
            let text = message.as_ref()?.plain()?;
            Some(Shared::from(clean(text.trim())))
        };
        // It may name the rule, so it is one line.
        let short = shared(&rule.short_description).map(|short| Shared::from(clean_line(&short)));
        let id = rule
            .id
            .as_deref()
            .map(clean_line)
            .filter(|id| !id.is_empty());
        let name = rule.name.as_deref().map(clean_line);
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
                    tags.push(Shared::from(clean_line(tag)));
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
            level: configuration.and_then(|c| c.level.as_deref()),
            rank: configuration.and_then(|c| c.rank.as_ref()?.as_number()),
            security_severity: rule.properties.as_ref().and_then(score_of),
            ids,
            tags,
            messages: rule.message_strings.as_ref(),
        }
    }

    /// The weakness or vulnerability that a reference to a taxonomy names.
    pub(super) fn add_taxon(&self, reference: &Reference<'_>, ids: &mut Ids) {
        let component = reference.tool_component.as_ref();
        let taxonomy = component.and_then(|component| {
            let at = index_of(component.index.as_ref());
            at.and_then(|at| self.taxonomies.get(at)).or_else(|| {
                self.taxonomies.iter().find(|taxonomy| {
                    same(taxonomy.name.as_ref(), component.name.as_ref())
                        || same(taxonomy.guid.as_ref(), component.guid.as_ref())
                })
            })
        });
        let name = taxonomy
            .and_then(|t| t.name.as_deref())
            .or_else(|| component?.name.as_deref())
            .unwrap_or("");
        let listed = taxonomy
            .zip(index_of(reference.index.as_ref()))
            .and_then(|(t, at)| t.taxa.get(at)?.id.as_deref());
        let by_guid = || {
            let taxa = &taxonomy?.taxa;
            taxa.iter()
                .find(|taxon| same(taxon.guid.as_ref(), reference.guid.as_ref()))?
                .id
                .as_deref()
        };
        if let Some(id) = reference.id.as_deref().or(listed).or_else(by_guid) {
            if name.to_ascii_uppercase().contains("CWE")
                && id.bytes().next().is_some_and(|b| b.is_ascii_digit())
            {
                ids.add_cwe(id);
            } else {
                ids.add_from(id);
            }
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
            let mut homes = component.into_iter().chain(&self.components);
            homes.find_map(|home| home.rule(id?))
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
        let is_same = |own: &str, named: Option<&str>| {
            named.is_some_and(|named| !named.is_empty() && named == own)
        };
        let by_index = index_of(named.index.as_ref()).and_then(|at| self.components.get(at + 1));
        by_index.or_else(|| {
            let guid = named.guid.as_deref();
            self.components
                .iter()
                .find(|home| is_same(home.guid, guid) || is_same(home.name, named.name.as_deref()))
        })
    }

    /// A message string by its id: the rule's own, or one that all rules of the tool share.
    pub(super) fn message(&self, rule: Option<&Rule<'h>>, id: &str) -> Option<&'h str> {
        let own = rule.and_then(|rule| rule.messages);
        let shared = self
            .components
            .iter()
            .filter_map(|component| component.messages);
        own.into_iter()
            .chain(shared)
            .find_map(|messages| messages.get(id)?.plain())
    }
}

impl<'h> Component<'h> {
    /// By id; of a hierarchical id (`CA1000/1`) the longest part that is a rule.
    fn rule(&self, id: &str) -> Option<&Rule<'h>> {
        let mut part = id;
        loop {
            if let Some(at) = self.by_id.get(part) {
                return self.rules.get(*at);
            }
            part = part.rsplit_once('/')?.0;
        }
    }
}

fn is_part_of(id: &str, own: &str) -> bool {
    id.trim() == own
        || id
            .strip_prefix(own)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn same(one: Option<&crate::json::Text<'_>>, other: Option<&crate::json::Text<'_>>) -> bool {
    one.is_some() && one == other
}

fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(char::is_whitespace)
}

/// `security-severity`: a score from 0 to 10 by GitHub's convention, which most tools follow.
pub(super) fn score_of(properties: &Properties<'_>) -> Option<f64> {
    let score = properties.security_severity.as_ref()?.as_number()?;
    (0.0..=10.0).contains(&score).then_some(score)
}
