//! Checkpoints over HTTP: a plain endpoint, and the protocol of C2SP tlog-witness.

use super::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use loopiq::engine::WitnessUpdate;
use loopiq_audit_log::{Cosigner, Signature};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use std::fmt::Write as _;

/// The longest answer of a witness that is read.
const MAX_ANSWER: usize = 16 << 10;

/// Posts the signed note.
pub(super) async fn post(client: &Client, url: &str, update: &WitnessUpdate) -> Result<Outcome, String> {
    let note = update.checkpoint.note.to_string();
    let response = client
        .post(url)
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(note)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    match response.status() {
        status if status.is_success() => Ok(Outcome::Stored(None)),
        status => Err(format!("it answered with status {status}")),
    }
}

/// Posts note and proof, and verifies the cosignature of the answer.
pub(super) async fn add_checkpoint(
    client: &Client,
    key: &Cosigner,
    url: &str,
    update: &WitnessUpdate,
) -> Result<Outcome, String> {
    let mut note = update.checkpoint.note.clone();
    // A witness checks the log's signatures only; those of other witnesses would be noise.
    note.signatures.truncate(1);
    let mut body = format!("old {}\n", update.old);
    for hash in update.proof.iter().flat_map(|proof| &proof.hashes) {
        let _ = writeln!(body, "{}", BASE64.encode(hash.0));
    }
    let _ = write!(body, "\n{note}");
    let response = client
        .post(format!("{url}/add-checkpoint"))
        .body(body)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let status = response.status();
    let answer = read(response).await?;
    match status {
        StatusCode::OK => {
            let lines = answer.lines().filter_map(|line| Signature::from_line(line).ok());
            let mut own = lines.filter(|line| line.name == key.name() && line.key_id == key.id());
            let signature = own.next().ok_or("its answer contains no signature by its key")?;
            note.signatures.push(signature.clone());
            note.verify_witness(key).map_err(|error| error.to_string())?;
            Ok(Outcome::Stored(Some(signature)))
        }
        StatusCode::CONFLICT => {
            let size = answer.trim().parse();
            size.map(Outcome::Has)
                .map_err(|_| "it has another checkpoint and does not say which".to_owned())
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            Err("it does not accept the consistency proof: it has seen another log".to_owned())
        }
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Err(format!(
            "it does not know this log or its key (status {status}): give its operator the public key and the name of the log"
        )),
        status => Err(format!("it answered with status {status}")),
    }
}

async fn read(mut response: Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_ANSWER {
            return Err("its answer is too long".to_owned());
        }
    }
    String::from_utf8(bytes).map_err(|_| "its answer is not text".to_owned())
}

/// The causes of a failed request, without the URL, which the name of the witness says.
fn failed(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    match causes.last() {
        Some(cause) => format!("the request failed: {cause}"),
        None => "the request failed".to_owned(),
    }
}
