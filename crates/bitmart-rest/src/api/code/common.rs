//! Codes of both hosts: key, signature, clock, limits; and the futures upgrade.

use super::Category::{
    Authentication, Banned, Clock, Deprecated, InvalidRequest, Maintenance, Permission,
    RateLimited, ServerFault,
};
use super::{ErrorCode, row};

#[rustfmt::skip]
pub(super) const CODES: &[ErrorCode] = &[
    row(25601, 0, ServerFault, "", "The futures servers are being upgraded; query the result before trying again."),
    row(30000, 404, InvalidRequest, "Not found", "This host does not serve the path; spot and futures have different hosts."),
    row(30001, 401, Authentication, "Header X-BM-KEY is empty", "The API key is missing; give key, secret and memo."),
    row(30002, 401, Authentication, "Header X-BM-KEY not found", "The API key is not known here; check key and environment."),
    row(30003, 401, Authentication, "Header X-BM-KEY has frozen", "The API key is frozen; check it in the account's API settings."),
    row(30004, 401, Authentication, "Header X-BM-SIGN is empty", "The signature is missing; give key, secret and memo."),
    row(30005, 401, Authentication, "Header X-BM-SIGN is wrong", "Most often the memo is not the one that this key was created with; otherwise the secret belongs to another key."),
    row(30006, 401, Authentication, "Header X-BM-TIMESTAMP is empty", "The timestamp is missing or not a number of milliseconds.").also(&["Header X-BM-TIMESTAMP must be long type"]),
    row(30007, 401, Clock, "Header X-BM-TIMESTAMP range. Within a minute", "The timestamp is more than a minute off; synchronize the clock.").also(&["Header X-BM-TIMESTAMP range. Timestamp for this request is outside of the recvWindow.", "Param recvWindow must be long type", "Param recvWindow must be less than 60000 and greater than 0"]),
    row(30008, 401, Clock, "Header X-BM-TIMESTAMP invalid format", "The timestamp must be Unix time in milliseconds."),
    row(30010, 403, Permission, "IP is forbidden. We recommend enabling IP whitelist for API trading. After that reauth your account", "This address is not on the key's IP whitelist."),
    row(30011, 403, Authentication, "Header X-BM-KEY over expire time", "The key has expired or lacks the permission; renew it in the account's API settings."),
    row(30012, 403, Permission, "Header X-BM-KEY is forbidden to request it", "The key lacks the permission for this endpoint; change it in the account's API settings."),
    row(30013, 429, RateLimited, "Request too many requests", "Wait for the window to pass, then send fewer requests; going on leads to a ban."),
    row(30014, 503, ServerFault, "Service unavailable", "The service is not available at the moment."),
    row(30016, 200, Maintenance, "Service maintenance, the function is temporarily unavailable", "The exchange is being maintained; try again later."),
    row(30017, 418, Banned, "Your account request is temporarily rejected due to violation of current limiting rules, please contact customer service", "Banned for ignoring the rate limit; stop all requests and contact the exchange if it lasts."),
    row(30018, 503, InvalidRequest, "Request Body requires JSON format", "The body must be JSON with the content type application/json."),
    row(30019, 200, Permission, "You do not have the permissions to perform this operation. Please contact customer service or BD for assistance", "The account may not do this; ask the exchange's customer service."),
    row(30030, 200, Deprecated, "Futures V1 API has been deprecated. Please use Futures V2 API. You can view the change logs for upgrade", "The exchange switched this endpoint off; use its successor."),
    row(30031, 200, Deprecated, "This endpoint has been deprecated. You can view the change logs for upgrade", "The exchange switched this endpoint off; use its successor."),
];
