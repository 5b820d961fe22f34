//! The interactive parts: the only code that runs in a browser.
//!
//! Each wraps server-rendered children or stands beside them, so that everything works before it arrives and without it.

pub mod dialog_opener;
pub mod draft_keeper;
pub mod import_watcher;
pub mod shortcuts;

pub use dialog_opener::DialogOpener;
pub use draft_keeper::DraftKeeper;
pub use import_watcher::ImportWatcher;
pub use shortcuts::Shortcuts;
