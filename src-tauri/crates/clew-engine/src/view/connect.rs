//! Commands of the Connect view: who sends, and what went wrong.

use crate::api::{Connections, NoParams};
use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    #[expect(clippy::unused_async, reason = "commands are async")]
    pub(crate) async fn get_connections(&self, _params: NoParams) -> Result<Connections, Error> {
        Ok(Connections {
            senders: self.census().senders(),
            problems: self.census().problems(),
        })
    }
}
