use http::Method;
use raft_core::raft::ServerId;
use raftarium_node::machine::{AddressChange, Addresses};
use raftarium_node::server::{NewFolder, Server};
use serde_json::json;

use super::client::{PATIENCE, alone, free_addresses, options, several, start};

#[tokio::test]
async fn a_server_is_added_promoted_leads_and_is_removed() {
    let (folder, mut members, mut servers) = several(3).await;
    for number in 0..20 {
        servers[0].put(&format!("/kv/{number}"), "v").await;
    }
    let own = free_addresses(1)[&1].clone();
    members.insert(4, own.clone());
    let mut joiner = options(folder.path(), 4, &members);
    joiner.founding = Some(NewFolder::Join);
    let joiner = start(joiner).await;
    let member = json!({ "server": 4, "peer": own.peer, "http": own.http }).to_string();
    let post = async |path: &str, body: &str| servers[1].ask(Method::POST, path, &[], body.as_bytes()).await;
    let added = post("/members", &member).await;
    assert_eq!(added.status, 200, "{}", added.text());
    joiner.wait_until("it has caught up", |status| status["is_ready"] == true).await;
    assert_eq!(joiner.get("/kv/7").await.text(), "v");
    let learner = post("/members/4/transfer", "").await;
    assert_eq!(learner.problem(), "membership-refused");
    assert_eq!(learner.detail(), "S4 is a learner, and can't lead: promote it first");
    let promoted = post("/members/4/promote", "").await;
    assert_eq!(promoted.status, 200, "{}", promoted.text());
    let members = servers[0].get("/members").await.json();
    let kinds: Vec<_> = members["members"].as_array().unwrap().iter().map(|member| &member["kind"]).collect();
    assert_eq!(kinds, ["voter"; 4]);
    let led = post("/members/4/transfer", "").await;
    assert_eq!((led.status, &led.json()["leader"]), (200, &json!(4)), "{}", led.text());
    assert_eq!(joiner.put("/kv/x", "written by the new one").await.status, 200);
    assert_eq!(servers[1].get("/kv/x").await.text(), "written by the new one");
    let again = post("/members/4/transfer", "").await;
    assert_eq!((again.status, &again.json()["leader"]), (200, &json!(4)), "it leads already");
    let removed = servers[1].ask(Method::DELETE, "/members/4", &[], b"").await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    servers[0]
        .wait_until("another leader", |status| status["is_ready"] == true && status["leader"]["server"] != 4)
        .await;
    assert_eq!(servers[0].put("/kv/y", "1").await.status, 200);
    joiner.stop().await;
    for server in servers.drain(..) {
        server.stop().await;
    }
}

