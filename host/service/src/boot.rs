//! From files to a database that can be worked with: the lock, the schema, the master key, and at the first start a first
//! operator's token.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};

use crate::access::organization::{Maker, token_created};
use crate::access::{Role, Token};
use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::config::Config;
use crate::store::organizations::{MASTER_KEY, OPERATOR_KEY};
use crate::store::tokens::TokenRow;
use crate::store::{self, Opening, Store, StoreError};
use crate::vault::{MasterKey, OPERATOR, Vault, VaultError};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(
        "the master key {} belongs to another database: name the key of {} by `master_key_file`; without it, the secrets \
         kept there cannot be read", key.display(), database.display()
    )]
    OtherKey { key: PathBuf, database: PathBuf },
    #[error(
        "the database {} belongs to the master key {}, which an interrupted `pqh vault rotate` left there, and it cannot \
         take the place of {}: {reason}; move it there yourself", database.display(), new.display(), key.display()
    )]
    HalfRotated { database: PathBuf, new: PathBuf, key: PathBuf, reason: String },
    #[error("{} cannot be {what}: {reason}", path.display())]
    File { path: PathBuf, what: &'static str, reason: String },
    #[error(
        "{} is to take the first operator's token, and holds something else: move it away, or name another file by \
         `operator_token_file`", path.display()
    )]
    NoToken { path: PathBuf },
    #[error("the operator's token {} can be read by others (mode {mode:04o}): run chmod 600 {}", path.display(), path.display())]
    OpenToken { path: PathBuf, mode: u32 },
    #[error("the database {} is empty: run `pqh serve` once", database.display())]
    Empty { database: PathBuf },
    #[error("no random numbers can be had: {0}")]
    Chance(getrandom::Error),
}

impl BootError {
    fn file(path: &Path, what: &'static str, error: &io::Error) -> Self {
        Self::File { path: path.to_owned(), what, reason: error.to_string() }
    }
}

/// How long a lock that another holds is waited for, and between two looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// Keeps a second `pqh serve` away from the database, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "what counts is that it is open")] File);

/// Takes the database for this process alone. Commands that only add or read do without. A process that is just ending, or a
/// child that is just beginning, may hold the lock a moment longer: that is waited for.
pub(crate) async fn lock(url: &str) -> Result<Lock, BootError> {
    let database = store::path_of(url)?;
    let path = beside(&database, ".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| BootError::file(&path, "made", &error))?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => tokio::time::sleep(LOCK_LOOK).await,
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: database }.into()),
            Err(TryLockError::Error(error)) => return Err(BootError::file(&path, "locked", &error)),
        }
    }
}

/// Opens the database with its master key; makes both where there is neither. Needs the lock.
pub(crate) async fn open(config: &Config, now: Millis) -> Result<(Store, Vault), BootError> {
    let (key, token) = (&config.master_key_file, &config.operator_token_file);
    let store = Store::open_limited(&config.database, Opening::MayCreate, config.limits.database_bytes).await?;
    let vault = if let Some(fingerprint) = store::organizations::meta(store.readers(), MASTER_KEY).await? {
        settle(&store, key, &fingerprint)?
    } else {
        first_start(&store, key, token, now).await?
    };
    Ok((store, vault))
}

/// Opens a database that is there, beside a service that may be running.
pub(crate) async fn open_beside(database: &str, key: &Path) -> Result<(Store, Vault), BootError> {
    let store = Store::open(database, Opening::MustExist).await?;
    let fingerprint = store::organizations::meta(store.readers(), MASTER_KEY).await?;
    let fingerprint = fingerprint.ok_or_else(|| BootError::Empty { database: store.path().to_owned() })?;
    let vault = Vault::new(MasterKey::load(key)?);
    if vault.fingerprint() != fingerprint {
        return Err(BootError::OtherKey { key: key.to_owned(), database: store.path().to_owned() });
    }
    Ok((store, vault))
}

/// The master key that the database belongs to. Where a rotation was cut off between the database's change and the file's,
/// that is the new file: it is put in its place.
pub(crate) fn settle(store: &Store, key: &Path, fingerprint: &str) -> Result<Vault, BootError> {
    let loaded = MasterKey::load(key).map(Vault::new);
    if let Ok(vault) = &loaded
        && vault.fingerprint() == fingerprint
    {
        return Ok(vault.clone());
    }
    let new = beside(key, ".new");
    if let Ok(vault) = MasterKey::load(&new).map(Vault::new)
        && vault.fingerprint() == fingerprint
    {
        replace(&new, key).map_err(|error| BootError::HalfRotated {
            database: store.path().to_owned(),
            new: new.clone(),
            key: key.to_owned(),
            reason: error.to_string(),
        })?;
        tracing::warn!(
            "an interrupted `pqh vault rotate` is finished: the database belongs to the new key, which is now {}",
            key.display()
        );
        return Ok(vault);
    }
    loaded?;
    Err(BootError::OtherKey { key: key.to_owned(), database: store.path().to_owned() })
}

/// Makes what an empty database needs. Killed at any moment, it can be done again: files that are there are used.
async fn first_start(store: &Store, key: &Path, token_file: &Path, now: Millis) -> Result<Vault, BootError> {
    let master = if key.exists() {
        // A first start that was interrupted left it; or the database that it belongs to is not where it was.
        tracing::warn!(
            "a new database with a master key that was there: if there should be a database at {}, stop the service, and \
             put it back",
            store.path().display()
        );
        MasterKey::load(key)?
    } else {
        MasterKey::create(key)?
    };
    let vault = Vault::new(master);
    let token = first_token(token_file)?;
    let (operator_key, wrapped) = vault.new_data_key(OPERATOR)?;
    let row = TokenRow {
        id: token.id().to_owned(),
        organization_id: None,
        member_id: None,
        role: Role::Operator.name().to_owned(),
        name: "first operator".to_owned(),
        hash: token.hash(),
        created_at: now,
        revoked_at: None,
    };
    let fingerprint = vault.fingerprint();
    store
        .write(move |connection| {
            Box::pin(async move {
                store::organizations::set_meta(connection, MASTER_KEY, &fingerprint).await?;
                store::organizations::set_meta(connection, OPERATOR_KEY, &wrapped).await?;
                store::tokens::insert(connection, &row).await?;
                let maker = Maker { actor: Actor::local("first start"), source: "local".to_owned(), at: now };
                audit::append(connection, &operator_key, token_created(OPERATOR, &maker, &row)).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await?;
    Ok(vault)
}

/// The first operator's token: the one in the file, else a new one that is written there.
fn first_token(path: &Path) -> Result<Token, BootError> {
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().map_err(|error| BootError::file(path, "read", &error))?;
            let mode = metadata.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(BootError::OpenToken { path: path.to_owned(), mode });
            }
            let text = fs::read_to_string(path).map_err(|error| BootError::file(path, "read", &error))?;
            let text = SecretString::from(text);
            Token::parse(text.expose_secret().trim()).ok_or_else(|| BootError::NoToken { path: path.to_owned() })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = Token::mint().map_err(BootError::Chance)?;
            write_token(path, &token).map_err(|error| BootError::file(path, "written", &error))?;
            Ok(token)
        }
        Err(error) => Err(BootError::file(path, "read", &error)),
    }
}

/// Whole or not at all: beside it first, then in its place.
fn write_token(path: &Path, token: &Token) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{}", token.expose())?;
    file.sync_all()?;
    replace(&new, path)
}

/// Puts a file in another's place; durable when it returns.
pub(crate) fn replace(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The path with an ending added to its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
