//! Configuration: a flag comes before a variable, a variable before the file, the file before the default.
//!
//! [`SETTINGS`] is the one list of what can be set. Every setting has the same name three times: `--base-url`,
//! `HOLDPOINT_BASE_URL`, `base-url` in `holdpoint.toml`. A wrong value is refused with its name, where it came from and
//! what is expected; so is a key in the file that nothing reads.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use holdpoint_storage::DatabaseUrl;
use thiserror::Error;

use crate::web::address::TrustedProxies;

/// The options of `holdpoint serve` and of every command that opens the database.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Flags {
    /// Address and port to listen on [variable HOLDPOINT_LISTEN, default 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Folder for the database file, evidence and keys [HOLDPOINT_DATA, default ./data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [HOLDPOINT_DATABASE, default a file in the data folder]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Folder with the private signing keys, or one file that is the key [HOLDPOINT_KEYS, default keys in the data folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) keys: Option<String>,
    /// Socket of an ssh-agent that holds signing keys [HOLDPOINT_SSH_AGENT, default none]
    #[arg(long, value_name = "SOCKET")]
    pub(crate) ssh_agent: Option<String>,
    /// Folder with the built style sheet and browser module [HOLDPOINT_SITE, default target/site or site beside the binary]
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Option<String>,
    /// The address people type, such as https://prr.example.org [HOLDPOINT_BASE_URL, default the listening address]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// How logs are written: text or json [HOLDPOINT_LOG_FORMAT, default text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What is logged: error, warn, info, debug or a tracing filter [HOLDPOINT_LOG, default info]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Addresses or networks of the proxies in front, whose X-Forwarded-For and X-Request-Id are believed, such as 127.0.0.1,10.0.0.0/8
    /// [HOLDPOINT_TRUST_PROXY, default none]
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) trust_proxy: Option<String>,
    /// Seconds after which a page is given up [HOLDPOINT_REQUEST_TIMEOUT, default 30]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) request_timeout: Option<String>,
    /// Seconds that running requests have to finish at shutdown [HOLDPOINT_SHUTDOWN_DEADLINE, default 20]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) shutdown_deadline: Option<String>,
    /// Connections at the same time; more wait, or take the place of idle ones [HOLDPOINT_MAX_CONNECTIONS, default 512]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_connections: Option<String>,
    /// Hours after which a session ends [HOLDPOINT_SESSION_HOURS, default 12]
    #[arg(long, value_name = "HOURS")]
    pub(crate) session_hours: Option<String>,
    /// Whether managers may invite people who have no account: true or false [HOLDPOINT_MANAGERS_INVITE, default false]
    #[arg(long, value_name = "BOOL")]
    pub(crate) managers_invite: Option<String>,
    /// Files that a person, a token or a service may each bring within an hour [HOLDPOINT_UPLOADS_PER_HOUR, default 5000]
    #[arg(long, value_name = "FILES")]
    pub(crate) uploads_per_hour: Option<String>,
    /// Mebibytes of files that each of them may bring within an hour [HOLDPOINT_UPLOAD_MIB_PER_HOUR, default 20480]
    #[arg(long, value_name = "MIB")]
    pub(crate) upload_mib_per_hour: Option<String>,
    /// Configuration file [HOLDPOINT_CONFIG, default holdpoint.toml if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<String>,
}

impl Flags {
    fn get(&self, setting: &str) -> Option<&String> {
        match setting {
            "listen" => self.listen.as_ref(),
            "data" => self.data.as_ref(),
            "database" => self.database.as_ref(),
            "keys" => self.keys.as_ref(),
            "ssh-agent" => self.ssh_agent.as_ref(),
            "site" => self.site.as_ref(),
            "base-url" => self.base_url.as_ref(),
            "log-format" => self.log_format.as_ref(),
            "log" => self.log.as_ref(),
            "trust-proxy" => self.trust_proxy.as_ref(),
            "request-timeout" => self.request_timeout.as_ref(),
            "shutdown-deadline" => self.shutdown_deadline.as_ref(),
            "max-connections" => self.max_connections.as_ref(),
            "session-hours" => self.session_hours.as_ref(),
            "managers-invite" => self.managers_invite.as_ref(),
            "uploads-per-hour" => self.uploads_per_hour.as_ref(),
            "upload-mib-per-hour" => self.upload_mib_per_hour.as_ref(),
            _ => None,
        }
    }
}

