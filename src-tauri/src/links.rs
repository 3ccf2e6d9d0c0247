//! Links in both directions: web addresses that the user asks to open, and `clew://` links that lead to a place in Clew.
//!
//! Both are foreign text. An address is opened only if it is plain http or https; a `clew://` link is read by the
//! grammar below and written anew, so that nothing of its text reaches the page as it came.

use std::sync::{Mutex, PoisonError};

use clew_engine::{Error, ErrorCode};
use tauri::{AppHandle, Emitter as _, Manager as _, State, Url};
use tauri_plugin_deep_link::DeepLinkExt as _;
use tauri_plugin_opener::OpenerExt as _;

use crate::{WINDOW, focus};

/// The scheme of links to Clew.
const SCHEME: &str = "clew";
/// Longest link that is read, in bytes.
const LONGEST: usize = 4_096;
/// What a link to the list of traces may say.
const FILTERS: [&str; 10] = [
    "text", "service", "model", "kind", "status", "session", "range", "source", "sort", "asc",
];

/// The place that the page has still to go to; the newest link wins.
#[derive(Debug, Default)]
pub(crate) struct Place(Mutex<Option<String>>);

/// Opens a web address in the user's browser, after they have seen it whole and said so.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tauri hands parameters over by value"
)]
pub(crate) fn open_link(app: AppHandle, url: String) -> Result<(), Error> {
    let address = web_address(&url).ok_or_else(|| {
        let message = "only plain http and https addresses are opened";
        Error::new(ErrorCode::BadRequest, message)
    })?;
    app.opener()
        .open_url(address, None::<&str>)
        .map_err(|error| Error::new(ErrorCode::Io, format!("cannot open the browser: {error}")))
}

/// Hands the page the place that a link leads to, once.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tauri hands parameters over by value"
)]
pub(crate) fn take_place(place: State<'_, Place>) -> Option<String> {
    place
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// Whether an argument is meant as a link.
pub(crate) fn is_link(argument: &str) -> bool {
    argument
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
}

/// Leads the page to where a link points; says so in the log where it points nowhere.
pub(crate) fn follow(app: &AppHandle, link: &str) {
    let (Some(hash), Some(place)) = (place_of(link), app.try_state::<Place>()) else {
        tracing::warn!("a clew:// link leads nowhere: {link:?}");
        return;
    };
    *place.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash);
    focus(app);
    // A page that has not opened yet asks by itself.
    if let Err(error) = app.emit_to(WINDOW, "place", ()) {
        tracing::warn!("cannot tell the page of a link: {error}");
    }
}

/// Has the system bring `clew://` links here: at once where it tells a running program, by registration where a package
/// has not done that.
pub(crate) fn register(app: &AppHandle) {
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            follow(&handle, url.as_str());
        }
    });
    let is_packaged = cfg!(target_os = "macos")
        || std::env::current_exe().is_ok_and(|program| program.starts_with("/usr"));
    if is_packaged {
        return;
    }
    let handle = app.clone();
    // Registering runs programs of the desktop, which may be slow or missing.
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = handle.deep_link().register(SCHEME) {
            tracing::info!("clew:// links are not registered: {error}");
        }
    });
}

/// The address in its one spelling; `None` where it is not plain http or https.
fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| url.into())
}

/// The hash of the place that a link leads to: `clew://trace/<32 hex digits>` with `source` and `span`, or `clew://open`
/// with filters of the list of traces. Anything else leads nowhere.
fn place_of(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|_| link.len() <= LONGEST)?;
    let is_plain = url.scheme() == SCHEME
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return None;
    }
    let path = match (url.host_str()?, url.path().trim_matches('/')) {
        ("trace", id) if is_hex(id, 32) => format!("/trace/{}", id.to_ascii_lowercase()),
        ("open", "") => "/live".to_owned(),
        _ => return None,
    };
    let is_trace = path != "/live";
    // Written anew, so that whatever stood there is escaped in one way.
    let mut written = url.clone();
    written.set_query(None);
    for (key, value) in url.query_pairs() {
        let fits = match (key.as_ref(), is_trace) {
            ("source", true) => is_source(&value),
            ("span", true) => is_hex(&value, 16),
            (key, false) => FILTERS.contains(&key) && !value.chars().any(char::is_control),
            _ => false,
        };
        if !fits {
            return None;
        }
        written.query_pairs_mut().append_pair(&key, &value);
    }
    let query = written
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("#{path}{query}"))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_source(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0AF7651916cd43dd8448eb211c80319c";

    #[test]
    fn links_to_traces_and_lists_lead_to_their_places() {
        for (link, hash) in [
            (
                format!("clew://trace/{TRACE}"),
                "#/trace/0af7651916cd43dd8448eb211c80319c",
            ),
            (
                format!("CLEW://trace/{TRACE}/?source=3&span=b7ad6b7169203331"),
                "#/trace/0af7651916cd43dd8448eb211c80319c?source=3&span=b7ad6b7169203331",
            ),
            ("clew://open".to_owned(), "#/live"),
            (
                "clew://open/?text=a%20b%26c%3Cimg%3E&model=gpt-4o&model=o4".to_owned(),
                "#/live?text=a+b%26c%3Cimg%3E&model=gpt-4o&model=o4",
            ),
        ] {
            assert_eq!(place_of(&link).as_deref(), Some(hash), "{link}");
        }
    }

    #[test]
    fn any_other_link_leads_nowhere() {
        for link in [
            String::new(),
            "clew:".to_owned(),
            "clew://".to_owned(),
            "clew://settings".to_owned(),
            "clew://trace/".to_owned(),
            "clew://trace/xyz".to_owned(),
            format!("clew://trace/{TRACE}/../../etc"),
            format!("clew://trace/{TRACE}?onload=1"),
            format!("clew://trace/{TRACE}?span=zz"),
            format!("clew://trace/{TRACE}?source=-1"),
            format!("clew://user:pw@trace/{TRACE}"),
            format!("clew://trace:80/{TRACE}"),
            format!("clew://trace/{TRACE}#/settings"),
            "clew://open/settings".to_owned(),
            "clew://open?token=1".to_owned(),
            "clew://open?text=%00".to_owned(),
            format!("https://trace/{TRACE}"),
            "javascript:alert(1)".to_owned(),
            format!("clew://open?text={}", "a".repeat(LONGEST)),
        ] {
            assert_eq!(place_of(&link), None, "{link}");
        }
    }

    #[test]
    fn arguments_are_told_from_links() {
        assert!(is_link("clew://trace/x") && is_link("Clew:open"));
        assert!(!is_link("clew.jsonl") && !is_link("/a/clew:") && !is_link("--clew"));
    }

    #[test]
    fn only_plain_web_addresses_are_opened() {
        assert_eq!(
            web_address("HTTPS://ex\u{430}mple.com/a b").as_deref(),
            Some("https://xn--exmple-4nf.com/a%20b")
        );
        assert!(web_address("http://localhost:3000/?a=1#b").is_some());
        for refused in [
            "",
            "example.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "mailto:a@example.com",
            "clew://open",
            "ssh://host",
            "https://user@example.com",
            "https://user:pw@example.com",
            "http://",
            "--help",
        ] {
            assert_eq!(web_address(refused), None, "{refused}");
        }
        assert_eq!(
            web_address(&format!("https://a.b/{}", "x".repeat(LONGEST))),
            None
        );
    }
}
