//! Spring AI (Micrometer): `spring.ai.*` beside `gen_ai.*`, and vector stores under `db.vector.*`. Numbers come as text.

use super::read::Table;
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Operation};

/// Spring AI's attributes.
#[derive(Debug)]
pub(super) struct SpringAi;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "Spring AI 2.0 and 1",
    source: "https://docs.spring.io/spring-ai/reference/observability/index.html",
    scopes: &["org.springframework.ai"],
    marks: &["spring.ai.", "db.vector."],
    known: &["spring.ai.", "db.vector."],
    table: Table {
        operation: &["spring.ai.kind"],
        operations: &[
            ("chat_client", Operation::Chain),
            ("advisor", Operation::Chain),
            ("tool_call", Operation::Tool),
            ("vector_store", Operation::Retriever),
        ],
        display_name: &["spring.ai.advisor.name"],
        streaming: &["spring.ai.chat.client.stream"],
        tool_name: &["spring.ai.tool.definition.name"],
        tool_arguments: &["spring.ai.tool.call.arguments"],
        tool_result: &["spring.ai.tool.call.result"],
        documents: &["db.vector.query.response.documents"],
        query: &["db.vector.query.content"],
        session: &["spring.ai.chat.client.conversation.id"],
        ..Table::EMPTY
    },
    cache: &[
        CacheRow {
            providers: &["anthropic", "aws.bedrock"],
            with: "",
            without: "",
            counting: CacheCounting::Exclusive,
            source: "Spring AI with Anthropic or Bedrock: the provider's own counts, which leave cached tokens out.",
        },
        CacheRow::all(
            CacheCounting::Inclusive,
            "Spring AI: the provider's own counts; this provider's include cached tokens.",
        ),
    ],
};

impl Convention for SpringAi {
    fn id(&self) -> &'static str {
        "spring_ai"
    }

    fn title(&self) -> &'static str {
        "Spring AI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
