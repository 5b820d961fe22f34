//! The lists that a tool always writes: where one is missing, nobody knows what it would have said.
//!
//! A format names them as paths of keys with `/` between them. `*` stands for every element of a list and every value of an
//! object, `#` for every element of a list. What a path leads to is a list of objects, with `[]` at its end a list of whatever, or
//! with `{}` an object. A step may be left out with `?` behind it, for what the tool omits when it is empty, and may be null with
//! `~`, for what its language writes for an empty list:
//! `Issues~`, `results/*/packages/*/groups?`, `paths/scanned[]`, `advisories{}`. A path whose first step is a key says nothing of a file that is a
//! list, nor one that begins with `#` of a file that is an object.

use super::tree::{Pattern, pointer_step};
use crate::json::Loose;

/// One path.
#[derive(Debug)]
pub(super) struct ListPath {
    steps: Vec<Step>,
    is_object: bool,
    /// Whether the elements of the list are objects.
    has_objects: bool,
}

#[derive(Debug)]
struct Step {
    /// `None` for `*` and `#`.
    key: Option<&'static str>,
    is_in_list: bool,
    may_be_missing: bool,
    may_be_null: bool,
}

impl Step {
    fn fits(&self, key: &str) -> bool {
        self.key.is_none_or(|own| own == key)
            && (!self.is_in_list || key.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// What is not as the tool writes it, and where: a JSON pointer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Missing { at: String, is_object: bool },
    Null { at: String, is_object: bool },
    OtherType { at: String, is_object: bool },
}

impl Wrong {
    /// With the pointer of the page that it is on.
    pub(super) fn on_page(mut self, page: &str) -> Self {
        let (Self::Missing { at, .. } | Self::Null { at, .. } | Self::OtherType { at, .. }) =
            &mut self;
        at.insert_str(0, page);
        self
    }
}

impl ListPath {
    pub(super) fn parse(path: &'static str) -> Self {
        let (path, is_object, has_objects) =
            match (path.strip_suffix("{}"), path.strip_suffix("[]")) {
                (Some(path), _) => (path, true, false),
                (_, Some(path)) => (path, false, false),
                _ => (path, false, true),
            };
        let steps = path.split('/').filter(|step| !step.is_empty()).map(|step| {
            let key = step.trim_end_matches(['?', '~']);
            let marks = &step[key.len()..];
            Step {
                key: (key != "*" && key != "#").then_some(key),
                is_in_list: key == "#",
                may_be_missing: marks.contains('?'),
                may_be_null: marks.contains('~'),
            }
        });
        Self {
            steps: steps.collect(),
            is_object,
            has_objects,
        }
    }

    /// Looks along the path through an element of the file, which lies at a JSON pointer; what one of the patterns fits has been
    /// handed on by itself, and is not looked at again.
    pub(super) fn look(
        &self,
        pointer: &str,
        element: &Loose<'_>,
        streamed: &[Pattern],
        wrong: &mut Vec<Wrong>,
    ) {
        let mut taken = Vec::new();
        for key in pointer.split('/').skip(1) {
            match self.steps.get(taken.len()) {
                Some(step) if step.fits(key) => taken.push(key.to_owned()),
                _ => return,
            }
        }
        if taken.is_empty()
            && let Some(first) = self.steps.first()
            && first.key.is_none() != element.is_list()
        {
            // Of the other form of the file.
            if first.key.is_some() || first.is_in_list || !element.is_object() {
                return;
            }
        }
        let rest = &self.steps[taken.len()..];
        if !taken.is_empty() && rest.is_empty() {
            return;
        }
        self.walk(rest, element, &mut taken, streamed, wrong);
    }

    fn walk(
        &self,
        steps: &[Step],
        value: &Loose<'_>,
        taken: &mut Vec<String>,
        streamed: &[Pattern],
        wrong: &mut Vec<Wrong>,
    ) {
        // More of the same kind say no more.
        if wrong.len() >= 10 {
            return;
        }
        let is_object = self.is_object;
        let at = |taken: &[String]| {
            let steps = taken.iter().map(|key| pointer_step(key));
            steps.fold(String::new(), |at, key| format!("{at}/{key}"))
        };
        let Some((step, rest)) = steps.split_first() else {
            let fits = if is_object {
                value.is_object()
            } else {
                value.is_list()
            };
            if !fits {
                let at = at(taken);
                wrong.push(Wrong::OtherType { at, is_object });
            }
            if self.has_objects
                && let Loose::List(list) = value
                && let Some(odd) = list.iter().position(|element| !element.is_object())
            {
                wrong.push(Wrong::OtherType {
                    at: format!("{}/{odd}", at(taken)),
                    is_object: true,
                });
            }
            return;
        };
        let Some(key) = step.key else {
            let children: Vec<(String, &Loose<'_>)> = match value {
                Loose::List(list) => {
                    let numbered = list.iter().enumerate();
                    numbered.map(|(n, value)| (n.to_string(), value)).collect()
                }
                Loose::Object(entries) => {
                    let entries = entries.iter();
                    entries
                        .map(|(key, value)| (key.to_string(), value))
                        .collect()
                }
                _ => {
                    let at = at(taken);
                    wrong.push(Wrong::OtherType {
                        at,
                        is_object: false,
                    });
                    return;
                }
            };
            for (key, child) in children {
                taken.push(key);
                if !(is_streamed(taken, streamed) || step.may_be_null && child.is_null()) {
                    self.walk(rest, child, taken, streamed, wrong);
                }
                taken.pop();
            }
            return;
        };
        let Loose::Object(entries) = value else {
            let at = at(taken);
            wrong.push(Wrong::OtherType {
                at,
                is_object: true,
            });
            return;
        };
        taken.push(key.to_owned());
        match entries.iter().find(|(name, _)| name == key) {
            None if step.may_be_missing => {}
            None => wrong.push(Wrong::Missing {
                at: at(taken),
                is_object,
            }),
            Some((_, Loose::Null)) if step.may_be_null || is_streamed(taken, streamed) => {}
            Some((_, Loose::Null)) => wrong.push(Wrong::Null {
                at: at(taken),
                is_object,
            }),
            Some((_, child)) => self.walk(rest, child, taken, streamed, wrong),
        }
        taken.pop();
    }
}

fn is_streamed(taken: &[String], streamed: &[Pattern]) -> bool {
    streamed.iter().any(|pattern| {
        pattern.len() == taken.len()
            && pattern
                .iter()
                .zip(taken)
                .all(|(step, key)| *step == "*" || step == key)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn looked(path: &'static str, value: &serde_json::Value) -> Vec<String> {
        let text = value.to_string();
        let value: Loose<'_> = serde_json::from_str(&text).expect("JSON");
        let mut wrong = Vec::new();
        ListPath::parse(path).look("", &value, &[], &mut wrong);
        let told = wrong.iter().map(|wrong| match wrong {
            Wrong::Missing { at, .. } => format!("{at} missing"),
            Wrong::Null { at, .. } => format!("{at} null"),
            Wrong::OtherType { at, .. } => format!("{at} other"),
        });
        told.collect()
    }

    #[test]
    fn a_list_has_to_be_there_unless_its_tool_leaves_it_out() {
        for (path, value, wrong) in [
            ("a", json!({"a": []}), &[][..]),
            ("a", json!({"a": [{}, {"b": 1}]}), &[]),
            ("a", json!({"a": [{}, null]}), &["/a/1 other"]),
            ("a", json!({"a": ["x"]}), &["/a/0 other"]),
            ("a[]", json!({"a": ["x", null, {}]}), &[]),
            ("a?~[]", json!({"a": {}}), &["/a other"]),
            ("a", json!({}), &["/a missing"]),
            ("a?", json!({}), &[]),
            ("a", json!({"a": null}), &["/a null"]),
            ("a?", json!({"a": null}), &["/a null"]),
            ("a~", json!({"a": null}), &[]),
            ("a?~", json!({"a": {}}), &["/a other"]),
            ("a", json!({"a": "x"}), &["/a other"]),
            ("a{}", json!({"a": []}), &["/a other"]),
            ("a{}", json!({"a": {}}), &[]),
            ("a/*/b", json!({"a": [{"b": []}, {}]}), &["/a/1/b missing"]),
            (
                "a/*/b",
                json!({"a": {"x/y": {"b": 1}}}),
                &["/a/x~1y/b other"],
            ),
            ("a/*/b?", json!({"a": [{}]}), &[]),
            ("a?/b", json!({}), &[]),
            ("a?/b", json!({"a": {}}), &["/a/b missing"]),
            ("a/*/b", json!({"a": "x"}), &["/a other"]),
            ("a/*/b", json!({"a": ["x"]}), &["/a/0 other"]),
            // The other form of the file.
            ("a", json!([{"a": 1}]), &[]),
            ("*/a", json!([{"b": 1}]), &["/0/a missing"]),
            ("*/a", json!({"b": {}}), &["/b/a missing"]),
            ("#/a", json!([{"b": 1}]), &["/0/a missing"]),
            ("#/a", json!({"b": {}}), &[]),
        ] {
            assert_eq!(looked(path, &value), wrong, "{path} {value}");
        }
    }

    #[test]
    fn what_was_handed_on_is_not_looked_at_again() {
        let rest: Loose<'_> = serde_json::from_str(r#"{"a": {"x": null}}"#).expect("JSON");
        let mut wrong = Vec::new();
        let path = ListPath::parse("a/*/b");
        path.look("", &rest, &[&["a", "*"]], &mut wrong);
        assert_eq!(wrong, []);
        let element: Loose<'_> = serde_json::from_str(r#"{"c": 1}"#).expect("JSON");
        path.look("/a/x", &element, &[&["a", "*"]], &mut wrong);
        let at = "/a/x/b".to_owned();
        assert_eq!(
            wrong,
            [Wrong::Missing {
                at,
                is_object: false
            }]
        );
    }
}
