//! Values as Python's `repr` writes them, which some exporters put where JSON should be (`{'cache_read': 0}`).

use serde_json::{Map, Number, Value as Json};

/// Longest text that is read, in bytes.
const MAX_BYTES: usize = 1 << 16;
/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// The literal as JSON: dictionaries, lists, tuples, strings, numbers, `True`, `False` and `None`; `None` for anything
/// else.
pub(super) fn parse(text: &str) -> Option<Json> {
    let text = text.trim();
    if text.len() > MAX_BYTES || !text.starts_with(['{', '[', '(']) {
        return None;
    }
    let mut parser = Parser { rest: text };
    let value = parser.value(0)?;
    parser.rest.trim_start().is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(token);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip();
        match self.rest.chars().next()? {
            '{' => self.dictionary(depth),
            '[' => self.list('[', "]", depth),
            '(' => self.list('(', ")", depth),
            quote @ ('\'' | '"') => self.string(quote).map(Json::String),
            _ => self.word(),
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Json> {
        let mut fields = Map::new();
        self.eat("{");
        while !self.eat("}") {
            self.skip();
            let quote = self
                .rest
                .chars()
                .next()
                .filter(|c| matches!(c, '\'' | '"'))?;
            let name = self.string(quote)?;
            if !self.eat(":") {
                return None;
            }
            fields.insert(name, self.value(depth + 1)?);
            if !self.eat(",") {
                return self.eat("}").then_some(Json::Object(fields));
            }
        }
        Some(Json::Object(fields))
    }

    fn list(&mut self, open: char, close: &str, depth: usize) -> Option<Json> {
        self.rest = self.rest.strip_prefix(open)?;
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value(depth + 1)?);
            if !self.eat(",") {
                return self.eat(close).then_some(Json::Array(items));
            }
        }
        Some(Json::Array(items))
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                end if end == quote => {
                    self.rest = &self.rest[at + 2..];
                    return Some(text);
                }
                '\\' => match characters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        None
    }

    fn word(&mut self) -> Option<Json> {
        let end = self
            .rest
            .find([',', '}', ']', ')', ' ', '\n'])
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "True" | "true" => Some(Json::Bool(true)),
            "False" | "false" => Some(Json::Bool(false)),
            "None" | "null" => Some(Json::Null),
            number => number.parse::<Number>().ok().map(Json::Number),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn python_writes_what_json_would() {
        let usage = "{'prompt_tokens': 14, 'details': {'cached': None, 'ok': True}, 'x': ['it\\'s', (1, -2.5)], \"q\": \"'\"}";
        assert_eq!(
            parse(usage),
            Some(json!({
                "prompt_tokens": 14,
                "details": {"cached": null, "ok": true},
                "x": ["it's", [1, -2.5]],
                "q": "'",
            }))
        );
        assert_eq!(parse("{}"), Some(json!({})));
        for broken in [
            "{'a': 1",
            "{'a' 1}",
            "{1: 2}",
            "Usage(input=3)",
            "{'a': b}",
            "{'a': 1} x",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        assert_eq!(parse(&"[".repeat(50_000)), None);
    }
}
