//! Every colour of Clew, for both themes: the tokens of the interface and the inks of series.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// One colour in both themes, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The name of its CSS variable, without the leading dashes.
    pub name: &'static str,
    /// On the light background.
    pub light: &'static str,
    /// On the dark background.
    pub dark: &'static str,
}

const fn token(name: &'static str, light: &'static str, dark: &'static str) -> Token {
    Token { name, light, dark }
}

/// The interface's colours: surfaces, text, kinds of spans, errors. Values: screens.md 3.3, where contrast and
/// colour-blind distance were computed.
pub const TOKENS: [Token; 19] = [
    token("bg", "#ffffff", "#0d0f13"),
    token("surface", "#f6f7f9", "#14171c"),
    token("raised", "#ffffff", "#1b1f26"),
    token("line", "#e3e6ea", "#2a2f38"),
    token("text", "#14171c", "#e9ecf1"),
    token("text-2", "#4a5260", "#aab2bf"),
    token("text-3", "#616a78", "#8790a0"),
    token("accent", "#5b34c9", "#b79cff"),
    token("kind-llm", "#6d3fe0", "#b79cff"),
    token("kind-agent", "#ba7100", "#fc9621"),
    token("kind-chain", "#7d8590", "#8b94a1"),
    token("kind-tool", "#18737a", "#7dced5"),
    token("kind-retriever", "#18497e", "#4a79dc"),
    token("kind-embedding", "#4e6214", "#f2d63a"),
    token("kind-reranker", "#4e6214", "#f2d63a"),
    token("kind-guardrail", "#8a1f5c", "#b8459a"),
    token("kind-evaluator", "#3f9a5c", "#a6f0b4"),
    token("kind-other", "#7d8590", "#8b94a1"),
    token("error", "#c4162a", "#ff5a67"),
];

/// The inks of series, after Paul Tol's "bright" scheme: its hues, darkened for the light background and lightened for
/// the dark one until each stands out 3:1 from both surfaces; an orange makes them eight.
pub const INKS: [Token; 8] = [
    token("ink-0", "#4477aa", "#6ea3dc"),
    token("ink-1", "#d5475c", "#ee6677"),
    token("ink-2", "#228833", "#55b566"),
    token("ink-3", "#94841a", "#ccbb44"),
    token("ink-4", "#1f8fb5", "#66ccee"),
    token("ink-5", "#aa3377", "#d66fae"),
    token("ink-6", "#c85f14", "#ee8844"),
    token("ink-7", "#707782", "#bbbbbb"),
];

/// What a drawing is coloured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// CSS variables, on no background: the app's own, following its theme without a redraw.
    #[default]
    App,
    /// The light theme's colours, for files.
    Light,
    /// The dark theme's colours, for files.
    Dark,
}

/// What something in a drawing is coloured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Background,
    Grid,
    Axis,
    Title,
    Label,
    Ink(u32),
}

impl Slot {
    const PLAIN: [Self; 5] = [
        Self::Background,
        Self::Grid,
        Self::Axis,
        Self::Title,
        Self::Label,
    ];

    /// The colour by which plotters draws it: reserved, and replaced by [`paint`].
    pub(super) fn reserved(self) -> RGBColor {
        match self {
            Self::Ink(ink) => RGBColor(1, 2, u8::try_from(ink).unwrap_or(u8::MAX)),
            plain => {
                let place = Self::PLAIN.iter().position(|slot| *slot == plain);
                RGBColor(
                    1,
                    3,
                    place.and_then(|at| u8::try_from(at).ok()).unwrap_or(0),
                )
            }
        }
    }

    fn token(self) -> Token {
        let name = match self {
            Self::Background => "bg",
            Self::Grid => "line",
            Self::Axis | Self::Label => "text-3",
            Self::Title => "text",
            Self::Ink(ink) => {
                let at = usize::try_from(ink).unwrap_or(0) % INKS.len();
                return INKS.get(at).copied().unwrap_or(INKS[0]);
            }
        };
        let found = TOKENS.into_iter().find(|token| token.name == name);
        found.unwrap_or(TOKENS[0])
    }
}

