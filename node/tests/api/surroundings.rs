//! What a server says of what is wrong around it, so that somebody looks who can mend it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use http::Method;
use raftarium_node::http::HttpsFiles;
use raftarium_node::machine::Addresses;
use raftarium_node::server::NewFolder;
use rcgen::CertificateParams;
use serde_json::{Value, json};

use super::authority::{certify, new_authority};
use super::client::{Running, alone_with, free_addresses, options, several, several_with, start};

/// Waits until a server says something that has all of these words, and returns it.
async fn says(server: &Running, words: &[&str]) -> String {
    let has = |trouble: &Value| trouble.as_str().is_some_and(|text| words.iter().all(|word| text.contains(word)));
    let find = |status: &Value| status["troubles"].as_array()?.iter().find(|trouble| has(trouble)).cloned();
    let status = server.wait_until(&format!("{words:?}"), |status| find(status).is_some()).await;
    find(&status).unwrap().as_str().unwrap().to_owned()
}

async fn is_over(server: &Running) {
    let is_over = |status: &Value| status["troubles"] == json!([]) && status["is_ready"] == true;
    server.wait_until("it is over", is_over).await;
}

fn secret(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("secret");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[tokio::test]
async fn a_server_with_a_wrong_secret_says_so_and_so_do_the_others() {
    let secrets = tempfile::tempdir().unwrap();
    let good = secret(secrets.path(), "the secret of this cluster");
    let (folder, members, mut servers) = several_with(3, |options| options.secret = Some(good.clone())).await;
    let odd = servers.pop().unwrap();
    let number = odd.get("/status").await.json()["server"].as_u64().unwrap() as u8;
    odd.stop().await;
    let wrong = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), number, &members);
    options.secret = Some(secret(wrong.path(), "the secret of another cluster"));
    let odd = start(options).await;
    says(&odd, &["aren't connected: ", "secret", "--secret-file"]).await;
    let ready = odd.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains("--secret-file"), "{}", ready.text());
    says(&servers[0], &[&format!("S{number} isn't connected: "), "--secret-file"]).await;
    secret(wrong.path(), "the secret of this cluster");
    assert!(odd.reloader.reload().is_empty());
    is_over(&odd).await;
    is_over(&servers[0]).await;
    odd.stop().await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_joining_server_that_does_not_know_where_the_leader_is_says_so() {
    let (folder, members, servers) = several(3).await;
    let leader = servers[0].get("/status").await.json()["server"].as_u64().unwrap() as u8;
    let follower = leader % 3 + 1;
    let own = free_addresses(1)[&1].clone();
    let known = Addresses::from([(4, own.clone()), (follower, members[&follower].clone())]);
    let mut joiner = options(folder.path(), 4, &known);
    joiner.founding = Some(NewFolder::Join);
    let joiner = start(joiner).await;
    let member = json!({ "server": 4, "peer": own.peer, "http": own.http }).to_string();
    let added = servers[0].ask(Method::POST, "/members", &[], member.as_bytes()).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let option = format!("--member {leader}=PEER/HTTP");
    says(&joiner, &["can't answer: it doesn't know the address", &format!("S{leader}"), &option]).await;
    joiner.stop().await;
    let mut all = members.clone();
    all.insert(4, own);
    let joiner = start(options(folder.path(), 4, &all)).await;
    is_over(&joiner).await;
    joiner.stop().await;
    for server in servers {
        server.stop().await;
    }
}

/// What it promises from then on is in files that nobody finds again.
#[tokio::test]
async fn a_server_whose_folder_is_deleted_beneath_it_is_not_ready() {
    let (folder, server) = alone_with(|_| {}).await;
    server.put("/kv/x", "1").await;
    is_over(&server).await;
    let own = folder.path().join("1");
    std::fs::rename(&own, folder.path().join("away")).unwrap();
    says(&server, &["is gone from under this server"]).await;
    let ready = server.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains("is gone from under this server"), "{}", ready.text());
    assert_eq!(server.get("/kv/x").await.text(), "1", "what it has can still be carried out");
    // Another folder in its place isn't its own.
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("lock"), "").unwrap();
    says(&server, &["is gone from under this server"]).await;
    std::fs::remove_dir_all(&own).unwrap();
    std::fs::rename(folder.path().join("away"), &own).unwrap();
    is_over(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_certificate_for_another_name_than_the_members_know_is_told_of() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    let https = HttpsFiles { certificate: path("certificate"), key: path("key"), authority: path("authority") };
    let issuer = new_authority(&https.authority);
    let renew = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        certify(&CertificateParams::new(names).unwrap(), &issuer, &https.certificate, &https.key);
    };
    // The test itself reaches it by another name.
    renew(&["localhost"]);
    let members = free_addresses(1);
    let (_folder, mut server) = alone_with(|options| {
        options.members = members.clone();
        (options.peer_listen, options.http_listen) =
            (members[&1].peer.parse().unwrap(), members[&1].http.parse().unwrap());
        options.https = Some(https.clone());
    })
    .await;
    server.url = server.url.replace("127.0.0.1", "localhost");
    let told = says(&server, &["it isn't for 127.0.0.1, by which this server is reached"]).await;
    let ready = server.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains(&told), "{}", ready.text());
    renew(&["localhost", "127.0.0.1"]);
    assert!(server.reloader.reload().is_empty());
    is_over(&server).await;
    renew(&["localhost", "example.org"]);
    assert!(server.reloader.reload().is_empty());
    says(&server, &["it isn't for 127.0.0.1"]).await;
    server.stop().await;
}
