//! What is checked of a request before its body is read: who is addressed, which page sends, which key it carries.
//!
//! A web page can make a browser post to loopback. It cannot set `Host`, `Origin` or `Sec-Fetch-Site`, so these three
//! decide (reliability.md S2-S4, S9).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, PoisonError, RwLock};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq as _;

use super::reply::Failure;

/// Header or gRPC metadata that carries the ingest key.
pub(super) const KEY: &str = "x-clew-key";

/// Names under which containers reach their host. Only here: they resolve wherever the network says, so nothing that
/// can be read from may answer to them.
const CONTAINER_HOSTS: [&str; 3] = [
    "host.docker.internal",
    "gateway.docker.internal",
    "host.containers.internal",
];

/// Names that the user allows beside those, lower case; they may change while Clew runs. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedHosts {
    names: Arc<RwLock<BTreeSet<String>>>,
}

impl AllowedHosts {
    /// Allows these names and no others.
    pub(crate) fn replace(&self, names: BTreeSet<String>) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().cloned().collect()
    }

    fn contains(&self, host: &str) -> bool {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.contains(host)
    }
}

/// The web page that sends, if one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// No page: a program.
    Absent,
    /// A page served from this machine's loopback; the value goes back to the browser as it came.
    Loopback(HeaderValue),
    /// Any other, `null` and unreadable ones included.
    Foreign,
}

/// Refuses requests that are addressed to another name, sent by a foreign page, or without the key.
pub(super) fn check(
    head: &Parts,
    origin: &Origin,
    key: Option<&str>,
    allowed: &AllowedHosts,
) -> Result<(), Failure> {
    if !addressed_here(head, allowed) {
        return Err(Failure::forbidden(
            "the host of the request is not a name of this machine",
            "send to localhost, 127.0.0.1, [::1] or, from a container, host.docker.internal; a name of this machine in \
             your network is allowed by --allow-host or in Settings",
        ));
    }
    match origin {
        Origin::Foreign => {
            return Err(Failure::forbidden(
                "a page of another origin may not send",
                "only pages served from localhost, 127.0.0.1 or [::1] may send telemetry to Clew",
            ));
        }
        // A page on localhost that posts to 127.0.0.1 is cross-site to a browser, and still a page of this machine.
        Origin::Loopback(_) => {}
        Origin::Absent if cross_site(&head.headers) => {
            return Err(Failure::forbidden(
                "a page of another site may not send",
                "only pages served from localhost, 127.0.0.1 or [::1] may send telemetry to Clew",
            ));
        }
        Origin::Absent => {}
    }
    // A preflight cannot carry the key; it stores nothing either.
    match key {
        Some(key) if head.method != http::Method::OPTIONS && !carries(&head.headers, key) => {
            Err(Failure::unauthenticated())
        }
        _ => Ok(()),
    }
}

fn addressed_here(head: &Parts, allowed: &AllowedHosts) -> bool {
    let is_own = |authority: &str| is_own(authority, allowed);
    let mut named = false;
    if let Some(authority) = head.uri.authority() {
        if !is_own(authority.as_str()) {
            return false;
        }
        named = true;
    }
    let mut hosts = head.headers.get_all(header::HOST).iter();
    if let Some(host) = hosts.next() {
        if !host.to_str().is_ok_and(is_own) || hosts.next().is_some() {
            return false;
        }
        named = true;
    }
    named
}

/// Whether `authority` (host and perhaps port) names this machine: an IP literal, `localhost`, a name below it, a
/// container's name for its host, or a name that the user allows. Parsed to the letter: no user, no trailing dot, no short or octal addresses.
fn is_own(authority: &str, allowed: &AllowedHosts) -> bool {
    let Some((host, bracketed)) = split_port(authority) else {
        return false;
    };
    if bracketed {
        return host.parse::<Ipv6Addr>().is_ok();
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let host = host.to_ascii_lowercase();
    is_localhost(&host) || CONTAINER_HOSTS.contains(&host.as_str()) || allowed.contains(&host)
}

fn is_localhost(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host == "localhost"
        || host
            .strip_suffix(".localhost")
            .is_some_and(|labels| labels.len() <= 200 && labels.split('.').all(label))
}

/// Host without brackets, and whether it had them; `None` where brackets or port are wrong.
fn split_port(authority: &str) -> Option<(&str, bool)> {
    let (host, rest, bracketed) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']')?;
            (host, rest, true)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            (authority.get(..end)?, authority.get(end..)?, false)
        }
    };
    let port_fits = match rest.strip_prefix(':') {
        None => rest.is_empty(),
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    };
    port_fits.then_some((host, bracketed))
}

