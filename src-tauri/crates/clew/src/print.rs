//! What commands say: data on stdout, harmless to a terminal whatever a trace holds.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _};

use serde::Serialize;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ink {
    /// A heading.
    Bold,
    /// What matters less.
    Dim,
    /// An error.
    Red,
    /// A warning.
    Yellow,
    /// All is well.
    Green,
}

/// Standard output.
pub(crate) struct Out {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    terminal: bool,
    colour: bool,
}

impl Out {
    pub(crate) fn new(json: bool, colour: Colour) -> Self {
        let terminal = io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                !set("NO_COLOR")
                    && (terminal
                        || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0"))
            }
        };
        Self {
            out: BufWriter::new(io::stdout().lock()),
            json,
            terminal,
            colour,
        }
    }

    /// Whether the answer is one JSON value.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person reads it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether colour is wanted at all.
    pub(crate) fn allows_colour(&self) -> bool {
        self.colour
    }

    /// Writes one JSON value on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(value)?;
        Ok(writeln!(self.out, "{}", escape_controls(&text))?)
    }

    /// Writes a line of our own making; foreign text in it has passed [`plain`].
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Writes a text of several lines that came from elsewhere.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        let text = lines(text);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        write!(self.out, "{text}{end}")
    }

    /// Writes rows under headings, columns as wide as their widest cell; those named in `right` stand to the right.
    pub(crate) fn table(
        &mut self,
        headings: &[&str],
        right: &[usize],
        rows: &[Vec<String>],
    ) -> io::Result<()> {
        let width = |column: usize| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain(headings.get(column).map(|heading| heading.len()))
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let render = |cells: &[String]| {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let room = width.saturating_sub(cell.chars().count());
                let room = " ".repeat(room);
                let gap = if column == 0 { "" } else { "  " };
                let _ = if right.contains(&column) {
                    write!(line, "{gap}{room}{cell}")
                } else {
                    write!(line, "{gap}{cell}{room}")
                };
            }
            line.trim_end().to_owned()
        };
        let heading: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
        let heading = self.ink(Ink::Bold, &render(&heading));
        self.line(&heading)?;
        rows.iter().try_for_each(|row| self.line(&render(row)))
    }

    /// The text in a colour, where colours are wanted.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => 1,
            Ink::Dim => 2,
            Ink::Red => 31,
            Ink::Yellow => 33,
            Ink::Green => 32,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Sends what is still in the buffer.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Tells the user something that is not the answer, on stderr.
pub(crate) fn note(text: &str) {
    // Without a reader there is nobody to tell.
    let _ = writeln!(io::stderr(), "clew: {}", lines(text));
}

/// Whether a character could steer a terminal, or hide or reorder text: controls, bidi marks, zero-width characters
/// and tags.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// A visible stand-in for a steering character: Unicode's pictures of controls, else a lozenge.
fn picture(character: char) -> char {
    match u32::from(character) {
        code @ 0..=0x1F => char::from_u32(0x2400 + code).unwrap_or('◇'),
        0x7F => '␡',
        _ => '◇',
    }
}

/// Foreign text for within a line: what could steer a terminal becomes visible instead.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_steering) {
        return Cow::Borrowed(text);
    }
    let shown = |character| {
        if is_steering(character) {
            picture(character)
        } else {
            character
        }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Foreign text of several lines: as [`plain`], but line feeds and tabs stay.
pub(crate) fn lines(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            _ if is_steering(character) => picture(character),
            _ => character,
        })
        .collect()
}

/// JSON with every steering character as an escape; in JSON such characters stand in strings alone.
fn escape_controls(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_steering) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_steering(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Cuts a text to so many characters, the last an ellipsis where something is gone.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().count() <= width {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    Cow::Owned(format!("{kept}…"))
}

/// A duration in nanoseconds for people: "840 µs", "12.4 ms", "3.05 s", "2 m 05 s".
pub(crate) fn duration(nanos: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    let n = nanos as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.0} µs", n / 1e3),
        1_000_000..100_000_000 => format!("{:.1} ms", n / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} ms", n / 1e6),
        1_000_000_000..60_000_000_000 => format!("{:.2} s", n / 1e9),
        _ => {
            let seconds = nanos / 1_000_000_000;
            format!("{} m {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// What is stated and what is estimated beside it, each as `write` has it: "1,200", "~87", "1,200 +~87", a dash.
pub(crate) fn with_estimate<T>(
    stated: Option<T>,
    estimated: Option<T>,
    write: impl Fn(Option<T>) -> String,
) -> String {
    match (stated, estimated) {
        (stated, None) => write(stated),
        (None, estimated) => format!("~{}", write(estimated)),
        (stated, estimated) => format!("{} +~{}", write(stated), write(estimated)),
    }
}

/// A count with separators: "12,345"; a dash where it is not stated.
pub(crate) fn count(value: Option<u64>) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// US dollars: four digits behind the point below one dollar; a dash where it is not stated. What is more than nothing
/// never reads as nothing.
pub(crate) fn dollars(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value > 0.0 && value < 0.000_1 => "<$0.0001".to_owned(),
        Some(value) if value.abs() < 1.0 => format!("${value:.4}"),
        Some(value) => format!("${value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\re\u{7f}\n";
        assert_eq!(plain(hostile), "a␛[2Jb◇31mc◇d␍e␡␊");
        assert_eq!(lines("one\n\ttwo\u{7}"), "one\n\ttwo␇");
        assert_eq!(plain("naïve 日本"), "naïve 日本");
    }

    #[test]
    fn json_stays_the_same_value() {
        let text = "\u{9b}31m\u{202e}\u{e0041}\u{1b}";
        let json = serde_json::to_string(text).expect("serialises");
        let escaped = escape_controls(&json);
        assert!(escaped.is_ascii(), "{escaped}");
        assert_eq!(
            serde_json::from_str::<String>(&escaped).expect("parses"),
            text
        );
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(
            [count(Some(0)), count(Some(1_234_567)), count(None)],
            ["0", "1,234,567", "–"]
        );
        assert_eq!(
            [0.0098, 12.4, 0.0, 0.000_03].map(|usd| dollars(Some(usd))),
            ["$0.0098", "$12.40", "$0.0000", "<$0.0001"]
        );
        assert_eq!([dollars(None), dollars(Some(0.000_1))], ["–", "$0.0001"]);
        let cases = [
            (12, "12 ns"),
            (840_000, "840 µs"),
            (12_400_000, "12.4 ms"),
            (3_050_000_000, "3.05 s"),
            (125_000_000_000, "2 m 05 s"),
        ];
        for (nanos, shown) in cases {
            assert_eq!(duration(nanos), shown);
        }
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
