//! `loopiq import --url`, and the pipelines of `docs/ci.md`.

use crate::command_line::loopiq;
use crate::evidence_api::PAY;
use crate::support::Service;
use loopiq_testing::junit;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A folder with the file `junit.xml`.
fn folder() -> TempDir {
    let temp = TempDir::new().unwrap();
    std::fs::write(temp.path().join("junit.xml"), junit(3, "pipeline")).unwrap();
    temp
}

/// Runs `loopiq import` with this token and these arguments.
async fn import(dir: &Path, token: &str, line: &str) -> Output {
    let mut command = loopiq(dir);
    command
        .env("LOOPIQ_TOKEN", token)
        .env("NO_PROXY", "127.0.0.1")
        .arg("import")
        .args(line.split_whitespace());
    output(command).await
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn the_client_imports_a_file_into_a_service() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let temp = folder();
    let dir = temp.path();
    let line = format!("junit.xml --url {} --release PAY-1", service.url);
    let first = import(dir, &token, &line).await;
    assert!(
        stdout(&first).starts_with("PAY-1: 3 new findings"),
        "{}",
        stdout(&first)
    );
    assert_eq!(stderr(&first), "");

    // With the token in a file, and as JSON.
    loopiq_server::file_permissions::write(&dir.join("token"), format!("{token}\n").as_bytes()).unwrap();
    let mut command = loopiq(dir);
    command
        .env("NO_PROXY", "127.0.0.1")
        .arg("import")
        .args(format!("{line} --json --token-file token --format junit --collected-at 2026-11-20").split_whitespace());
    let again: Value = serde_json::from_str(&stdout(&output(command).await)).unwrap();
    assert_eq!(again["unchanged"], true);
    assert_eq!(service.database.count("evidence WHERE name = 'junit.xml'").await, 1);

    for (token, line, says) in [
        (
            token.as_str(),
            line.replace("PAY-1", "PAY-9"),
            "There is no release PAY-9",
        ),
        (&token, line.replace("junit.xml", "site/index.html"), "cannot be read"),
        (&token, line.clone() + " --format sarif", "answered 400: junit.xml"),
        ("wrong", line.clone(), "answered 401: The token is unknown"),
        (" ", line.clone(), "LOOPIQ_TOKEN (or --token) is empty"),
        ("\u{e9}\u{7f}", line.clone(), "characters that no token has"),
        (
            &token,
            "junit.xml --url ftp://x --release PAY-1".to_owned(),
            "must be http:// or https://",
        ),
    ] {
        let refused = import(dir, token, &line).await;
        let text = stderr(&refused);
        assert_eq!(
            (refused.status.code(), text.trim_end().lines().count()),
            (Some(1), 1),
            "{text}"
        );
        assert!(text.starts_with("loopiq: ") && text.contains(says), "{text}");
        assert!(refused.stdout.is_empty());
    }
    let mut command = loopiq(dir);
    command.arg("import").args(line.split_whitespace());
    let text = stderr(&output(command).await);
    assert!(text.contains("neither LOOPIQ_TOKEN (or --token)"), "{text}");
    let both = import(dir, &token, &format!("{line} --tenant acme")).await;
    assert!(stderr(&both).contains("cannot be used with"), "{}", stderr(&both));
}

/// An HTTP response.
fn response(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A service that gives one of these answers on each connection; an empty one closes it. Returns its URL.
async fn answering(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut received = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let wanted = junit(3, "pipeline");
            while !request.ends_with(&wanted) {
                let mut part = [0; 4096];
                let count = stream.read(&mut part).await.unwrap();
                assert!(count > 0, "the whole file arrives");
                request.extend_from_slice(&part[..count]);
            }
            received.push(request.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        received
    });
    (url, task)
}