/// Reads the `Origin` header: one, and exactly `http(s)://` + `localhost`, a name below it or a loopback address +
/// perhaps a port.
pub(super) fn origin(headers: &HeaderMap) -> Origin {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let Some(value) = values.next() else {
        return Origin::Absent;
    };
    if values.next().is_none() && value.to_str().is_ok_and(is_loopback_origin) {
        Origin::Loopback(value.clone())
    } else {
        Origin::Foreign
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    let Some(authority) = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
    else {
        return false;
    };
    let Some((host, bracketed)) = split_port(authority) else {
        return false;
    };
    if bracketed {
        return host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback());
    }
    host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()) || is_localhost(host)
}

fn cross_site(headers: &HeaderMap) -> bool {
    headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
}

/// Whether the request states this key, once.
pub(super) fn carries(headers: &HeaderMap, key: &str) -> bool {
    let mut values = headers.get_all(KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    value.as_bytes().ct_eq(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for (host, own) in [
            ("localhost", true),
            ("localhost:4318", true),
            ("LOCALHOST:4318", true),
            ("127.0.0.1", true),
            ("127.0.0.1:4318", true),
            ("127.9.9.9:1", true),
            ("0.0.0.0:4318", true),
            ("192.168.1.20:4318", true),
            ("[::1]", true),
            ("[::1]:4318", true),
            ("[fe80::1]:4318", true),
            ("[::ffff:127.0.0.1]:4318", true),
            ("app.localhost", true),
            ("a.b.localhost:3000", true),
            ("host.docker.internal:4318", true),
            ("Host.Docker.Internal", true),
            ("gateway.docker.internal:4317", true),
            ("host.containers.internal:4317", true),
            ("", false),
            (":4318", false),
            ("localhost:", false),
            ("localhost:65536", false),
            ("localhost:+80", false),
            ("localhost:80:80", false),
            ("localhost.", false),
            ("localhost.:4318", false),
            ("127.0.0.1.", false),
            (".localhost", false),
            ("a..localhost", false),
            ("a_b.localhost", false),
            ("localhost.evil.com", false),
            ("localhost.evil.com:4318", false),
            ("evil.com", false),
            ("evil.com:4318", false),
            ("evillocalhost", false),
            ("evil-localhost", false),
            ("localhostevil", false),
            ("127.0.0.1.evil", false),
            ("127.0.0.1.nip.io", false),
            ("127.0.0.1evil", false),
            ("127.1", false),
            ("0177.0.0.1", false),
            ("0x7f.0.0.1", false),
            ("2130706433", false),
            ("127.0.0.01", false),
            ("::1", false),
            ("::1:4318", false),
            ("[::1", false),
            ("::1]", false),
            ("[::1]4318", false),
            ("[::1]:x", false),
            ("[::1%lo]:4318", false),
            ("[127.0.0.1]", false),
            ("[localhost]", false),
            ("user@localhost", false),
            ("localhost@evil.com", false),
            ("user:pass@localhost:4318", false),
            ("localhost/evil", false),
            ("localhost#", false),
            ("localhost ", false),
            (" localhost", false),
            ("localhost,evil.com", false),
            ("docker.internal", false),
            ("evil.docker.internal", false),
            ("host.docker.internal.evil.com", false),
        ] {
            assert_eq!(is_own(host, &AllowedHosts::default()), own, "{host:?}");
        }
    }

    #[test]
    fn names_that_the_user_allows_are_taken_to_the_letter() {
        let allowed = AllowedHosts::default();
        assert!(!is_own("devbox.local:4318", &allowed));
        allowed.replace(["devbox.local".to_owned()].into());
        for (host, own) in [
            ("devbox.local", true),
            ("DevBox.Local:4318", true),
            ("devbox.local.", false),
            ("devbox", false),
            ("x.devbox.local", false),
            ("devbox.local.evil.com", false),
            ("devbox.local@evil.com", false),
            ("user@devbox.local", false),
            ("localhost", true),
        ] {
            assert_eq!(is_own(host, &allowed), own, "{host:?}");
        }
        allowed.replace(BTreeSet::new());
        assert!(!is_own("devbox.local", &allowed), "taken back");
    }

    #[test]
    fn a_request_names_one_host_and_every_name_counts() {
        for (uri, headers, own) in [
            ("/v1/traces", &[("host", "localhost")][..], true),
            ("/v1/traces", &[], false),
            (
                "/v1/traces",
                &[("host", "localhost"), ("host", "localhost")],
                false,
            ),
            (
                "/v1/traces",
                &[("host", "localhost"), ("host", "evil.com")],
                false,
            ),
            ("http://localhost:4318/v1/traces", &[], true),
            ("http://evil.com/v1/traces", &[("host", "localhost")], false),
            ("http://localhost/v1/traces", &[("host", "evil.com")], false),
            ("http://u@localhost/v1/traces", &[], false),
            (
                "http://[::1]:4317/v1/traces",
                &[("host", "[::1]:4317")],
                true,
            ),
        ] {
            assert_eq!(
                addressed_here(&parts(uri, headers), &AllowedHosts::default()),
                own,
                "{uri} {headers:?}"
            );
        }
    }

    #[test]
    fn only_pages_of_this_machine_may_send() {
        for (value, loopback) in [
            ("http://localhost:3000", true),
            ("https://localhost", true),
            ("http://127.0.0.1:5173", true),
            ("http://[::1]:8080", true),
            ("http://app.localhost:3000", true),
            ("null", false),
            ("", false),
            ("localhost:3000", false),
            ("file://", false),
            ("http://", false),
            ("http://evil.example", false),
            ("http://localhost.evil.com", false),
            ("http://localhost:3000.evil.com", false),
            ("http://localhost:3000/", false),
            ("http://localhost:3000/path", false),
            ("http://user@localhost", false),
            ("http://localhost@evil.com", false),
            ("http://192.168.1.20", false),
            ("http://0.0.0.0:3000", false),
            ("http://[::2]", false),
            ("http://host.docker.internal", false),
            ("chrome-extension://localhost", false),
            ("http://localhost http://evil.com", false),
        ] {
            assert_eq!(is_loopback_origin(value), loopback, "{value:?}");
        }
        let two = parts(
            "/",
            &[
                ("origin", "http://localhost:1"),
                ("origin", "http://localhost:2"),
            ],
        );
        assert_eq!(origin(&two.headers), Origin::Foreign);
    }

    #[test]
    fn the_key_is_asked_for_but_not_of_a_preflight() {
        let passes =
            |head: &Parts, key| check(head, &Origin::Absent, key, &AllowedHosts::default()).is_ok();
        let head = parts("/v1/traces", &[("host", "localhost"), (KEY, "s3cret")]);
        assert!(passes(&head, Some("s3cret")));
        assert!(!passes(&head, Some("s3cretx")));
        let mut head = parts("/v1/traces", &[("host", "localhost")]);
        assert!(!passes(&head, Some("s3cret")));
        assert!(passes(&head, None));
        head.method = http::Method::OPTIONS;
        assert!(passes(&head, Some("s3cret")));
    }

    #[test]
    fn a_cross_site_request_needs_a_loopback_origin() {
        let head = parts(
            "/v1/traces",
            &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
        );
        assert!(check(&head, &Origin::Absent, None, &AllowedHosts::default()).is_err());
        assert!(check(&head, &Origin::Foreign, None, &AllowedHosts::default()).is_err());
        let page = Origin::Loopback(HeaderValue::from_static("http://localhost:3000"));
        assert!(check(&head, &page, None, &AllowedHosts::default()).is_ok());
    }
}
