//! Opened files and live telemetry on the command line: told apart, and never mixed unasked.

use super::{ID, json, run, send, text, trace};
use crate::serve::Served;

const OTHER: &str = "1af7651916cd43dd8448eb211c80319c";

#[test]
fn a_file_is_in_no_list_of_live_traces_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("clew.db");
    let saved = folder.path().join("saved.json");
    std::fs::write(&saved, trace(OTHER, "saved", &[("service.name", "shop")])).expect("writes");
    let saved = saved.to_str().expect("text");
    assert!(run(&database, &["import", saved]).status.success());
    let ids = |database: &std::path::Path, arguments: &[&str]| -> Vec<String> {
        let rows = json(&run(database, arguments));
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| text(row["traceId"].as_str().expect("an id").as_bytes()))
            .collect()
    };
    // Where nothing else is, the file is what is meant.
    assert_eq!(ids(&database, &["list", "--json"]), [OTHER]);
    let latest = json(&run(&database, &["trace", "latest", "--json"]));
    assert_eq!(latest["traceId"], OTHER);

    let served = Served::start(&[]);
    let database = served.database();
    assert!(run(&database, &["import", saved]).status.success());
    send(&served, &trace(ID, "live", &[("service.name", "shop")]));
    assert_eq!(ids(&database, &["list", "--json"]), [ID]);
    let named = ["list", "--json", "--source", "saved.json"];
    assert_eq!(ids(&database, &named), [OTHER]);
    let all = ids(&database, &["list", "--json", "--source", "all"]);
    assert_eq!(all.len(), 2, "{all:?}");
    let latest = json(&run(&database, &["trace", "latest", "--json"]));
    assert_eq!(latest["traceId"], ID);
    // An id means its trace, wherever that lies.
    let other = json(&run(&database, &["trace", OTHER, "--json"]));
    assert_eq!(other["traceId"], OTHER);
    let calls = |source: &[&str]| {
        let arguments = [&["ledger", "--json"][..], source].concat();
        json(&run(&database, &arguments))["sums"]["calls"].clone()
    };
    assert_eq!(calls(&[]), 1);
    assert_eq!(calls(&["--source", "all"]), 2);

    let refused = run(&database, &["list", "--source", "svaed.json"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    let expected = "no opened file is named \"svaed.json\"; there are \"saved.json\"";
    assert!(told.contains(expected), "{told}");
}
