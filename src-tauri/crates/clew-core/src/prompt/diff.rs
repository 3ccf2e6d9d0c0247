//! The difference of two texts by lines, with the words that changed within a line.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Change, DiffLine, DiffPiece};

/// Lines, of both texts together and after what they share at both ends, that are compared line by line. Beyond, the
/// middle is shown as removed and added whole: the cost of a comparison grows with the square of what differs.
const MAX_LINES: usize = 4_000;

/// Pairs of words, over all pairs of changed lines, that may be compared; further lines show no words.
const MAX_WORD_PAIRS: usize = 8_000_000;

/// Words shared by both lines, in hundredths of the words of both, below which two lines are not one line changed.
const MIN_SHARED: usize = 40;

/// Compares two texts line by line; where a line was changed rather than replaced, the words that changed stand out.
///
/// Line breaks (LF or CRLF, also a last one) are not compared. The result is a function of the texts alone: large
/// inputs are bounded by size (4,000 differing lines, eight million pairs of words), not by a clock.
#[must_use]
pub fn diff_lines(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let lead = shared(old.iter(), new.iter());
    let tail = shared(old[lead..].iter().rev(), new[lead..].iter().rev());
    let (old_middle, new_middle) = (&old[lead..old.len() - tail], &new[lead..new.len() - tail]);
    let mut out: Vec<DiffLine> = old[..lead].iter().map(|line| same(line)).collect();
    if old_middle.len() + new_middle.len() > MAX_LINES {
        out.extend(old_middle.iter().map(|line| whole(Change::Removed, line)));
        out.extend(new_middle.iter().map(|line| whole(Change::Added, line)));
    } else {
        let mut budget = MAX_WORD_PAIRS;
        for op in operations(old_middle, new_middle) {
            push_op(&mut out, op, old_middle, new_middle, &mut budget);
        }
    }
    out.extend(old[old.len() - tail..].iter().map(|line| same(line)));
    out
}

/// What turns one sequence into the other. Texts are compared once, as numbers after that, so that long texts that begin
/// alike cost no more than short ones.
fn operations<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<DiffOp> {
    let mut numbers: HashMap<&'a str, usize> = HashMap::new();
    let mut numbered = |texts: &[&'a str]| -> Vec<usize> {
        texts
            .iter()
            .map(|text| {
                let next = numbers.len();
                *numbers.entry(text).or_insert(next)
            })
            .collect()
    };
    let (old, new) = (numbered(old), numbered(new));
    capture_diff_slices(Algorithm::Myers, &old, &new)
}

fn push_op(out: &mut Vec<DiffLine>, op: DiffOp, old: &[&str], new: &[&str], budget: &mut usize) {
    let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
    match op {
        DiffOp::Equal { .. } => out.extend(old.iter().map(|line| same(line))),
        DiffOp::Delete { .. } => {
            out.extend(old.iter().map(|line| whole(Change::Removed, line)));
        }
        DiffOp::Insert { .. } => out.extend(new.iter().map(|line| whole(Change::Added, line))),
        DiffOp::Replace { .. } => {
            let mut added = Vec::with_capacity(new.len());
            for (index, line) in old.iter().enumerate() {
                let other = new.get(index);
                match other.and_then(|other| words_of_pair(line, other, budget)) {
                    Some((before, after)) => {
                        out.push(before);
                        added.push(after);
                    }
                    None => {
                        out.push(whole(Change::Removed, line));
                        added.extend(other.map(|other| whole(Change::Added, other)));
                    }
                }
            }
            out.append(&mut added);
            out.extend(
                new.iter()
                    .skip(old.len())
                    .map(|line| whole(Change::Added, line)),
            );
        }
    }
}

/// The two lines with the words that differ standing out; `None` where too little is alike or the budget of pairs of
/// words is spent.
fn words_of_pair(old: &str, new: &str, budget: &mut usize) -> Option<(DiffLine, DiffLine)> {
    let (old, new) = (words(old), words(new));
    *budget = budget.checked_sub(old.len().checked_mul(new.len())?)?;
    let ops = operations(&old, &new);
    let shared: usize = ops
        .iter()
        .filter(|op| is_equal(op))
        .map(|op| letters(&old[op.old_range()]))
        .sum();
    if 200 * shared < MIN_SHARED * (letters(&old) + letters(&new)) {
        return None;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (index, op) in ops.iter().enumerate() {
        let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
        // Space between two changed words changes with them: one run reads better than two.
        let between = index > 0 && index + 1 < ops.len();
        let emphasis = !is_equal(op) || (between && old.concat().trim().is_empty());
        push_piece(&mut before, old, emphasis);
        push_piece(&mut after, new, emphasis);
    }
    Some((
        DiffLine {
            change: Change::Removed,
            pieces: before,
        },
        DiffLine {
            change: Change::Added,
            pieces: after,
        },
    ))
}

const fn is_equal(op: &DiffOp) -> bool {
    matches!(op, DiffOp::Equal { .. })
}

/// Bytes of words, white space left out, which every two lines have in common.
fn letters(words: &[&str]) -> usize {
    words.iter().map(|word| word.trim().len()).sum()
}

/// A line as words, runs of white space and single other characters, which joined give the line.
fn words(line: &str) -> Vec<&str> {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Word,
        Space,
        Other,
    }
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => Class::Word,
        c if c.is_whitespace() => Class::Space,
        _ => Class::Other,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (index, c) in line.char_indices() {
        let now = class(c);
        if before.is_some_and(|before| before != now || now == Class::Other) {
            out.push(&line[start..index]);
            start = index;
        }
        before = Some(now);
    }
    if start < line.len() {
        out.push(&line[start..]);
    }
    out
}

