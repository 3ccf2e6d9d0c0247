//! Documents that a trace retrieved and answers that name them lead to one another.

use clew_core::otlp::Signal;
use clew_tests::Rig;
use clew_tests::otlp::{START, call, hex, span, text, traces};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

#[tokio::test]
async fn documents_and_the_answers_that_name_them_lead_to_one_another() {
    let rig = Rig::start().await;
    let at = |mut span: Span, millis: u64| {
        span.start_time_unix_nano = START + millis * 1_000_000;
        span
    };
    let mut retriever = at(span(3, 2, 1, "search"), 10);
    retriever.attributes = vec![
        text("openinference.span.kind", "RETRIEVER"),
        text("retrieval.documents.0.document.id", "kb/returns.md"),
        text("retrieval.documents.0.document.content", "30 days"),
        text("retrieval.documents.1.document.id", "kb/other.md"),
    ];
    let answer = |id: u64, millis: u64, said: &str| {
        let mut call = at(call(3, id, 1, "", ""), millis);
        let messages = json!([{"role": "assistant", "parts": [{"type": "text", "content": said}]}]);
        call.attributes
            .push(text("gen_ai.output.messages", &messages.to_string()));
        call
    };
    // A call that states its answer as a bare value is compared as one with messages is.
    let bare = at(call(3, 6, 1, "", "As kb/other.md says."), 40);
    let spans = vec![
        at(span(3, 1, 0, "ask"), 0),
        answer(3, 5, "What is in kb/returns.md?"),
        retriever,
        answer(4, 20, "Within 30 days [kb/returns.md]."),
        answer(5, 30, "You are welcome."),
        bare,
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let get = async |id: u64| {
        let params = json!({"traceId": hex(3), "spanId": format!("{id:016x}")});
        rig.call("get_references", params).await
    };
    let cited = get(2).await["citedBy"].clone();
    assert_eq!(
        cited,
        json!([
            {"document": 0, "spanId": format!("{:016x}", 4), "name": "chat gpt-x", "times": 1},
            {"document": 1, "spanId": format!("{:016x}", 6), "name": "chat gpt-x", "times": 1},
        ])
    );
    let citations = get(4).await["citations"].clone();
    assert_eq!(citations[0]["spanId"], format!("{:016x}", 2));
    assert_eq!(citations[0]["range"], json!([16, 29]));
    let citations = get(6).await["citations"].clone();
    assert_eq!(citations[0]["range"], json!([3, 14]));
    assert_eq!(citations[0]["document"], 1);
    // What was said before the search names nothing that was found.
    for id in [3, 5] {
        assert_eq!(get(id).await["citations"], json!([]));
    }
}
