//! A disk that fills up: telemetry is refused, nothing that was acknowledged is lost, and it goes on once there is room
//! (reliability C4, C5).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clew_core::otlp::Signal;
use clew_engine::Engine;
use clew_engine::ingest::Refused;
use clew_tests::otlp::{attribute, hex, span, traces};
use clew_tests::{Answer, Rig, at_most, wait_until};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use crate::serve::{Served, wire};

/// Names the small disk, in the process that has it mounted.
const DISK: &str = "CLEW_TEST_SMALL_DISK";
/// Size of the small disk in MiB.
const SIZE: usize = 32;
/// How long a disk with room again may stay unused (C4).
const RESUME: Duration = Duration::from_secs(5);

/// Reliability C5.
#[tokio::test]
async fn below_the_floor_telemetry_is_refused_and_above_it_taken_again() {
    let rig = Rig::start_with(|options| options.disk_floor = Some(u64::MAX)).await;
    let [grpc, http] = rig.listen().await;
    let request = traces(vec![span(1, 1, 0, "step")]);
    let refused = rig.commit(0, Signal::Traces, &request).await;
    let Err(Refused::Unavailable(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("nearly full") && why.contains("free"), "{why}");
    for address in [grpc, http] {
        let answer = Answer::to(address, Signal::Traces, &request).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    let status = rig.call("get_status", json!({})).await;
    assert_eq!(status["problem"], json!(why));
    assert_eq!(rig.rows("spans"), 0);
    // Deleting still works, which is how room is made.
    rig.call("apply_retention", json!({})).await;
    let database = rig.database();
    rig.engine.shut_down().await;
    let roomy = Engine::open(Rig::options(database)).await.expect("opens");
    let (batch, _) = clew_core::otlp::decode(
        Signal::Traces,
        clew_core::otlp::Encoding::Protobuf,
        &request,
        &clew_core::otlp::Limits::default(),
    )
    .expect("decodes");
    let taken = roomy.ingest().expect("it writes").commit(0, batch).await;
    assert_eq!(taken.expect("there is room").spans, 1);
    roomy.shut_down().await;
}

/// How a command gets a mount of its own: as a user, as root where user namespaces are closed, by sudo.
const WAYS: [&[&str]; 3] = [
    &["unshare", "--user", "--map-root-user", "--mount"],
    &["unshare", "--mount"],
    &[
        "sudo",
        "--non-interactive",
        "--preserve-env",
        "unshare",
        "--mount",
    ],
];

fn under(way: &[&str]) -> Command {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).stdin(Stdio::null());
    command
}

/// Reliability C4.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_and_is_used_again_when_there_is_room() {
    on_a_disk(
        "a_full_disk_loses_nothing_and_is_used_again_when_there_is_room",
        &format!("size={SIZE}m"),
        fill,
    );
}

