//! The command that says what calls would have cost otherwise.

use clew_core::trace::{WhatIfSheet, WhatIfTable};

use super::ledger::Pages;
use crate::api::{LedgerFilter, WhatIf};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};

/// Models that may be asked for at once.
const MODELS: usize = 8;
/// Characters of a model's name at the most.
const NAME: usize = 200;

impl Engine {
    pub(crate) async fn what_if(&self, params: WhatIf) -> Result<WhatIfTable, Error> {
        let store = &self.inner.store;
        let mut sheet = WhatIfSheet::new(store.prices.desk(), names(params.models)?);
        let filter = LedgerFilter {
            counted: true,
            ..params.filter
        };
        let mut pages = Pages::of(filter, "table");
        while let Some(rows) = pages.next(store).await? {
            let added = tokio::task::spawn_blocking(move || {
                for row in &rows {
                    sheet.add(row);
                }
                sheet
            });
            sheet = added.await.map_err(Error::internal)?;
        }
        Ok(sheet.table())
    }
}

/// The names of models, each once.
fn names(asked: Vec<String>) -> Result<Vec<String>, Error> {
    let bad = |message: String| Err(Error::new(ErrorCode::BadRequest, message));
    let mut names: Vec<String> = Vec::new();
    for name in asked {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME {
            return bad(format!(
                "a model's name has 1 to {NAME} characters, as the price book writes it: gpt-4o-mini, groq/llama-3.1-8b-instant"
            ));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if names.len() > MODELS {
        return bad(format!(
            "{} models are too many for one table: at most {MODELS}",
            names.len()
        ));
    }
    Ok(names)
}
