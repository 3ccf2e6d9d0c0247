//! What the ledger says of recorded programs against what the provider really served them.

use clew_tests::{Rig, recorded};
use serde_json::{Value, json};

/// Prompt, output, cached, cache write and reasoning tokens; the prompt holds what is cached, the output the reasoning.
type Tokens = [u64; 5];

/// What the telemetry of a program carries of the truth.
struct Carried {
    run: &'static str,
    /// The calls that its spans state.
    calls: fn(&Value) -> bool,
    /// Of these, what no span states.
    less: Tokens,
    /// What spans state beyond them.
    more: Tokens,
    /// Why, where it is not the whole truth.
    because: &'static str,
}

const fn whole(run: &'static str) -> Carried {
    Carried {
        run,
        calls: |_| true,
        less: [0; 5],
        more: [0; 5],
        because: "",
    }
}

const fn without(run: &'static str, less: Tokens, because: &'static str) -> Carried {
    Carried {
        less,
        because,
        ..whole(run)
    }
}

const fn only(
    run: &'static str,
    calls: fn(&Value) -> bool,
    less: Tokens,
    because: &'static str,
) -> Carried {
    Carried {
        calls,
        ..without(run, less, because)
    }
}

fn chat(call: &Value) -> bool {
    call["api"] != "embeddings"
}

const CARRIED: &[Carried] = &[
    whole("agent_framework"),
    whole("claude_code"),
    whole("codex"),
    whole("copilot"),
    only(
        "crewai",
        |_| false,
        [0; 5],
        "its spans state no model calls",
    ),
    Carried {
        more: [54, 13, 0, 0, 0],
        because: "LangChain's span of the streamed call has no response id, and is in another trace than the client's",
        ..whole("double_langchain_openai")
    },
    whole("extensions_ai"),
    without(
        "gemini_cli",
        [0, 96, 6144, 0, 96],
        "its spans leave out thoughts and what was cached, which its events alone state",
    ),
    whole("google_adk"),
    whole("haystack"),
    Carried {
        more: [200, 30, 80, 0, 0],
        because: "the program reports a generation of its own, which the provider never served",
        ..whole("langfuse")
    },
    only(
        "langsmith",
        chat,
        [0; 5],
        "LangChain's embeddings have no runs of their own",
    ),
    whole("litellm"),
    whole("logfire"),
    whole("manual_generic"),
    whole("manual_routed"),
    whole("mlflow"),
    only(
        "openai_v2_default",
        |call| call["api"] != "responses",
        [10, 20, 64, 0, 32],
        "it knows nothing of the Responses API, one stream was not asked for its usage, and it drops details of usage",
    ),
    without(
        "openai_v2_event_only",
        [0, 0, 128, 0, 64],
        "it drops details of usage",
    ),
    only(
        "openai_v2_experimental",
        |call| call["api"] != "responses",
        [10, 20, 64, 0, 32],
        "as openai_v2_default",
    ),
    without(
        "openinference_anthropic",
        [0, 0, 0, 0, 96],
        "Anthropic does not tell reasoning from output",
    ),
    only(
        "openinference_langchain",
        chat,
        [0; 5],
        "LangChain's embeddings have no callbacks",
    ),
    whole("openinference_langgraph"),
    only(
        "openinference_llama_index",
        |call| chat(call) && call["stream"] == false,
        [0; 5],
        "it states tokens of neither embeddings nor streams",
    ),
    without(
        "openinference_openai",
        [10, 20, 0, 0, 0],
        "one stream was not asked for its usage",
    ),
    whole("openinference_openai_agents"),
    only(
        "openinference_openai_agents_stream",
        |call| chat(call) && call["finish_reason"] != "length",
        [0; 5],
        "the tools' embeddings are outside the SDK, and a response that was cut ends as an error without usage",
    ),
    Carried {
        less: [0, 0, 0, 0, 96],
        more: [0, 4, 0, 0, 0],
        because: "Anthropic does not tell reasoning from output; of each of four streams the first token is added twice",
        ..whole("openllmetry_anthropic")
    },
    only(
        "openllmetry_langchain",
        chat,
        [0; 5],
        "LangChain's embeddings have no callbacks",
    ),
    without(
        "openllmetry_langgraph",
        [0, 0, 0, 0, 576],
        "it drops the reasoning of calls",
    ),
    only(
        "openllmetry_llama_index",
        |_| false,
        [0; 5],
        "the spans of its model calls are never ended, and so never sent",
    ),
    without(
        "openllmetry_openai",
        [10, 20, 0, 0, 0],
        "one stream was not asked for its usage",
    ),
    only(
        "openllmetry_openai_agents",
        |call| chat(call) && call["finish_reason"] != "length",
        [0; 5],
        "as openinference_openai_agents_stream",
    ),
    whole("otel_genai_anthropic"),
    without(
        "otel_genai_openai",
        [10, 20, 0, 0, 0],
        "one stream was not asked for its usage",
    ),
    whole("otel_genai_openai_agents"),
    whole("pydantic_ai"),
    whole("pydantic_ai_delegation"),
    whole("semantic_kernel"),
    whole("smolagents"),
    whole("spring_ai"),
    whole("strands"),
    only(
        "vercel_ai4",
        |call| call["stream"] == false,
        [0; 5],
        "version 4 asks no stream for its usage",
    ),
    without(
        "vercel_ai5",
        [0, 0, 0, 0, 32],
        "generateText of version 5 does not state reasoning",
    ),
    whole("vercel_ai6"),
    whole("vercel_ai7"),
    whole("vllm"),
];