/// Everything that can be set.
const SETTINGS: [&str; 17] = [
    "listen",
    "data",
    "database",
    "keys",
    "ssh-agent",
    "site",
    "base-url",
    "log-format",
    "log",
    "trust-proxy",
    "request-timeout",
    "shutdown-deadline",
    "max-connections",
    "session-hours",
    "managers-invite",
    "uploads-per-hour",
    "upload-mib-per-hour",
];

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The configuration as the server uses it. Secrets in it do not show in `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) database: DatabaseUrl,
    /// Where the private signing keys are.
    pub(crate) keys: PathBuf,
    /// The socket of an ssh-agent that may hold some.
    pub(crate) ssh_agent: Option<PathBuf>,
    pub(crate) site: PathBuf,
    /// Where people reach the server; no slash at the end. `None` means the listening address, over plain HTTP.
    pub(crate) base_url: Option<BaseUrl>,
    pub(crate) log_format: LogFormat,
    pub(crate) log: String,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) request_timeout: Duration,
    pub(crate) shutdown_deadline: Duration,
    pub(crate) max_connections: usize,
    pub(crate) session_hours: u32,
    /// Whether managers invite people who have no account; else only administrators make accounts.
    pub(crate) managers_invite: bool,
    pub(crate) uploads_per_hour: i64,
    pub(crate) upload_bytes_per_hour: i64,
}

/// An address of a site: scheme, host, port; nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    pub(crate) https: bool,
    /// Host, with its port unless it is the scheme's own.
    pub(crate) authority: String,
}

impl BaseUrl {
    fn parse(text: &str) -> Option<Self> {
        let uri: http::Uri = text.trim().trim_end_matches('/').parse().ok()?;
        let https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let plain = !authority.as_str().contains('@') && uri.query().is_none() && uri.path() == "/";
        let default_port = if https { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port != default_port => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        plain.then(|| Self {
            https,
            authority: authority.to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.https { "https" } else { "http" },
            self.authority
        )
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(String),
    Variable(String),
    File(PathBuf, String),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "option --{name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(file, key) => write!(f, "`{key}` in {}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("{origin}: {value:?} is not possible. Expected is {expected}.")]
    Value {
        origin: Origin,
        value: String,
        expected: &'static str,
    },
    /// Like `Value`, for values that may hold a password.
    #[error("{origin}: the value is not possible. Expected is {expected}.")]
    Secret {
        origin: Origin,
        expected: &'static str,
    },
    #[error("{}: `{key}` is no setting. Known are: {}.", .file.display(), SETTINGS.join(", "))]
    UnknownKey { file: PathBuf, key: String },
    #[error("{}: `{key}` must be a text, a number, true or false.", .file.display())]
    Type { file: PathBuf, key: String },
    #[error("variable {name} is no setting. Known are: {}.", variables())]
    UnknownVariable { name: String },
    #[error("{}: {message}", .file.display())]
    Syntax { file: PathBuf, message: String },
    #[error("{}: the configuration file cannot be read: {cause}. Check the path and its permissions.", .file.display())]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
}

fn variable(setting: &str) -> String {
    format!(
        "HOLDPOINT_{}",
        setting.replace('-', "_").to_ascii_uppercase()
    )
}

fn variables() -> String {
    SETTINGS.map(variable).join(", ")
}

/// Variables that begin with `HOLDPOINT_` and belong to something else than this configuration.
const OTHER_VARIABLES: [&str; 8] = [
    "HOLDPOINT_CONFIG",
    // The client's commands.
    "HOLDPOINT_URL",
    "HOLDPOINT_TOKEN",
    // Tests.
    "HOLDPOINT_TEST_POSTGRES",
    "HOLDPOINT_CORPUS",
    "HOLDPOINT_TEST",
    "HOLDPOINT_BENCH",
    "HOLDPOINT_VERSION",
];

/// What the values come from besides the flags.
pub(crate) struct Surroundings {
    pub(crate) variables: BTreeMap<String, String>,
    /// Where relative paths begin and `holdpoint.toml` is looked for.
    pub(crate) folder: PathBuf,
    /// The folder of the binary, beside which an installed site lies.
    pub(crate) binary_folder: Option<PathBuf>,
}

impl Surroundings {
    /// The process's own.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .filter(|(name, _)| name.starts_with("HOLDPOINT_"))
                .collect(),
            folder: PathBuf::new(),
            binary_folder: std::env::current_exe()
                .ok()
                .and_then(|exe| exe.parent().map(Path::to_owned)),
        }
    }
}

impl Config {
    /// Reads the configuration of this process.
    pub(crate) fn of_process(flags: &Flags) -> Result<Self, ConfigError> {
        Self::read(flags, &Surroundings::of_process())
    }

    pub(crate) fn read(flags: &Flags, around: &Surroundings) -> Result<Self, ConfigError> {
        let known = |name: &str| {
            OTHER_VARIABLES.contains(&name)
                || SETTINGS.iter().any(|setting| variable(setting) == name)
        };
        if let Some(name) = around
            .variables
            .keys()
            .find(|name| name.starts_with("HOLDPOINT_") && !known(name))
        {
            return Err(ConfigError::UnknownVariable { name: name.clone() });
        }
        let file = File::find(flags, around)?;
        let given = |setting: &str| -> Option<(Origin, String)> {
            let name = variable(setting);
            if let Some(value) = flags.get(setting) {
                Some((Origin::Flag(setting.to_owned()), value.clone()))
            } else if let Some(value) = around.variables.get(&name) {
                Some((Origin::Variable(name), value.clone()))
            } else {
                let value = file.values.get(setting)?;
                Some((
                    Origin::File(file.path.clone(), setting.to_owned()),
                    value.clone(),
                ))
            }
        };
        let data = given("data").map_or_else(
            || around.folder.join("data"),
            |(_, value)| around.folder.join(value),
        );
        let keys =
            given("keys").map_or_else(|| data.join("keys"), |(_, value)| around.folder.join(value));
        let ssh_agent = given("ssh-agent").map(|(_, value)| around.folder.join(value));
        let site = match given("site") {
            Some((_, value)) => around.folder.join(value),
            None => around.usual_site(),
        };
        let database = match given("database") {
            None => DatabaseUrl::Sqlite(data.join("holdpoint.db")),
            Some((origin, value)) => value.parse().map_err(|_| ConfigError::Secret {
                origin,
                expected: "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            })?,
        };
        let seconds = |setting: &str, default: &str| {
            value(
                given(setting),
                default,
                "a whole number of seconds from 1 to 86400",
                |text| {
                    let seconds: u64 = text.parse().ok()?;
                    (1..=86_400)
                        .contains(&seconds)
                        .then(|| Duration::from_secs(seconds))
                },
            )
        };
        let base_url = given("base-url")
            .map(|given| {
                let expected = "http://HOST or https://HOST, with :PORT if it is not the usual one, and nothing after it";
                value(Some(given), "", expected, BaseUrl::parse)
            })
            .transpose()?;
        Ok(Self {
            listen: value(
                given("listen"),
                "127.0.0.1:3000",
                "ADDRESS:PORT, such as 127.0.0.1:3000 or [::]:3000",
                |text| text.parse().ok(),
            )?,
            data,
            database,
            keys,
            ssh_agent,
            site,
            base_url,
            log_format: value(
                given("log-format"),
                "text",
                "text or json",
                |text| match text {
                    "text" => Some(LogFormat::Text),
                    "json" => Some(LogFormat::Json),
                    _ => None,
                },
            )?,
            log: value(
                given("log"),
                "info,sqlx=warn,tower_sessions=warn,tower_sessions_core=warn",
                "error, warn, info, debug, trace, or a filter such as info,holdpoint=debug",
                |text| {
                    text.parse::<tracing_subscriber::EnvFilter>()
                        .is_ok()
                        .then(|| text.to_owned())
                },
            )?,
            trusted_proxies: value(
                given("trust-proxy"),
                "none",
                TrustedProxies::EXPECTED,
                TrustedProxies::parse,
            )?,
            request_timeout: seconds("request-timeout", "30")?,
            shutdown_deadline: seconds("shutdown-deadline", "20")?,
            max_connections: value(
                given("max-connections"),
                "512",
                "a whole number from 4 to 100000",
                |text| {
                    text.parse()
                        .ok()
                        .filter(|most| (4..=100_000).contains(most))
                },
            )?,
            session_hours: value(
                given("session-hours"),
                "12",
                "a whole number of hours from 1 to 720",
                |text| text.parse().ok().filter(|hours| (1..=720).contains(hours)),
            )?,
            managers_invite: value(given("managers-invite"), "false", "true or false", |text| {
                text.parse().ok()
            })?,
            uploads_per_hour: value(
                given("uploads-per-hour"),
                "5000",
                "a whole number of files, at least 1",
                |text| text.parse().ok().filter(|files| *files >= 1),
            )?,
            upload_bytes_per_hour: value(
                given("upload-mib-per-hour"),
                "20480",
                "a whole number of mebibytes from 1 to 1048576",
                |text| {
                    let mib: i64 = text.parse().ok()?;
                    (1..=1_048_576).contains(&mib).then_some(mib * 1024 * 1024)
                },
            )?,
        })
    }
}

impl Config {
    /// What can be used and is probably not meant; said when the server starts.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        let behind_a_proxy = self.base_url.as_ref().is_some_and(|url| url.https);
        let warning = "base-url is https, so a proxy stands in front, and trust-proxy names none: every visitor seems to come \
            from the proxy's address, and whoever tries passwords makes all of them wait. Set trust-proxy to the proxy's address.";
        Vec::from_iter((behind_a_proxy && self.trusted_proxies.is_empty()).then_some(warning))
    }
}

impl Surroundings {
    /// The site of an installed binary lies beside it; in a checkout it is built into `target`.
    fn usual_site(&self) -> PathBuf {
        self.binary_folder
            .as_ref()
            .map(|folder| folder.join("site"))
            .filter(|site| site.is_dir())
            .unwrap_or_else(|| self.folder.join("target/site"))
    }
}

fn value<T>(
    given: Option<(Origin, String)>,
    default: &str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ConfigError> {
    let (origin, text) = given.unwrap_or((Origin::Default, default.to_owned()));
    match parse(text.trim()) {
        Some(value) => Ok(value),
        None => Err(ConfigError::Value {
            origin,
            value: text,
            expected,
        }),
    }
}

/// The configuration file, flat.
#[derive(Default)]
struct File {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl File {
    fn find(flags: &Flags, around: &Surroundings) -> Result<Self, ConfigError> {
        let asked = flags
            .config
            .as_ref()
            .or_else(|| around.variables.get("HOLDPOINT_CONFIG"));
        let path = around
            .folder
            .join(asked.map_or("holdpoint.toml", String::as_str));
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if asked.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(cause) => Err(ConfigError::Unreadable { file: path, cause }),
        }
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            ConfigError::Syntax {
                file: path.clone(),
                message: format!("line {line}: {}", error.message()),
            }
        })?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            if !SETTINGS.contains(&key.as_str()) {
                return Err(ConfigError::UnknownKey { file: path, key });
            }
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                // A list, as of addresses, may be written as one.
                toml::Value::Array(list) => list
                    .iter()
                    .map(toml::Value::as_str)
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| ConfigError::Type {
                        file: path.clone(),
                        key: key.clone(),
                    })?
                    .join(","),
                _ => return Err(ConfigError::Type { file: path, key }),
            };
            values.insert(key, text);
        }
        Ok(Self { path, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(folder: &Path, variables: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            folder: folder.to_owned(),
            binary_folder: None,
        }
    }

    #[test]
    fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let port = |flag: Option<&str>, variables: &[(&str, &str)]| {
            let flags = Flags {
                listen: flag.map(str::to_owned),
                ..Flags::default()
            };
            Config::read(&flags, &around(folder.path(), variables))
                .unwrap()
                .listen
                .port()
        };
        assert_eq!(port(None, &[]), 3000);
        std::fs::write(
            folder.path().join("holdpoint.toml"),
            "listen = \"127.0.0.1:1\"\n",
        )
        .unwrap();
        assert_eq!(port(None, &[]), 1);
        assert_eq!(port(None, &[("HOLDPOINT_LISTEN", "127.0.0.1:2")]), 2);
        assert_eq!(
            port(Some("127.0.0.1:3"), &[("HOLDPOINT_LISTEN", "127.0.0.1:2")]),
            3
        );
    }

    #[test]
    fn every_setting_is_a_flag_a_variable_and_a_key() {
        let command = <Flags as clap::Args>::augment_args(clap::Command::new("x"));
        let mut flags: Vec<_> = command
            .get_arguments()
            .filter_map(|argument| argument.get_long())
            .collect();
        flags.retain(|flag| *flag != "config");
        assert_eq!(flags, SETTINGS);
        for argument in command.get_arguments() {
            let long = argument.get_long().unwrap();
            let help = argument.get_help().unwrap().to_string();
            assert!(
                help.contains(&variable(long)),
                "the help of --{long} names {}",
                variable(long)
            );
        }
        let folder = tempfile::tempdir().unwrap();
        for setting in SETTINGS {
            let wrong = "\u{1}";
            let read = Config::read(
                &Flags::default(),
                &around(folder.path(), &[(&variable(setting), wrong)]),
            );
            // Folders take any text; everything else refuses this one, so it was read.
            assert_eq!(
                read.is_ok(),
                ["data", "keys", "ssh-agent", "site"].contains(&setting),
                "{setting}"
            );
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_place_and_what_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        let message = |flags: Flags, variables: &[(&str, &str)], file: &str| {
            std::fs::write(folder.path().join("holdpoint.toml"), file).unwrap();
            Config::read(&flags, &around(folder.path(), variables))
                .unwrap_err()
                .to_string()
        };
        let flags = Flags {
            listen: Some("localhost".to_owned()),
            ..Flags::default()
        };
        assert_eq!(
            message(flags, &[], ""),
            "option --listen: \"localhost\" is not possible. Expected is ADDRESS:PORT, such as 127.0.0.1:3000 or \
             [::]:3000."
        );
        assert_eq!(
            message(Flags::default(), &[("HOLDPOINT_LOG_FORMAT", "xml")], ""),
            "variable HOLDPOINT_LOG_FORMAT: \"xml\" is not possible. Expected is text or json."
        );
        let of_file = message(Flags::default(), &[], "shutdown-deadline = 0");
        assert!(of_file.starts_with("`shutdown-deadline` in "), "{of_file}");
        assert!(
            of_file.ends_with("Expected is a whole number of seconds from 1 to 86400."),
            "{of_file}"
        );
        let unknown = message(Flags::default(), &[], "lisen = \"x\"");
        assert!(
            unknown.contains("`lisen` is no setting. Known are: listen, data,"),
            "{unknown}"
        );
        let unknown = message(Flags::default(), &[("HOLDPOINT_LISEN", "x")], "");
        assert!(
            unknown.starts_with("variable HOLDPOINT_LISEN is no setting."),
            "{unknown}"
        );
        let broken = message(Flags::default(), &[], "listen = \"a\"\nlog = [");
        assert!(broken.contains("holdpoint.toml: line 2: "), "{broken}");
        let typed = message(Flags::default(), &[], "listen = [1]");
        assert!(
            typed.ends_with("`listen` must be a text, a number, true or false."),
            "{typed}"
        );
    }

    #[test]
    fn proxies_are_named_by_address_and_an_https_server_without_any_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let read = |file: &str| {
            std::fs::write(folder.path().join("holdpoint.toml"), file).unwrap();
            Config::read(&Flags::default(), &around(folder.path(), &[]))
        };
        let named = read("trust-proxy = [\"127.0.0.1\", \"10.0.0.0/8\"]").unwrap();
        assert_eq!(
            named,
            read("trust-proxy = \"127.0.0.1, 10.0.0.0/8\"").unwrap()
        );
        assert!(
            read("trust-proxy = false")
                .unwrap()
                .trusted_proxies
                .is_empty()
        );
        let refused = read("trust-proxy = true").unwrap_err().to_string();
        assert!(
            refused
                .contains("the addresses or networks of the proxies in front, such as `127.0.0.1"),
            "{refused}"
        );
        let n_warnings = |file: &str| read(file).unwrap().warnings().len();
        let https = "base-url = \"https://prr.example.org\"\n";
        assert_eq!(n_warnings(https), 1);
        assert_eq!(
            n_warnings(&format!("{https}trust-proxy = \"127.0.0.1\"")),
            0
        );
        assert_eq!(n_warnings("base-url = \"http://localhost:3000\""), 0);
        assert_eq!(n_warnings(""), 0);
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            config: Some("missing.toml".to_owned()),
            ..Flags::default()
        };
        let error = Config::read(&flags, &around(folder.path(), &[])).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn no_password_shows_in_messages_or_debug() {
        let folder = tempfile::tempdir().unwrap();
        let given = |url: &str| {
            let flags = Flags {
                database: Some(url.to_owned()),
                ..Flags::default()
            };
            Config::read(&flags, &around(folder.path(), &[]))
        };
        let config = given("postgres://u:hunter2@db.example/holdpoint").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = given("postgre://u:hunter2@db.example/holdpoint").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_base_url_is_a_site_and_nothing_more() {
        for (text, authority) in [
            ("https://prr.example.org", "prr.example.org"),
            ("https://PRR.example.org/", "prr.example.org"),
            ("https://prr.example.org:443", "prr.example.org"),
            ("http://localhost:3000", "localhost:3000"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().authority, authority, "{text}");
        }
        for wrong in [
            "prr.example.org",
            "ftp://x",
            "https://u:p@x",
            "https://x/path",
            "https://x?q",
            "https://",
            "",
        ] {
            assert_eq!(BaseUrl::parse(wrong), None, "{wrong}");
        }
    }
}
