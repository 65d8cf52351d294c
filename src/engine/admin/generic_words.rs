//! Words that do not identify anything in a title: the service's own list, and the additions of a tenant.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::{Permission, text};
use crate::engine::{Engine, Error, audit_entries};
use crate::store::Entry;
use serde_json::json;

impl Engine {
    /// Adds and removes generic words of the tenant and returns the resulting list. Case is ignored.
    pub async fn change_generic_words(
        &self,
        ctx: &Ctx,
        add: &[String],
        remove: &[String],
    ) -> Result<Vec<String>, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let (add, remove) = (normalized("/add", add)?, normalized("/remove", remove)?);
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    if !add.is_empty() || !remove.is_empty() {
                        tx.add_generic_words(&add).await?;
                        tx.remove_generic_words(&remove).await?;
                        let mut content = audit_entries::content(tx.ctx());
                        content.details = json!({ "genericWords": { "added": add, "removed": remove } });
                        tx.record(Entry {
                            event: Event::Configured,
                            action_id: None,
                            content,
                        });
                    }
                    Ok(tx.generic_words().await?)
                })
            })
            .await
    }
}

/// Normalizes words like words of titles. In a script without spaces, a word is what is written without a break.
fn normalized(at: &str, given: &[String]) -> Result<Vec<String>, Error> {
    given
        .iter()
        .map(|word| match text::written_words(word).as_slice() {
            [one] if !text::hides(word) && *one == text::folded(word.trim()) && !text::words(one).is_empty() => {
                Ok(one.clone())
            }
            _ => Err(Error::field(
                at,
                format!("\"{}\" is not one word of two letters or more", text::visible(word)),
            )),
        })
        .collect()
}
