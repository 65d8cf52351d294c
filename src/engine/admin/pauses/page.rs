//! The page of pauses.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::{Engine, Error};
use crate::tools::TOOLS;
use crate::views::{Choice, PauseView, PausesPage, When};

impl Engine {
    /// The pauses in force, and what can be paused.
    pub async fn pauses_page(&self, ctx: &Ctx) -> Result<PausesPage, Error> {
        let needed = match ctx.principal.person() {
            Some(_) => Permission::ViewActions,
            None => Permission::Pause,
        };
        self.authorize(ctx, needed).await?;
        let may_pause = allows(&ctx.principal, Permission::Pause);
        let tx = &mut self.store.read(ctx).await?;
        let pauses = tx.pauses().await?;
        let clients = match may_pause {
            true => tx.all_clients().await?,
            false => Vec::new(),
        };
        let now = ctx.now();
        let tools = TOOLS.iter().map(|tool| Choice {
            value: PauseTarget::Tool(tool.name().to_owned()).to_string(),
            label: format!("{} ({})", tool.title(), tool.name()).into(),
        });
        let clients = clients.into_iter().map(|client| Choice {
            label: format!("{} ({})", client.name, client.id).into(),
            value: PauseTarget::Client(client.id).to_string(),
        });
        Ok(PausesPage {
            tools: tools.collect(),
            clients: clients.collect(),
            may_pause,
            may_resume: allows(&ctx.principal, Permission::Configure),
            pauses: pauses.iter().map(|pause| view(pause, now)).collect(),
        })
    }
}

fn view(pause: &Pause, now: Timestamp) -> PauseView {
    PauseView {
        target: pause.target.to_string(),
        subject: pause.subject(),
        by: pause.by(),
        reason: pause.reason.clone(),
        since: When::new(pause.since, now),
    }
}
