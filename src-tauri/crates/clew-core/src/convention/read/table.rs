//! Tables of keys: for each fact the attribute keys that state it, in order of trust.

use crate::model::Operation;

/// Attribute keys in order of trust.
pub(in crate::convention) type Keys = &'static [&'static str];

/// Keys of durations and their units.
pub(in crate::convention) type Durations = &'static [(&'static str, Unit)];

/// The unit of a duration that is a number.
#[derive(Debug, Clone, Copy)]
pub(in crate::convention) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Seconds as a double, milliseconds as an integer: producers disagree about this key.
    SecondsOrMillis,
}

/// A column of the table: empty at first, and made of keys.
trait Column {
    const EMPTY: Self;
    fn add_to(&self, keys: &mut Vec<&'static str>);
}

impl Column for Keys {
    const EMPTY: Self = &[];
    fn add_to(&self, keys: &mut Vec<&'static str>) {
        keys.extend(*self);
    }
}

impl Column for Durations {
    const EMPTY: Self = &[];
    fn add_to(&self, keys: &mut Vec<&'static str>) {
        keys.extend(self.iter().map(|(key, _)| *key));
    }
}

impl Column for &'static [(&'static str, Keys)] {
    const EMPTY: Self = &[];
    fn add_to(&self, keys: &mut Vec<&'static str>) {
        keys.extend(self.iter().flat_map(|(_, keys)| *keys));
    }
}

impl Column for &'static [(&'static str, Operation)] {
    const EMPTY: Self = &[];
    fn add_to(&self, _: &mut Vec<&'static str>) {}
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident: $column:ty,)+) => {
        /// Which keys state which fact. An empty list states nothing.
        #[derive(Debug)]
        pub(in crate::convention) struct Table {
            $($(#[$doc])* pub $name: $column,)+
        }

        impl Table {
            /// A table that states nothing, to be filled with `..Table::EMPTY`.
            pub(in crate::convention) const EMPTY: Self = Self {
                $($name: <$column as Column>::EMPTY,)+
            };

            /// Every key of the table.
            pub(in crate::convention) fn keys(&self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(self.$name.add_to(&mut keys);)+
                keys
            }
        }
    };
}

table! {
    /// Keys whose value names the operation.
    operation: Keys,
    /// What the values of `operation` mean; compared in lower case.
    operations: &'static [(&'static str, Operation)],
    display_name: Keys,
    provider: Keys,
    request_model: Keys,
    response_model: Keys,
    response_id: Keys,
    request_id: Keys,
    input_tokens: Keys,
    output_tokens: Keys,
    total_tokens: Keys,
    cache_read: Keys,
    cache_write: Keys,
    /// Parts of `cache_write`, by how long they are kept.
    cache_write_5m: Keys,
    cache_write_1h: Keys,
    audio_input: Keys,
    image_input: Keys,
    reasoning: Keys,
    audio_output: Keys,
    image_output: Keys,
    /// Keys that hold a provider's or a library's usage as JSON, or as Python writes it.
    usage_json: Keys,
    service_tier: Keys,
    batch: Keys,
    server: Keys,
    cost_usd: Keys,
    /// Keys that hold costs as JSON with their total.
    cost_json: Keys,
    finish_reasons: Keys,
    ttft: Durations,
    /// Keys that hold the time of the first token as ISO 8601.
    ttft_at: Keys,
    /// Names of the events of streamed pieces.
    chunk_events: Keys,
    queue: Durations,
    network: Durations,
    prefill: Durations,
    decode: Durations,
    inference: Durations,
    post_processing: Durations,
    total_time: Durations,
    chunk_time: Durations,
    tokens_per_second: Keys,
    streaming: Keys,
    /// Name of the parameter, and its keys.
    parameters: &'static [(&'static str, Keys)],
    /// Keys that hold parameters as one JSON object.
    parameters_json: Keys,
    input: Keys,
    output: Keys,
    /// System instructions that stand apart from the conversation.
    system: Keys,
    input_value: Keys,
    output_value: Keys,
    tools: Keys,
    tool_name: Keys,
    tool_call_id: Keys,
    tool_arguments: Keys,
    tool_result: Keys,
    documents: Keys,
    document_count: Keys,
    query: Keys,
    prompt_name: Keys,
    prompt_version: Keys,
    prompt_template: Keys,
    prompt_variables: Keys,
    agent: Keys,
    session: Keys,
    user: Keys,
    feature: Keys,
    tags: Keys,
}
