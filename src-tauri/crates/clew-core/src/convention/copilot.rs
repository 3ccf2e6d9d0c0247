//! GitHub Copilot in editors and on the command line: `gen_ai.*` with `github.copilot.*` and the older `copilot_chat.*`.

use super::read::{Table, Unit};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::CacheCounting;

/// Copilot's attributes.
#[derive(Debug)]
pub(super) struct Copilot;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "VS Code 1.131, Copilot CLI 1.0",
    source: "https://code.visualstudio.com/docs/agents/guides/monitoring-agents",
    scopes: &["copilot-chat", "github.copilot"],
    marks: &["github.copilot.", "copilot_chat."],
    known: &["github.copilot.", "copilot_chat."],
    table: Table {
        request_id: &["github.copilot.request_id", "copilot_chat.request_id"],
        ttft: &[
            ("github.copilot.time_to_first_token", Unit::Millis),
            ("copilot_chat.time_to_first_token", Unit::Millis),
        ],
        input_value: &["copilot_chat.user_request"],
        session: &[
            "gen_ai.conversation.id",
            "github.copilot.session_id",
            "copilot_chat.session_id",
            "copilot_chat.chat_session_id",
        ],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Copilot follows OTel GenAI: gen_ai.usage.input_tokens includes cached tokens.",
    )],
};

impl Convention for Copilot {
    fn id(&self) -> &'static str {
        "copilot"
    }

    fn title(&self) -> &'static str {
        "GitHub Copilot"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
