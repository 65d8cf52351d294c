//! Texts in every script: which are accepted, and how they are compared and found.

use crate::world::{World, text};
use loopiq::engine::{Error, ToolResponse, Visit};
use loopiq::views::{InboxQuery, Tab};
use serde_json::{Value, json};

fn story(world: &World, key: &str, title: &str, reason: &str) -> Value {
    json!({
        "idempotencyKey": key, "reason": reason, "releaseId": world.acme.release, "teamId": world.acme.team, "kind": "story",
        "title": title, "description": "d", "priority": "low", "evidenceIds": [world.acme.evidence],
    })
}

async fn propose(world: &World, arguments: Value) -> Result<ToolResponse, Error> {
    let ctx = world.client("developer");
    world.engine.call_tool(&ctx, "loopiq_create_work_item", arguments).await
}

/// Proposes a story, and returns its ID, its digest, and the codes of its check results about duplicates.
async fn proposed(world: &World, key: &str, title: &str) -> (String, String, Vec<String>) {
    let reason = format!("Evidence {} asks for it.", world.acme.evidence);
    let answer = propose(world, story(world, key, title, &reason)).await;
    let answer = answer.unwrap_or_else(|error| panic!("{title}: {error}")).structured;
    let checks = answer["checks"].as_array().expect("checks");
    let found = checks.iter().filter(|check| check["id"] == "duplicates");
    let codes = found.map(|check| text(check, "code")).collect();
    (text(&answer, "actionId"), text(&answer, "digest"), codes)
}

/// Creates a work item with this title.
async fn create(world: &World, key: &str, title: &str) {
    let (id, digest, _) = proposed(world, key, title).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("executed");
    assert_eq!(world.get(&id).await["status"], "executed", "{title}");
}

#[tokio::test]
async fn near_equal_titles_are_found_in_scripts_without_spaces() {
    let world = World::new().await;
    for (n, (title, near, other)) in [
        (
            "修复登录接口的签名密钥泄露问题",
            "修复登录接口签名密钥泄露问题",
            "升级数据库驱动版本",
        ),
        (
            "ログイン画面のSQLインジェクションを修正する",
            "ログイン画面のSQLインジェクションの修正",
            "依存ライブラリを更新する",
        ),
        (
            "로그인화면의 인젝션 취약점을 수정",
            "로그인 화면의 인젝션 취약점 수정",
            "의존성 버전을 올린다",
        ),
        (
            "แก้ไขช่องโหว่การค้นหาในหน้าเข้าสู่ระบบ",
            "แก้ไขช่องโหว่ของการค้นหาหน้าเข้าสู่ระบบ",
            "อัปเดตไลบรารีฐานข้อมูล",
        ),
        ("ແກ້ໄຂຊ່ອງໂຫວ່ການຄົ້ນຫາ", "ແກ້ໄຂຊ່ອງໂຫວ່ຂອງການຄົ້ນຫາ", "ປັບປຸງຖານຂໍ້ມູນ"),
        ("ជួសជុលចន្លោះសុវត្ថិភាពនៃការស្វែងរក", "ជួសជុលចន្លោះសុវត្ថិភាពការស្វែងរក", "ធ្វើបច្ចុប្បន្នភាពទិន្នន័យ"),
        ("ရှာဖွေမှုအားနည်းချက်ကိုပြင်ဆင်ပါ", "ရှာဖွေမှုအားနည်းချက်ပြင်ဆင်ပါ", "ဒေတာဘေ့စ်အဆင့်မြှင့်"),
    ]
    .into_iter()
    .enumerate()
    {
        create(&world, &format!("first-{n}"), title).await;
        let (_, _, codes) = proposed(&world, &format!("near-{n}"), near).await;
        assert_eq!(codes, ["duplicates.similar_title"], "{near}");
        let (_, _, codes) = proposed(&world, &format!("other-{n}"), other).await;
        assert_eq!(codes, ["duplicates.passed"], "{other}");
    }
}

