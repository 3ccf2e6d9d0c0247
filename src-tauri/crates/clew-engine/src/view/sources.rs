//! Commands on opened files.

use crate::api::{CloseSource, NoParams, OpenFiles, Opened, Purged, Source};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::open;
use crate::store::deletion;

impl Engine {
    pub(crate) async fn list_sources(&self, _: NoParams) -> Result<Vec<Source>, Error> {
        let rows: Vec<(i64, String, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT s.id, s.label, s.format, s.opened, coalesce(sum(t.spans), 0), count(t.id)
             FROM sources s LEFT JOIN traces t ON t.source = s.id AND t.spans > 0
             WHERE s.id <> 0 AND s.opened >= 0
             GROUP BY s.id
             ORDER BY s.opened",
        )
        .fetch_all(&self.inner.store.reads)
        .await?;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(rows
            .into_iter()
            .map(|(id, label, format, opened, spans, traces)| Source {
                id,
                label,
                format,
                spans: unsigned(spans),
                traces: unsigned(traces),
                opened_micros: unsigned(opened),
            })
            .collect())
    }

    pub(crate) async fn open_files(&self, params: OpenFiles) -> Result<Vec<Opened>, Error> {
        self.writer()?;
        let mut files = Vec::with_capacity(params.tokens.len());
        for token in &params.tokens {
            let Some(file) = self.take_file(token) else {
                // The others were not opened, and stay on offer.
                for (token, file) in files {
                    self.give_back(token, file);
                }
                return Err(Error::new(
                    ErrorCode::NotFound,
                    "the file was not offered, or is open already: pick it again",
                ));
            };
            files.push((token.clone(), file));
        }
        let mut opened = Vec::with_capacity(files.len());
        for (_, file) in files {
            let label = open::label(&file.path);
            // A file that cannot be read costs itself.
            opened.push(match open::file(self, file).await {
                Ok(opened) => opened,
                Err(error) => Opened::unread(label, error.message),
            });
        }
        Ok(opened)
    }

    pub(crate) async fn open_sample(&self, _: NoParams) -> Result<Opened, Error> {
        open::sample(self).await
    }

    pub(crate) async fn close_source(&self, params: CloseSource) -> Result<Purged, Error> {
        if params.id == 0 {
            return Err(Error::new(
                ErrorCode::BadRequest,
                "source 0 is live telemetry, not an opened file",
            ));
        }
        let purged = deletion::close_source(self.holdings()?, params.id).await?;
        self.inner.changes.changed(Topic::Sources);
        Ok(purged)
    }
}
