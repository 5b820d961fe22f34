//! The real binary, as those who run it use it, on a machine that fails: a full disk, too few descriptors, a database that is
//! locked at the end, files that others may read.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may stop at the first surprise"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

const PASSWORD: &str = "four words work well";
/// Each person's act has to be on the disk within this; a second is what a probe may take.
const SOON: Duration = Duration::from_secs(30);

/// A folder with an instance's data, and a site without pages.
struct Instance {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    said: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The binary, started by a shell that sets something first. No variable of ours comes in from outside.
fn holdpoint(before: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDPOINT_")) {
        command.env_remove(name);
    }
    command
        .arg("-c")
        .arg(format!("{before}\nexec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_holdpoint"))
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run_after(before: &str, arguments: &[&str]) -> Ended {
    let ended = holdpoint(before, arguments).output().unwrap();
    Ended {
        code: ended.status.code(),
        out: String::from_utf8(ended.stdout).unwrap(),
        said: String::from_utf8(ended.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Ended {
    run_after("", arguments)
}

impl Instance {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::write(
            folder.path().join("site/hash.txt"),
            "css: c\njs: j\nwasm: w\n",
        )
        .unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn data(&self) -> String {
        self.path("data")
    }

    /// With an administrator and a token of hers.
    fn with_token() -> (Self, String) {
        let instance = Self::new();
        let data = instance.data();
        let mut add = holdpoint(
            "",
            &["user", "add", "--data", &data, "--email", "ada@example.org"],
        );
        let mut child = add
            .args(["--name", "Ada", "--admin", "--password-stdin"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(child.wait().unwrap().success());
        let made = run(&[
            "token",
            "create",
            "--data",
            &data,
            "--email",
            "ada@example.org",
            "--scope",
            "administer",
            "manage",
            "contribute",
            "decide_release",
        ]);
        assert_eq!(made.code, Some(0), "{made:?}");
        (instance, made.out.trim().to_owned())
    }

    fn serve(&self, before: &str, more: &[&str], variables: &[(&str, &str)]) -> Server {
        let (data, site) = (self.data(), self.path("site"));
        let mut arguments = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data,
            "--site",
            &site,
        ];
        arguments.extend(more);
        let mut child = holdpoint(before, &arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let line = lines
                .next()
                .expect("the server says that it is up")
                .unwrap();
            let up = line
                .split_once("listening=")
                .filter(|_| line.contains("is up"))
                .and_then(|(_, rest)| rest.split_whitespace().next().map(str::to_owned));
            said.push(line);
            if let Some(address) = up {
                break address;
            }
        };
        // A full pipe would stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            address,
            said: said.join("\n"),
        }
    }
}

/// A running server of its own, stopped when the test ends.
struct Server {
    child: Child,
    address: String,
    /// What it said until it was up.
    said: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(SOON))
            .build()
            .into()
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut answer = Self::agent()
            .get(format!("http://{}{path}", self.address))
            .call()
            .unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap(),
        )
    }

    fn post(&self, token: &str, path: &str, kind: &str, body: &[u8]) -> http::Response<ureq::Body> {
        Self::agent()
            .post(format!("http://{}/api/v1{path}", self.address))
            .header("authorization", format!("Bearer {token}"))
            .content_type(kind)
            .send(body)
            .unwrap()
    }

    fn make(&self, token: &str, path: &str, kind: &str, body: &str) -> Value {
        let mut answer = self.post(token, path, kind, body.as_bytes());
        let value: Value = answer.body_mut().read_json().unwrap();
        assert!(answer.status().is_success(), "{path}: {value}");
        value
    }
}

/// Asks until the answer is as wanted.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < SOON, "{what}");
        std::thread::yield_now();
    }
}

/// A machine whose disk can be filled and which writes down what it syncs: see `machine/failing.c`.
struct Machine {
    library: String,
    synced: PathBuf,
    full: PathBuf,
    folder: String,
}