/// What the provider served in a run.
fn served(run: &str, keep: fn(&Value) -> bool) -> Tokens {
    let text = std::fs::read_to_string(recorded::path("otlp/ground_truth.jsonl"));
    let mut sums = [0; 5];
    for line in text.expect("the truth").lines() {
        let call: Value = serde_json::from_str(line).expect("a line of JSON");
        if call["run"] == run && call["usage"].is_object() && keep(&call) {
            let names = ["input", "output", "cached", "cache_write", "reasoning"];
            for (sum, name) in sums.iter_mut().zip(names) {
                *sum += call["usage"][name].as_u64().expect("a count");
            }
        }
    }
    sums
}

/// The lines of the ledger's entries that count, and its own sums of them.
async fn counted(run: &str) -> (Tokens, Value) {
    let rig = Rig::start().await;
    for (signal, request) in recorded::requests(run) {
        rig.take(signal, &request).await;
    }
    rig.settle().await;
    let asked = json!({"counted": true, "limit": 200});
    let page = rig.call("list_ledger", asked).await;
    assert_eq!(page["next"], Value::Null, "{run} fits on a page");
    let mut sums = [0; 5];
    for row in page["rows"].as_array().expect("rows") {
        for line in row["lines"].as_array().expect("lines") {
            let count = line["count"].as_u64().unwrap_or(0);
            let of: &[usize] = match line["bucket"].as_str() {
                Some("input" | "audioInput" | "imageInput") => &[0],
                Some("cacheRead") => &[0, 2],
                Some(write) if write.starts_with("cacheWrite") => &[0, 3],
                Some("output" | "audioOutput" | "imageOutput") => &[1],
                Some("reasoning") => &[1, 4],
                // What is stated as a cost alone has no tokens.
                None => &[],
                Some(other) => panic!("what is {other}?"),
            };
            for &at in of {
                sums[at] += count;
            }
        }
    }
    (sums, page["sums"].clone())
}

#[tokio::test]
async fn the_ledger_says_what_the_provider_served_or_the_test_says_what_the_spans_leave_out() {
    let runs: Vec<&str> = CARRIED.iter().map(|carried| carried.run).collect();
    assert_eq!(runs, recorded::programs(), "every recording has its line");
    let mut wrong = Vec::new();
    for carried in CARRIED {
        let run = carried.run;
        let mut told = served(run, carried.calls);
        for (at, told) in told.iter_mut().enumerate() {
            *told = *told - carried.less[at] + carried.more[at];
        }
        let is_whole = told == served(run, |_| true);
        assert_eq!(is_whole, carried.because.is_empty(), "{run} says why");
        let (lines, sums) = counted(run).await;
        let shown = ["inputTokens", "outputTokens", "cachedTokens"]
            .map(|key| sums[key].as_u64().unwrap_or(0));
        if lines != told || shown != told[..3] {
            wrong.push(format!(
                "{run}: the spans state {told:?}, the lines {lines:?}, the sums {shown:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
