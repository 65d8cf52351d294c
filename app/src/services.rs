//! What the service hands to a page or a server function through Leptos' context.

use loopiq::domain::{Permission, allows};
use loopiq::engine::{Ctx, Engine};

/// The engine and who is asking. Provided by the server for every page and server function of a signed-in person.
#[derive(Clone)]
pub struct Services {
    /// The use cases.
    pub engine: Engine,
    /// Who asks, and under which request.
    pub ctx: Ctx,
    /// Whether the browser only fetches the page in advance: nobody has seen it then.
    pub prefetch: bool,
}

impl Services {
    /// Whether this person may give the command at all; what the action itself adds is the engine's to judge.
    pub(crate) fn may(&self, command: Permission) -> bool {
        allows(&self.ctx.principal, command)
    }
}
