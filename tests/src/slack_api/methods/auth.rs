//! `auth.test`, `auth.revoke` and `team.info`.

use serde_json::json;

use crate::slack_api::call::{Arguments, Caller, Outcome};
use crate::slack_api::state::State;

pub(crate) fn test(state: &mut State, caller: &Caller, _: &Arguments) -> Outcome {
    let token = &caller.token;
    let app = state.apps.iter().find(|app| app.id == token.app_id).ok_or("invalid_auth")?;
    let team = state.team(&token.place);
    let enterprise = team.and_then(|team| team.enterprise.as_ref()).map(|(id, _)| id.clone());
    let domain = team.map_or("app", |team| team.domain.as_str());
    let mut answer = json!({
        "url": format!("https://{domain}.slack.com/"),
        "user": app.name.to_ascii_lowercase(),
        "user_id": token.bot_user_id,
        "bot_id": caller.bot_id,
        "is_enterprise_install": token.is_enterprise_install,
    });
    if let Some(team) = team {
        answer["team"] = team.name.as_str().into();
        answer["team_id"] = team.id.as_str().into();
    }
    if let Some(id) = enterprise.or_else(|| token.is_enterprise_install.then(|| token.place.clone())) {
        answer["enterprise_id"] = id.into();
    }
    if let Some(at) = token.expires_at {
        answer["expires_in"] = ((at - caller.now) / 1_000).into();
    }
    Ok(answer)
}

pub(crate) fn revoke(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let is_test = arguments.flag("test")?;
    if !is_test {
        state.revoke(&caller.token.value);
    }
    Ok(json!({ "revoked": !is_test }))
}

pub(crate) fn team_info(state: &mut State, caller: &Caller, _: &Arguments) -> Outcome {
    let team = caller.team(state)?;
    let (enterprise, name) = team.enterprise.clone().unzip();
    let team = json!({
        "id": team.id,
        "name": team.name,
        "domain": team.domain,
        "url": format!("https://{}.slack.com/", team.domain),
        "email_domain": "",
        "icon": { "image_default": true },
        "enterprise_id": enterprise,
        "enterprise_name": name,
    });
    Ok(json!({ "team": team }))
}
