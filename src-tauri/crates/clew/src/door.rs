//! The one door, whether the engine is in this process or in the Clew that runs.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clew_engine::api::{self, OpenFiles, Opened, Reply};
use clew_engine::{Engine, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;

/// A way to ask commands.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// An engine of this process.
    Here(Engine),
    /// The Clew that runs.
    There(Client),
}

impl Door {
    /// Opens the database of `path` for reading; `None` where there is none yet.
    pub(crate) async fn reading(path: &Path) -> anyhow::Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Self::Here(Engine::open_read_only(path).await?)))
    }

    /// Asks a command and returns the bytes of its answer, JSON or packed.
    pub(crate) async fn ask(&self, name: &str, params: &impl Serialize) -> Result<Vec<u8>, Error> {
        let params = serde_json::to_vec(params).map_err(Error::internal)?;
        let reply = match self {
            Self::Here(engine) => api::dispatch(engine, name, &params).await?,
            Self::There(client) => client.call(name, params).await?,
        };
        match reply {
            Reply::Json(bytes) | Reply::Packed(bytes) => Ok(bytes),
        }
    }

    /// Asks a command that answers in JSON.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        name: &str,
        params: &impl Serialize,
    ) -> Result<T, Error> {
        let bytes = self.ask(name, params).await?;
        serde_json::from_slice(&bytes).map_err(Error::internal)
    }

    /// Opens saved trace files, one by one: what cannot be read costs itself.
    pub(crate) async fn open_files(&self, paths: &[PathBuf]) -> anyhow::Result<Vec<Opened>> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            let token = match self {
                Self::There(client) => client.give_file(path).await,
                Self::Here(engine) => offer(engine, path),
            };
            match token {
                Ok(token) => {
                    let tokens = vec![token];
                    let opened: Vec<Opened> =
                        self.call("open_files", &OpenFiles { tokens }).await?;
                    all.extend(opened);
                }
                Err(error) => {
                    let name = path.file_name().unwrap_or(path.as_os_str());
                    let label = name.to_string_lossy().into_owned();
                    all.push(Opened::unread(label, format!("{error:#}")));
                }
            }
        }
        Ok(all)
    }
}

fn offer(engine: &Engine, path: &Path) -> anyhow::Result<String> {
    let kind =
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(kind.is_file(), "{} is not a file", path.display());
    Ok(engine.offer_file(path))
}
