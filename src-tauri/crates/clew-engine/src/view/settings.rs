//! Commands of the Settings view: settings, storage, retention, deletion.

use crate::api::{
    DeleteTraces, NoParams, PreviewRetention, Purged, RetentionPreview, SetSettings, Settings,
    Storage,
};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::settings::Retention;
use crate::store::{deletion, figures, retention, spans};

/// Traces that one command may delete.
const DELETE_LIMIT: usize = 10_000;

impl Engine {
    #[expect(
        clippy::unused_async,
        reason = "every command is awaited by the dispatcher"
    )]
    pub(crate) async fn get_settings(&self, _: NoParams) -> Result<Settings, Error> {
        Ok(self.settings())
    }

    pub(crate) async fn set_settings(&self, params: SetSettings) -> Result<Settings, Error> {
        let SetSettings(settings) = params;
        settings
            .validate()
            .map_err(|message| Error::new(ErrorCode::BadRequest, message))?;
        let json = serde_json::to_string(&settings).map_err(Error::internal)?;
        self.writer()?
            .commit(move |session| {
                session.connection.execute(
                    "INSERT OR REPLACE INTO settings (id, json) VALUES (1, ?)",
                    [json],
                )?;
                Ok(())
            })
            .await?;
        self.replace_settings(settings.clone());
        self.inner.changes.changed(Topic::Settings);
        self.inner.changes.changed(Topic::Status);
        Ok(settings)
    }

    pub(crate) async fn get_storage(&self, _: NoParams) -> Result<Storage, Error> {
        let store = &self.inner.store;
        let counts = figures::counts(&store.reads).await?;
        let (logs, points) = figures::other_rows(&store.reads).await?;
        let (database_bytes, index_bytes) = store.sizes();
        let used_bytes = database_bytes.saturating_add(index_bytes);
        let preview = retention::preview(store, self.settings().retention).await?;
        Ok(Storage {
            database: store.path.display().to_string(),
            database_bytes,
            index_bytes,
            used_bytes,
            used_share: share(used_bytes, self.settings().retention.max_bytes),
            spans: counts.spans,
            logs,
            points,
            traces: counts.traces,
            oldest_micros: counts.oldest,
            purgeable_traces: preview.traces,
            purgeable_bytes: preview.bytes,
            notice: self.holdings().ok().and_then(deletion::Holdings::notice),
        })
    }

    pub(crate) async fn preview_retention(
        &self,
        params: PreviewRetention,
    ) -> Result<RetentionPreview, Error> {
        let limits = Settings {
            retention: Retention {
                max_bytes: params.max_bytes,
                max_days: params.max_days,
            },
            ..Settings::default()
        };
        limits
            .validate()
            .map_err(|message| Error::new(ErrorCode::BadRequest, message))?;
        let preview = retention::preview(&self.inner.store, limits.retention).await?;
        Ok(RetentionPreview {
            traces: preview.traces,
            bytes: preview.bytes,
        })
    }

    pub(crate) async fn apply_retention(&self, _: NoParams) -> Result<Purged, Error> {
        retention::apply(self.holdings()?, self.settings().retention, true).await
    }

    pub(crate) async fn delete_traces(&self, params: DeleteTraces) -> Result<Purged, Error> {
        if params.traces.len() > DELETE_LIMIT {
            return Err(Error::new(
                ErrorCode::BadRequest,
                format!(
                    "{} traces are too many to delete at once: at most {DELETE_LIMIT}",
                    params.traces.len()
                ),
            ));
        }
        let mut rows = Vec::with_capacity(params.traces.len());
        for trace in &params.traces {
            match spans::trace_row(&self.inner.store.reads, trace.source, &trace.trace_id).await {
                Ok((row, _)) => rows.push(row),
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        deletion::delete_for_good(self.holdings()?, rows).await
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown as the length of a bar"
)]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
