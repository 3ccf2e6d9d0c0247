//! Who has sent what, as the Connect page and the status bar tell it (reliability.md A17, S1, S2, S9).

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use serde_json::{Value, json};

use super::Rig;
use super::client::{self, json as post_json, protobuf};
use super::signals::one_span;

async fn status(rig: &Rig) -> Value {
    rig.store.call("get_status", json!({})).await
}

async fn senders(rig: &Rig) -> Vec<Value> {
    let connections = rig.store.call("get_connections", json!({})).await;
    connections["senders"].as_array().expect("a list").clone()
}

/// Reliability A17.
#[tokio::test]
async fn what_is_delivered_again_is_counted_and_not_stored() {
    let rig = Rig::start().await;
    assert_eq!(status(&rig).await["duplicates"], 0);
    let span = one_span();
    for (times, duplicates) in [(1, 0), (2, 1), (3, 2)] {
        let reply = client::post(rig.http, "/v1/traces", span.clone()).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply.body.is_empty(),
            "a duplicate is no problem of the sender"
        );
        assert_eq!(rig.rows("spans"), 1, "sent {times} times");
        assert_eq!(status(&rig).await["duplicates"], duplicates);
    }
    let call = client::call(&span)
        .send(rig.grpc, client::method("traces"))
        .await;
    assert_eq!(call.grpc_status(), Some(0));
    assert_eq!(
        status(&rig).await["duplicates"],
        3,
        "over whatever protocol"
    );
}

#[tokio::test]
async fn a_sender_is_told_by_where_it_is_and_whether_it_knows_the_key() {
    let open = Rig::start().await;
    assert_eq!(status(&open).await["keyed"], false);
    client::post(open.http, "/v1/traces", one_span()).await;
    let told = senders(&open).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["authenticated"], false, "there is no key to know");
    assert_eq!(told[0]["peer"], Value::Null, "this machine");

    let keyed = Rig::start_with(|options| options.ingest_key = Some("s3cret".to_owned())).await;
    assert_eq!(status(&keyed).await["keyed"], true);
    let reply = protobuf(one_span())
        .with("x-clew-key", "s3cret")
        .send(keyed.http, "/v1/traces")
        .await;
    assert_eq!(reply.status, 200);
    let told = senders(&keyed).await;
    assert_eq!(told[0]["authenticated"], true);
    assert!(!told[0].to_string().contains("s3cret"));
    assert!(!status(&keyed).await.to_string().contains("s3cret"));
}

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[tokio::test]
async fn open_to_the_network_the_status_says_so_and_names_who_sends_from_there() {
    let rig = Rig::start_with(|options| {
        options.host = Some(Ipv4Addr::UNSPECIFIED.into());
        options.ingest_key = Some("s3cret".to_owned());
    })
    .await;
    let told = status(&rig).await;
    assert_eq!(told["exposed"], true);
    assert_eq!(told["keyed"], true);
    // A machine without a network has nobody to be reached by.
    let Some(ip) = own_address() else { return };
    let address = (ip, rig.http.port()).into();
    let refused = protobuf(one_span()).send(address, "/v1/traces").await;
    assert_eq!(refused.status, 401);
    rig.problem(&format!("(from {ip})")).await;
    let taken = protobuf(one_span())
        .with("x-clew-key", "s3cret")
        .send(address, "/v1/traces")
        .await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let told = senders(&rig).await;
    assert_eq!(told.len(), 1, "the refused one is none: {told:?}");
    assert_eq!(told[0]["peer"], ip.to_string());
    assert_eq!(told[0]["authenticated"], true);

    let closed = Rig::start().await;
    assert_eq!(status(&closed).await["exposed"], false);
    let elsewhere = tokio::net::TcpStream::connect((ip, closed.http.port())).await;
    assert!(elsewhere.is_err(), "by default nobody else can connect");
}

#[tokio::test]
async fn host_names_of_the_start_and_of_the_settings_are_taken_at_once() {
    let rig = Rig::start_with(|options| {
        options.allowed_hosts = vec!["DevBox.local".to_owned(), "not a name".to_owned()];
    })
    .await;
    let sent = async |host: &str| {
        let ask = post_json("{}").with("host", host);
        ask.send(rig.http, "/v1/traces").await.status
    };
    assert_eq!(sent("devbox.local:4318").await, 200);
    assert_eq!(sent("other.local:4318").await, 403);
    rig.problem("allowed by --allow-host or in Settings").await;
    assert_eq!(status(&rig).await["allowedHosts"], json!(["devbox.local"]));

    let mut settings = rig.store.call("get_settings", json!({})).await;
    settings["receiving"]["allowedHosts"] = json!(["Other.local"]);
    rig.store.call("set_settings", settings.clone()).await;
    assert_eq!(sent("other.local:4318").await, 200, "without a start");
    assert_eq!(sent("devbox.local").await, 200, "that of the start stays");
    assert_eq!(
        status(&rig).await["allowedHosts"],
        json!(["devbox.local", "other.local"])
    );
    let call = client::call(&one_span()).with("host", "other.local:4317");
    let call = call.send(rig.grpc, client::method("traces")).await;
    assert_eq!(call.grpc_status(), Some(0));

    for bad in ["*", "evil.example:80", "127.1", "http://x"] {
        settings["receiving"]["allowedHosts"] = json!([bad]);
        let refused = rig.store.ask("set_settings", &settings).await;
        let refused = refused.map(drop).expect_err("no host name");
        assert!(refused.message.contains(bad), "{refused}");
    }
    settings["receiving"]["allowedHosts"] = json!([]);
    rig.store.call("set_settings", settings).await;
    assert_eq!(sent("other.local").await, 403, "taken back");
}
