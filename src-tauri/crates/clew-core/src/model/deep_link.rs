//! `clew://trace/<id>`: a link to a trace, or to a span in it, that other programs can hold.

use super::{SpanId, TraceId};

/// Longest link that is looked at, in bytes.
const LONGEST: usize = 200;

/// What a link names.
///
/// Any web page and any text that a model wrote can hold such a link: reading one opens a place of the user interface,
/// and can do nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeepLink {
    /// The trace.
    pub trace_id: TraceId,
    /// The span to select.
    pub span_id: Option<SpanId>,
    /// Where the trace came from: 0 is live.
    pub source: u32,
}

impl DeepLink {
    /// Reads `clew://trace/<32 hex digits>`, perhaps with `?source=<number>` and `&span=<16 hex digits>`, to the letter:
    /// nothing is decoded, nothing else may stand in it.
    ///
    /// # Errors
    /// What it should be, without what it holds.
    pub fn parse(link: &str) -> Result<Self, String> {
        Self::read(link).ok_or_else(|| {
            "not a link to a trace: it should be clew://trace/<32 hex digits>, perhaps with ?source=<number> and \
             &span=<16 hex digits>"
                .to_owned()
        })
    }

    fn read(link: &str) -> Option<Self> {
        if link.len() > LONGEST {
            return None;
        }
        let (scheme, rest) = link.split_once("://")?;
        // Systems may hand the host over in any case, and with a slash behind the path.
        if !scheme.eq_ignore_ascii_case("clew") {
            return None;
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, id) = path.split_once('/')?;
        let id = id.strip_suffix('/').unwrap_or(id);
        if !host.eq_ignore_ascii_case("trace") {
            return None;
        }
        let mut place = Self {
            trace_id: id.parse().ok()?,
            span_id: None,
            source: 0,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=')? {
                ("span", span) if place.span_id.is_none() => {
                    place.span_id = Some(span.parse().ok()?);
                }
                ("source", source) if source.bytes().all(|byte| byte.is_ascii_digit()) => {
                    place.source = source.parse().ok()?;
                }
                _ => return None,
            }
        }
        Some(place)
    }

    /// The place in the user interface: `#/trace/…`, of hex digits and numbers alone.
    #[must_use]
    pub fn place(&self) -> String {
        let mut place = format!("#/trace/{}", self.trace_id);
        let mut mark = '?';
        if self.source != 0 {
            place.push_str(&format!("{mark}source={}", self.source));
            mark = '&';
        }
        if let Some(span) = self.span_id {
            place.push_str(&format!("{mark}span={span}"));
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::DeepLink;

    const TRACE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn links_name_a_place_and_nothing_else() {
        let id = TRACE;
        for (link, place) in [
            (format!("clew://trace/{id}"), format!("#/trace/{id}")),
            (
                format!("CLEW://Trace/{}/", id.to_uppercase()),
                format!("#/trace/{id}"),
            ),
            (
                format!("clew://trace/{id}?source=2&span=0123456789abcdef"),
                format!("#/trace/{id}?source=2&span=0123456789abcdef"),
            ),
            (
                format!("clew://trace/{id}?span=0123456789ABCDEF"),
                format!("#/trace/{id}?span=0123456789abcdef"),
            ),
            (
                format!("clew://trace/{id}?source=0"),
                format!("#/trace/{id}"),
            ),
        ] {
            let read = DeepLink::parse(&link).expect("a link");
            assert_eq!(read.place(), place, "{link}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let id = TRACE;
        for link in [
            String::new(),
            "clew://".to_owned(),
            "clew://trace".to_owned(),
            "clew://trace/".to_owned(),
            format!("clew:trace/{id}"),
            format!("clew:/trace/{id}"),
            format!("http://trace/{id}"),
            format!("clewx://trace/{id}"),
            format!("clew://traces/{id}"),
            format!("clew://trace/{}", &id[1..]),
            format!("clew://trace/{id}0"),
            format!("clew://trace/{}", "0".repeat(32)),
            format!("clew://trace/{id}//"),
            format!("clew://trace//{id}"),
            format!("clew://trace/../{id}"),
            format!("clew://trace/{id}/../../settings"),
            format!("clew://trace/%30{}", &id[1..]),
            format!("clew://user@trace/{id}"),
            format!("clew://trace:80/{id}"),
            format!("clew://trace/{id}#/settings"),
            format!("clew://trace/{id}?span=$(x)"),
            format!("clew://trace/{id}?span=0123456789abcdef&span=0123456789abcdef"),
            format!("clew://trace/{id}?source=-1"),
            format!("clew://trace/{id}?source=+1"),
            format!("clew://trace/{id}?source="),
            format!("clew://trace/{id}?source=99999999999"),
            format!("clew://trace/{id}?token=x"),
            format!("clew://trace/{id}?x"),
            format!("clew://trace/{id}\n"),
            format!(" clew://trace/{id}"),
            format!("clew://trace/{id} --no-sandbox"),
            format!("clew://trace/{id}?{}", "&".repeat(300)),
            "clew://trace/[*]".to_owned(),
        ] {
            let problem = DeepLink::parse(&link).expect_err("no link");
            assert!(problem.contains("clew://trace/<32 hex digits>"), "{link:?}");
            assert!(!problem.contains(id), "what it holds is not repeated");
        }
    }
}
