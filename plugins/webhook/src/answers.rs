//! What a receiver's answer means: the Standard Webhooks specification knows success, gone and failure.

use pqh_channel_sdk::Failure;
use pqh_channel_sdk::http::Answer;

use crate::URL;

const SIGNATURE: &str = "Check that the receiver verifies with this channel's signing secret, over the body's bytes as they \
                         came, by a clock that is right; and that the channel's headers hold whatever else it asks for.";
const ADDRESS: &str = "Check the receiver's address. What failed can be replayed once it works.";
const RECEIVER: &str = "Look into the receiver's log for why: it has to answer 2xx to every event, also of a type that it does \
                        not use. What failed can be replayed once it works.";

/// 2xx is success. Only 410 says for sure that nothing more is wanted.
pub(crate) fn judge(answer: &Answer) -> Result<(), Failure> {
    if answer.is_success() {
        return Ok(());
    }
    let failure = answer.refusal("The receiver");
    Err(match answer.status() {
        410 => {
            Failure::unreachable("gone", "The receiver is gone (HTTP 410): it wants nothing more from this channel.")
                .remedy("Enter the receiver's new address and resume the channel, or delete the channel.")
                .field(URL)
        }
        300..=399 => failure.field(URL),
        401 | 403 => failure.remedy(SIGNATURE),
        404 | 405 => failure.remedy(ADDRESS).field(URL),
        408 | 429 => failure,
        400..=499 => failure.remedy(RECEIVER),
        _ => failure,
    })
}
