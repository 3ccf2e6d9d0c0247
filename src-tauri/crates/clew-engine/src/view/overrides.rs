//! Commands on what attributes mean.

use clew_core::convention::Overrides;

use crate::api::{NoParams, Readings, SetOverrides};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::store::overrides;

/// Bytes of an attribute's key.
const LONGEST_KEY: usize = 1_024;

impl Engine {
    pub(crate) async fn get_overrides(&self, _: NoParams) -> Result<Readings, Error> {
        let store = &self.inner.store;
        Ok(Readings {
            overrides: store.overrides.overrides().list(),
            facts: Overrides::FACTS.to_vec(),
            stale: overrides::stale(&store.reads).await?,
        })
    }

    pub(crate) async fn set_overrides(&self, params: SetOverrides) -> Result<Readings, Error> {
        let SetOverrides { mut overrides } = params;
        for one in &mut overrides {
            one.key = one.key.trim().to_owned();
        }
        let bad = |message: String| Error::new(ErrorCode::BadRequest, message);
        Overrides::new(&overrides).map_err(|error| bad(error.to_string()))?;
        if let Some(long) = overrides.iter().find(|one| one.key.len() > LONGEST_KEY) {
            return Err(bad(format!(
                "the attribute that states {:?} has a key of {} bytes: at most {LONGEST_KEY}",
                long.fact,
                long.key.len()
            )));
        }
        let changed = self
            .writer()?
            .commit(move |session| overrides::replace(session, &overrides))
            .await?;
        if changed {
            let store = &self.inner.store;
            store.overrides.read(&store.reads).await?;
            self.inner.changes.changed(Topic::Settings);
            self.wake_deriver();
        }
        self.get_overrides(NoParams {}).await
    }
}
