//! `users.list`, `users.info`, `users.lookupByEmail` and `usergroups.list`.

use serde_json::{Value, json};

use super::cursor;
use crate::slack_api::call::{Arguments, Caller, Outcome};
use crate::slack_api::state::State;
use crate::slack_api::workspace::User;

/// What a caller sees of `user`: the address only with `users:read.email`.
fn shown(user: &User, caller: &Caller) -> Value {
    let mut profile = json!({ "real_name": user.real_name, "display_name": user.name });
    if let Some(email) = &user.email
        && caller.needs("users:read.email").is_ok()
    {
        profile["email"] = email.as_str().into();
    }
    let mut answer = json!({
        "id": user.id,
        "team_id": caller.token.place,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": false,
        "updated": 1_502_138_634,
    });
    if !user.deleted {
        answer["real_name"] = user.real_name.as_str().into();
        answer["tz"] = "Europe/Amsterdam".into();
        answer["is_restricted"] = false.into();
        answer["is_ultra_restricted"] = false.into();
    }
    answer
}

pub(crate) fn list(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let asked = cursor::asked(state, caller, arguments, None, "members")?;
    let users = &caller.team(state)?.users;
    let items = users.iter().skip(asked.from).take(asked.limit).map(|user| shown(user, caller)).collect();
    let next = Some(asked.from + asked.limit).filter(|next| *next < users.len());
    Ok(cursor::page(state, caller, asked, "members", items, next))
}

pub(crate) fn info(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let id = arguments.required("user")?;
    let user = caller.team(state)?.user(id).ok_or("user_not_found")?;
    Ok(json!({ "user": shown(user, caller) }))
}

pub(crate) fn lookup_by_email(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    // The address alone says too little: who may see it has to see people.
    caller.needs("users:read")?;
    let email = arguments.required("email")?;
    let is_it = |user: &&User| user.email.as_ref().is_some_and(|held| held.eq_ignore_ascii_case(email));
    let user = caller.team(state)?.users.iter().filter(|user| !user.deleted).find(is_it);
    Ok(json!({ "user": shown(user.ok_or("users_not_found")?, caller) }))
}

pub(crate) fn groups(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let with_users = arguments.flag("include_users")?;
    let with_count = arguments.flag("include_count")?;
    let with_disabled = arguments.flag("include_disabled")?;
    let groups = &caller.team(state)?.groups;
    let shown = groups.iter().filter(|group| with_disabled || !group.is_disabled).map(|group| {
        let mut answer = json!({
            "id": group.id,
            "team_id": caller.token.place,
            "is_usergroup": true,
            "name": group.name,
            "handle": group.handle,
            "description": "",
            "date_delete": i64::from(group.is_disabled),
        });
        if with_users {
            answer["users"] = json!(group.users);
        }
        if with_count {
            answer["user_count"] = group.users.len().into();
        }
        answer
    });
    let shown: Vec<Value> = shown.collect();
    Ok(json!({ "usergroups": shown }))
}
