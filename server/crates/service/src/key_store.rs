//! Where the private halves of the signing keys are: files in a folder that only the server's user can read, or an
//! ssh-agent. Never the database.

use std::{
    fs, io,
    io::Read as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use holdpoint_domain::KeyPurpose;
use holdpoint_report::{
    KeyRing, ListedKey, SigningKey,
    signing::{ExternalSigner, KeyError},
};
use holdpoint_storage::private;
use ssh_agent_client_rs::{Client, Identity};
use ssh_key::{HashAlg, PublicKey};
use thiserror::Error;

/// A file made for a list that is not stored yet ends so: were the process to stop in between, nobody would miss the file.
const PENDING: &str = ".new";

const PRIVATE_KEY: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";

/// No file of an Ed25519 key is larger.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// How long an ssh-agent may take for an answer: signatures are made while others wait to write.
const AGENT_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Finds private keys by their public halves, and keeps new ones.
#[derive(Clone, Debug)]
pub struct KeyStore {
    /// A folder, or one file.
    path: PathBuf,
    /// The socket of an ssh-agent.
    agent: Option<PathBuf>,
}

/// Why a private key could not be had or kept.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    #[error("{}: the signing keys cannot be read or written", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}: {source}", .path.display())]
    Key {
        path: PathBuf,
        #[source]
        source: KeyError,
    },
    #[error(
        "{} is one file, so no new key can be kept there. Name a folder with `keys`, or give the public half of a key that \
         an ssh-agent holds with --to.", .path.display()
    )]
    OneFile { path: PathBuf },
    #[error("the ssh-agent at {} does not answer", .path.display())]
    Agent {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "the private half of the {purposes} key {fingerprint} is not on this machine. Copy its file into {} from a machine \
         that has it, restore it from a backup, or load it into the ssh-agent that the configuration names. No new key is made.",
        .path.display()
    )]
    Absent {
        purposes: String,
        fingerprint: String,
        path: PathBuf,
    },
    #[error(
        "{}: the private key {fingerprint} is none of this Holdpoint's. Take the file away, or name the right folder with `keys`.",
        .path.display()
    )]
    Strange { path: PathBuf, fingerprint: String },
}

/// A private key in a file.
struct KeyFile {
    path: PathBuf,
    key: SigningKey,
}

impl KeyStore {
    /// A folder, made when the first key is, or one file; and the socket of an ssh-agent, if there is one.
    pub fn new(path: PathBuf, agent: Option<PathBuf>) -> Self {
        Self { path, agent }
    }

    /// The one private key of the configuration, if it names a file instead of a folder.
    pub(crate) fn single(&self) -> Result<Option<SigningKey>, KeyStoreError> {
        if !self.path.is_file() {
            return Ok(None);
        }
        Ok(self.files()?.pop().map(|file| file.key))
    }

    /// The key with this public half, able to sign; `None` when neither a file nor the agent has it.
    pub(crate) fn find(&self, fingerprint: &str) -> Result<Option<SigningKey>, KeyStoreError> {
        let in_file = self
            .files()?
            .into_iter()
            .find(|file| file.key.fingerprint() == fingerprint);
        if let Some(file) = in_file {
            return Ok(Some(file.key));
        }
        let Some(socket) = &self.agent else {
            return Ok(None);
        };
        let failed = |source: ssh_agent_client_rs::Error| KeyStoreError::Agent {
            path: socket.clone(),
            source: source.into(),
        };
        let agent = Agent {
            socket: socket.clone(),
        };
        let held = agent
            .client()
            .and_then(|mut client| client.list_all_identities())
            .map_err(failed)?;
        let public = held.into_iter().find_map(|identity| match identity {
            Identity::PublicKey(key) => {
                let key: PublicKey = key.into_owned();
                (key.fingerprint(HashAlg::Sha256).to_string() == fingerprint).then_some(key)
            }
            Identity::Certificate(_) => None,
        });
        public
            .map(|public| {
                SigningKey::external(public, Arc::new(agent)).map_err(|source| KeyStoreError::Key {
                    path: socket.clone(),
                    source,
                })
            })
            .transpose()
    }

    /// As [`KeyStore::find`], for a key that has to be here.
    pub(crate) fn get(&self, key: &ListedKey) -> Result<SigningKey, KeyStoreError> {
        self.find(&key.fingerprint)?
            .ok_or_else(|| KeyStoreError::Absent {
                purposes: words(&key.purposes),
                fingerprint: key.fingerprint.clone(),
                path: self.path.clone(),
            })
    }

