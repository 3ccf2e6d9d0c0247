use std::path::Path;

use super::*;

mod ids;

const FIXTURES: &str = "../../../fixtures/otlp";

fn fixture(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FIXTURES)
        .join(path);
    std::fs::read(path).expect("fixture")
}

fn span(id: u8) -> String {
    format!(
        r#"{{"traceId":"{}","spanId":"{id:016x}","name":"s{id}"}}"#,
        "ab".repeat(16)
    )
}

fn document(ids: std::ops::Range<u8>) -> String {
    let spans: Vec<_> = ids.map(span).collect();
    format!(
        r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
}

/// Reads a file as its sniffed format, in pieces of this size; gives names of spans, logs, points, and problems.
fn read(file: &[u8], piece: usize) -> (&'static str, Vec<String>, usize, usize, Vec<Problem>) {
    let format = sniff(&file[..file.len().min(64 << 10)]).expect("a known format");
    let (mut names, mut logs, mut points, mut problems) = (Vec::new(), 0, 0, Vec::new());
    let mut reader = format.reader();
    let mut sink = |batch: Batch, found: Vec<Problem>| {
        names.extend(
            batch
                .spans
                .iter()
                .flat_map(|group| &group.items)
                .map(|item| item.span.name.clone()),
        );
        logs += batch
            .logs
            .iter()
            .map(|group| group.items.len())
            .sum::<usize>();
        points += batch
            .metrics
            .iter()
            .flat_map(|group| &group.items)
            .map(|metric| metric.points.len())
            .sum::<usize>();
        problems.extend(found);
    };
    for piece in file.chunks(piece) {
        reader.push(piece, &mut sink);
    }
    reader.finish(&mut sink);
    (format.id(), names, logs, points, problems)
}

#[test]
fn lines_are_read_however_they_are_cut_into_pieces() {
    let file = format!(
        "\u{feff}{}\r\n\n# a remark\n{}\n{{\"resourceSpans\":[{{\"broken\n{}\n{}",
        document(1..3),
        document(3..4),
        document(4..6),
        &document(6..9)[..90]
    );
    for piece in [1, 7, 64, file.len()] {
        let (format, names, _, _, problems) = read(file.as_bytes(), piece);
        assert_eq!(format, "otlp-json-lines");
        assert_eq!(names, ["s1", "s2", "s3", "s4", "s5"]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(
            (problems[0].item.as_str(), problems[1].item.as_str()),
            ("line 5", "line 7")
        );
        assert!(problems.iter().all(|problem| problem.rejected));
    }
}

#[test]
fn a_bad_first_line_costs_that_line() {
    let file = format!("{{\"resourceSpans\":[{{\n{}\n", document(1..2));
    let (format, names, _, _, problems) = read(file.as_bytes(), 10);
    assert_eq!(
        (format, names.len(), problems.len()),
        ("otlp-json-lines", 1, 1)
    );
}

#[test]
fn documents_are_read_single_pretty_listed_and_in_a_row() {
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        serde_json::to_string_pretty(&value).expect("JSON")
    };
    let (first, second) = (document(1..3), document(3..4));
    for file in [
        format!("[{first},{second}]"),
        format!("\u{feff} [\r\n{first}\r\n,\r\n{second}\r\n]\r\n"),
        pretty(&format!("[{first},{second}]")),
        format!("{}\n{}", pretty(&first), pretty(&second)),
    ] {
        for piece in [1, 13, file.len()] {
            let (format, names, _, _, problems) = read(file.as_bytes(), piece);
            assert_eq!((format, problems), ("otlp-json", vec![]), "{file}");
            assert_eq!(names, ["s1", "s2", "s3"]);
        }
    }
    for file in [first.clone(), pretty(&first)] {
        let (format, names, _, _, problems) = read(file.as_bytes(), 11);
        assert_eq!((format, names.len(), problems), ("otlp-json", 2, vec![]));
    }
}

#[test]
fn a_broken_document_costs_itself_and_a_break_keeps_what_is_before() {
    let file = format!(
        "[{},\n{{\"resourceSpans\":x}},\n{}]",
        document(1..2),
        document(2..3)
    );
    let (_, names, _, _, problems) = read(file.as_bytes(), 9);
    assert_eq!(names, ["s1", "s2"]);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].item, "document at line 2");

    let whole = document(1..5);
    let (_, names, _, _, problems) = read(&whole.as_bytes()[..whole.len() - 30], 9);
    assert_eq!(names, ["s1", "s2", "s3"]);
    assert!(problems.len() == 1 && problems[0].rejected);
}

