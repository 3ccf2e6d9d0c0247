//! Microsoft.Extensions.AI (.NET): `gen_ai.*` with token details of its own.

use super::read::{Table, Unit};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::CacheCounting;

/// Microsoft.Extensions.AI's attributes.
#[derive(Debug)]
pub(super) struct ExtensionsAi;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "Microsoft.Extensions.AI 10",
    source: "https://github.com/dotnet/extensions/blob/main/src/Libraries/Microsoft.Extensions.AI/OpenTelemetryConsts.cs",
    scopes: &[
        "Experimental.Microsoft.Extensions.AI",
        "Microsoft.Extensions.AI",
    ],
    marks: &[
        "gen_ai.usage.input_audio_tokens",
        "gen_ai.usage.input_text_tokens",
        "gen_ai.usage.output_audio_tokens",
        "gen_ai.usage.output_text_tokens",
    ],
    known: &[
        "gen_ai.usage.input_text_tokens",
        "gen_ai.usage.output_text_tokens",
        "gen_ai.response.additional_properties.",
    ],
    table: Table {
        ttft: &[("gen_ai.response.time_to_first_chunk", Unit::Seconds)],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Microsoft.Extensions.AI: InputTokenCount includes CachedInputTokenCount.",
    )],
};

impl Convention for ExtensionsAi {
    fn id(&self) -> &'static str {
        "extensions_ai"
    }

    fn title(&self) -> &'static str {
        "Microsoft.Extensions.AI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
