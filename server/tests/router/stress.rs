use crate::support::Service;
#[tokio::test]
#[ignore]
async fn stress_many() {
    for round in 0..60 {
        let service = Service::start().await;
        let mut browser = service.signed_in("reviewer@acme.example").await;
        for n in 0..30 {
            let t = std::time::Instant::now();
            let page = browser.get("/").await;
            assert_eq!(page.status, 200, "round {round} n {n} after {:?}: {}", t.elapsed(), page.text);
        }
    }
}
#[tokio::test]
#[ignore]
async fn stress_first() {
    for round in 0..400 {
        let service = Service::start().await;
        let mut browser = service.signed_in("reviewer@acme.example").await;
            let t = std::time::Instant::now();
            let page = browser.get("/").await;
            assert_eq!(page.status, 200, "round {round} after {:?}: {}", t.elapsed(), page.text);
    }
}
