use super::*;
use crate::convention::facts;
use crate::convention::tests::recorded::recorded;

const MILLIS: u64 = 1_000_000;
const START: u64 = 1_000_000_000;

fn stated<T>(value: T, key: &str) -> Option<Stated<T>> {
    Some(Stated::new(value, "test", key))
}

fn call(ttft_millis: Option<u64>, timing: Timing) -> Facts {
    Facts {
        operation: stated(Operation::Llm, "kind"),
        ttft_nanos: ttft_millis.and_then(|millis| stated(millis * MILLIS, "ttft")),
        timing: stated(timing, "timing"),
        ..Facts::default()
    }
}

/// Of a call of one second.
fn parts(facts: &Facts, served: &Served) -> TimeSplit {
    split(facts, START, START + 1_000 * MILLIS, served)
}

/// Milliseconds of queue, network, first token, generation, post-processing and rest.
fn millis(split: &TimeSplit) -> Vec<Option<u64>> {
    let rows = split.rows.iter();
    rows.map(|row| row.nanos.map(|nanos| nanos / MILLIS))
        .collect()
}

fn queue(millis: u64) -> Timing {
    Timing {
        queue_nanos: stated(millis * MILLIS, "waited"),
        ..Timing::default()
    }
}

fn once(millis: u64) -> Served {
    Served::Once {
        service: "vllm".to_owned(),
        took: millis * MILLIS,
    }
}

#[test]
fn vllms_own_span_is_split_whole() {
    let recorded = &recorded("vllm")[0];
    let span = &recorded.span;
    let split = split(
        &facts(&recorded.view()),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        &Served::Unseen,
    );
    // 211 ms to the first token, 94 of them in the queue; 1,609 ms of decoding; 1,820 in all.
    assert_eq!(
        millis(&split),
        [Some(94), None, Some(117), Some(1_609), None, Some(0)]
    );
    assert_eq!(split.rows[0].how, "Stated by gen_ai.latency.time_in_queue.");
    assert_eq!(
        split.rows[2].how,
        "Derived: gen_ai.latency.time_to_first_token less the queue, which is part of it."
    );
    assert_eq!(
        split.rows[3].how,
        "Stated by gen_ai.latency.time_in_model_decode."
    );
    assert_eq!(split.problems, Vec::<String>::new());
}

#[test]
fn a_streamed_call_is_split_at_its_first_token() {
    let recorded = recorded("otel_genai_openai");
    let streamed = recorded
        .iter()
        .find(|recorded| facts(&recorded.view()).ttft_nanos.is_some())
        .expect("a streamed call");
    let span = &streamed.span;
    let split = split(
        &facts(&streamed.view()),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        &Served::Unseen,
    );
    // 102,148,623 ns in all, 92,165,113 of them to the first token.
    let nanos: Vec<Option<u64>> = split.rows.iter().map(|row| row.nanos).collect();
    assert_eq!(
        nanos,
        [None, None, Some(92_165_113), Some(9_983_510), None, Some(0)]
    );
    assert!(
        split.rows[2]
            .how
            .starts_with("Stated by gen_ai.response.time_to_first_chunk;"),
        "{}",
        split.rows[2].how
    );
}

#[test]
fn what_is_not_stated_is_not_known() {
    let split = parts(&call(None, Timing::default()), &Served::Unseen);
    assert_eq!(millis(&split), [None, None, None, None, None, Some(1_000)]);
    for row in &split.rows[..5] {
        assert!(row.how.starts_with("Not known: "), "{row:?}");
    }
    assert_eq!(split.problems, Vec::<String>::new());
}

#[test]
fn the_servers_own_span_tells_the_network() {
    // 900 of 1,000 ms in the server: 100 on the way, which lie before the first token at 300.
    let split = parts(&call(Some(300), queue(50)), &once(900));
    assert_eq!(
        millis(&split),
        [Some(50), Some(100), Some(150), Some(700), None, Some(0)]
    );
    assert_eq!(
        split.rows[1].how,
        "Derived: the call took 1.00 s, and the span of vllm below it 900 ms."
    );
    let silent = parts(&call(None, Timing::default()), &once(900));
    assert_eq!(
        millis(&silent),
        [None, Some(100), None, None, None, Some(900)]
    );
    let unclear = parts(&call(None, Timing::default()), &Served::Unclear);
    assert_eq!(unclear.rows[1].nanos, None);
    assert!(unclear.rows[1].how.contains("more than one span"));
    // A stated time on the network comes before a derived one.
    let timing = Timing {
        network_nanos: stated(20 * MILLIS, "wire"),
        ..Timing::default()
    };
    let told = parts(&call(None, timing), &once(900));
    assert_eq!(told.rows[1].nanos, Some(20 * MILLIS));
    assert_eq!(told.rows[1].how, "Stated by wire.");
}