/// A request that is refused changes nothing, addresses least of all.
#[tokio::test]
async fn a_member_that_is_there_keeps_its_addresses() {
    let (_folder, members, servers) = several(3).await;
    for number in 1..=3 {
        let wrong = json!({ "server": number, "peer": "127.0.0.1:1", "http": "127.0.0.1:2" }).to_string();
        let refused = servers[0].ask(Method::POST, "/members", &[], wrong.as_bytes()).await;
        assert_eq!(refused.problem(), "membership-refused");
        let add = format!("members add {number} {} {}", members[&number].peer, members[&number].http);
        assert!(refused.detail().contains(&add), "{}", refused.detail());
    }
    let taken = json!({ "server": 9, "peer": members[&2].peer, "http": "127.0.0.1:2" }).to_string();
    let refused = servers[0].ask(Method::POST, "/members", &[], taken.as_bytes()).await;
    assert_eq!(refused.problem(), "membership-refused");
    assert!(refused.detail().contains("S2"), "{}", refused.detail());
    let learner = json!({ "server": 9, "peer": "127.0.0.1:3", "http": "127.0.0.1:4" }).to_string();
    assert_eq!(servers[0].ask(Method::POST, "/members", &[], learner.as_bytes()).await.status, 200);
    let moved = json!({ "server": 9, "peer": "127.0.0.1:5", "http": "127.0.0.1:6" }).to_string();
    let refused = servers[0].ask(Method::POST, "/members", &[], moved.as_bytes()).await;
    assert_eq!(refused.problem(), "membership-refused");
    assert_eq!(servers[1].put("/kv/x", "1").await.status, 200);
    let found = servers[0].get("/members").await.json();
    for member in found["members"].as_array().unwrap() {
        let number = member["server"].as_u64().unwrap() as u8;
        let peer = members.get(&number).map_or("127.0.0.1:3", |address| &address.peer);
        assert_eq!(member["peer"], peer, "S{number}");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_remembers_where_the_others_are() {
    let (folder, members, mut servers) = several(3).await;
    servers[0].put("/kv/x", "1").await;
    let last = servers.pop().unwrap();
    let number = last.get("/status").await.json()["server"].as_u64().unwrap() as u8;
    last.stop().await;
    // It is told only where it listens itself.
    let own = Addresses::from([(number, members[&number].clone())]);
    let mut again = options(folder.path(), number, &own);
    again.founding = None;
    let again = start(again).await;
    again.wait_until("it follows again", |status| status["is_ready"] == true).await;
    assert_eq!(again.put("/kv/y", "2").await.status, 200);
    again.stop().await;
    for server in servers {
        server.stop().await;
    }
}

/// Whoever looks after disks learns of a loss while it lasts, and when it has been made good.
#[tokio::test]
async fn a_log_that_the_disk_lost_is_told_of_while_it_is_repaired_and_after() {
    let (folder, members, servers) = several(3).await;
    for number in 0..10 {
        assert_eq!(servers[0].put(&format!("/kv/{number}"), "v").await.status, 200);
    }
    let status = servers[0].get("/status").await.json();
    let (commit, damaged) = (status["commit_index"].as_u64().unwrap(), if status["server"] == 3 { 2 } else { 3 });
    for server in &servers {
        let status =
            server.wait_until("all is there", |status| status["log"]["durable_index"].as_u64() >= Some(commit)).await;
        assert_eq!(status.get("lost_log"), None, "nothing was lost");
    }
    for server in servers {
        server.stop().await;
    }
    // Nothing of the database can be read any more.
    let path = folder.path().join(damaged.to_string()).join("state.redb");
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::write(&path, vec![0x55; usize::try_from(length).unwrap()]).unwrap();

    let start_again = async |number: u8| start(options(folder.path(), number, &members)).await;
    let server = start_again(damaged).await;
    let lost = server.get("/status").await.json()["lost_log"].clone();
    assert_eq!((&lost["from_index"], &lost["repaired_at"]), (&json!(1), &json!(null)), "{lost}");
    assert!(lost["up_to"]["index"].as_u64().unwrap() >= commit, "{lost}");
    let has = |text: &str, line: &str| assert!(text.lines().any(|found| found == line), "{line}: {text}");
    let metrics = server.get("/metrics").await.text();
    has(&metrics, "raftarium_repairing 1");
    has(&metrics, "raftarium_log_losses_total 1");
    // It says so itself, and why it isn't ready, while nobody can help it.
    let says = |status: &serde_json::Value| status["troubles"].to_string().contains("has lost entries 1 to ");
    server.wait_until("it says so", says).await;
    let ready = server.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains("copies of one stop"), "{}", ready.text());

    let mut others = Vec::new();
    for number in (1..=3).filter(|number| *number != damaged) {
        others.push(start_again(number).await);
    }
    let whole = server.wait_until("it is repaired", |status| status["lost_log"]["repaired_at"].is_u64()).await;
    let found = whole["lost_log"].clone();
    for name in ["from_index", "up_to", "found_at"] {
        assert_eq!(found[name], lost[name], "{name}");
    }
    assert!(found["repaired_at"].as_u64() >= found["found_at"].as_u64(), "{found}");
    server.wait_until("it is over", |status| status["troubles"] == json!([])).await;
    let metrics = server.get("/metrics").await.text();
    has(&metrics, "raftarium_repairing 0");
    has(&metrics, "raftarium_log_losses_total 1");
    assert_eq!(server.get("/kv/7").await.text(), "v");
    server.stop().await;
    for server in others {
        server.stop().await;
    }
    // It is news of this start, and of no later one.
    let server = start_again(damaged).await;
    assert_eq!(server.get("/status").await.json().get("lost_log"), None);
    server.stop().await;
}

/// `/readyz` asks whether a server can be given requests: a learner can, a server outside can't.
#[tokio::test]
async fn a_learner_is_ready_and_who_is_no_member_is_not() {
    let (folder, mut members, servers) = several(3).await;
    let own = free_addresses(1)[&1].clone();
    members.insert(4, own.clone());
    let mut joiner = options(folder.path(), 4, &members);
    joiner.founding = Some(NewFolder::Join);
    // Nobody waits for a leader where there won't be one.
    joiner.limits.request = PATIENCE * 5;
    let joiner = start(joiner).await;
    let outside = async |when: &str| {
        joiner.wait_until(when, |status| status["is_ready"] == false).await;
        let ready = joiner.get("/readyz").await;
        assert_eq!((ready.status, ready.text()), (503, "not ready: it is no member of the cluster\n".into()), "{when}");
        // As long as it knows the leader, it hands writes on.
        for answer in [joiner.put("/kv/x", "1").await, joiner.get("/kv/x").await] {
            if answer.status != 200 {
                assert_eq!((answer.status, answer.problem().as_str()), (503, "no-leader"), "{}", answer.text());
                assert!(answer.detail().starts_with("this server is no member of the cluster"), "{}", answer.text());
            }
        }
    };
    outside("before it is added").await;
    let member = json!({ "server": 4, "peer": own.peer, "http": own.http }).to_string();
    let added = servers[0].ask(Method::POST, "/members", &[], member.as_bytes()).await;
    assert_eq!(added.status, 200, "{}", added.text());
    joiner.wait_until("a learner is ready", |status| status["is_ready"] == true).await;
    let ready = joiner.get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (200, "ready\n".into()));
    assert_eq!(servers[0].ask(Method::DELETE, "/members/4", &[], b"").await.status, 200);
    outside("after it was removed").await;
    joiner.stop().await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_listens_at_another_port_is_moved_and_catches_up() {
    let (folder, members, mut servers) = several(3).await;
    servers[0].put("/kv/x", "before").await;
    let last = servers.pop().unwrap();
    let number = last.get("/status").await.json()["server"].as_u64().unwrap() as u8;
    last.stop().await;
    servers[0].put("/kv/x", "while it was away").await;
    let place = free_addresses(1)[&1].clone();
    let mut moved = options(folder.path(), number, &Addresses::from([(number, place.clone())]));
    moved.founding = None;
    let moved = start(moved).await;
    // Through a follower, in two steps: each leaves the other address as it is.
    let (path, others) = (format!("/members/{number}"), &servers);
    let patch =
        async |body: serde_json::Value| others[1].ask(Method::PATCH, &path, &[], body.to_string().as_bytes()).await;
    let first = patch(json!({ "peer": place.peer })).await;
    assert_eq!(first.status, 200, "{}", first.text());
    // Whoever is started again from now on looks for it there.
    assert_eq!(first.json()["unaware"], json!([]));
    for other in (1..=3).filter(|other| *other != number) {
        let file = std::fs::read_to_string(folder.path().join(other.to_string()).join("addresses.json")).unwrap();
        assert!(file.contains(&place.peer), "S{other}: {file}");
    }
    moved.wait_until("it catches up", |status| status["is_ready"] == true).await;
    assert_eq!(moved.get("/kv/x?consistency=local").await.text(), "while it was away");
    let addresses = async |server: &super::client::Running| {
        let document = server.get("/members").await.json();
        let found = document["members"].as_array().unwrap().iter().find(|member| member["server"] == number).cloned();
        let found = found.unwrap();
        (found["peer"].as_str().unwrap().to_owned(), found["http"].as_str().unwrap().to_owned())
    };
    let leader = &servers[0];
    assert_eq!(addresses(leader).await, (place.peer.clone(), members[&number].http.clone()));
    let second = patch(json!({ "http": place.http })).await;
    assert_eq!(second.status, 200, "{}", second.text());
    assert!(second.json()["index"].as_u64() > first.json()["index"].as_u64());
    assert_eq!(addresses(leader).await, (place.peer.clone(), place.http.clone()));
    // It can lead, and requests find it.
    let led = leader.ask(Method::POST, &format!("{path}/transfer"), &[], b"").await;
    assert_eq!(led.status, 200, "{}", led.text());
    assert_eq!(leader.put("/kv/x", "handed on").await.status, 200);
    assert_eq!(moved.get("/kv/x").await.text(), "handed on");
    moved.stop().await;
    for server in servers {
        server.stop().await;
    }
}

/// A place where nobody is would take the majority away, and with it the way back.
/// A leader introduces the servers that it finds missing in the log. The entry of a move may be on
/// its way there already.
#[tokio::test]
async fn who_was_moved_stays_there_though_the_leader_introduces_it_at_its_old_address() {
    let (_folder, members, servers) = several(2).await;
    let server = servers[1].get("/status").await.json()["server"].as_u64().unwrap() as u8;
    let moved = free_addresses(1)[&1].http.clone();
    let place = json!({ "http": &moved, "unseen": true }).to_string();
    let done = servers[0].ask(Method::PATCH, &format!("/members/{server}"), &[], place.as_bytes()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let introduction = AddressChange::introduction(ServerId::new(server).unwrap(), members[&server].clone());
    let entry = servers[0].handle.propose(introduction.command().unwrap()).await.unwrap().entry;
    for asked in &servers {
        asked.wait_until("it is applied", |status| status["applied_index"].as_u64() >= Some(entry.index.0)).await;
        let known = asked.get("/members").await.json()["members"].clone();
        let known = known.as_array().unwrap().iter().find(|member| member["server"] == server).unwrap().clone();
        assert_eq!(known["http"], moved, "{known}");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_is_moved_only_to_where_it_answers() {
    let (_folder, members, servers) = several(3).await;
    let leads = servers[0].get("/status").await.json()["server"].as_u64().unwrap() as u8;
    let (follower, third) = (leads % 3 + 1, (leads + 1) % 3 + 1);
    let before = servers[0].get("/members").await.json()["members"].clone();
    let ask = async |server: u8, body: serde_json::Value| {
        let path = format!("/members/{server}");
        servers[1].ask(Method::PATCH, &path, &[], body.to_string().as_bytes()).await
    };
    // A port that nobody can take meanwhile, and that nobody listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap().to_string();
    let elsewhere = |place: &str| place.replace("127.0.0.1", "localhost");
    for (server, body, why) in [
        (follower, json!({ "peer": &nobody }), format!("S{follower} doesn't answer its peers at {nobody}: ")),
        (follower, json!({ "http": &nobody }), format!("S{follower} doesn't answer clients at {nobody}: ")),
        (leads, json!({ "peer": &nobody }), format!("S{leads} listens for its peers at ")),
        (leads, json!({ "http": &nobody }), format!("S{leads} listens for clients at ")),
        // Somebody answers there, and it is another one.
        (
            follower,
            json!({ "peer": elsewhere(&members[&third].peer) }),
            "the address belongs to another server than the one that was dialled".into(),
        ),
        (
            follower,
            json!({ "http": elsewhere(&members[&third].http) }),
            format!("S{third} of cluster test answers there"),
        ),
        (follower, json!({ "http": &members[&follower].peer }), format!("S{follower} doesn't answer clients at ")),
    ] {
        let refused = ask(server, body.clone()).await;
        assert_eq!(refused.problem(), "membership-refused", "{body}: {}", refused.text());
        let detail = refused.detail();
        assert!(detail.contains(&why) && detail.contains("start S") && detail.contains("--unseen"), "{detail}");
    }
    assert_eq!(servers[0].get("/members").await.json()["members"], before);
    // What it is already isn't looked at, and another name of the same place is seen.
    let same = ask(follower, json!({ "peer": &members[&follower].peer, "http": elsewhere(&members[&follower].http) }));
    let same = same.await;
    assert_eq!((same.status, &same.json()["seen"]), (200, &json!(true)), "{}", same.text());
    let peer = ask(follower, json!({ "peer": elsewhere(&members[&follower].peer) })).await;
    assert_eq!(peer.status, 200, "{}", peer.text());
    assert_eq!(servers[1].put("/kv/x", "1").await.status, 200);

    // Whoever says so is believed. The server itself says what is wrong then.
    let unseen = ask(follower, json!({ "peer": &nobody, "unseen": true })).await;
    assert_eq!((unseen.status, &unseen.json()["seen"]), (200, &json!(false)), "{}", unseen.text());
    let moved = servers.iter().find(|server| server.url.ends_with(&members[&follower].http)).unwrap();
    let status = moved
        .wait_until("it says what is wrong", |status| {
            status["troubles"].as_array().is_some_and(|troubles| !troubles.is_empty())
        })
        .await;
    assert_eq!(status["listens"], json!({ "peer": members[&follower].peer, "http": members[&follower].http }));
    let trouble = status["troubles"][0].as_str().unwrap();
    let advice = format!("(raftarium members move {follower} --peer {})", members[&follower].peer);
    assert!(trouble.contains(&advice), "{trouble}");
    let back = json!({ "peer": members[&follower].peer });
    let others: Vec<_> = servers.iter().filter(|server| server.url != moved.url).collect();
    let path = format!("/members/{follower}");
    let back = others[0].ask(Method::PATCH, &path, &[], back.to_string().as_bytes()).await;
    assert_eq!(back.status, 200, "{}", back.text());
    let over = |status: &serde_json::Value| status["troubles"] == json!([]) && status["is_ready"] == true;
    moved.wait_until("it is over", over).await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_move_that_makes_no_sense_is_refused_and_changes_nothing() {
    let (_folder, members, servers) = several(3).await;
    let before = servers[0].get("/members").await.json()["members"].clone();
    let refused = async |server: u8, body: serde_json::Value| {
        let body = body.to_string();
        let answer = servers[1].ask(Method::PATCH, &format!("/members/{server}"), &[], body.as_bytes()).await;
        (answer.problem(), answer.detail())
    };
    let (problem, why) = refused(9, json!({ "peer": "127.0.0.1:1", "http": "127.0.0.1:2" })).await;
    assert_eq!((problem.as_str(), why.as_str()), ("membership-refused", "S9 is no member"));
    for taken in [json!({ "peer": members[&1].peer }), json!({ "http": members[&1].http })] {
        let (problem, why) = refused(2, taken).await;
        assert_eq!(problem, "membership-refused");
        assert_eq!(why, "S1 is reached at one of these addresses already");
    }
    for senseless in [json!({}), json!({ "peer": "x" }), json!({ "http": "0.0.0.0:1" }), json!({ "port": 1 })] {
        assert_eq!(refused(2, senseless.clone()).await.0, "bad-request", "{senseless}");
    }
    assert_eq!(servers[0].put("/kv/x", "1").await.status, 200);
    assert_eq!(servers[0].get("/members").await.json()["members"], before);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_of_members_is_said() {
    let (_folder, server) = alone().await;
    // It can be asked to add somebody when it leads.
    server.put("/kv/x", "1").await;
    let listens = server.get("/status").await.json()["listens"].clone();
    let port = |of: &str| listens[of].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    for (method, path, body, problem) in [
        (Method::POST, "/members", "", "bad-request"),
        (Method::POST, "/members", r#"{"server":0,"peer":"a:1","http":"b:2"}"#, "bad-request"),
        (Method::POST, "/members", r#"{"server":2,"peer":"a","http":"b:2"}"#, "bad-request"),
        (Method::POST, "/members", r#"{"server":2,"peer":"a:1","http":"b:2","x":1}"#, "bad-request"),
        (Method::POST, "/members/128/promote", "", "bad-request"),
        (Method::POST, "/members/x/promote", "", "bad-request"),
        (Method::POST, "/members/2/promote", "", "membership-refused"),
        (Method::DELETE, "/members/1", "", "membership-refused"),
        (Method::DELETE, "/members/2", "", "membership-refused"),
        (Method::POST, "/members/2/transfer", "", "membership-refused"),
        (Method::PUT, "/members", "", "method-not-allowed"),
        (Method::GET, "/member", "", "no-such-resource"),
        // The same places by other names, and of the other kind.
        (Method::POST, "/members", r#"{"server":2,"peer":"localhost:PEER","http":"b:2"}"#, "membership-refused"),
        (Method::POST, "/members", r#"{"server":2,"peer":"127.1:PEER","http":"b:2"}"#, "membership-refused"),
        (Method::POST, "/members", r#"{"server":2,"peer":"127.0.0.1:HTTP","http":"b:2"}"#, "membership-refused"),
        (Method::POST, "/members", r#"{"server":2,"peer":"a:1","http":"localhost:HTTP"}"#, "membership-refused"),
        (Method::POST, "/members", r#"{"server":2,"peer":"a:1","http":"a:1"}"#, "membership-refused"),
        (Method::PUT, "/links/1", "{}", "bad-request"),
        (Method::PUT, "/links/9", "{}", "no-such-resource"),
        (Method::POST, "/members", r#"[2,"127.0.0.1:7","127.0.0.1:8"]"#, "bad-request"),
        (Method::PATCH, "/members/1", r#"[null,"127.0.0.1:8",true]"#, "bad-request"),
        (Method::PUT, "/links/2", "[]", "bad-request"),
        (Method::PUT, "/links/2", r#"[true,0,0]"#, "bad-request"),
        (Method::PUT, "/links/2", r#"{"cut":true,"cut":false}"#, "bad-request"),
        (Method::PUT, "/links/2", "{", "bad-request"),
        (Method::PUT, "/links/2", r#"{"loss_percent":101}"#, "bad-request"),
        (Method::PUT, "/links/2", r#"{"delay_ms":60001}"#, "bad-request"),
    ] {
        let body = body.replace("PEER", &port("peer")).replace("HTTP", &port("http"));
        let answer = server.ask(method.clone(), path, &[], body.as_bytes()).await;
        assert_eq!(answer.problem(), problem, "{method} {path} {body}: {}", answer.text());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cut_link_is_seen_and_healed() {
    let (_folder, _, servers) = several(3).await;
    let leader = &servers[0];
    let own = leader.get("/status").await.json()["server"].as_u64().unwrap();
    let cut = json!({ "cut": true }).to_string();
    for other in (1..=3).filter(|server| *server != own) {
        assert_eq!(leader.put(&format!("/links/{other}"), &cut).await.status, 200);
    }
    let others = servers[1]
        .wait_until("the others elect a leader", |status| {
            status["is_ready"] == true && status["leader"]["server"].as_u64() != Some(own)
        })
        .await;
    assert_eq!(servers[1].put("/kv/x", "1").await.status, 200);
    leader.wait_until("the old one steps down", |status| status["role"] != "leader").await;
    for other in (1..=3).filter(|server| *server != own) {
        let links = leader.put(&format!("/links/{other}"), "{}").await.json();
        assert!(links.as_array().unwrap().iter().any(|link| link["sending"]["cut"] == false));
    }
    leader.wait_until("it follows", |status| status["leader"]["server"] == others["leader"]["server"]).await;
    assert_eq!(leader.get("/kv/x").await.text(), "1");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |change: &dyn Fn(&mut raftarium_node::server::Options)| {
        let mut options = options(folder.path(), 1, &Addresses::new());
        change(&mut options);
        match Server::start(options).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        }
    };
    let says = |sentence: String, part: &str| assert!(sentence.contains(part), "{sentence}");
    says(refused(&|options| options.cluster = "a b".into()).await, "\"a b\" is no cluster's name");
    says(refused(&|options| options.peer_listen = "0.0.0.0:0".parse().unwrap()).await, "--secret-file");
    says(refused(&|options| options.http_listen = "0.0.0.0:0".parse().unwrap()).await, "--token-file");
    says(refused(&|options| options.founding = None).await, "--found");
    says(refused(&|options| options.founding = Some(NewFolder::Join)).await, "--member");
    says(
        refused(&|options| options.heartbeat = options.election_timeout).await,
        "the election timeout must be at least twice the heartbeat interval",
    );
    says(refused(&|options| options.secret = Some("/nowhere/secret".into())).await, "/nowhere/secret");
    says(refused(&|options| options.client_tokens = Some("/nowhere/token".into())).await, "/nowhere/token");
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    says(refused(&|options| options.http_listen = address).await, &format!("can't listen on {address}"));

    let mut running = options(folder.path(), 1, &Addresses::new());
    running.folder = folder.path().join("used");
    let server = start(running.clone()).await;
    let again = async |change: &dyn Fn(&mut raftarium_node::server::Options)| {
        let mut options = running.clone();
        change(&mut options);
        Server::start(options).await.err().expect("it started").to_string()
    };
    says(again(&|_| {}).await, "is in use");
    server.stop().await;
    says(again(&|options| options.cluster = "other".into()).await, "\"test\"");
    says(again(&|options| options.server = ServerId::new(2).unwrap()).await, "belongs to server");
}
