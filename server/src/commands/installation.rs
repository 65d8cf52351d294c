//! What an installation is, a demo or production, and what a start or a command may do with it.

use crate::settings::Installation;
use anyhow::{Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::InstallationKind;
use loopiq::store::Store;

/// Starts the service as a demo or as production. The first start decides, for ever: a start as the other kind is refused, and nothing was
/// written then.
///
/// # Errors
/// One line that says what the installation is and where to start instead.
pub(super) async fn start_as(store: &Store, place: &Installation, demo: bool, runtime: &Runtime) -> Result<()> {
    let wanted = if demo {
        InstallationKind::Demo
    } else {
        InstallationKind::Production
    };
    // Without asking first, an installation of the other kind would only be refused after a write.
    let decided = match store.installation().await? {
        Some(decided) => decided,
        None => store.decide_installation(wanted, runtime.now()).await?,
    };
    let here = place.name();
    match (wanted, decided) {
        (InstallationKind::Production, InstallationKind::Demo) => bail!(
            "{here} holds a demo, whose people sign in without a password, so it is never served as production; nothing was changed. Start it \
             with --demo, or give this service a database of its own: --data-dir DIR or LOOPIQ_DATABASE_URL"
        ),
        (InstallationKind::Demo, InstallationKind::Production) => bail!(
            "{here} holds a production installation, which is never served as a demo; nothing was changed. Start it without --demo, or give the \
             demo a database of its own: --data-dir DIR or LOOPIQ_DATABASE_URL"
        ),
        _ => Ok(()),
    }
}

/// Says in one line that nobody can sign in yet, where that is so.
pub(super) async fn warn_if_empty(store: &Store) -> Result<()> {
    if store.tenants().await?.is_empty() {
        tracing::warn!(
            "No tenant exists yet: nobody can sign in. This version has no command that sets one up; `loopiq serve --demo` with a data \
             directory of its own shows the service"
        );
    }
    Ok(())
}

/// Fails unless the installation is a demo: only there are tokens given out without asking anybody.
pub(super) async fn must_be_demo(store: &Store, place: &Installation) -> Result<()> {
    match store.installation().await? {
        Some(InstallationKind::Demo) => Ok(()),
        _ => bail!(
            "{} is not a demo: tokens are printed only for an installation that was started with --demo",
            place.name()
        ),
    }
}

/// Fails where the database's role passes the wall between tenants. A demo is only warned: its records are nobody's.
pub(super) async fn stands_behind_the_wall(store: &Store, demo: bool) -> Result<()> {
    if !store.passes_the_wall() {
        return Ok(());
    }
    let why = "the database's role owns the tables or passes row-level security, or may become a role that does, so PostgreSQL would not keep \
               tenants apart if a query forgot to; let LOOPIQ_DATABASE_URL name a role of its own, and run `loopiq schema upgrade`";
    if demo || store.installation().await? == Some(InstallationKind::Demo) {
        tracing::warn!("{why}");
        return Ok(());
    }
    bail!("{why}");
}