#[tokio::test]
async fn titles_in_other_letters_or_other_case_are_the_same() {
    let world = World::new().await;
    for (n, (title, same)) in [
        ("Clé réutilisée à l'étape É1", "Cle\u{301} re\u{301}utilise\u{301}e a\u{300} l'e\u{301}tape E\u{301}1"),
        ("Rotate the ABC-12 signing key", "Ｒｏｔａｔｅ ｔｈｅ ＡＢＣ-１２ ｓｉｇｎｉｎｇ ｋｅｙ"),
        ("Straße in der Adresse prüfen", "STRASSE IN DER ADRESSE PRÜFEN"),
        ("ﾛｸﾞｲﾝを修正する", "ログインを修正する"),
        ("로그인 오류 수정", "\u{1105}\u{1169}\u{1100}\u{1173}\u{110B}\u{1175}\u{11AB} \u{110B}\u{1169}\u{1105}\u{1172} \u{1109}\u{116E}\u{110C}\u{1165}\u{11BC}"),
        ("به‌روزرسانی کتابخانه", "بهروزرسانی کتابخانه"),
        ("Sign in 👩‍👧 in families", "SIGN IN families"),
    ]
    .into_iter()
    .enumerate()
    {
        create(&world, &format!("first-{n}"), title).await;
        let (_, _, codes) = proposed(&world, &format!("same-{n}"), same).await;
        assert_eq!(codes, ["duplicates.same_title"], "{same}");
    }
}

#[tokio::test]
async fn a_part_of_a_title_without_spaces_is_found() {
    let world = World::new().await;
    create(&world, "cn", "轮换泄露的签名密钥").await;
    create(&world, "th", "แก้ไขช่องโหว่การค้นหา").await;
    create(&world, "other", "Rotate the refund gateway's credentials").await;
    let entries = async |query: &str| {
        let page = world
            .engine
            .search_audit(&world.person("auditor"), query, "")
            .await
            .expect("a page");
        assert!(page.errors.is_empty(), "{query}: {:?}", page.errors);
        page.rows.iter().map(|row| row.seq).collect::<Vec<i64>>()
    };
    let all = entries("签名密钥").await;
    assert!(all.len() >= 3, "proposed, approved, executed: {all:?}");
    for query in ["\"签名密钥\"", "密钥", "钥", "轮换 密钥", "轮"] {
        assert_eq!(entries(query).await, all, "{query}");
    }
    assert!(!entries("ช่องโหว่").await.is_empty());
    for query in ["密签", "密码", "码"] {
        assert!(entries(query).await.is_empty(), "{query}");
    }
    let similar = async |title: &str| {
        let ctx = world.client("developer");
        let answer = world
            .engine
            .call_tool(&ctx, "loopiq_find_similar_work_items", json!({ "title": title }));
        let items = answer.await.expect("a list").structured["items"].clone();
        items
            .as_array()
            .expect("items")
            .iter()
            .map(|item| text(item, "title"))
            .collect::<Vec<String>>()
    };
    assert_eq!(similar("签名密钥").await, ["轮换泄露的签名密钥"]);
    assert_eq!(similar("ช่องโหว่").await, ["แก้ไขช่องโหว่การค้นหา"]);
    assert_eq!(similar("升级数据库").await, [""; 0]);
    create(&world, "umlaut", "PRÜFE DIE SCHLÜSSEL").await;
    for (wanted, count) in [
        ("签名密钥", 1),
        ("ＲＥＦＵＮＤ", 1),
        ("prüfe", 1),
        ("Pru\u{308}fe", 1),
        ("100%", 0),
        ("", 5),
    ] {
        let ctx = world.client("developer");
        let list = world
            .engine
            .call_tool(&ctx, "loopiq_list_work_items", json!({ "text": wanted }));
        let items = list.await.expect("a list").structured["items"].clone();
        assert_eq!(items.as_array().map(Vec::len), Some(count), "{wanted}: {items}");
    }
    let inbox = InboxQuery {
        text: "ＲＥＦＵＮＤ".to_owned(),
        tab: Tab::All,
        ..InboxQuery::default()
    };
    let page = world
        .engine
        .inbox(&world.person("reviewer"), &inbox)
        .await
        .expect("a page");
    assert_eq!(page.rows.len(), 1);
}