#[test]
fn the_stages_of_a_server_add_up_without_a_first_token() {
    let timing = Timing {
        prefill_nanos: stated(200 * MILLIS, "read"),
        decode_nanos: stated(600 * MILLIS, "wrote"),
        post_processing_nanos: stated(40 * MILLIS, "parsed"),
        ..queue(100)
    };
    let split = parts(&call(None, timing), &Served::Unseen);
    assert_eq!(
        millis(&split),
        [Some(100), None, Some(200), Some(600), Some(40), Some(60)]
    );
    let timing = Timing {
        post_processing_nanos: stated(40 * MILLIS, "parsed"),
        ..Timing::default()
    };
    let streamed = parts(&call(Some(300), timing), &Served::Unseen);
    assert_eq!(
        millis(&streamed),
        [None, None, Some(300), Some(660), Some(40), Some(0)]
    );
}

#[test]
fn a_call_that_did_not_stream_has_no_generation_of_its_own() {
    let mut whole = call(Some(300), Timing::default());
    whole.streaming = stated(false, "stream");
    let split = parts(&whole, &Served::Unseen);
    assert_eq!(
        millis(&split),
        [None, None, Some(300), None, None, Some(700)]
    );
    assert!(split.rows[3].how.contains("did not stream"));
    // Nor has one whose first token is said to have come at its end.
    let late = parts(&call(Some(1_000), Timing::default()), &Served::Unseen);
    assert_eq!(
        millis(&late),
        [None, None, Some(1_000), None, None, Some(0)]
    );
    assert!(late.rows[3].how.contains("with the last"));
}

/// What does not add up is told of and not shown, and the parts never add to more than the call.
#[test]
fn what_does_not_add_up_is_told_and_not_shown() {
    let decode = |millis: u64| Timing {
        decode_nanos: stated(millis * MILLIS, "wrote"),
        ..Timing::default()
    };
    let post = Timing {
        post_processing_nanos: stated(800 * MILLIS, "parsed"),
        ..Timing::default()
    };
    let cases = [
        // Longer than the call.
        (
            call(None, queue(1_500)),
            Served::Unseen,
            [None, None, None, None, None, Some(1_000)],
            "waited states 1.50 s, and the call took 1.00 s",
        ),
        // The queue is longer than the time to the first token: one is not a part of the other.
        (
            call(Some(200), queue(500)),
            Served::Unseen,
            [Some(500), None, None, None, None, Some(500)],
            "less than the 500 ms in the queue",
        ),
        // The server took longer than the call.
        (
            call(Some(200), Timing::default()),
            once(1_400),
            [None, None, Some(200), Some(800), None, Some(0)],
            "The span of vllm below it took 1.40 s",
        ),
        // Queue and network do not fit before the first token.
        (
            call(Some(200), queue(100)),
            once(850),
            [Some(100), None, Some(100), Some(800), None, Some(0)],
            "250 ms in queue and network",
        ),
        // Stated parts that together are longer than the call.
        (
            call(Some(200), decode(900)),
            Served::Unseen,
            [None, None, Some(200), None, None, Some(800)],
            "With its generation",
        ),
        (
            call(Some(300), post),
            Served::Unseen,
            [None, None, Some(300), None, None, Some(700)],
            "With its post-processing",
        ),
    ];
    for (facts, served, expected, told) in cases {
        let split = parts(&facts, &served);
        assert_eq!(millis(&split), expected, "{told}");
        assert_eq!(split.problems.len(), 1, "{:?}", split.problems);
        assert!(split.problems[0].contains(told), "{:?}", split.problems);
        let all: u64 = split.rows.iter().filter_map(|row| row.nanos).sum();
        assert_eq!(all, 1_000 * MILLIS);
    }
}

#[test]
fn rounding_is_no_contradiction() {
    // A queue that ends half a millisecond after the first token, a server that took as much longer than the call.
    let mut timing = queue(200);
    if let Some(queue) = &mut timing.queue_nanos {
        queue.value += MILLIS / 2;
    }
    let split = parts(&call(Some(200), timing), &once(1_000));
    assert_eq!(
        split.rows.iter().map(|row| row.nanos).collect::<Vec<_>>(),
        [
            Some(200_500_000),
            Some(0),
            Some(0),
            Some(799_500_000),
            None,
            Some(0)
        ]
    );
    assert_eq!(split.problems, Vec::<String>::new());
}

#[test]
fn only_model_calls_that_have_ended_are_split() {
    let model = call(Some(300), Timing::default());
    for end in [0, START - 5 * MILLIS] {
        let split = split(&model, START, end, &Served::Unseen);
        assert_eq!(split, TimeSplit::default());
    }
    let mut tool = model;
    tool.operation = stated(Operation::Tool, "kind");
    assert_eq!(parts(&tool, &Served::Unseen), TimeSplit::default());
}
