//! Who may speak to the browser host: checks of Host, Origin, Sec-Fetch-Site and token, and the headers of every reply.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION,
    ORIGIN, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_DNS_PREFETCH_CONTROL,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use rand::TryRngCore as _;
use subtle::ConstantTimeEq as _;

#[cfg(test)]
mod tests;

/// What the pages of the browser host may load: themselves, and nothing from anywhere else (reliability S11, S12).
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-src 'none'; frame-ancestors 'none'; worker-src 'none'";

/// Headers of every reply, refusals too.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (X_DNS_PREFETCH_CONTROL, "off"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const LOCKED: &str = "This page needs a link that has not been used.\n\n\
    Open the link that `clew serve` printed when it started, or ask for a new one with `clew open`.\n";

/// How long a code opens a page: a browser that starts cold needs a few seconds.
const CODE_LIFE: Duration = Duration::from_secs(60);
/// Codes that may wait to be used; of more the oldest goes.
const CODES: usize = 16;

/// Decides about requests to one bound port.
pub struct Gate {
    port: u16,
    token: String,
    cookie: String,
    /// Codes that nobody has used, and until when they can be, oldest first.
    codes: Mutex<Vec<(String, Instant)>>,
}

impl std::fmt::Debug for Gate {
    /// Leaves the token and the codes out, so that no log can hold them.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Gate")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why a request may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The Host header, or the authority of an absolute URL, is not this host's (DNS rebinding).
    Host,
    /// Another page's Origin, or `null`.
    Origin,
    /// A browser says that another site asked.
    Site,
    /// No token, or a wrong one.
    Token,
}

/// What becomes of a request that may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// It reaches its route.
    Open,
    /// It carried the token or a fresh code in its URL: the browser goes to this path and query, with a cookie instead.
    Exchange(String),
}

impl Gate {
    /// A gate for this port, with a fresh token of 256 bits.
    ///
    /// Stops the process if the operating system has no random numbers to give: there is no safe way to go on.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self {
            port,
            token: secret(),
            // Cookies are shared by all ports of a host, so the name carries the port.
            cookie: format!("clew-{port}"),
            codes: Mutex::default(),
        }
    }

    /// A code for a link that goes to a browser through a command line, where every user of the machine can read it:
    /// 64 hex digits that open one page, once, within a minute, and are useless then.
    #[must_use]
    pub fn code(&self) -> String {
        self.code_at(Instant::now())
    }

    fn code_at(&self, now: Instant) -> String {
        let code = secret();
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= CODES {
            codes.remove(0);
        }
        codes.push((code.clone(), now + CODE_LIFE));
        code
    }

    /// Uses a code up; false where it is none, was used, or is too old.
    fn take_code(&self, candidate: &str, now: Instant) -> bool {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, until)| now < *until);
        let found = codes
            .iter()
            .position(|(code, _)| candidate.as_bytes().ct_eq(code.as_bytes()).into());
        found.map(|at| codes.remove(at)).is_some()
    }

    /// The token: 64 hex digits.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Judges a request by its head alone.
    ///
    /// # Errors
    /// The first check that it fails.
    pub fn judge(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Passage, Refusal> {
        let host = single(headers, &HOST).ok_or(Refusal::Host)?;
        let target = uri.authority().map(http::uri::Authority::as_str);
        if !self.is_own(host) || target.is_some_and(|target| !self.is_own(target)) {
            return Err(Refusal::Host);
        }
        if headers.contains_key(ORIGIN)
            && !single(headers, &ORIGIN)
                .and_then(|origin| origin.strip_prefix("http://"))
                .is_some_and(|authority| self.is_own(authority))
        {
            return Err(Refusal::Origin);
        }
        // `same-site` is another port of this machine: also not ours.
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        if !matches!(site, None | Some(b"same-origin" | b"none")) {
            return Err(Refusal::Site);
        }
        self.admit(method, uri, headers)
    }

    fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Passage, Refusal> {
        let bearer = single(headers, &AUTHORIZATION)
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|token| self.is_token(token));
        let in_url = |name: &str| {
            let mut pairs = uri.query().unwrap_or_default().split('&');
            pairs.find_map(|pair| pair.strip_prefix(name))
        };
        let key = match (in_url("token="), in_url("code=")) {
            (Some(token), _) => Some(self.is_token(token)),
            (None, Some(code)) if method == Method::GET => {
                Some(self.take_code(code, Instant::now()))
            }
            (None, _) => None,
        };
        if let (Some(fits), &Method::GET) = (key, method) {
            return if fits {
                Ok(Passage::Exchange(without_key(uri)))
            } else {
                Err(Refusal::Token)
            };
        }
        let cookie = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && self.is_token(value));
        if bearer || cookie {
            Ok(Passage::Open)
        } else {
            Err(Refusal::Token)
        }
    }

    /// Whether this is the authority of this host: a loopback name and the bound port, to the letter.
    fn is_own(&self, authority: &str) -> bool {
        let name = authority
            .strip_suffix(&format!(":{}", self.port))
            .or((self.port == 80).then_some(authority));
        matches!(name, Some("127.0.0.1" | "[::1]" | "localhost"))
    }

    fn is_token(&self, candidate: &str) -> bool {
        candidate.as_bytes().ct_eq(self.token.as_bytes()).into()
    }
}

/// 256 bits that nobody can guess: 64 hex digits.
fn secret() -> String {
    let mut bytes = [0; 32];
    while rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err() {
        tracing::error!("cannot get random bytes for a token; trying again");
        std::thread::sleep(Duration::from_millis(100));
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a header that is there exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Path and query without token and code. Always a path of this host: `//evil.example` would name another.
fn without_key(uri: &Uri) -> String {
    let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
    let rest: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| {
            !pair.is_empty() && !pair.starts_with("token=") && !pair.starts_with("code=")
        })
        .collect();
    if rest.is_empty() {
        path
    } else {
        format!("{path}?{}", rest.join("&"))
    }
}

/// Lets a request through the gate or answers it, and puts the headers of this host on the reply.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let verdict = gate.judge(request.method(), request.uri(), request.headers());
    let mut response = match verdict {
        Ok(Passage::Open) => next.run(request).await,
        Ok(Passage::Exchange(target)) => exchange(&gate, &target),
        Err(refusal) => refuse(refusal),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn exchange(gate: &Gate, target: &str) -> Response {
    let cookie = format!(
        "{}={}; HttpOnly; SameSite=Strict; Path=/",
        gate.cookie, gate.token
    );
    (
        StatusCode::SEE_OTHER,
        [(LOCATION, target), (SET_COOKIE, cookie.as_str())],
    )
        .into_response()
}

fn refuse(refusal: Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::Host => (
            StatusCode::FORBIDDEN,
            "The Host header names another host. Use the address that Clew printed.\n",
        ),
        Refusal::Origin => (StatusCode::FORBIDDEN, "Other pages may not ask Clew.\n"),
        Refusal::Site => (
            StatusCode::FORBIDDEN,
            "Another site sent you here. Paste the link into the address bar instead.\n",
        ),
        Refusal::Token => (StatusCode::UNAUTHORIZED, LOCKED),
    };
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
