//! Tokens of a call of which no span states any, counted in what is recorded of it.
//!
//! An estimate is never a stated number: it is kept, summed and shown apart from those, with `~`. It exists only for
//! models whose vocabulary is public, and counts what the model was given and gave as text: pictures, sound and reasoning
//! that the provider keeps to itself are not in it.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};
use ts_rs::TS;

use crate::model::{Facts, Message, Operation, Part, ToolDefinition};

/// Bytes of one side of a call that are counted; what lies beyond is taken to be as dense.
const COUNTED: usize = 1024 * 1024;
/// The same of messages whose size is only told of: whoever looks at a span waits for it.
const COUNTED_OF_SIZE: usize = 64 * 1024;
/// Bytes that are split into tokens at a time, so that no text takes long: at most one token too many at each seam.
const PIECE: usize = 4 * 1024;
/// Tokens around each message, and before the answer (OpenAI Cookbook, "How to count tokens with tiktoken").
const AROUND_MESSAGE: u64 = 3;
const BEFORE_ANSWER: u64 = 3;
/// Tokens around the name of a message's author.
const AROUND_NAME: u64 = 1;

/// A public vocabulary of OpenAI's tiktoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Vocabulary {
    /// GPT-4o, GPT-4.1, GPT-5, o-series.
    O200kBase,
    /// gpt-oss.
    O200kHarmony,
    /// GPT-4, GPT-3.5 and embeddings.
    Cl100kBase,
    /// Codex and later GPT-3.
    P50kBase,
    /// GPT-3.
    R50kBase,
}

impl Vocabulary {
    /// The vocabulary of a model, by its name at OpenAI or with a gateway's prefix ("openai/gpt-4o").
    #[must_use]
    pub fn of(model: &str) -> Option<Self> {
        let name = model.rsplit('/').next().unwrap_or(model);
        match get_tokenizer(&name.to_ascii_lowercase())? {
            Tokenizer::O200kBase => Some(Self::O200kBase),
            Tokenizer::O200kHarmony => Some(Self::O200kHarmony),
            Tokenizer::Cl100kBase => Some(Self::Cl100kBase),
            Tokenizer::P50kBase => Some(Self::P50kBase),
            Tokenizer::R50kBase => Some(Self::R50kBase),
            Tokenizer::P50kEdit | Tokenizer::Gpt2 => None,
        }
    }

    /// Its name ("o200k_base").
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::Cl100kBase => "cl100k_base",
            Self::P50kBase => "p50k_base",
            Self::R50kBase => "r50k_base",
        }
    }

    /// Its tables: made at the first use, some tens of megabytes, then kept.
    fn tables(self) -> &'static CoreBPE {
        match self {
            Self::O200kBase => tiktoken_rs::o200k_base_singleton(),
            Self::O200kHarmony => tiktoken_rs::o200k_harmony_singleton(),
            Self::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
            Self::P50kBase => tiktoken_rs::p50k_base_singleton(),
            Self::R50kBase => tiktoken_rs::r50k_base_singleton(),
        }
    }
}

/// Tokens of a call, counted in what is recorded of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Tokens sent; `None` where what was sent is not recorded.
    pub input: Option<u64>,
    /// Tokens generated; `None` where the answer is not recorded, and for embeddings.
    pub output: Option<u64>,
    /// What they were counted with.
    pub vocabulary: Vocabulary,
}

/// Counts the tokens of a call that states none; `None` where it states some, where its model's vocabulary is not public,
/// or where nothing of it is recorded.
#[must_use]
pub fn estimate(facts: &Facts) -> Option<Estimate> {
    let operation = facts.operation.as_ref().map(|stated| stated.value)?;
    let stated = facts.usage.as_ref();
    if !matches!(operation, Operation::Llm | Operation::Embedding)
        || stated.is_some_and(|usage| usage.value.is_stated())
    {
        return None;
    }
    let vocabulary = vocabulary(facts)?;
    let text = |value: Option<&crate::model::Stated<String>>| {
        value.map(|value| Counter::of(vocabulary).plain(&value.value).tokens())
    };
    let sent = facts.input.as_ref().map(|messages| &messages.value);
    let (input, output) = if operation == Operation::Embedding {
        (
            sent.map_or_else(
                || text(facts.input_value.as_ref()),
                |sent| Some(bare(vocabulary, sent)),
            ),
            None,
        )
    } else {
        let tools = facts.tools.as_ref().map(|tools| &tools.value[..]);
        let answered = facts.output.as_ref().map(|messages| &messages.value);
        (
            sent.map_or_else(
                || text(facts.input_value.as_ref()),
                |sent| Some(prompt(vocabulary, sent, tools.unwrap_or_default())),
            ),
            answered.map_or_else(
                || text(facts.output_value.as_ref()),
                |answered| Some(bare(vocabulary, answered)),
            ),
        )
    };
    (input.is_some() || output.is_some()).then_some(Estimate {
        input,
        output,
        vocabulary,
    })
}