fn push_piece(pieces: &mut Vec<DiffPiece>, words: &[&str], emphasis: bool) {
    if words.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last) if last.emphasis == emphasis => last.text.push_str(&words.concat()),
        _ => pieces.push(DiffPiece {
            text: words.concat(),
            emphasis,
        }),
    }
}

fn same(line: &str) -> DiffLine {
    whole(Change::Same, line)
}

fn whole(change: Change, line: &str) -> DiffLine {
    DiffLine {
        change,
        pieces: vec![DiffPiece {
            text: line.to_owned(),
            emphasis: false,
        }],
    }
}

/// How many items two sequences have in common from the start.
fn shared<'a>(
    one: impl Iterator<Item = &'a &'a str>,
    other: impl Iterator<Item = &'a &'a str>,
) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The difference as a reader sees it: `-`, `+` or a space, and `[…]` around the words that stand out.
    fn shown(old: &str, new: &str) -> Vec<String> {
        diff_lines(old, new)
            .into_iter()
            .map(|line| {
                let sign = match line.change {
                    Change::Same => ' ',
                    Change::Removed => '-',
                    Change::Added => '+',
                };
                let text: String = line
                    .pieces
                    .iter()
                    .map(|piece| match piece.emphasis {
                        true => format!("[{}]", piece.text),
                        false => piece.text.clone(),
                    })
                    .collect();
                format!("{sign}{text}")
            })
            .collect()
    }

    #[test]
    fn the_words_that_changed_stand_out() {
        assert_eq!(
            shown(
                "You are a support agent.\nAnswer in at most 5 sentences.\n\nBe kind.",
                "You are a support agent.\nAnswer in at most 3 sentences. Cite the id.\n\nBe kind.\n",
            ),
            [
                " You are a support agent.",
                "-Answer in at most [5] sentences.",
                "+Answer in at most [3] sentences.[ Cite the id.]",
                " ",
                " Be kind.",
            ]
        );
    }

    #[test]
    fn neighbouring_words_stand_out_as_one() {
        assert_eq!(
            shown(
                "Answer in very plain words, please.",
                "Answer in rather formal words, please."
            ),
            [
                "-Answer in [very plain] words, please.",
                "+Answer in [rather formal] words, please.",
            ]
        );
    }

    #[test]
    fn a_replaced_line_has_no_words_that_stand_out() {
        assert_eq!(
            shown("Speak like a pirate.", "Antworte auf Deutsch, bitte"),
            ["-Speak like a pirate.", "+Antworte auf Deutsch, bitte"]
        );
        // Spaces, which all lines share, do not make two lines alike.
        assert_eq!(
            shown(
                "one two three four five six",
                "un deux trois quatre cinq seis"
            ),
            [
                "-one two three four five six",
                "+un deux trois quatre cinq seis"
            ]
        );
        assert_eq!(shown("a\nb", "a\r\nb\r\n"), [" a", " b"]);
        assert_eq!(shown("", "x\ny"), ["+x", "+y"]);
        assert_eq!(shown("x", ""), ["-x"]);
        assert_eq!(shown("", ""), Vec::<String>::new());
    }

    #[test]
    fn texts_too_large_to_compare_are_replaced_whole() {
        let text = |seed: usize| -> String {
            (0..3_000)
                .map(|line| format!("line {}\n", line * seed))
                .collect()
        };
        let lines = diff_lines(
            &format!("head\n{}", text(7)),
            &format!("head\n{}", text(11)),
        );
        assert_eq!(lines[0].change, Change::Same);
        assert_eq!(lines.len(), 1 + 1 + 2 * 2_999);
        let long = "word ".repeat(5_000);
        let lines = diff_lines(&long, &format!("{long}x"));
        assert!(lines.iter().all(|line| line.pieces.len() == 1));
    }

    proptest! {
        /// Whatever is shown, both texts can be read from it.
        #[test]
        fn both_texts_are_whole(old in "[ab \n,é😀]{0,40}", new in "[ab \n,é😀]{0,40}") {
            let lines = diff_lines(&old, &new);
            let side = |skip: Change| -> Vec<String> {
                lines
                    .iter()
                    .filter(|line| line.change != skip)
                    .map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect())
                    .collect()
            };
            prop_assert_eq!(side(Change::Added), old.lines().collect::<Vec<_>>());
            prop_assert_eq!(side(Change::Removed), new.lines().collect::<Vec<_>>());
        }
    }
}
