//! Archives that another API key of the same account continues.

use std::path::Path;

use bitmart::rest::account::QueryAccountInfo;

use super::archive::ArchiveInfo;
use super::plan::text;
use super::rows;
use crate::failure::Failure;
use crate::target::{RateLimits, Target};

/// Whether the archive in `folder` was made with another API key of the same account: both have the same id, or one
/// of the ids is unknown and the user states it with `--new-key`. `own` describes an archive of the present key.
pub(super) async fn is_renewed(
    target: &Target,
    folder: &Path,
    own: &ArchiveInfo,
    is_stated_by_user: bool,
) -> Result<bool, Failure> {
    let Some(known) = ArchiveInfo::read(folder)? else { return Ok(false) };
    if known.source != own.source || known.key == own.key {
        return Ok(false);
    }
    let mut archived = None;
    rows::newest(folder, "reference-account", |row| archived = text(&row, "cid"))?;
    let client = target.bulk_client(RateLimits::from_flag(true), 1)?;
    let account = match client.send(QueryAccountInfo::new()).await {
        Ok(info) => info.value().and_then(|info| Some(info.uid.as_ref()?.to_string())),
        Err(_) => None,
    };
    Ok(match (archived, account) {
        (Some(archived), Some(account)) => archived == account,
        _ => is_stated_by_user,
    })
}