impl Machine {
    fn under(instance: &Instance) -> Self {
        let library = instance.path("failing.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/failing.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o", &library, source, "-ldl"])
            .status()
            .unwrap();
        assert!(built.success());
        let data = Path::new(&instance.data()).canonicalize().unwrap();
        Self {
            library,
            synced: instance.path("synced").into(),
            full: instance.path("full").into(),
            folder: data.to_str().unwrap().to_owned(),
        }
    }

    fn variables(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", &self.library),
            ("MACHINE_SYNCED", self.synced.to_str().unwrap()),
            ("MACHINE_FULL", self.full.to_str().unwrap()),
            ("MACHINE_FOLDER", &self.folder),
        ]
    }

    /// What was synced while something was done, by the path within the data folder.
    fn synced_by<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        drop(std::fs::remove_file(&self.synced));
        let done = work();
        let lines = std::fs::read_to_string(&self.synced).unwrap_or_default();
        let within = lines
            .lines()
            .map(|line| line[self.folder.len()..].to_owned());
        (done, within.collect())
    }
}

#[test]
fn what_was_answered_is_on_the_disk() {
    let (instance, token) = Instance::with_token();
    let machine = Machine::under(&instance);
    let server = instance.serve("", &[], &machine.variables());
    let json = "application/json";
    let is_log = |path: &String| path.as_str() == "/holdpoint.db-wal";
    // A log that is begun is synced for its head.
    server.make(&token, "/services", json, "{\"name\":\"First\"}");
    let (_, synced) =
        machine.synced_by(|| server.make(&token, "/services", json, "{\"name\":\"Demo\"}"));
    assert!(synced.iter().any(is_log), "a person's act: {synced:?}");

    let checklist = "# Goes\n\n- [ ] a <!-- holdpoint: advisory -->\n";
    let template = server.make(&token, "/templates", "text/markdown", checklist);
    let new =
        json!({ "template": template["template"]["id"], "title": "Phase 22", "release": "v1" });
    let review = server.make(&token, "/services/demo/reviews", json, &new.to_string());
    let review = review["id"].as_str().unwrap();
    let with_token = |path: &str| -> Value {
        let mut answer = Server::agent()
            .get(format!("http://{}/api/v1{path}", server.address))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .unwrap();
        answer.body_mut().read_json().unwrap()
    };
    let items = with_token(&format!("/reviews/{review}/items"));
    let item = items["entries"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{items}"));
    let form = "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nfile\r\n--x\r\nContent-Disposition: form-data; \
                name=\"title\"\r\n\r\nA file\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; \
                filename=\"a.txt\"\r\n\r\nbytes\r\n--x--\r\n";
    let (_, synced) = machine.synced_by(|| {
        let path = format!("/items/{item}/evidence");
        server.make(&token, &path, "multipart/form-data; boundary=x", form)
    });
    let at = |is: &dyn Fn(&String) -> bool| {
        synced
            .iter()
            .position(is)
            .unwrap_or_else(|| panic!("{synced:?}"))
    };
    // First the bytes, then the name in its folder, then the row that names it.
    let bytes = at(&|path| path.starts_with("/evidence/incoming/"));
    let name = at(&|path| path.len() == "/evidence/ab".len() && path.starts_with("/evidence/"));
    let row = synced
        .iter()
        .rposition(is_log)
        .unwrap_or_else(|| panic!("{synced:?}"));
    assert!(bytes < name && name < row, "{synced:?}");

    let shown = with_token(&format!("/reviews/{review}"));
    let decision = json!({
        "decision": "go",
        "basis": shown["release_decision"]["basis"],
        "password": PASSWORD,
    });
    let (_, synced) = machine.synced_by(|| {
        server.make(
            &token,
            &format!("/reviews/{review}/decision"),
            json,
            &decision.to_string(),
        )
    });
    assert!(synced.iter().any(is_log), "a sign-off: {synced:?}");
}

#[test]
fn a_full_disk_is_told_and_over_once_there_is_room() {
    let (instance, token) = Instance::with_token();
    let machine = Machine::under(&instance);
    let server = instance.serve("", &[], &machine.variables());
    let post = |name: &str| {
        let body = json!({ "name": name }).to_string();
        let mut answer = server.post(&token, "/services", "application/json", body.as_bytes());
        let value: Value = answer.body_mut().read_json().unwrap();
        (answer.status().as_u16(), value)
    };
    assert_eq!(server.get("/readyz"), (200, "ready\n".to_owned()));
    std::fs::write(&machine.full, "").unwrap();
    for n in 0..3 {
        let (status, problem) = post(&format!("Full {n}"));
        assert_eq!(status, 507, "{problem}");
        assert_eq!(problem["type"], "/problems/disk-full");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("Nothing was changed. "), "{detail}");
    }
    until("it is not ready", || {
        let asked = Instant::now();
        let (status, said) = server.get("/readyz");
        assert!(asked.elapsed() < Duration::from_secs(5), "{said}");
        status == 503 && said.contains("the disk is full")
    });
    assert_eq!(server.get("/healthz").0, 200);
    std::fs::remove_file(&machine.full).unwrap();
    let (status, made) = post("Room");
    assert_eq!(status, 201, "{made}");
    assert_eq!(server.get("/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(post("Full 0").0, 201, "nothing was left of it");
}

#[test]
fn half_requests_do_not_silence_a_server_with_few_descriptors() {
    let instance = Instance::new();
    let server = instance.serve("ulimit -n 160", &[], &[]);
    assert!(server.said.contains("connections=48"), "{}", server.said);
    let half_a_form = "POST /act/sign-in HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail=";
    for half in ["GET / HTTP/1.1\r\nHost: ", half_a_form] {
        let halves: Vec<_> = (0..300)
            .map(|_| {
                let mut stream = TcpStream::connect(&server.address).unwrap();
                stream.write_all(half.as_bytes()).unwrap();
                stream
            })
            .collect();
        let mut asked = TcpStream::connect(&server.address).unwrap();
        // Long before any half request is given up for its age.
        asked
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        asked
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        asked.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{half}: {answer}");
        drop(halves);
    }
}

#[test]
fn answers_that_nobody_reads_do_not_silence_a_server_with_few_descriptors() {
    let instance = Instance::new();
    let server = instance.serve("ulimit -n 64", &[], &[]);
    assert!(server.said.contains("connections=4"), "{}", server.said);
    let asset = vec![b'x'; 4 << 20];
    std::fs::write(
        instance.folder.path().join("site/pkg/holdpoint.wasm"),
        asset,
    )
    .unwrap();
    let ask = "GET /pkg/holdpoint.wasm HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    let ask = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let address: std::net::SocketAddr = server.address.parse().unwrap();
        socket.connect(&address.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(ask.as_bytes()).unwrap();
        stream
    };
    let mut unread: Vec<_> = (0..4).map(|_| ask()).collect();
    // All places are taken by answers that have begun.
    for stream in &unread {
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
    }
    unread.extend((0..8).map(|_| ask()));
    let mut asked = TcpStream::connect(&server.address).unwrap();
    // Long before an answer is given up for its age.
    asked
        .set_read_timeout(Some(Duration::from_secs(15)))
        .unwrap();
    asked
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(unread);
}

#[test]
fn the_shutdown_deadline_is_kept_whatever_the_database_waits_for() {
    let (instance, token) = Instance::with_token();
    let mut server = instance.serve("", &["--shutdown-deadline", "2"], &[]);
    // It answers, so it has written what it writes at its start.
    assert_eq!(server.get("/healthz").0, 200);
    let lock = rusqlite::Connection::open(instance.path("data/holdpoint.db")).unwrap();
    lock.execute_batch("begin immediate").unwrap();
    let mut waiting = TcpStream::connect(&server.address).unwrap();
    let body = "{\"name\":\"Demo\"}";
    write!(
        waiting,
        "POST /api/v1/services HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // The server has taken the request by the time it answers the next one.
    assert_eq!(server.get("/healthz").0, 200);
    let told = Instant::now();
    let kill = Command::new("kill")
        .arg(server.child.id().to_string())
        .status()
        .unwrap();
    assert!(kill.success());
    let ended = server.child.wait().unwrap();
    assert!(
        told.elapsed() < Duration::from_secs(4),
        "{:?}",
        told.elapsed()
    );
    assert!(ended.success(), "{ended}");
    lock.execute_batch("rollback").unwrap();
}

fn mode(path: impl AsRef<Path>) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn check<'a>(doctor: &'a Value, name: &str) -> &'a Value {
    doctor
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or_else(|| panic!("{name}: {doctor}"))
}

#[test]
fn the_data_folder_is_the_servers_alone_and_a_doctor_closes_it() {
    let instance = Instance::new();
    let data = instance.data();
    let loaded = run_after("umask 000", &["sample", "--data", &data]);
    assert_eq!(loaded.code, Some(0), "{loaded:?}");
    let well = run(&["doctor", "--data", &data, "--json"]);
    assert_eq!(well.code, Some(0), "{well:?}");
    let well = well.json();
    for name in [
        "permissions",
        "database",
        "schema",
        "stored files",
        "signing keys",
        "log",
        "clock",
    ] {
        assert_eq!(check(&well, name)["outcome"], "well", "{name}: {well}");
    }
    let file = format!("{data}/holdpoint.db");
    assert_eq!((mode(&data), mode(&file)), (0o700, 0o600));

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = instance.serve("", &[], &[]);
    assert!(
        server.said.contains("other users of this machine"),
        "{}",
        server.said
    );
    drop(server);
    let open = run(&["doctor", "--data", &data, "--json"]);
    assert_eq!(open.code, Some(1), "{open:?}");
    assert_eq!(check(&open.json(), "permissions")["outcome"], "wrong");
    let fixed = run(&["doctor", "--data", &data, "--fix"]);
    assert_eq!(fixed.code, Some(0), "{fixed:?}");
    assert!(fixed.out.contains("FIXED"), "{fixed:?}");
    assert_eq!((mode(&data), mode(&file)), (0o700, 0o600));
    let fresh = Instance::with_token().0;
    let doctor = run(&["doctor", "--data", &fresh.data()]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert_eq!(
        run(&["doctor", "--data", &instance.path("none")]).code,
        Some(1)
    );
}

#[test]
fn a_doctor_looks_at_the_keys_and_at_a_database_elsewhere_too() {
    let instance = Instance::new();
    let (data, keys) = (instance.data(), instance.path("elsewhere/keys"));
    let file = instance.path("elsewhere/holdpoint.db");
    let database = format!("sqlite:{file}");
    std::fs::create_dir(instance.path("elsewhere")).unwrap();
    let places = ["--data", &data, "--keys", &keys, "--database", &database];
    let doctor = |more: &[&str]| run(&[&["doctor", "--json"], &places[..], more].concat());
    assert_eq!(run(&[&["sample"], &places[..]].concat()).code, Some(0));
    let well = doctor(&[]);
    assert_eq!(well.code, Some(0), "{well:?}");
    assert_eq!(check(&well.json(), "signing keys")["outcome"], "well");

    let set = |path: &str, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let key = std::fs::read_dir(&keys).unwrap().next().unwrap().unwrap();
    let key = key.path().to_str().unwrap().to_owned();
    for place in [&file, &key, &keys] {
        let was = mode(place);
        set(place, was | 0o044);
        let open = doctor(&[]);
        assert_eq!(open.code, Some(1), "{place}: {open:?}");
        let text = check(&open.json(), "permissions")["text"].to_string();
        assert!(text.contains(place.as_str()), "{place}: {text}");
        assert_eq!(doctor(&["--fix"]).code, Some(0), "{place}");
        assert_eq!(mode(place), was, "{place}");
    }

    // Without its keys the server does not start, and the doctor says so before somebody finds out.
    let away = instance.path("away");
    std::fs::rename(&keys, &away).unwrap();
    let without = doctor(&[]);
    assert_eq!(without.code, Some(1), "{without:?}");
    let keys_check = check(&without.json(), "signing keys").clone();
    assert_eq!(keys_check["outcome"], "wrong", "{keys_check}");
    assert!(
        keys_check["text"]
            .to_string()
            .contains("No new key is made"),
        "{keys_check}"
    );
    assert!(
        !std::path::Path::new(&keys).exists(),
        "the doctor makes none"
    );
}

#[test]
fn damaged_and_missing_files_are_named() {
    let instance = Instance::new();
    let data = instance.data();
    assert_eq!(run(&["sample", "--data", &data]).code, Some(0));
    let verify = || run(&["evidence", "verify", "--data", &data, "--json"]);
    let whole = verify();
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(whole.json()["n_files"].as_u64().unwrap() > 2, "{whole:?}");
    let mut files = Vec::new();
    for folder in std::fs::read_dir(format!("{data}/evidence")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.file_name().is_some_and(|name| name != "incoming") {
            files.extend(
                std::fs::read_dir(folder)
                    .unwrap()
                    .map(|file| file.unwrap().path()),
            );
        }
    }
    std::fs::write(&files[0], "other bytes").unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    let found = verify();
    assert_eq!(found.code, Some(1), "{found:?}");
    let missing = found.json()["missing"].clone();
    assert_eq!(missing.as_array().unwrap().len(), 2, "{missing}");
    for one in missing.as_array().unwrap() {
        assert!(!one["used_by"].as_array().unwrap().is_empty(), "{missing}");
    }
    let words = run(&["evidence", "verify", "--data", &data]);
    assert!(
        words.out.contains("DAMAGED") && words.out.contains("MISSING"),
        "{words:?}"
    );
    let doctor = run(&["doctor", "--data", &data, "--json"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert_eq!(check(&doctor.json(), "stored files")["outcome"], "wrong");
    // There is a backup nevertheless, of all the rest, and it says what it lacks.
    let out = instance.path("backup");
    let backup = run(&["backup", &out, "--data", &data, "--json"]);
    assert_eq!(backup.code, Some(1), "{backup:?}");
    assert_eq!(backup.json()["missing"], missing);
}

#[test]
fn a_backup_is_made_beside_the_server_and_restored_elsewhere() {
    let (instance, token) = Instance::with_token();
    let data = instance.data();
    let server = instance.serve("", &[], &[]);
    server.make(
        &token,
        "/services",
        "application/json",
        "{\"name\":\"Demo\"}",
    );
    let out = instance.path("backup");
    let made = run_after("umask 000", &["backup", &out, "--data", &data, "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.said.contains("signing keys"), "{made:?}");
    assert_eq!(mode(&out), 0o600);
    let again = run(&["backup", &out, "--data", &data]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.said.contains("no backup is overwritten"), "{again:?}");

    let into = instance.path("restored");
    let restored = run(&["restore", &out, "--data", &into, "--json"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(restored.json()["log"], made.json()["log"]);
    assert_eq!(run(&["doctor", "--data", &into]).code, Some(0));
    assert_eq!(run(&["log", "verify", "--data", &into]).code, Some(0));
    let over = run(&["restore", &out, "--data", &into]);
    assert_eq!(over.code, Some(2), "{over:?}");
    assert!(over.said.contains("not empty"), "{over:?}");
    let bytes = std::fs::read(&out).unwrap();
    std::fs::write(&out, &bytes[..bytes.len() / 2]).unwrap();
    let broken = run(&["restore", &out, "--data", &instance.path("third")]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    assert!(!Path::new(&instance.path("third")).exists());
}

#[test]
fn tables_of_a_newer_version_are_left_alone() {
    let (instance, _) = Instance::with_token();
    let data = instance.data();
    let file = rusqlite::Connection::open(format!("{data}/holdpoint.db")).unwrap();
    file.execute(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (999999, 'later', true, x'00', 1)",
        [],
    )
    .unwrap();
    drop(file);
    let refused = run(&["serve", "--listen", "127.0.0.1:0", "--data", &data]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .said
            .contains("of a newer version of Holdpoint: their step 999999 is not known here"),
        "{refused:?}"
    );
}
