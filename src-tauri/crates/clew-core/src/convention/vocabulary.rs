//! What a convention is made of beside its table: its marks, its scopes, its version and its rule for cached tokens.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::CONVENTIONS;
use super::read::{KeyMap, Keys, Table};
use crate::model::CacheCounting;

/// Everything that is data in a convention.
///
/// In `marks` and `known`, an entry that ends in `.` or `:` stands for all keys that begin with it.
#[derive(Debug)]
pub struct Vocabulary {
    /// The version of the specification or library that the tables follow.
    pub(super) version: &'static str,
    /// Where that states them.
    pub(super) source: &'static str,
    /// Names of instrumentation scopes that speak it: whole, or up to a `.`, `-` or `_`; with a `.` at the end, any
    /// name that begins so.
    pub(super) scopes: Keys,
    /// Keys by which it is told: nobody else has them.
    pub(super) marks: Keys,
    /// Keys that it explains, though no fact is made of them.
    pub(super) known: Keys,
    /// Which keys state which fact.
    pub(super) table: Table,
    /// How it counts cached tokens; the first row that fits counts.
    pub(super) cache: &'static [CacheRow],
}

impl Vocabulary {
    /// A vocabulary without words, to be filled with `..Vocabulary::EMPTY`.
    pub(super) const EMPTY: Self = Self {
        version: "",
        source: "",
        scopes: &[],
        marks: &[],
        known: &[],
        table: Table::EMPTY,
        cache: &[],
    };

    /// How much of the scope's name this vocabulary knows; 0 is nothing.
    pub(super) fn scope(&self, scope: &str) -> usize {
        let fits = |known: &&&'static str| {
            scope.strip_prefix(**known).is_some_and(|rest| {
                rest.is_empty() || known.ends_with('.') || rest.starts_with(['.', '-', '_', '/'])
            })
        };
        let known = self.scopes.iter().filter(fits);
        known.map(|known| known.len()).max().unwrap_or(0)
    }
}

/// How cached tokens are counted by one kind of source.
#[derive(Debug)]
pub(super) struct CacheRow {
    /// Providers for which it holds, normalised; none is all.
    pub(super) providers: Keys,
    /// A key that the span must have; empty is none.
    pub(super) with: &'static str,
    /// A key that the span must not have; empty is none.
    pub(super) without: &'static str,
    /// How they are counted.
    pub(super) counting: CacheCounting,
    /// What says so.
    pub(super) source: &'static str,
}

impl CacheRow {
    /// A row for every provider.
    pub(super) const fn all(counting: CacheCounting, source: &'static str) -> Self {
        Self {
            providers: &[],
            with: "",
            without: "",
            counting,
            source,
        }
    }

    /// Whether the row holds for this span and provider.
    pub(super) fn holds(&self, map: &KeyMap, provider: Option<&str>) -> bool {
        (self.providers.is_empty()
            || provider.is_some_and(|provider| self.providers.contains(&provider)))
            && (self.with.is_empty() || map.has(self.with))
            && (self.without.is_empty() || !map.has(self.without))
    }
}

/// What all vocabularies say of one key: a bit for each convention that has it as a mark, and whether any explains it.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    marks: u64,
    known: bool,
}

impl Word {
    const fn and(self, other: Self) -> Self {
        Self {
            marks: self.marks | other.marks,
            known: self.known || other.known,
        }
    }
}

/// Every key of every vocabulary.
struct Words {
    exact: HashMap<&'static str, Word>,
    spaces: HashMap<&'static str, Word>,
    /// First bytes of the spaces' keys and their lengths, so that most keys need no look into `spaces`.
    firsts: [bool; 256],
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words {
        exact: HashMap::new(),
        spaces: HashMap::new(),
        firsts: [false; 256],
    };
    for (index, convention) in CONVENTIONS.iter().enumerate() {
        let vocabulary = convention.vocabulary();
        let explained = |known| Word { marks: 0, known };
        for key in vocabulary.marks {
            let word = Word {
                marks: 1 << index,
                known: !is_space(key),
            };
            words.add(key, word);
        }
        for key in vocabulary.known {
            words.add(key, explained(true));
        }
        for key in vocabulary.table.keys() {
            words.add(key, explained(true));
        }
    }
    words
});

fn is_space(key: &str) -> bool {
    key.ends_with(['.', ':'])
}

impl Words {
    fn add(&mut self, key: &'static str, word: Word) {
        let words = if is_space(key) {
            self.firsts[usize::from(key.as_bytes()[0])] = true;
            &mut self.spaces
        } else {
            &mut self.exact
        };
        let known = words.entry(key).or_default();
        *known = known.and(word);
    }

    fn word(&self, key: &str) -> Word {
        let mut word = self.exact.get(key).copied().unwrap_or_default();
        let first = key.bytes().next().map_or(0, usize::from);
        if self.firsts[first] {
            for (end, byte) in key.bytes().enumerate().take(128) {
                if matches!(byte, b'.' | b':')
                    && let Some(space) = self.spaces.get(&key[..=end])
                {
                    word = word.and(*space);
                }
            }
        }
        word
    }
}

/// Which conventions have how many of the span's keys as their marks, in the order of [`CONVENTIONS`].
pub(super) struct Marks(u64, Vec<u16>);

impl Marks {
    /// Counts the span's marks.
    pub(super) fn of(map: &KeyMap) -> Self {
        let mut counts = vec![0_u16; CONVENTIONS.len()];
        let mut any = 0;
        for attribute in &map.view().span.attributes {
            let mut marks = WORDS.word(&attribute.key).marks;
            any |= marks;
            while marks != 0 {
                let count = &mut counts[marks.trailing_zeros() as usize];
                *count = count.saturating_add(1);
                marks &= marks - 1;
            }
        }
        Self(any, counts)
    }

    /// Whether the span has a mark of this convention.
    pub(super) const fn any(&self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    /// How many marks of this convention the span has.
    pub(super) fn count(&self, index: usize) -> u16 {
        self.1[index]
    }
}

/// Whether some convention explains this key.
pub(super) fn explained(key: &str) -> bool {
    WORDS.word(key).known
}