    /// Keeps a new key's private half in a file that nobody else can read from its first byte on, and gives its path. The
    /// file is pending until [`KeyStore::settle`] finds the key among the instance's.
    pub(crate) fn keep(
        &self,
        key: &SigningKey,
        purposes: &[KeyPurpose],
    ) -> Result<PathBuf, KeyStoreError> {
        let failed = |source| KeyStoreError::Io {
            path: self.path.clone(),
            source,
        };
        if self.path.is_file() {
            return Err(KeyStoreError::OneFile {
                path: self.path.clone(),
            });
        }
        private::make_folder(&self.path).map_err(failed)?;
        let text = key
            .to_openssh()
            .expect("a key that was just made has its private half here");
        let fingerprint = key.fingerprint();
        let short: String = fingerprint
            .trim_start_matches("SHA256:")
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(16)
            .collect();
        let name = format!("{}-{short}", words(purposes).replace(", ", "-"));
        let path = self.path.join(&name);
        if path.exists() {
            return Ok(path);
        }
        let pending = self.path.join(format!("{name}{PENDING}"));
        let write = || -> io::Result<()> {
            // Left by a process that was stopped in the middle.
            match fs::remove_file(&pending) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            private::write_new_file(&pending, text.as_bytes())
        };
        write().map_err(failed)?;
        Ok(path)
    }

    /// Gives the files of the instance's keys their lasting names. A pending file of a key that did not become one stays:
    /// another process may be about to make it one.
    pub(crate) fn settle(&self, ring: &KeyRing) -> Result<(), KeyStoreError> {
        for file in self.files()? {
            let Some(lasting) = file
                .path
                .to_str()
                .and_then(|path| path.strip_suffix(PENDING))
            else {
                continue;
            };
            if ring.key(&file.key.fingerprint()).is_some() {
                fs::rename(&file.path, lasting)
                    .and_then(|()| private::sync_folder(&self.path))
                    .map_err(|source| KeyStoreError::Io {
                        path: file.path,
                        source,
                    })?;
            }
        }
        Ok(())
    }

    /// Deletes a file that this process made for a key which did not become the instance's.
    pub(crate) fn discard(&self, key: &SigningKey) -> Result<(), KeyStoreError> {
        self.remove(|file| file.key.fingerprint() == key.fingerprint() && is_pending(&file.path))
            .map(drop)
    }

    /// Deletes the private half of a key, where it is in a file here; says whether one was.
    pub(crate) fn destroy(&self, fingerprint: &str) -> Result<bool, KeyStoreError> {
        self.remove(|file| file.key.fingerprint() == fingerprint)
    }

    fn remove(&self, which: impl Fn(&KeyFile) -> bool) -> Result<bool, KeyStoreError> {
        let mut any = false;
        for file in self.files()?.into_iter().filter(which) {
            fs::remove_file(&file.path).map_err(|source| KeyStoreError::Io {
                path: file.path,
                source,
            })?;
            any = true;
        }
        Ok(any)
    }

    /// Refuses a folder that holds a private key of another instance. An ssh-agent may hold others: they are not used.
    pub(crate) fn refuse_strangers(&self, ring: &KeyRing) -> Result<(), KeyStoreError> {
        for file in self.files()? {
            let fingerprint = file.key.fingerprint();
            if ring.key(&fingerprint).is_none() && !is_pending(&file.path) {
                return Err(KeyStoreError::Strange {
                    path: file.path,
                    fingerprint,
                });
            }
        }
        Ok(())
    }

    /// Every private key in the folder. Other files there are nothing to this.
    fn files(&self) -> Result<Vec<KeyFile>, KeyStoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| KeyStoreError::Io { path, source }
        };
        let mut paths = Vec::new();
        if self.path.is_file() {
            paths.push(self.path.clone());
        } else {
            match fs::read_dir(&self.path) {
                Ok(entries) => {
                    for entry in entries {
                        paths.push(entry.map_err(failed(&self.path))?.path());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&self.path)(error)),
            }
            paths.sort();
        }
        let mut files = Vec::new();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let mut bytes = Vec::new();
            fs::File::open(&path)
                .and_then(|file| file.take(MAX_KEY_BYTES).read_to_end(&mut bytes))
                .map_err(failed(&path))?;
            if !bytes.starts_with(PRIVATE_KEY) {
                continue;
            }
            let key = SigningKey::from_openssh(&String::from_utf8_lossy(&bytes));
            match key {
                Ok(key) => files.push(KeyFile { path, key }),
                // Another process is writing it.
                Err(_) if is_pending(&path) => {}
                Err(source) => return Err(KeyStoreError::Key { path, source }),
            }
        }
        Ok(files)
    }
}

fn is_pending(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(PENDING))
}

/// "report, log".
pub(crate) fn words(purposes: &[KeyPurpose]) -> String {
    let words: Vec<_> = purposes.iter().map(|purpose| purpose.as_str()).collect();
    words.join(", ")
}

/// An ssh-agent, asked anew for each signature: it may have been started again.
struct Agent {
    socket: PathBuf,
}

impl Agent {
    fn client(&self) -> ssh_agent_client_rs::Result<Client> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(AGENT_ANSWERS_WITHIN))?;
        stream.set_write_timeout(Some(AGENT_ANSWERS_WITHIN))?;
        Ok(Client::with_read_write(Box::new(stream)))
    }
}

impl ExternalSigner for Agent {
    fn sign(
        &self,
        public: &PublicKey,
        bytes: &[u8],
    ) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>> {
        let signature = self.client()?.sign(public.clone(), bytes)?;
        Ok(signature.as_bytes().try_into()?)
    }
}
