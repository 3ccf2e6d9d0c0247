//! Whose traces a command is about: those that programs send, or those of opened files.

use clap::Args;
use clew_engine::api::{NoParams, Source, TraceFilter, TracePage};

use crate::door::Door;
use crate::print::plain;

/// Which source.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SourceChoice {
    /// The name of an opened file, "live" for what programs sent, or "all". Without it live traces, or those of opened
    /// files where no program has sent any.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

impl SourceChoice {
    /// The source as filters state it: 0 is live, `None` is all.
    ///
    /// # Errors
    /// No opened file has this name, or more than one has.
    pub(super) async fn id(&self, door: &Door) -> anyhow::Result<Option<i64>> {
        match self.source.as_deref() {
            None => Ok(has_live(door).await?.then_some(0)),
            Some(name) => {
                let opened: Vec<Source> = door.call("list_sources", &NoParams {}).await?;
                // A file may bear any name.
                match name {
                    "all" | "live" if !opened.iter().any(|one| one.label == name) => {
                        Ok((name == "live").then_some(0))
                    }
                    name => file(name, opened).map(Some),
                }
            }
        }
    }

    /// Whether the user said which.
    pub(super) fn is_stated(&self) -> bool {
        self.source.is_some()
    }
}

async fn has_live(door: &Door) -> anyhow::Result<bool> {
    let filter = TraceFilter {
        source: Some(0),
        limit: 1,
        ..TraceFilter::default()
    };
    let page: TracePage = door.call("list_traces", &filter).await?;
    Ok(!page.rows.is_empty())
}

/// The opened file of this name.
fn file(name: &str, sources: Vec<Source>) -> anyhow::Result<i64> {
    let (mut named, rest): (Vec<Source>, Vec<Source>) =
        sources.into_iter().partition(|source| source.label == name);
    match named.len() {
        1 => Ok(named.remove(0).id),
        0 if rest.is_empty() => {
            anyhow::bail!("no file is open: {name:?} is neither \"live\" nor \"all\"")
        }
        0 => {
            let labels: Vec<String> = rest
                .iter()
                .map(|one| format!("{:?}", plain(&one.label)))
                .collect();
            anyhow::bail!(
                "no opened file is named {name:?}; there are {}",
                labels.join(", ")
            )
        }
        more => anyhow::bail!(
            "{more} opened files are named {name:?}: close all but one, or take \"all\""
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: i64, label: &str) -> Source {
        Source {
            id,
            label: label.to_owned(),
            format: "otlp_json".to_owned(),
            spans: 1,
            traces: 1,
            opened_micros: 0,
        }
    }

    #[test]
    fn a_file_is_chosen_by_its_name_alone() {
        let both = || vec![source(3, "a.json"), source(5, "b.json")];
        assert_eq!(file("b.json", both()).ok(), Some(5));
        let told = |sources| format!("{:#}", file("c", sources).expect_err("there is none"));
        assert_eq!(
            told(both()),
            "no opened file is named \"c\"; there are \"a.json\", \"b.json\""
        );
        assert_eq!(
            told(vec![]),
            "no file is open: \"c\" is neither \"live\" nor \"all\""
        );
        assert_eq!(
            told(vec![source(1, "c"), source(2, "c")]),
            "2 opened files are named \"c\": close all but one, or take \"all\""
        );
    }
}