/// Replaces the reserved colours of a drawing by a palette's. Only whole attribute values are replaced: text cannot
/// hold one, because plotters escapes its quotes.
pub(super) fn paint(svg: &str, palette: Palette) -> String {
    let mut out = svg.to_owned();
    let inks = (0..8).map(Slot::Ink);
    for slot in Slot::PLAIN.into_iter().chain(inks) {
        let RGBColor(r, g, b) = slot.reserved();
        let token = slot.token();
        let colour = match palette {
            Palette::App => format!("=\"var(--{})\"", token.name),
            Palette::Light => format!("=\"{}\"", token.light),
            Palette::Dark => format!("=\"{}\"", token.dark),
        };
        out = out.replace(&format!("=\"#{r:02X}{g:02X}{b:02X}\""), &colour);
    }
    out
}

/// The ink of what is left when every other ink has its own name.
pub const REST_INK: u32 = 7;

/// Inks that names are given: all but [`REST_INK`].
pub const NAMED_INKS: usize = INKS.len() - 1;

/// Chooses an ink for each name: by a stable hash (FNV-1a) of the name, so that a model keeps its colour in every
/// chart; where two of the names would share one, the later takes the next that is free, while there is one.
#[must_use]
pub fn inks_of(names: &[&str]) -> Vec<u32> {
    let mut taken = [false; NAMED_INKS];
    names
        .iter()
        .map(|name| {
            let first = usize::try_from(fnv1a(name) % NAMED_INKS as u64).unwrap_or(0);
            let free = (0..NAMED_INKS)
                .map(|next| (first + next) % NAMED_INKS)
                .find(|ink| taken.get(*ink) == Some(&false));
            let ink = free.unwrap_or(first);
            if let Some(taken) = taken.get_mut(ink) {
                *taken = true;
            }
            u32::try_from(ink).unwrap_or(0)
        })
        .collect()
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The text of `ui/src/generated/palette.css`: every token and ink as a CSS variable that follows `color-scheme`.
#[must_use]
pub fn palette_css() -> String {
    let mut out = String::from(
        "/* Written by `cargo xtask bindings` from clew-core/src/chart/ink.rs. Do not edit. */\n:root {\n",
    );
    for Token { name, light, dark } in TOKENS.iter().chain(&INKS) {
        let _ = writeln!(out, "  --{name}: light-dark({light}, {dark});");
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2 relative luminance.
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let value =
                f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits"))
                    / 255.0;
            match value <= 0.04045 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn named(name: &str) -> Token {
        *TOKENS
            .iter()
            .find(|token| token.name == name)
            .expect("a token of this name")
    }

    #[test]
    fn every_ink_and_kind_stands_out_from_both_backgrounds() {
        let kinds = TOKENS.iter().filter(|token| {
            token.name.starts_with("kind-") || ["error", "ok"].contains(&token.name)
        });
        for token in INKS.iter().chain(kinds) {
            for background in ["bg", "surface"] {
                let ground = named(background);
                for (colour, ground) in [(token.light, ground.light), (token.dark, ground.dark)] {
                    let ratio = contrast(colour, ground);
                    assert!(
                        ratio >= 3.0,
                        "{} {colour} on {ground}: {ratio:.2}",
                        token.name
                    );
                }
            }
        }
    }

    #[test]
    fn text_can_be_read_on_every_surface() {
        for text in ["text", "text-2", "text-3", "accent"].map(named) {
            for ground in ["bg", "surface", "raised"].map(named) {
                assert!(contrast(text.light, ground.light) >= 4.5, "{}", text.name);
                assert!(contrast(text.dark, ground.dark) >= 4.5, "{}", text.name);
            }
        }
    }

    #[test]
    fn every_operation_has_its_colour() {
        for operation in crate::model::Operation::ALL {
            named(&format!("kind-{}", operation.name()));
        }
    }

    #[test]
    fn a_name_keeps_its_ink_and_no_two_share_one() {
        let alone = inks_of(&["gpt-4o"]);
        assert_eq!(inks_of(&["gpt-4o", "claude", "mistral"])[0], alone[0]);
        let names: Vec<String> = (0..7).map(|number| format!("model-{number}")).collect();
        let mut inks = inks_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
        inks.sort_unstable();
        assert_eq!(inks, (0..REST_INK).collect::<Vec<_>>());
    }

    #[test]
    fn the_stylesheet_holds_every_colour_once() {
        let css = palette_css();
        for token in TOKENS.iter().chain(&INKS) {
            assert_eq!(css.matches(&format!("--{}:", token.name)).count(), 1);
        }
        assert!(css.contains("  --bg: light-dark(#ffffff, #0d0f13);\n"));
        assert!(css.contains("  --ink-7: "));
    }
}
