//! Commands of the Prompts view.

use std::collections::HashMap;
use std::sync::Arc;

use clew_core::model::PromptFact;
use clew_core::prompt::{self, PromptCall, PromptTemplate};
use futures_util::TryStreamExt as _;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::api::{DiffPrompts, PromptDiff, TimeRange};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::counted::COST;

/// Name, version and text of a prompt.
type Stated = (Option<Arc<str>>, Option<Arc<str>>, Option<Arc<str>>);

impl Engine {
    pub(crate) async fn list_prompts(
        &self,
        range: TimeRange,
    ) -> Result<Vec<PromptTemplate>, Error> {
        let calls = self.prompt_calls(range).await?;
        tokio::task::spawn_blocking(move || prompt::group(&calls))
            .await
            .map_err(Error::internal)
    }

    pub(crate) async fn diff_prompts(&self, params: DiffPrompts) -> Result<PromptDiff, Error> {
        let calls = self.prompt_calls(TimeRange::default()).await?;
        tokio::task::spawn_blocking(move || {
            let templates = prompt::group(&calls);
            let template = templates
                .iter()
                .find(|template| template.name == params.name);
            let text = |version: &str| {
                template
                    .and_then(|template| {
                        template.versions.iter().find(|one| one.version == version)
                    })
                    .ok_or_else(|| {
                        Error::new(
                            ErrorCode::NotFound,
                            format!("prompt {:?} has no version {version:?}", params.name),
                        )
                    })
                    .map(|version| version.template.clone().unwrap_or_default())
            };
            let (old, new) = (text(&params.old)?, text(&params.new)?);
            let variables = prompt::compare_variables(&old, &new);
            Ok(PromptDiff {
                lines: prompt::diff_lines(&old, &new),
                variables_added: variables.added,
                variables_removed: variables.removed,
                variables_kept: variables.kept,
            })
        })
        .await
        .map_err(Error::internal)?
    }

    /// Every call that states a prompt, oldest first.
    async fn prompt_calls(&self, range: TimeRange) -> Result<Vec<PromptCall>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT f.prompt, f.duration, f.input, f.output, CASE WHEN f.counted & {COST} <> 0 THEN f.cost END, f.failed,
                    n.text, f.start,
                    (SELECT value <> 0 FROM findings WHERE span = f.span AND heuristic = 'refusal')
             FROM facts f LEFT JOIN strings n ON n.id = f.model
             WHERE f.prompt IS NOT NULL"
        ));
        push_range(&mut query, "f.start", range);
        query.push(" ORDER BY f.start, f.span");
        let unsigned = |number: i64| u64::try_from(number).ok();
        // Many calls state the same prompt, whose text may be long: each is read and kept once.
        let mut stated: HashMap<String, Stated> = HashMap::new();
        let mut calls = Vec::new();
        let mut rows = query.build().fetch(&self.inner.store.reads);
        while let Some(row) = rows.try_next().await? {
            let json: &str = row.get(0);
            if !stated.contains_key(json) {
                let fact: PromptFact = serde_json::from_str(json).unwrap_or_default();
                let shared = |text: Option<String>| text.map(Arc::from);
                let shared = (
                    shared(fact.name),
                    shared(fact.version),
                    shared(fact.template),
                );
                stated.insert(json.to_owned(), shared);
            }
            let (name, version, template) = stated.get(json).cloned().unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "an amount to be shown")]
            let cost_usd = row.get::<Option<i64>, _>(4).map(|nano| nano as f64 / 1e9);
            calls.push(PromptCall {
                name,
                version,
                template,
                duration_nanos: row.get::<Option<i64>, _>(1).and_then(unsigned),
                input_tokens: row.get::<Option<i64>, _>(2).and_then(unsigned),
                output_tokens: row.get::<Option<i64>, _>(3).and_then(unsigned),
                cost_usd,
                failed: row.get(5),
                refused: row.get(8),
                model: row.get(6),
                start_micros: unsigned(row.get(7)).unwrap_or(0),
            });
        }
        Ok(calls)
    }
}

/// Appends the limits of a range on a column of microseconds since the epoch.
pub(super) fn push_range(query: &mut QueryBuilder<Sqlite>, column: &'static str, range: TimeRange) {
    let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    if let Some(from) = range.from {
        query
            .push(format!(" AND {column} >= "))
            .push_bind(signed(from));
    }
    if let Some(to) = range.to {
        query
            .push(format!(" AND {column} < "))
            .push_bind(signed(to));
    }
}