#[tokio::test]
async fn titles_and_reasons_of_every_script_are_accepted_as_they_are() {
    let world = World::new().await;
    for (n, title) in [
        "آسیب‌پذیری ورود را برطرف کنید",
        "सॉफ़्टवेयर में क्‍षति ठीक करें",
        "র‍্যানসমওয়্যার থেকে সুরক্ষা",
        "ශ්‍රී ලංකා පිවිසුම සකසන්න",
        "Let families 👩‍👩‍👧‍👦 sign in ❤️ 1️⃣",
    ]
    .into_iter()
    .enumerate()
    {
        let reason = format!("{title}: {}", world.acme.evidence);
        let answer = propose(&world, story(&world, &format!("k{n}"), title, &reason)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{title}: {error}")).structured;
        let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
        let reviewer = world.person("reviewer");
        let page = world
            .engine
            .action_page(&reviewer, &id, Visit::Opened)
            .await
            .expect("a page");
        let shown = serde_json::to_string(&page).expect("JSON");
        assert!(shown.contains(title) && !shown.contains("⟦U+"), "{title}");
        let view = page.view.unwrap_or_default();
        world
            .engine
            .reject(&reviewer, &id, &digest, &[], title, &view)
            .await
            .unwrap_or_else(|error| panic!("{title}: {error}"));
        let rejected = world.entries("action.rejected").await.pop().expect("an entry");
        assert_eq!(rejected["note"], *title);
    }
    for (n, hidden) in [
        "Rotate the pay\u{200D}ment key",
        "Rotate the pay\u{200C}ment key",
        "\u{200D}Rotate the payment key",
        "Rotate the payment key\u{200D}",
        "Rotate the payment key 👩\u{200D}",
        "Rotate the payment key\u{FE0F}",
        "Rotate the \u{2067}payment\u{2069} key",
        "Rotate the payment key 🏴\u{E0067}\u{E0062}\u{E007F}",
        "Rotate the payment key &zwj;",
        "کلید\u{200C} پرداخت",
    ]
    .into_iter()
    .enumerate()
    {
        let reason = format!("Evidence {} asks for it.", world.acme.evidence);
        let refused = propose(&world, story(&world, &format!("h{n}"), hidden, &reason)).await;
        let message = refused.expect_err("refused").to_string();
        assert!(message.contains("/title") && message.contains("U+"), "{message}");
    }
}

#[tokio::test]
async fn a_tenant_adds_generic_words_of_any_script() {
    let world = World::new().await;
    let ctx = loopiq::context::Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let words = ["修复", "问题", "的", "सुधार", "ปัญหา", "Ｆｏｏ"].map(str::to_owned);
    let added = world
        .engine
        .change_generic_words(&ctx, &words, &[])
        .await
        .expect("added");
    assert_eq!(
        added,
        ["foo", "सुधार", "ปัญหา", "修复", "的", "问题"]
            .map(str::to_owned)
            .to_vec()
    );
    let verdict = async |key: &str, title: &str| {
        let reason = format!("Evidence {} asks for it.", world.acme.evidence);
        let answer = propose(&world, story(&world, key, title, &reason))
            .await
            .expect("a proposal")
            .structured;
        let checks = answer["checks"].as_array().expect("checks").clone();
        text(
            checks.iter().find(|check| check["id"] == "titles").expect("titles"),
            "code",
        )
    };
    for (n, vague) in ["修复问题", "修复的问题", "सुधार foo", "ปัญหา"].into_iter().enumerate()
    {
        assert_eq!(verdict(&format!("v{n}"), vague).await, "titles.generic", "{vague}");
    }
    for (n, specific) in ["修复登录问题", "लॉगिन सुधार", "ปัญหาการค้นหา"].into_iter().enumerate()
    {
        assert_eq!(verdict(&format!("s{n}"), specific).await, "titles.passed", "{specific}");
    }
}
