//! The running cloud: broker, ingest, API and page around one data directory.

use crate::address::BrokerAddress;
use crate::api::{self, Api};
use crate::broker::{BrokerError, start_embedded};
use crate::clock::SystemClock;
use crate::ingest::{IngestHandle, SpawnError, spawn_ingest};
use crate::store::sqlite::SqliteFile;
use crate::store::{StoreError, Stores};
use crate::web;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Which broker records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerChoice {
    /// One inside this process: demonstrations and tests.
    Embedded {
        /// Where robots reach it.
        listen: SocketAddr,
    },
    /// A real one.
    At(BrokerAddress),
}

/// What to serve and where.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Holds the store; made when missing.
    pub data: PathBuf,
    /// The page and the API; port 0 for a free one.
    pub listen: SocketAddr,
    /// Where records come from.
    pub broker: BrokerChoice,
}

/// Why the cloud did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory.
    #[error("cannot {doing} {}: choose another --data or give this user the right", path.display())]
    Data {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Two servers would be two writers.
    #[error("another kompas-cloud uses {}: stop it, or choose another --data", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A folder to rebuild that holds no store.
    #[error("there is no store at {}: --data is the folder that `serve` writes to", path.display())]
    NoStore {
        /// The file that is missing.
        path: PathBuf,
    },
    /// The store does not open.
    #[error("the store {} does not open", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The page's port.
    #[error("cannot listen on {listen}: choose another --listen, or port 0 for a free one")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The embedded broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Nothing of it was changed.
    #[error("the map in {} is not made again, it is as it was", path.display())]
    NotRebuilt {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Ingest does not begin.
    #[error("ingest does not begin")]
    Ingest(#[from] SpawnError),
    /// A fault of this program: the committing thread panicked.
    #[error(
        "ingest broke off, nothing is taken in any more: the line above says where; start again, the robots kept their \
         records, and report it"
    )]
    IngestBroke,
    /// After it ran.
    #[error("the server ended")]
    Ended(#[source] std::io::Error),
}

/// The store's name in the data directory.
const STORE: &str = "cloud.sqlite";

/// Makes everything the map shows again from the records in the directory `data`; how many were read.
///
/// # Errors
/// [`ServeError`]: no store, one that does not open, or a cloud that uses it now.
pub fn rebuild(data: &Path) -> Result<u64, ServeError> {
    let path = data.join(STORE);
    if !path.exists() {
        return Err(ServeError::NoStore { path });
    }
    let _lock = lock(data)?;
    let mut store =
        SqliteFile::at(&path).open().map_err(|source| ServeError::Store { path: path.clone(), source })?;
    store.rebuild().map_err(|source| ServeError::NotRebuilt { path, source })
}

/// A started cloud, not serving yet.
#[derive(Debug)]
pub struct Cloud {
    listener: TcpListener,
    /// The page's address.
    pub address: SocketAddr,
    /// The broker's address, for robots.
    pub broker: BrokerAddress,
    api: Api,
    ingest: Arc<IngestHandle>,
    _lock: File,
}

impl Cloud {
    /// Opens the store, starts broker and ingest, and listens.
    ///
    /// # Errors
    /// [`ServeError`], each naming what to do.
    pub async fn start(config: &ServeConfig) -> Result<Self, ServeError> {
        let lock = lock(&config.data)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| ServeError::Listen { listen: config.listen, source })?;
        let address = listener.local_addr().map_err(ServeError::Ended)?;
        let path = config.data.join(STORE);
        let stores = SqliteFile::at(&path);
        let store = stores.open().map_err(|source| ServeError::Store { path, source })?;
        let broker = match &config.broker {
            BrokerChoice::Embedded { listen } => start_embedded(*listen)?,
            BrokerChoice::At(address) => address.clone(),
        };
        let ingest = Arc::new(spawn_ingest(store, &broker)?);
        let clock = Arc::new(SystemClock::start());
        let api = Api::new(Arc::new(stores), Some(Arc::clone(&ingest)), clock, Api::MOST_FEATURES);
        Ok(Self { listener, address, broker, api, ingest, _lock: lock })
    }

    /// Serves until `until` is ready, then finishes what has arrived.
    ///
    /// # Errors
    /// The listening socket or ingest broke.
    pub async fn serve(self, until: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { listener, api, ingest, .. } = self;
        let router = api::routes(api).merge(web::routes());
        // A browser may hold its connection open for ever: the end does not wait for it.
        tokio::select! {
            served = async { axum::serve(listener, router).await } => served.map_err(ServeError::Ended)?,
            () = ingest.ended() => return Err(ServeError::IngestBroke),
            () = until => {}
        }
        if let Some(ingest) = Arc::into_inner(ingest) {
            ingest.stop().await;
        }
        Ok(())
    }
}

/// Held for as long as the process lives, released by the system however it dies.
fn lock(data: &Path) -> Result<File, ServeError> {
    let no = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| ServeError::Data { doing, path, source }
    };
    std::fs::create_dir_all(data).map_err(no("make", data))?;
    let path = data.join("lock");
    let file = File::create(&path).map_err(no("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServeError::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(no("lock", &path)(source)),
    }
}
