//! Witnesses: places outside this installation that get each checkpoint, so that its operator cannot rewrite what others have seen.
//!
//! | setting | how a checkpoint is sent | what counts as success |
//! |---|---|---|
//! | a path | a file for each tenant is replaced, and a line is added to a list | the file is written |
//! | an `https://` URL | the signed note is posted | status 2xx |
//! | `KEY@URL` | C2SP tlog-witness: note and consistency proof are posted to `URL/add-checkpoint` | a cosignature that the key verifies |

mod file;
mod http;

use crate::http_client;
use crate::prometheus::{CHECKPOINTS, LOG_TAMPERED, WITNESS_DELAY};
use loopiq::domain::TenantId;
use loopiq::engine::{Engine, Error, Signed, WitnessUpdate};
use loopiq_audit_log::{Cosigner, Signature};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How long a witness has for its answer.
const TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// How often checkpoints are signed, and who gets them.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckpointArgs {
    /// How often a checkpoint of each audit log is signed, if there are new entries.
    #[arg(long, env = "LOOPIQ_CHECKPOINT_INTERVAL", default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    checkpoint_interval: u64,
    /// Who gets each checkpoint, separated by commas: a folder, an https URL, or `KEY@URL` for a witness that signs (C2SP tlog-witness).
    #[arg(long, env = "LOOPIQ_WITNESSES", value_name = "WITNESS,...", value_delimiter = ',')]
    witnesses: Vec<Witness>,
}

impl CheckpointArgs {
    /// The settings.
    pub fn settings(&self) -> CheckpointSettings {
        CheckpointSettings {
            interval: Duration::from_secs(self.checkpoint_interval),
            witnesses: self.witnesses.clone(),
        }
    }
}

/// How often checkpoints are signed, and who gets them.
#[derive(Debug, Clone)]
pub struct CheckpointSettings {
    /// The time between two passes.
    pub interval: Duration,
    /// Who gets each checkpoint.
    pub witnesses: Vec<Witness>,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            witnesses: Vec::new(),
        }
    }
}

/// The client for witnesses. It follows no redirects, because a checkpoint is for the configured address.
///
/// # Errors
/// TLS cannot be set up.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(http_client::builder()?
        .redirect(reqwest::redirect::Policy::none())
        .build()?)
}

/// A place that gets checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// A folder, for example on a volume that can only be appended to.
    Folder(PathBuf),
    /// Any endpoint that stores what is posted to it.
    Endpoint(String),
    /// A witness that signs (C2SP tlog-witness).
    Cosigner {
        /// Its public key.
        key: Box<Cosigner>,
        /// Where `/add-checkpoint` is.
        url: String,
    },
}

/// How sending a checkpoint ended.
enum Outcome {
    /// The witness has it, and signed it if it signs.
    Stored(Option<Signature>),
    /// The witness has another checkpoint than expected: the one of this size.
    Has(u64),
}

impl Witness {
    /// The witness's name in the database and in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Endpoint(url) => url.clone(),
            Self::Cosigner { key, .. } => key.name().to_owned(),
        }
    }

    /// The public key of a witness that signs.
    pub fn cosigner(&self) -> Option<&Cosigner> {
        match self {
            Self::Cosigner { key, .. } => Some(key),
            Self::Folder(_) | Self::Endpoint(_) => None,
        }
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        tenant: &TenantId,
        update: &WitnessUpdate,
    ) -> Result<Outcome, String> {
        match self {
            Self::Folder(folder) => file::store(folder, tenant, update).map(|()| Outcome::Stored(None)),
            Self::Endpoint(url) => http::post(client, url, update).await,
            Self::Cosigner { key, url } => http::add_checkpoint(client, key, url, update).await,
        }
    }
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_url = |text: &str| {
            let url = reqwest::Url::parse(text).ok();
            url.is_some_and(|url| url.scheme() == "https" || crate::urls::is_loopback_url(text))
        };
        if let Some((key, url)) = text.rsplit_once('@')
            && url.contains("://")
        {
            let key = key
                .parse::<Cosigner>()
                .map(Box::new)
                .map_err(|error| format!("the key of the witness at {url}: {error}"))?;
            let url = url.trim_end_matches('/').to_owned();
            return if is_url(&url) {
                Ok(Self::Cosigner { key, url })
            } else {
                Err(format!("{url} is not an https URL"))
            };
        }
        match text {
            "" => Err("a witness is a path, an https URL, or KEY@URL".to_owned()),
            url if url.contains("://") => match is_url(url) {
                true => Ok(Self::Endpoint(url.to_owned())),
                false => Err(format!("{url} is not an https URL")),
            },
            path => Ok(Self::Folder(PathBuf::from(path))),
        }
    }
}

/// Signs what is new in each tenant's log, and sends it to the witnesses. A fault is logged and counted, and tried again at the next pass.
pub async fn pass(engine: &Engine, client: &reqwest::Client, witnesses: &[Witness]) {
    let tenants = match engine.store().tenants().await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::error!(%error, "no checkpoint could be signed"),
    };
    let (mut tampered, mut late) = (0_u32, 0_u32);
    for tenant in &tenants {
        match engine.sign_checkpoint(tenant).await {
            Ok(Signed::New(checkpoint)) => {
                metrics::counter!(CHECKPOINTS).increment(1);
                tracing::debug!(%tenant, size = checkpoint.size, "checkpoint signed");
            }
            Ok(Signed::UpToDate(_) | Signed::Empty) => {}
            Err(error @ Error::LogTampered { .. }) => {
                tampered += 1;
                tracing::error!(%tenant, %error, "no checkpoint is signed");
            }
            Err(error) => tracing::error!(%tenant, %error, "no checkpoint could be signed"),
        }
    }
    // After all logs are signed, because a witness that does not answer takes seconds.
    for tenant in &tenants {
        for witness in witnesses {
            if let Err(error) = deliver(engine, client, tenant, witness).await {
                late += 1;
                tracing::warn!(%tenant, witness = witness.name(), error, "a witness did not get the checkpoint; it is tried again");
            }
        }
    }
    metrics::gauge!(LOG_TAMPERED).set(tampered);
    metrics::gauge!(WITNESS_DELAY).set(late);
}

/// Sends the latest checkpoint to a witness that does not have it. The error is stored, too.
async fn deliver(
    engine: &Engine,
    client: &reqwest::Client,
    tenant: &TenantId,
    witness: &Witness,
) -> Result<(), String> {
    let name = witness.name();
    let mut has = None;
    // A witness that has another checkpoint than the database says gets one more attempt.
    loop {
        let update = engine.witness_update(tenant, &name, has).await;
        let Some(update) = update.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let size = update.checkpoint.size;
        let outcome = match tokio::time::timeout(TIMEOUT, witness.send(client, tenant, &update)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} seconds", TIMEOUT.as_secs())),
        };
        let result = match outcome {
            Ok(Outcome::Has(other)) if has.is_none() && other <= size => {
                has = Some(other);
                continue;
            }
            Ok(Outcome::Has(other)) => Err(format!(
                "it says that it has a checkpoint of {other} entries, and this log has {size}"
            )),
            Ok(Outcome::Stored(signature)) => Ok(signature),
            Err(error) => Err(error),
        };
        let failed = result.as_ref().err().cloned();
        let stored = engine.witness_answered(tenant, &name, size, result).await;
        stored.map_err(|error| error.to_string())?;
        return failed.map_or(Ok(()), Err);
    }
}

#[cfg(test)]
mod tests;
