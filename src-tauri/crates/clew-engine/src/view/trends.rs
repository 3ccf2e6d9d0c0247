//! Commands of the Trends view.

use clew_core::chart::{self, ChartInfo, Scene};
use clew_core::model::ErrorClass;
use clew_core::trend::ModelCall;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::prompts::push_range;
use crate::api::{DrawChart, NoParams, TimeRange};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::counted::{CALL, COST, ELSEWHERE, TOKENS};

impl Engine {
    #[expect(
        clippy::unused_async,
        reason = "every command is awaited by the dispatcher"
    )]
    pub(crate) async fn list_charts(&self, _: NoParams) -> Result<Vec<ChartInfo>, Error> {
        Ok(chart::CHARTS.iter().map(chart::Chart::info).collect())
    }

    pub(crate) async fn draw_chart(&self, params: DrawChart) -> Result<Scene, Error> {
        let bad = |message: String| Error::new(ErrorCode::BadRequest, message);
        let Some(chart) = chart::Chart::find(&params.id) else {
            return Err(bad(format!(
                "there is no chart {:?}: list_charts names them",
                params.id
            )));
        };
        if !(160..=4_000).contains(&params.width) || !(100..=2_000).contains(&params.height) {
            return Err(bad(format!(
                "{} x {} pixels is no size of a chart",
                params.width, params.height
            )));
        }
        let calls = self.model_calls(params.range).await?;
        tokio::task::spawn_blocking(move || {
            let now = u64::try_from(crate::store::now_micros()).unwrap_or(0);
            let first = calls
                .first()
                .map_or(now.saturating_sub(3_600_000_000), |call| call.start_micros);
            let last = calls.last().map_or(now, |call| call.start_micros + 1);
            let range = (
                params.range.from.unwrap_or(first),
                params.range.to.unwrap_or(last),
            );
            let view = chart::View {
                width: params.width,
                height: params.height,
                palette: chart::Palette::App,
                utc_offset_minutes: params.utc_offset_minutes,
            };
            chart::draw(chart, &calls, range.0, range.1, &view)
        })
        .await
        .map_err(Error::internal)
    }

    /// Calls of models that count, oldest first.
    async fn model_calls(&self, range: TimeRange) -> Result<Vec<ModelCall>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT f.start, f.counted, n.text, f.input, f.output, f.cached, f.cost, f.duration, f.failed, f.error
             FROM facts f LEFT JOIN strings n ON n.id = f.model
             WHERE f.counted <> 0 AND f.counted <> {ELSEWHERE}"
        ));
        push_range(&mut query, "f.start", range);
        // What a file tells is not what this machine's programs did: it is in no trend.
        let files: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM traces WHERE source <> 0)")
                .fetch_one(&self.inner.store.reads)
                .await?;
        if files {
            query.push(" AND f.trace NOT IN (SELECT id FROM traces WHERE source <> 0)");
        }
        query.push(" ORDER BY f.start");
        let rows = query.build().fetch_all(&self.inner.store.reads).await?;
        let unsigned = |number: i64| u64::try_from(number).ok();
        Ok(rows
            .iter()
            .map(|row| {
                let counted: i64 = row.get(1);
                let tokens = |index: usize| {
                    row.get::<Option<i64>, _>(index)
                        .and_then(unsigned)
                        .filter(|_| counted & TOKENS != 0)
                };
                #[expect(clippy::cast_precision_loss, reason = "an amount to be drawn")]
                let cost = row.get::<Option<i64>, _>(6).map(|nano| nano as f64 / 1e9);
                ModelCall {
                    start_micros: unsigned(row.get(0)).unwrap_or(0),
                    model: row.get(2),
                    input_tokens: tokens(3),
                    output_tokens: tokens(4),
                    cached_tokens: tokens(5),
                    cost_usd: cost.filter(|_| counted & COST != 0),
                    duration_nanos: row
                        .get::<Option<i64>, _>(7)
                        .and_then(unsigned)
                        .filter(|_| counted & CALL != 0),
                    // What wraps a call or owns its tokens fails with it: the call is one.
                    failed: row.get::<bool, _>(8) && counted & CALL != 0,
                    error: row
                        .get::<Option<i64>, _>(9)
                        .and_then(ErrorClass::from_index),
                }
            })
            .collect())
    }
}
