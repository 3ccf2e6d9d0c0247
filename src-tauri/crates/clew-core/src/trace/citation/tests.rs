use super::*;

fn document(id: &str) -> Document {
    Document {
        id: Some(id.to_owned()),
        score: Some(0.5),
        ..Document::default()
    }
}

fn answer(text: &str) -> Vec<Message> {
    vec![Message {
        role: "assistant".to_owned(),
        parts: vec![
            Part::Reasoning {
                text: "doc-12".to_owned(),
            },
            Part::Text {
                text: text.to_owned(),
            },
        ],
        ..Message::default()
    }]
}

fn retrieved(span: u8, ids: &[&str]) -> Retrieved {
    Retrieved {
        span_id: SpanId::from_bytes(&[span; 8]).expect("an id"),
        documents: ids.iter().map(|id| document(id)).collect(),
    }
}

fn cited(text: &str, ids: &[&str]) -> Vec<(String, (u32, u32))> {
    let found = citations(&answer(text), &[retrieved(1, ids)]);
    found.into_iter().map(|one| (one.id, one.range)).collect()
}

fn ids(text: &str, ids: &[&str]) -> Vec<String> {
    cited(text, ids).into_iter().map(|(id, _)| id).collect()
}

fn call(id: u8, text: &str) -> Answered {
    Answered {
        span_id: SpanId::from_bytes(&[id; 8]).expect("an id"),
        name: format!("chat {id}"),
        output: answer(text),
    }
}

#[test]
fn an_id_is_found_as_a_word_of_its_own() {
    let kb = ["doc-1", "doc-12", "kb/returns.md"];
    assert_eq!(
        ids("See [doc-12] and kb/returns.md.", &kb),
        ["doc-12", "kb/returns.md"]
    );
    for other in [
        "doc-123",
        "my-doc-12",
        "doc-12.txt",
        "x/doc-12",
        "doc-12-b",
        "DOC-12",
        "docs/kb/returns.md",
        "kb/returns.mdx",
    ] {
        assert_eq!(ids(other, &kb), [""; 0], "{other}");
    }
    for same in [
        "(doc-12)",
        "doc-12, doc",
        "\"doc-12\"",
        "doc-12: yes",
        "doc-12/",
        "^doc-12",
    ] {
        assert_eq!(ids(same, &kb), ["doc-12"], "{same}");
    }
    assert_eq!(ids("doc-12 or doc-12", &kb).len(), 2);
}

#[test]
fn a_short_id_counts_only_in_brackets() {
    let kb = ["1", "2", "3", "A1"];
    for (text, named) in [
        ("We have 2 of 3 left.", &[][..]),
        ("As told [3], and【2】", &["3", "2"]),
        ("It is so【3】.", &["3"]),
        ("As told [1, 3]", &["1", "3"]),
        ("As told [1][3].", &["1", "3"]),
        ("As told [^3] and [#2] and [A1; 9]", &["3", "2", "A1"]),
        ("[3](https://kb.example/)", &["3"]),
        // Prose and code have brackets too.
        ("Returns are free (within 3 days).", &[]),
        ("Returns are free [within 3 days].", &[]),
        ("f(2), step (2), (2)", &[]),
        ("an array a[i] = 3", &[]),
        ("arr[3] = 2; arr[1][3]; f(x)[3]", &[]),
        ("[12] [3", &[]),
        ("[3】", &[]),
        ("[2026, 3]", &[]),
    ] {
        assert_eq!(ids(text, &kb), named, "{text}");
    }
    assert_eq!(ids("[12]", &["2", ""]), [""; 0]);
}

#[test]
fn of_ids_in_one_another_the_longest_counts() {
    let kb = [
        "policy",
        "returns",
        "returns policy",
        "returns policy 2",
        "returns p",
    ];
    assert_eq!(
        ids("returns policy, returns policy 3, returns, policy", &kb),
        ["returns policy", "returns policy", "returns", "policy"]
    );
}

