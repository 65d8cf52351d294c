//! What the service hands to a page or a server function through Leptos' context.

use loopiq::domain::{Permission, allows};
use loopiq::engine::{Ctx, Engine};

/// The engine and the signed-in person. The server provides them for every page and server function, as an `Arc`.
pub struct Services {
    /// The use cases.
    pub engine: Engine,
    /// The person and the request.
    pub ctx: Ctx,
    /// Whether the browser prefetches the page. A prefetch does not count as a visit, because the person has not seen the page.
    pub prefetch: bool,
    /// Whether the person can switch to another tenant.
    pub can_switch: bool,
}

impl Services {
    /// Whether the person's roles include this permission. The engine also judges the state of the action.
    pub(crate) fn may(&self, command: Permission) -> bool {
        allows(&self.ctx.principal, command)
    }
}
