//! Ids that are looked for in texts, all in one pass, with the work counted.

use std::collections::BTreeMap;

/// Characters of the shortest id that is looked for wherever it stands; a shorter one counts only in brackets.
const SHORTEST: usize = 3;
/// Bytes of the longest id that is looked for.
const LONGEST: usize = 500;
/// Characters to either side of a short id in which its brackets must stand.
const LONGEST_LIST: usize = 40;
/// Characters of one of the ids that stand in brackets together.
const LONGEST_TOKEN: usize = 3;

/// Ids, each with what it stands for.
pub(super) struct Ids<'a, T> {
    /// Sorted by their bytes, each once.
    all: Vec<Id<'a, T>>,
    /// Whether an id begins with that byte.
    begins: [bool; 256],
}

struct Id<'a, T> {
    text: &'a str,
    of: T,
    /// The longest other id that this one begins with.
    within: Option<usize>,
    is_short: bool,
    /// Length in UTF-16 code units.
    units: u32,
}

impl<'a, T> Ids<'a, T> {
    /// Of several things with one id the first; an id that is blank or of more than 500 bytes is not looked for.
    pub(super) fn of(named: impl Iterator<Item = (&'a str, T)>) -> Self {
        let mut sorted: BTreeMap<&str, T> = BTreeMap::new();
        for (id, of) in named.filter(|(id, _)| !id.is_empty() && id.len() <= LONGEST) {
            sorted.entry(id).or_insert(of);
        }
        let mut begins = [false; 256];
        let mut all: Vec<Id<'a, T>> = Vec::with_capacity(sorted.len());
        for (text, of) in sorted {
            if let Some(&byte) = text.as_bytes().first() {
                begins[usize::from(byte)] = true;
            }
            // What an id begins with stands before it, and all between begins with that too.
            let mut within = all.len().checked_sub(1);
            while let Some(id) = within.and_then(|place| all.get(place)) {
                if text.starts_with(id.text) {
                    break;
                }
                within = id.within;
            }
            all.push(Id {
                text,
                of,
                within,
                is_short: text.chars().nth(SHORTEST - 1).is_none(),
                units: units(text),
            });
        }
        Self { all, begins }
    }

    /// Tells of each place where an id stands as a word of its own, from left to right, with the place in UTF-16 code
    /// units, until `found` says that this is enough or no step is left. Of ids at one place the longest counts, and none
    /// within another.
    pub(super) fn look(
        &self,
        text: &str,
        steps: &mut usize,
        mut found: impl FnMut(&str, &T, (u32, u32)) -> bool,
    ) {
        let mut at: u32 = 0;
        let mut past = 0;
        let mut before = [None; 2];
        for (start, character) in text.char_indices() {
            let begins = text
                .as_bytes()
                .get(start)
                .is_some_and(|&byte| self.begins[usize::from(byte)]);
            if begins && start >= past && !continues(before.into_iter().flatten()) {
                if let Some(id) = self.at(text, start, steps) {
                    past = start + id.text.len();
                    if !found(id.text, &id.of, (at, at.saturating_add(id.units))) {
                        return;
                    }
                }
                if *steps == 0 {
                    return;
                }
            }
            at = at.saturating_add(if character > '\u{ffff}' { 2 } else { 1 });
            before = [Some(character), before[0]];
        }
    }

    /// The longest id that stands at a place.
    fn at(&self, text: &str, start: usize, steps: &mut usize) -> Option<&Id<'a, T>> {
        let rest = &text.as_bytes()[start..];
        // The last id that does not come after what stands here: what stands here begins with it, with one that it
        // begins with, or with none.
        let after = self.all.partition_point(|id| {
            let id = id.text.as_bytes();
            let same = common(id, rest);
            *steps = steps.saturating_sub(same + 1);
            match (id.get(same), rest.get(same)) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(own), Some(other)) => own < other,
            }
        });
        let mut place = after.checked_sub(1);
        let nearest = self.all.get(place?)?;
        let same = common(nearest.text.as_bytes(), rest);
        while let Some(id) = place.and_then(|place| self.all.get(place)) {
            *steps = steps.saturating_sub(if id.is_short { 2 * LONGEST_LIST } else { 1 });
            if id.text.len() <= same && stands_alone(id, text, start) {
                return Some(id);
            }
            place = id.within;
        }
        None
    }
}

/// How many bytes two texts have in common at their beginning.
fn common(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

/// Whether no word goes on after an id, and a short one stands in brackets.
fn stands_alone<T>(id: &Id<'_, T>, text: &str, start: usize) -> bool {
    let (before, after) = (&text[..start], &text[start + id.text.len()..]);
    !continues(after.chars()) && (!id.is_short || is_bracketed(before, id.text, after))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether a word goes on with these characters: a letter or digit, or one after a sign that joins ("/", "-", "." …).
fn continues(mut characters: impl Iterator<Item = char>) -> bool {
    match characters.next() {
        Some(first) if is_word(first) => true,
        Some('-' | '/' | '.' | ':' | '#' | '@') => characters.next().is_some_and(is_word),
        _ => false,
    }
}

/// Whether brackets stand around an id with nothing else in them but numbers of that kind ("[3]", "[1, 3]", "[1][3]",
/// "【3】"), and no name before them, as in the code "a[3]".
fn is_bracketed(before: &str, id: &str, after: &str) -> bool {
    let is_bracket = |letter: char| matches!(letter, '[' | ']' | '【' | '】');
    let within = |text: &mut dyn Iterator<Item = char>| -> Option<(String, char)> {
        let mut list = String::new();
        for letter in text.take(LONGEST_LIST) {
            if is_bracket(letter) {
                return Some((list, letter));
            }
            list.push(letter);
        }
        None
    };
    let mut back = before.chars().rev();
    let Some((left, opening)) = within(&mut back) else {
        return false;
    };
    let Some((right, closing)) = within(&mut after.chars()) else {
        return false;
    };
    let left: String = left.chars().rev().collect();
    if !is_list(&format!("{left}{id}{right}"), id) {
        return false;
    }
    match (opening, closing) {
        ('【', '】') => true,
        ('[', ']') => is_apart(back, id),
        _ => false,
    }
}

/// Whether no name stands before an opening bracket, nor before other lists right before it: "[1][3]" and not "a[1][3]".
fn is_apart(before: impl Iterator<Item = char>, id: &str) -> bool {
    let mut before = before.take(LONGEST_LIST);
    loop {
        match before.next() {
            Some(']') => {
                let list: Vec<char> = before
                    .by_ref()
                    .take_while(|&letter| letter != '[')
                    .collect();
                if !is_list(&list.iter().rev().collect::<String>(), id) {
                    return false;
                }
            }
            Some(')') => return false,
            Some(letter) => return !is_word(letter),
            None => return true,
        }
    }
}

/// Whether a text is but a list of numbers of documents: each short and with a digit in it, or the id itself.
fn is_list(text: &str, id: &str) -> bool {
    let mut tokens = text
        .split([',', ';', ' '])
        .filter(|token| !token.is_empty());
    tokens.all(|token| {
        let token = token.strip_prefix(['^', '#']).unwrap_or(token);
        let is_number = token.chars().any(|letter| letter.is_ascii_digit())
            && token.chars().nth(LONGEST_TOKEN).is_none()
            && token
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '-');
        is_number || token == id
    })
}

/// Length in UTF-16 code units.
fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
