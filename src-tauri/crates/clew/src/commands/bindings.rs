//! `clew bindings`: the TypeScript of the API, for `ui/src/generated/api.ts`.

use super::Exit;
use crate::print::Out;

pub(super) fn run(out: &mut Out) -> anyhow::Result<Exit> {
    out.text(&clew_engine::api::typescript())?;
    Ok(Exit::Ok)
}