#[test]
fn an_answer_of_nothing_but_ids_is_cut_at_once() {
    let nested: Vec<String> = (1..=125)
        .map(|times| ["doc"; 125][..times].join(" "))
        .collect();
    let nested: Vec<&str> = nested.iter().map(String::as_str).collect();
    let alike: Vec<String> = (0..200)
        .map(|number| format!("{}{number}", "doc ".repeat(120)))
        .collect();
    let alike: Vec<&str> = alike.iter().map(String::as_str).collect();
    let long = "doc ".repeat(262_144);
    for (kb, least) in [(&["doc"][..], TOLD), (&nested, TOLD), (&alike, 0)] {
        let twenty: Vec<Retrieved> = (1..=20).map(|span| retrieved(span, kb)).collect();
        let found = citations(&answer(&long), &twenty);
        assert!(
            found.len() >= least && found.len() <= TOLD,
            "{}",
            found.len()
        );
        assert!(found.is_sorted_by_key(|one| one.range));

        let documents: Vec<Document> = kb.iter().map(|id| document(id)).collect();
        let calls: Vec<Answered> = (1..=50).map(|id| call(id, &long)).collect();
        assert!(citing_calls(&documents, &calls).len() <= TOLD);
    }
}

#[test]
fn work_has_a_bound_that_does_not_depend_on_what_is_compared() {
    // Each place differs from each id in its last byte only.
    let alike: Vec<String> = (0..200)
        .map(|number| format!("{}x{number}", "a ".repeat(240)))
        .collect();
    let ids = Ids::of(alike.iter().map(|id| (id.as_str(), ())));
    let text = "a ".repeat(500_000);
    let mut steps = 1_000_000;
    ids.look(&text, &mut steps, |_, (), _| true);
    assert_eq!(steps, 0);
    // An answer of words costs but a few steps each.
    let mut steps = 1_000_000;
    ids.look(
        &"an answer of words ".repeat(10_000),
        &mut steps,
        |_, (), _| true,
    );
    assert!(steps > 500_000, "{steps}");
}

#[test]
fn an_answer_has_one_bound_over_all_its_parts() {
    let part = |text: &str| Part::Text {
        text: text.to_owned(),
    };
    let mut said = answer("");
    said[0].parts = vec![part("doc-1"), part(&"x ".repeat(ANSWER / 2)), part("doc-2")];
    let found = citations(&said, &[retrieved(1, &["doc-1", "doc-2"])]);
    assert_eq!(found.len(), 1);
}

#[test]
fn places_are_counted_as_the_page_counts_them() {
    // "é" is two bytes and one unit, "🦀" four bytes and two units.
    assert_eq!(
        cited("é🦀 doc-12", &["doc-12"]),
        [("doc-12".to_owned(), (4, 10))]
    );
}

#[test]
fn a_document_that_was_found_twice_is_told_of_once() {
    let found = citations(
        &answer("doc-12"),
        &[
            retrieved(1, &["other", "doc-12"]),
            retrieved(2, &["doc-12"]),
        ],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].span_id.as_str(), found[0].document),
        ("0101010101010101", 1)
    );
    assert_eq!(
        (found[0].message, found[0].part, found[0].score),
        (0, 1, Some(0.5))
    );
}

#[test]
fn calls_that_name_a_document_are_told_by_document() {
    let documents = [document("doc-12"), Document::default(), document("faq.md")];
    let found = citing_calls(
        &documents,
        &[
            call(3, "faq.md says so, faq.md"),
            call(4, "doc-12 and faq.md"),
            call(5, "no"),
        ],
    );
    let told: Vec<_> = found
        .iter()
        .map(|call| (call.document, call.name.as_str(), call.times))
        .collect();
    assert_eq!(told, [(0, "chat 4", 1), (2, "chat 3", 2), (2, "chat 4", 1)]);
}

#[test]
fn of_two_documents_with_one_id_the_first_is_cited() {
    let documents = [document("faq.md"), document(" faq.md ")];
    let found = citing_calls(&documents, &[call(3, "faq.md")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].document, 0);
}
