//! What a template leaves open.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

/// Placeholders listed for one template, the first ones; a text with more is not a template.
const MAX_VARIABLES: usize = 500;

/// The four forms, longest first: `{{x}}` (Mustache, Handlebars, Jinja, with filters), `${x}` (shell, JavaScript),
/// `%(x)s` and `{x}`, `{x!r}`, `{x:.2f}` (Python). A name is a word, with `.`, `-` or `[0]` inside, so the braces of
/// JSON and of code stay text.
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const NAME: &str = r"[\p{Alphabetic}_][\w.\-]*(?:\[\w+\][\w.\-]*)*";
    Regex::new(&format!(
        concat!(
            r"\{{\{{\{{?[~-]?\s*(?:[#^&>]\s*)?(?:(?:if|unless|each|with)\s+)?({name})\s*(?:\|[^{{}}]*)?[~-]?\}}\}}\}}?",
            r"|\$\{{({name})\}}",
            r"|%\(({name})\)[#0\- +]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]",
            r"|\{{({name})(?:![rsa])?(?::(?:.?[<>=^])?[+\- ]?#?0?\d*[,_]?(?:\.\d+)?[bcdeEfFgGnosxX%]?)?\}}",
        ),
        name = NAME
    ))
    .ok()
});

/// Names of a template's placeholders, each once, in the order in which they first appear, at most 500.
///
/// Understood are `{{x}}`, `${x}`, `%(x)s` and `{x}` with their usual filters and format specifications.
#[must_use]
pub fn variables(template: &str) -> Vec<String> {
    let Some(placeholder) = PLACEHOLDER.as_ref() else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    placeholder
        .captures_iter(template)
        .filter_map(|found| found.iter().skip(1).flatten().next())
        .map(|name| name.as_str())
        .filter(|name| !["else", "this", "end"].contains(name))
        .filter(|name| seen.insert(*name))
        .take(MAX_VARIABLES)
        .map(str::to_owned)
        .collect()
}

/// How the placeholders of two templates differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableChange {
    /// Only in the newer template.
    pub added: Vec<String>,
    /// Only in the older template.
    pub removed: Vec<String>,
    /// In both.
    pub kept: Vec<String>,
}

/// Compares the placeholders of two templates, each list in its template's order.
#[must_use]
pub fn compare_variables(old: &str, new: &str) -> VariableChange {
    let (old, new) = (variables(old), variables(new));
    let before: HashSet<&str> = old.iter().map(String::as_str).collect();
    let after: HashSet<&str> = new.iter().map(String::as_str).collect();
    let (kept, added) = new
        .iter()
        .cloned()
        .partition(|name| before.contains(name.as_str()));
    let removed = old
        .iter()
        .filter(|name| !after.contains(name.as_str()))
        .cloned()
        .collect();
    VariableChange {
        added,
        removed,
        kept,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_placeholder_is_found() {
        for (template, names) in [
            ("Hi {{name}}, {{ user.first }}!", vec!["name", "user.first"]),
            (
                "{{{raw}}} {{&html}} {{~trim~}}",
                vec!["raw", "html", "trim"],
            ),
            (
                "{{ docs[0].text | upper | default(\"x\") }}",
                vec!["docs[0].text"],
            ),
            ("{{#if urgent}}!{{else}}.{{/if}}", vec!["urgent"]),
            ("{{#each items}}{{this}}{{/each}}", vec!["items"]),
            (
                "Hi {name}, {age:>3d}, {who!r}, {price:.2f}",
                vec!["name", "age", "who", "price"],
            ),
            ("${city} costs $5 and ${price}", vec!["city", "price"]),
            (
                "%(topic)s in %(count)03d words, 5% (s)",
                vec!["topic", "count"],
            ),
            ("{question} and again {question}", vec!["question"]),
            ("{größe} {变量}", vec!["größe", "变量"]),
        ] {
            assert_eq!(variables(template), names, "{template}");
        }
    }

    #[test]
    fn json_and_code_are_not_placeholders() {
        for text in [
            r#"{"a": 1, "b": {"c": []}}"#,
            r#"Answer as {{"answer": "..."}}"#,
            "function f() { return x; }",
            "{ key: value }",
            "{}",
            "{ }",
            "{1}",
            "{a, b}",
            "{{",
            "}} {",
            "{{/if}}",
        ] {
            assert_eq!(variables(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn added_and_removed_placeholders_are_told() {
        let change = compare_variables("{company} {tone}", "{docs} {company}");
        assert_eq!(change.added, ["docs"]);
        assert_eq!(change.removed, ["tone"]);
        assert_eq!(change.kept, ["company"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[{}$%(){}a-z:!|# \\[\\].]{0,60}") {
            let names = variables(&text);
            prop_assert!(names.iter().all(|name| text.contains(name.as_str())));
        }
    }
}