/// The vocabulary of the model that answered, else of the one that was asked for.
fn vocabulary(facts: &Facts) -> Option<Vocabulary> {
    let models = [facts.response_model.as_ref(), facts.request_model.as_ref()];
    let mut named = models.into_iter().flatten();
    named.find_map(|model| Vocabulary::of(&model.value))
}

/// How much a model was given in some messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContentSize {
    /// Tokens as [`estimate`] counts them, with what stands around each message; what lies beyond the first 64 KiB is taken
    /// to be as dense. `null` where the model's vocabulary is not public.
    pub tokens: Option<u64>,
    /// Characters of their texts, of calls of tools and of what these answered.
    pub characters: u64,
}

/// How much these messages of a call are; `above` is the model that a span above names, for a call that names none. What
/// it costs does not grow with them, but for the reading of their characters.
#[must_use]
pub fn size(facts: &Facts, above: Option<&str>, messages: &[Message]) -> ContentSize {
    let counted = |vocabulary| {
        let mut counter = Counter::up_to(vocabulary, COUNTED_OF_SIZE);
        counter.messages(messages);
        counter.tokens()
    };
    let parts = messages.iter().flat_map(|message| &message.parts);
    let characters = parts
        .flat_map(|part| match part {
            Part::Text { text } | Part::Reasoning { text } | Part::Refusal { text } => {
                [text.as_str(), ""]
            }
            Part::ToolCall {
                name, arguments, ..
            } => [name.as_str(), arguments.as_str()],
            Part::ToolResult { content, .. } => [content.as_str(), ""],
            Part::Media { .. } => ["", ""],
        })
        .map(|text| text.chars().count() as u64);
    ContentSize {
        tokens: vocabulary(facts)
            .or_else(|| above.and_then(Vocabulary::of))
            .map(counted),
        characters: characters.sum(),
    }
}

/// Messages and tools as a chat model is given them.
fn prompt(vocabulary: Vocabulary, messages: &[Message], tools: &[ToolDefinition]) -> u64 {
    let mut counter = Counter::of(vocabulary);
    counter.messages(messages);
    for tool in tools {
        counter.plain(&tool.name);
        counter.plain(tool.description.as_deref().unwrap_or_default());
        counter.plain(tool.parameters.as_deref().unwrap_or_default());
    }
    counter.add(BEFORE_ANSWER);
    counter.tokens()
}

/// What messages say, with nothing around it.
fn bare(vocabulary: Vocabulary, messages: &[Message]) -> u64 {
    let mut counter = Counter::of(vocabulary);
    for message in messages {
        counter.parts(&message.parts);
    }
    counter.tokens()
}

/// Counts one side of a call.
struct Counter {
    tables: &'static CoreBPE,
    /// Bytes that are split into tokens at the most, those that were, and those that came after.
    limit: usize,
    counted: usize,
    beyond: usize,
    split: u64,
    around: u64,
}

impl Counter {
    fn of(vocabulary: Vocabulary) -> Self {
        Self::up_to(vocabulary, COUNTED)
    }

    fn up_to(vocabulary: Vocabulary, limit: usize) -> Self {
        Self {
            tables: vocabulary.tables(),
            limit,
            counted: 0,
            beyond: 0,
            split: 0,
            around: 0,
        }
    }

    fn add(&mut self, tokens: u64) {
        self.around += tokens;
    }

    /// Messages with what stands around each.
    fn messages(&mut self, messages: &[Message]) {
        for message in messages {
            self.add(AROUND_MESSAGE);
            self.plain(&message.role);
            if let Some(name) = &message.name {
                self.add(AROUND_NAME);
                self.plain(name);
            }
            self.parts(&message.parts);
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text { text } | Part::Reasoning { text } | Part::Refusal { text } => {
                    self.plain(text);
                }
                Part::ToolCall {
                    name, arguments, ..
                } => {
                    self.plain(name).plain(arguments);
                }
                Part::ToolResult { content, .. } => {
                    self.plain(content);
                }
                Part::Media { .. } => {}
            }
        }
    }

    fn plain(&mut self, mut text: &str) -> &mut Self {
        while !text.is_empty() {
            if self.counted >= self.limit {
                self.beyond = self.beyond.saturating_add(text.len());
                break;
            }
            let (piece, rest) = text.split_at(seam(text));
            self.split += self.tables.count_ordinary(piece) as u64;
            self.counted += piece.len();
            text = rest;
        }
        self
    }

    fn tokens(&self) -> u64 {
        let beyond = match self.counted {
            0 => 0,
            counted => u128::from(self.split) * self.beyond as u128 / counted as u128,
        };
        let beyond = u64::try_from(beyond).unwrap_or(u64::MAX);
        self.split
            .saturating_add(beyond)
            .saturating_add(self.around)
    }
}

/// Where the next piece of a text ends: before a space where there is one, as tokens begin with theirs.
fn seam(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let end = text.floor_char_boundary(PIECE);
    match text[..end].rfind(' ') {
        Some(space) if space > 0 => space,
        _ => end,
    }
}