#[test]
fn a_large_document_streams_by_resources() {
    let filler = "x".repeat(200_000);
    let resources: Vec<_> = (1..101)
        .map(|id| {
            format!(
                r#"{{"resource":{{"attributes":[{{"key":"a","value":{{"stringValue":"]}}[{{\"{filler}"}}}}]}},"scopeSpans":[{{"spans":[{}]}}]}}"#,
                span(id)
            )
        })
        .collect();
    let file = format!(
        r#"{{"resourceSpans" : [{}] , "resourceLogs":[]}}"#,
        resources.join(" ,\n ")
    );
    let format = &OtlpJson;
    let mut reader = format.reader();
    let (mut before_end, mut spans, mut ended) = (0, 0, false);
    for piece in file.as_bytes().chunks(100_000) {
        reader.push(piece, &mut |batch, problems| {
            assert_eq!(problems, []);
            before_end += batch.spans.len();
        });
    }
    reader.finish(&mut |batch, problems| {
        assert_eq!(problems, []);
        spans += batch.spans.len();
        ended = true;
    });
    assert_eq!(before_end + spans, 100);
    assert!(ended);
}

#[test]
fn recorded_and_foreign_files_open_with_their_counts() {
    for (file, format, spans, logs) in [
        (
            "thirdparty/otlp2parquet/traces.jsonl",
            "otlp-json-lines",
            19,
            0,
        ),
        (
            "thirdparty/otlp2parquet/logs.jsonl",
            "otlp-json-lines",
            0,
            81,
        ),
        ("thirdparty/otlp2parquet/trace.json", "otlp-json", 2, 0),
        (
            "thirdparty/otlp-proto-examples/events.json",
            "otlp-json",
            0,
            1,
        ),
        (
            "vercel_ai7/001-traces-http-json.raw.json",
            "otlp-json",
            0,
            0,
        ),
    ] {
        let bytes = fixture(file);
        let (found, names, found_logs, _, problems) = read(&bytes, 1_000);
        assert_eq!(found, format, "{file}");
        assert!(
            problems.iter().all(|problem| !problem.rejected),
            "{file}: {problems:?}"
        );
        if spans + logs > 0 {
            assert_eq!((names.len(), found_logs), (spans, logs), "{file}");
        } else {
            assert!(!names.is_empty());
        }
        let canonical = file.contains("otlp2parquet");
        assert_eq!(
            !problems.is_empty(),
            canonical,
            "{file}: base64 and enum names are remarked on"
        );
    }
    for kind in [
        "exponential_histogram",
        "gauge",
        "histogram",
        "mixed",
        "sum",
        "summary",
    ] {
        let bytes = fixture(&format!("thirdparty/otlp2parquet/metrics_{kind}.jsonl"));
        let (_, _, _, points, _) = read(&bytes, 500);
        assert!(points > 0, "{kind}");
    }
}

#[test]
fn signals_mix_in_one_file() {
    let file = format!(
        "{}\n{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{{\"stringValue\":\"x\"}}}}]}}]}}]}}\n\
         {{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"m\",\"gauge\":{{\"dataPoints\":[{{\"asInt\":\"1\"}}]}}}}]}}]}}]}}\n",
        document(1..2)
    );
    let (_, names, logs, points, problems) = read(file.as_bytes(), 17);
    assert_eq!((names.len(), logs, points, problems), (1, 1, 1, vec![]));
}

#[test]
fn other_files_are_not_taken_for_otlp() {
    for file in [
        "",
        "hello",
        "{}",
        r#"{"data":[{"traceID":"1","spans":[]}]}"#,
        r#"{"trace":{"resourceSpans":[]}}"#,
        r#"[{"traceId":"1","name":"resourceSpans"}]"#,
        "\u{1f}\u{8b}",
    ] {
        assert!(sniff(file.as_bytes()).is_none(), "{file}");
    }
}

#[test]
fn registry_names_are_unique() {
    let mut ids: Vec<_> = FORMATS.iter().map(|format| format.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), FORMATS.len());
    assert!(
        FORMATS
            .iter()
            .all(|format| !format.title().is_empty() && !format.extensions().is_empty())
    );
}