#[tokio::test]
async fn the_client_repeats_what_may_pass_and_nothing_else() {
    let temp = folder();
    let (url, service) = answering(vec![
        response("503 Service Unavailable\r\nretry-after: 0", "{\"detail\":\"Busy\"}"),
        response("429 Too Many Requests\r\nretry-after: 0", ""),
        String::new(),
        response("200 OK", "{\"release\":\"PAY-1\",\"runs\":1,\"newFindings\":3}"),
    ])
    .await;
    let done = import(
        temp.path(),
        "secret-token",
        &format!("junit.xml --url {url} --release PAY-1"),
    )
    .await;
    assert!(stdout(&done).contains("3 new findings"), "{}", stdout(&done));
    let log = stderr(&done);
    assert!(log.contains("answered 503: Busy; trying again in 0 s"), "{log}");
    assert!(log.contains("answered 429") && log.contains("did not answer"), "{log}");
    assert!(!log.contains("secret-token"), "{log}");
    let sizes = service.await.unwrap();
    assert!(
        sizes.len() == 4 && sizes.iter().all(|size| *size == sizes[0]),
        "{sizes:?}"
    );

    for (head, body, says) in [
        ("400 Bad Request", "{\"detail\":\"No SARIF\"}", "answered 400: No SARIF"),
        (
            "302 Found\r\nlocation: http://127.0.0.1:1/",
            "",
            "redirects to another address",
        ),
        ("404 Not Found", "nginx", "is it the service's address?"),
        ("200 OK", "hello", "not with the report of an import"),
    ] {
        let (url, service) = answering(vec![response(head, body)]).await;
        let refused = import(temp.path(), "t", &format!("junit.xml --url {url} --release PAY-1")).await;
        assert_eq!(refused.status.code(), Some(1));
        let text = stderr(&refused);
        assert!(text.contains(says) && text.lines().count() == 1, "{text}");
        assert_eq!(service.await.unwrap().len(), 1);
    }
}

/// The shell commands of the pipelines in a document: blocks after `run: |`, and the items of `script:`.
fn scripts(document: &str) -> Vec<String> {
    let (mut scripts, mut lines) = (Vec::new(), document.lines().peekable());
    while let Some(line) = lines.next() {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let own = indent(line);
        let line = line.trim();
        if line != "run: |" && line != "script:" {
            continue;
        }
        let mut script = String::new();
        while let Some(next) = lines.next_if(|next| indent(next) > own) {
            script.push_str(next.trim_start().trim_start_matches("- "));
            script.push('\n');
        }
        scripts.push(script);
    }
    scripts
}

#[tokio::test]
async fn the_documented_pipelines_work_as_plain_shell() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci.md")).unwrap();
    let scripts = scripts(&document);
    assert_eq!(scripts.len(), 3, "{scripts:#?}");
    let bin = Path::new(env!("CARGO_BIN_EXE_loopiq")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    for (n, script) in scripts.into_iter().enumerate() {
        let temp = TempDir::new().unwrap();
        // Each pipeline has files of its own.
        std::fs::write(temp.path().join("junit.xml"), junit(2, &format!("junit{n}"))).unwrap();
        std::fs::write(temp.path().join("results.sarif"), junit(1, &format!("sarif{n}"))).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", &script])
            .current_dir(temp.path())
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("NO_PROXY", "127.0.0.1")
            .env("LOOPIQ_URL", &service.url)
            .env("RELEASE", "PAY-1")
            .env("LOOPIQ_TOKEN", &token);
        let done = output(shell).await;
        assert!(done.status.success(), "{script}\n{}", stderr(&done));
        let name = format!("findings WHERE rule LIKE 'sarif{n}%'");
        assert_eq!(service.database.count(&name).await, 1, "{script}");
    }
    assert_eq!(service.database.count("evidence WHERE name = 'results.sarif'").await, 3);
    assert_eq!(service.database.count("evidence WHERE name = 'junit.xml'").await, 2);
    let mut shell = Command::new("sh");
    shell
        .args([
            "-e",
            "-c",
            "loopiq import missing.xml --url \"$LOOPIQ_URL\" --release PAY-1",
        ])
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("LOOPIQ_URL", &service.url)
        .env("LOOPIQ_TOKEN", &token);
    assert!(
        !output(shell).await.status.success(),
        "a job fails if its file is missing"
    );
}
