//! Which sockets are bound, and what is said where they cannot be (reliability.md C13, C14, S1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use clew_engine::{Engine, Options};

use super::Rig;

fn options(folder: &tempfile::TempDir) -> Options {
    Options {
        database: folder.path().join("clew.db"),
        grpc: 0,
        http: 0,
        host: None,
        ingest_key: None,
        allowed_hosts: Vec::new(),
        disk_floor: Some(0),
    }
}

/// Reliability C14.
#[tokio::test]
async fn both_loopbacks_are_bound_and_nothing_else() {
    let rig = Rig::start().await;
    for socket in rig.engine.listening() {
        let addresses: Vec<SocketAddr> = socket
            .addresses
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect();
        assert!(
            addresses.iter().all(|address| address.ip().is_loopback()),
            "{addresses:?}"
        );
        assert!(addresses.iter().any(|address| address.is_ipv4()));
        let port = addresses[0].port();
        assert!(addresses.iter().all(|address| address.port() == port));
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
            assert!(
                addresses.iter().any(|address| address.is_ipv6()),
                "{addresses:?}"
            );
        }
        for ip in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            // Nobody else can take the port of either family.
            if addresses.iter().any(|address| address.ip() == ip) {
                assert!(TcpListener::bind((ip, port)).is_err(), "{ip}");
            }
        }
    }
}

/// Reliability C13.
#[tokio::test]
async fn a_taken_port_is_named_and_taken_once_it_is_free() {
    for squatted in [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ] {
        let Ok(squatter) = TcpListener::bind((squatted, 0)) else {
            continue;
        };
        let port = squatter.local_addr().expect("bound").port();
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(Options {
            grpc: port,
            ..options(&folder)
        });
        let engine = engine.await.expect("the database opens");
        let listening = engine.listen().await.expect("a taken port is not fatal");
        let grpc = listening
            .iter()
            .find(|socket| socket.name == "grpc")
            .expect("named");
        assert_eq!(grpc.port, port);
        assert_eq!(grpc.addresses, Vec::<String>::new(), "never another port");
        let problem = grpc.problem.clone().expect("it says why");
        for words in [&format!("port {port}"), &squatted.to_string(), "--grpc"] {
            assert!(problem.contains(words), "{problem}");
        }
        if cfg!(target_os = "linux") {
            let owner = format!("pid {}", std::process::id());
            assert!(problem.contains(&owner), "{problem}");
        }
        let http = listening
            .iter()
            .find(|socket| socket.name == "http")
            .expect("named");
        assert!(!http.addresses.is_empty(), "the other port listens");

        drop(squatter);
        let deadline = Instant::now() + clew_tests::PATIENCE;
        loop {
            let listening = engine.listening();
            let grpc = listening
                .iter()
                .find(|socket| socket.name == "grpc")
                .expect("named");
            if !grpc.addresses.is_empty() {
                assert_eq!(grpc.problem, None);
                assert!(
                    grpc.addresses
                        .iter()
                        .all(|address| address.ends_with(&port.to_string()))
                );
                break;
            }
            assert!(Instant::now() < deadline, "tried again every 5 s");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        engine.shut_down().await;
    }
}

#[tokio::test]
async fn beyond_this_machine_a_key_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let wide = Options {
        host: Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        ..options(&folder)
    };
    let engine = Engine::open(wide.clone())
        .await
        .expect("the database opens");
    let refused = engine.listen().await.expect_err("no key");
    assert!(refused.message.contains("ingest key"), "{refused}");
    assert!(engine.listening().is_empty(), "nothing is bound");
    engine.shut_down().await;

    let keyed = Options {
        ingest_key: Some("s3cret".to_owned()),
        ..wide
    };
    let engine = Engine::open(keyed).await.expect("the database opens");
    for socket in engine.listen().await.expect("a key is set") {
        assert_eq!(socket.problem, None);
        assert!(
            socket.addresses[0].starts_with("0.0.0.0:"),
            "{:?}",
            socket.addresses
        );
    }
    engine.shut_down().await;
}