/// Reliability C4, C5.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_full_to_the_last_byte_can_be_read_opened_and_cleaned() {
    on_a_disk(
        "a_disk_full_to_the_last_byte_can_be_read_opened_and_cleaned",
        "size=128m",
        clean,
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_cannot_be_written_is_named() {
    on_a_disk("a_disk_that_cannot_be_written_is_named", "ro", refuse);
}

/// Sets how large a file of a process may become, as `ulimit -f` does; it can be raised again.
#[cfg(target_os = "linux")]
fn allow_files_of(pid: u32, size: &str) {
    let set = Command::new("prlimit")
        .args([
            "--pid",
            &pid.to_string(),
            &format!("--fsize={size}:unlimited"),
        ])
        .status();
    assert!(set.expect("prlimit runs").success());
}

/// Needs no mount: the real binary, whose files may not grow (C4, M13).
#[cfg(target_os = "linux")]
#[test]
fn a_quota_loses_nothing_and_is_used_again_when_it_is_raised() {
    let served = Served::start(&[]);
    allow_files_of(served.pid(), "16777216");
    let mut random = rand::rngs::StdRng::seed_from_u64(6);
    let mut send = |trace: u128| {
        let kind = ["Content-Type: application/x-protobuf"];
        let body = large(&mut random, trace);
        wire::ask(&served.http, "POST", "/v1/traces", &kind, &body)
    };
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for trace in 1..=64 {
        let answer = send(trace);
        match answer.status {
            200 => acknowledged.push(trace),
            status => {
                assert_eq!(status, 503, "{}", answer.text());
                refused += 1;
            }
        }
    }
    assert!(acknowledged.len() >= 5, "{} taken", acknowledged.len());
    assert!(refused > 0, "a quota is a limit");
    assert_there(&served, &acknowledged);

    allow_files_of(served.pid(), "unlimited");
    let began = Instant::now();
    let late = 1_000_000;
    while send(late).status != 200 {
        assert!(began.elapsed() < at_most(RESUME), "taken again");
        std::thread::sleep(Duration::from_millis(10));
    }
    acknowledged.push(late);
    assert_there(&served, &acknowledged);
}

/// Every one of these traces can be read.
#[cfg(target_os = "linux")]
fn assert_there(served: &Served, acknowledged: &[u128]) {
    let bearer = format!("Authorization: Bearer {}", served.token);
    let headers = [&*bearer, "Content-Type: application/json"];
    for &trace in acknowledged {
        let params =
            json!({"span": {"traceId": hex(trace), "spanId": "0000000000000001"}, "index": 0});
        let params = params.to_string();
        let answer = wire::ask(
            &served.ui,
            "POST",
            "/api/get_attribute",
            &headers,
            params.as_bytes(),
        );
        assert_eq!(answer.status, 200, "trace {trace}: {}", answer.text());
        assert!(answer.body.len() > 1_000_000, "trace {trace} is cut");
    }
}

/// Runs a test again where a small disk is mounted that nobody else sees, and there `act` on it.
#[cfg(target_os = "linux")]
fn on_a_disk(test: &str, options: &str, act: impl AsyncFnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(DISK) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(act(Path::new(&disk)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mount = format!("mount -t tmpfs -o {options} tmpfs \"$0\"");
    let way = WAYS.into_iter().find(|way| {
        let tried = under(way)
            .args(["sh", "-c", &mount])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    });
    let Some(way) = way else {
        // Some systems keep user namespaces from programs that they do not know.
        let skipped = format!(
            "SKIPPED {test}: no small disk can be mounted here, by unshare as user or root or by sudo\n"
        );
        let told = std::io::stderr().write_all(skipped.as_bytes());
        return told.expect("stderr takes it");
    };
    let output = under(way)
        .args(["sh", "-c", &format!("{mount} && exec \"$@\"")])
        .arg(folder.path())
        .arg(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", &format!("store::disk::{test}"), "--nocapture"])
        .env(DISK, folder.path())
        .output()
        .expect("it starts");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// A trace of one span with a payload that does not compress, about a MiB.
fn large(random: &mut rand::rngs::StdRng, trace: u128) -> Vec<u8> {
    let mut noise = vec![0_u8; 1_000_000];
    random.fill(&mut noise[..]);
    let mut span = span(trace, 1, 0, "step");
    span.attributes = vec![attribute("noise", Any::BytesValue(noise))];
    traces(vec![span])
}

async fn commit(engine: &Engine, request: &[u8]) -> Result<(), Refused> {
    let (batch, _) = clew_core::otlp::decode(
        Signal::Traces,
        clew_core::otlp::Encoding::Protobuf,
        request,
        &clew_core::otlp::Limits::default(),
    )
    .expect("decodes");
    let ingest = engine.ingest().expect("the engine writes");
    ingest.commit(0, batch).await.map(drop)
}

/// Every one of these traces is there, whole.
async fn assert_whole(engine: &Engine, acknowledged: &[u128]) {
    for &trace in acknowledged {
        let params =
            json!({"span": {"traceId": hex(trace), "spanId": "0000000000000001"}, "index": 0});
        let params = serde_json::to_vec(&params).expect("JSON");
        let value = clew_engine::api::dispatch(engine, "get_attribute", &params).await;
        let Ok(clew_engine::api::Reply::Json(json)) = value else {
            panic!("trace {trace} of {} is lost: {value:?}", acknowledged.len());
        };
        assert!(json.len() > 1_000_000, "trace {trace} is cut");
    }
}

/// Sends ten times what the disk holds, then makes room.
async fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1_u8; 8 * 1024 * 1024]).expect("there is room at first");
    let options = Rig::options(disk.join("clew.db"));
    let engine = Engine::open(options).await.expect("it opens");
    let mut random = rand::rngs::StdRng::seed_from_u64(4);
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    // Ten times as much as the disk holds.
    let mut request = large(&mut random, 1);
    for trace in 1..=(10 * SIZE as u128) {
        match commit(&engine, &request).await {
            Ok(()) => {
                acknowledged.push(trace);
                request = large(&mut random, trace + 1);
            }
            Err(Refused::Unavailable(why)) => {
                assert!(!why.is_empty());
                refused += 1;
                // The same telemetry is sent again, under the next number.
                request = large(&mut random, trace + 1);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 9 * SIZE / 2, "{refused} refused");
    assert!(acknowledged.len() >= 5, "{} taken", acknowledged.len());
    // Reading goes on while the disk is full.
    assert_whole(&engine, &acknowledged).await;

    std::fs::remove_file(&ballast).expect("room is made");
    let began = Instant::now();
    let late = 1_000_000;
    let request = large(&mut random, late);
    wait_until("telemetry is taken again", async || {
        commit(&engine, &request).await.ok()
    })
    .await;
    assert!(
        began.elapsed() < at_most(RESUME),
        "after {:?}",
        began.elapsed()
    );
    acknowledged.push(late);
    assert_whole(&engine, &acknowledged).await;
    engine.shut_down().await;
    assert_eq!(left(disk), [""; 0], "only files of the database");

    // On a roomier disk it opens again, with everything.
    let roomy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(disk).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), roomy.path().join(entry.file_name())).expect("copies");
    }
    let options = Rig::options(roomy.path().join("clew.db"));
    let engine = Engine::open(options).await.expect("it opens again");
    assert_whole(&engine, &acknowledged).await;
    engine.shut_down().await;
}

/// Takes what room there is, as another program would.
fn stuff(path: &Path) {
    let mut file = std::fs::File::create(path).expect("it is made");
    for size in [1 << 20, 1 << 12] {
        let piece = vec![1_u8; size];
        while file.write_all(&piece).is_ok() {}
    }
    let more = path.with_file_name("more");
    assert!(std::fs::write(&more, [1]).is_err(), "the disk is full");
    let _ = std::fs::remove_file(more);
}

/// Whether there is a reserve of this size beside a database.
fn ballast(database: &Path) -> Option<u64> {
    let path = database.with_file_name("clew.db.ballast");
    std::fs::metadata(path).ok().map(|meta| meta.len())
}

async fn delete(engine: &Engine, trace: u128) -> u64 {
    let params = json!({"traces": [{"traceId": hex(trace)}]});
    let params = serde_json::to_vec(&params).expect("JSON");
    match clew_engine::api::dispatch(engine, "delete_traces", &params).await {
        Ok(clew_engine::api::Reply::Json(json)) => {
            let purged: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            purged["traces"].as_u64().expect("a count")
        }
        other => panic!("{other:?}"),
    }
}

/// Another program takes all that is free; Clew has a reserve and lives on it.
async fn clean(disk: &Path) {
    // The reserve is an eighth of it, and more than the log holds here.
    const FLOOR: u64 = 64 * 1024 * 1024;
    let database = disk.join("clew.db");
    let mut options = Rig::options(database.clone());
    options.disk_floor = Some(FLOOR);
    let engine = Engine::open(options.clone()).await.expect("it opens");
    let mut random = rand::rngs::StdRng::seed_from_u64(5);
    let reserved = async || {
        wait_until("there is a reserve", async || {
            (ballast(&database) == Some(FLOOR / 8)).then_some(())
        })
        .await;
    };
    reserved().await;
    let mut acknowledged: Vec<u128> = (1..=4).collect();
    for &trace in &acknowledged {
        let taken = commit(&engine, &large(&mut random, trace)).await;
        taken.expect("there is room");
    }

    let other = disk.join("another program's");
    stuff(&other);
    let refused = commit(&engine, &large(&mut random, 9)).await;
    assert!(
        matches!(refused, Err(Refused::Unavailable(_))),
        "{refused:?}"
    );
    assert_whole(&engine, &acknowledged).await;
    // Deleting works, and gives room back.
    assert_eq!(delete(&engine, 1).await, 1);
    assert_eq!(ballast(&database), None);
    acknowledged.remove(0);
    assert_whole(&engine, &acknowledged).await;

    // With room again there is a reserve again, at the next look.
    std::fs::remove_file(&other).expect("room is made");
    assert_eq!(delete(&engine, 2).await, 1);
    acknowledged.remove(0);
    reserved().await;
    let taken = wait_until("telemetry is taken again", async || {
        commit(&engine, &large(&mut random, 5)).await.ok()
    });
    taken.await;
    acknowledged.push(5);

    // Full again, it is ended and started.
    stuff(&other);
    engine.shut_down().await;
    let engine = Engine::open(options)
        .await
        .expect("it opens on a full disk");
    assert_eq!(ballast(&database), None);
    assert_whole(&engine, &acknowledged).await;
    assert_eq!(delete(&engine, 3).await, 1);
    acknowledged.remove(0);
    assert_whole(&engine, &acknowledged).await;
    engine.shut_down().await;
}

/// A disk, or a folder of somebody else, where nothing can be made.
async fn refuse(disk: &Path) {
    for database in [disk.join("clew.db"), disk.join("folder").join("clew.db")] {
        let opened = Engine::open(Rig::options(database.clone())).await.map(drop);
        let error = opened.expect_err("it cannot be made");
        assert_eq!(error.code, clew_engine::ErrorCode::Io, "{error}");
        let told = &error.message;
        assert!(told.contains(&disk.display().to_string()), "{told}");
        assert!(told.contains("Read-only"), "{told}");
    }
}

/// Files that are not the database's.
fn left(disk: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(disk).expect("a folder");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names.filter(|name| !name.starts_with("clew.db")).collect()
}
