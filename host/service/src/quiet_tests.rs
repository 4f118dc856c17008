//! Quiet hours: their ends, daylight saving included, and what is refused.

use super::*;

const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// "2026-01-05T22:00:00Z", or with another offset.
fn at(text: &str) -> Millis {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn calendar(name: &str, lines: &[&str]) -> Result<Calendar, QuietError> {
    let hours: Vec<QuietHours> = lines.iter().map(|line| line.parse().unwrap()).collect();
    Calendar::new(&hours, &zone(name))
}

/// When the quiet at `time` ends, in UTC.
fn until(name: &str, lines: &[&str], time: &str) -> Option<String> {
    let end = calendar(name, lines).unwrap().until(at(time))?;
    Some(Timestamp::from_millisecond(end).unwrap().to_string())
}

fn ends(name: &str, lines: &[&str], time: &str, end: &str) {
    assert_eq!(until(name, lines, time).as_deref(), Some(end), "{lines:?} at {time}");
}

fn is_loud(name: &str, lines: &[&str], time: &str) {
    assert_eq!(until(name, lines, time), None, "{lines:?} at {time}");
}

fn of_json(json: serde_json::Value) -> Result<Calendar, String> {
    let hours: Vec<QuietHours> = serde_json::from_value(json).map_err(|error| error.to_string())?;
    Calendar::new(&hours, &TimeZone::UTC).map_err(|error| error.to_string())
}

#[test]
fn nothing_is_never_quiet() {
    assert_eq!(Calendar::default().until(0), None);
    assert_eq!(Calendar::default().until(0), None);
    assert_eq!(calendar("UTC", &[]).unwrap().until(0), None);
}

#[test]
fn a_quiet_has_its_start_and_not_its_end() {
    let noon = ["12:00-13:00"];
    is_loud("UTC", &noon, "2026-01-05T11:59:59.999Z");
    ends("UTC", &noon, "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z");
    ends("UTC", &noon, "2026-01-05T12:59:59.999Z", "2026-01-05T13:00:00Z");
    is_loud("UTC", &noon, "2026-01-05T13:00:00Z");
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_starts() {
    // January 5, 2026 is a Monday.
    let monday = ["mon 22:00-07:00"];
    is_loud("UTC", &monday, "2026-01-05T06:00:00Z");
    ends("UTC", &monday, "2026-01-05T22:00:00Z", "2026-01-06T07:00:00Z");
    ends("UTC", &monday, "2026-01-06T06:59:00Z", "2026-01-06T07:00:00Z");
    is_loud("UTC", &monday, "2026-01-06T22:00:00Z");
    ends("UTC", &["22:00-07:00"], "2026-01-06T22:00:00Z", "2026-01-07T07:00:00Z");
}

#[test]
fn only_the_named_days_are_quiet() {
    let days = ["mon,wed-thu 12:00-13:00"];
    for (day, quiet) in [(5, true), (6, false), (7, true), (8, true), (9, false), (10, false), (11, false)] {
        let time = format!("2026-01-{day:02}T12:30:00Z");
        assert_eq!(until("UTC", &days, &time).is_some(), quiet, "{time}");
    }
}

#[test]
fn the_same_time_twice_is_a_whole_day_and_24_00_the_next_midnight() {
    ends("UTC", &["mon 09:00-09:00"], "2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z");
    ends("UTC", &["mon 00:00-00:00"], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    ends("UTC", &["mon 00:00-24:00"], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    ends("UTC", &["mon 20:00-24:00"], "2026-01-05T20:00:00Z", "2026-01-06T00:00:00Z");
    is_loud("UTC", &["mon 00:00-24:00"], "2026-01-06T00:00:00Z");
    // By the clock: the day on which clocks go forward has 23 hours.
    ends(BERLIN, &["sun 00:00-00:00"], "2026-03-29T00:00:00+01:00", "2026-03-29T22:00:00Z");
}

#[test]
fn a_time_that_clocks_leave_out_is_moved_by_the_gap() {
    // 02:00 CET is followed by 03:00 CEST.
    let half_past = ["02:30-06:00"];
    is_loud(BERLIN, &half_past, "2026-03-29T01:29:59Z");
    ends(BERLIN, &half_past, "2026-03-29T01:30:00Z", "2026-03-29T04:00:00Z");
    ends(BERLIN, &["22:00-02:30"], "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z");
    is_loud(BERLIN, &["22:00-02:30"], "2026-03-29T01:30:00Z");
    // 02:00 EST is followed by 03:00 EDT.
    is_loud(NEW_YORK, &half_past, "2026-03-08T07:29:59Z");
    ends(NEW_YORK, &half_past, "2026-03-08T07:30:00Z", "2026-03-08T10:00:00Z");
    // What would end before it starts is left out, on that day alone.
    for time in ["01:00:00", "01:14:00", "01:15:00", "01:29:00", "01:30:00"] {
        is_loud(BERLIN, &["02:30-03:15"], &format!("2026-03-29T{time}Z"));
    }
    ends(BERLIN, &["02:30-03:15"], "2026-03-30T00:30:00Z", "2026-03-30T01:15:00Z");
}

#[test]
fn of_a_time_that_clocks_show_twice_it_is_the_first() {
    // 03:00 CEST is followed by 02:00 CET.
    ends(BERLIN, &["22:00-02:30"], "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z");
    is_loud(BERLIN, &["22:00-02:30"], "2026-10-25T01:15:00Z");
    ends(BERLIN, &["02:30-06:00"], "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z");
    ends(BERLIN, &["22:00-07:00"], "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z");
    // 02:00 EDT is followed by 01:00 EST.
    ends(NEW_YORK, &["22:00-01:30"], "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z");
    is_loud(NEW_YORK, &["22:00-01:30"], "2026-11-01T06:15:00Z");
    ends(NEW_YORK, &["01:30-06:00"], "2026-11-01T05:30:00Z", "2026-11-01T11:00:00Z");
}

#[test]
fn clocks_that_are_moved_across_midnight_lose_no_quiet() {
    // St. John's went from 00:01 back to 23:01 of the day before: midnight of the 7th came first.
    ends("America/St_Johns", &["sun 00:00-06:00"], "2010-11-07T02:45:00Z", "2010-11-07T09:30:00Z");
    // Samoa had no December 30, 2011.
    ends("Pacific/Apia", &["thu 22:00-22:00"], "2011-12-31T07:00:00Z", "2011-12-31T08:00:00Z");
}

#[test]
fn intervals_that_touch_or_overlap_are_one_quiet() {
    // Friday's night, the weekend, Sunday's night.
    let week = ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00", "sun 22:00-07:00"];
    ends("UTC", &week, "2026-01-08T23:00:00Z", "2026-01-09T07:00:00Z");
    is_loud("UTC", &week, "2026-01-09T12:00:00Z");
    ends("UTC", &week, "2026-01-09T22:00:00Z", "2026-01-12T07:00:00Z");
    ends("UTC", &week, "2026-01-11T12:00:00Z", "2026-01-12T07:00:00Z");
    ends("UTC", &["12:00-13:00", "13:00-14:00"], "2026-01-05T12:00:00Z", "2026-01-05T14:00:00Z");
    ends("UTC", &["12:00-13:00", "13:01-14:00"], "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z");
    ends("UTC", &["12:00-18:00", "13:00-14:00"], "2026-01-05T13:30:00Z", "2026-01-05T18:00:00Z");
}

#[test]
fn an_interval_has_its_own_time_zone_or_the_organizations() {
    ends(NEW_YORK, &["22:00-07:00"], "2026-01-06T03:00:00Z", "2026-01-06T12:00:00Z");
    ends(NEW_YORK, &["22:00-07:00 Europe/Berlin"], "2026-01-05T21:00:00Z", "2026-01-06T06:00:00Z");
    is_loud(NEW_YORK, &["22:00-07:00 Europe/Berlin"], "2026-01-06T06:00:00Z");
    // Days are those of the interval's own zone: Tuesday in Auckland begins on Monday in New York.
    ends(NEW_YORK, &["tue 00:00-01:00 Pacific/Auckland"], "2026-01-05T11:30:00Z", "2026-01-05T12:00:00Z");
    // Intervals of two zones merge too: in winter, 07:00 in Berlin is 06:00 in London.
    let both = ["22:00-07:00 Europe/Berlin", "06:00-08:00 Europe/London"];
    ends("UTC", &both, "2026-01-05T22:00:00Z", "2026-01-06T08:00:00Z");
}

#[test]
fn quiet_without_end_is_refused() {
    let endless: [&[&str]; 6] = [
        &["00:00-00:00"],
        &["mon-sun 00:00-24:00"],
        &["22:00-07:00", "07:00-22:00"],
        &["09:00-21:00", "20:00-10:00"],
        &["sat,sun 12:00-12:00", "mon-fri 00:00-00:00", "sat 00:00-12:00"],
        // Through the summer, though not through the winter.
        &["00:00-12:00 UTC", "14:00-02:00 Europe/Berlin"],
    ];
    for lines in endless {
        assert_eq!(
            calendar(BERLIN, lines).unwrap_err().to_string(),
            "`quiet_hours`: expected some time in each week that is not quiet, since nothing would ever be sent \
             otherwise; found quiet without end",
            "{lines:?}"
        );
    }
    // One minute of a week is enough, and overlaps do not count twice.
    assert!(calendar(BERLIN, &["mon-sat 00:00-00:00", "sun 00:00-23:59"]).is_ok());
    assert!(calendar(BERLIN, &["00:00-20:00", "01:00-21:00"]).is_ok());
    ends(BERLIN, &["mon-sat 00:00-00:00", "sun 00:00-23:59"], "2026-01-04T23:00:00Z", "2026-01-11T22:59:00Z");
}

#[test]
fn no_end_is_more_than_eight_days_ahead() {
    let always = Interval {
        days: DAYS.iter().map(|(_, day)| *day).collect(),
        from: Time::midnight(),
        to: Time::midnight(),
        zone: zone(BERLIN),
    };
    let calendar = Calendar { intervals: vec![always] };
    assert_eq!(calendar.until(at("2026-03-25T12:34:56Z")), Some(at("2026-04-02T12:34:56Z")));
}

#[test]
fn times_that_no_calendar_has_are_not_quiet() {
    let calendar = calendar(BERLIN, &["22:00-07:00"]).unwrap();
    assert_eq!((calendar.until(Millis::MIN), calendar.until(Millis::MAX)), (None, None));
}

#[test]
fn the_wire_form_is_read_and_written() {
    let json = serde_json::json!({"days": ["mon", "tue"], "from": "22:00", "to": "07:00", "time_zone": BERLIN});
    let hours: QuietHours = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(hours, "mon,tue 22:00-07:00 Europe/Berlin".parse().unwrap());
    assert_eq!(serde_json::to_value(&hours).unwrap(), json);
    let short = serde_json::json!({"from": "22:00", "to": "07:00"});
    let hours: QuietHours = serde_json::from_value(short.clone()).unwrap();
    assert_eq!(serde_json::to_value(&hours).unwrap(), short);
    assert!(of_json(serde_json::json!([{"from": "22:00", "to": "07:00", "zone": BERLIN}])).is_err());
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    let days = "expected each of mon, tue, wed, thu, fri, sat and sun at most once";
    let from = "expected a time from 00:00 to 23:59, such as 22:00";
    let to = "expected a time from 00:00 to 24:00, such as 07:00";
    let zone = "expected a time zone of the IANA database, such as Europe/Berlin or UTC";
    for (member, value, told) in [
        ("days", serde_json::json!(["mon", "Tue"]), format!("{days}; found \"Tue\"")),
        ("days", serde_json::json!(["mon", "mon"]), format!("{days}; found \"mon\" twice")),
        (
            "days",
            serde_json::json!([]),
            "expected at least one day, or no `days` for every day; found an empty list".to_owned(),
        ),
        ("from", serde_json::json!("24:00"), format!("{from}; found \"24:00\"")),
        ("from", serde_json::json!("9:00"), format!("{from}; found \"9:00\"")),
        ("from", serde_json::json!("22:60"), format!("{from}; found \"22:60\"")),
        ("from", serde_json::json!("+1:00"), format!("{from}; found \"+1:00\"")),
        ("to", serde_json::json!("24:01"), format!("{to}; found \"24:01\"")),
        ("to", serde_json::json!("07:00:00"), format!("{to}; found \"07:00:00\"")),
        ("to", serde_json::json!(""), format!("{to}; found \"\"")),
        ("time_zone", serde_json::json!("Mars/Olympus"), format!("{zone}; found \"Mars/Olympus\"")),
        ("time_zone", serde_json::json!(""), format!("{zone}; found \"\"")),
    ] {
        let mut hours = serde_json::json!({"from": "22:00", "to": "07:00"});
        hours[member] = value;
        let list = serde_json::json!([{"from": "12:00", "to": "13:00"}, hours]);
        assert_eq!(of_json(list).unwrap_err(), format!("`quiet_hours[1].{member}`: {told}"));
    }
}

#[test]
fn more_than_fourteen_intervals_are_refused() {
    let noon = "12:00-13:00";
    assert!(calendar("UTC", &[noon; 14]).is_ok());
    assert_eq!(
        calendar("UTC", &[noon; 15]).unwrap_err().to_string(),
        "`quiet_hours`: expected at most 14 intervals; found 15"
    );
}

#[test]
fn the_command_line_takes_ranges_lists_and_any_case() {
    for (line, printed) in [
        ("MON-Fri 22:00-07:00", "mon-fri 22:00-07:00"),
        ("sat,sun 00:00-24:00 Europe/Berlin", "sat,sun 00:00-24:00 Europe/Berlin"),
        ("  22:00-07:00  ", "22:00-07:00"),
        ("sat-sun 22:00-07:00", "sat,sun 22:00-07:00"),
        ("fri-mon 22:00-07:00", "fri-mon 22:00-07:00"),
        ("wed-wed 22:00-07:00", "wed 22:00-07:00"),
        ("mon,tue,wed,fri 22:00-07:00", "mon-wed,fri 22:00-07:00"),
        ("fri,mon 22:00-07:00 UTC", "fri,mon 22:00-07:00 UTC"),
        ("mon-sun 01:00-02:00", "mon-sun 01:00-02:00"),
    ] {
        let hours: QuietHours = line.parse().unwrap();
        assert_eq!(hours.to_string(), printed);
        assert_eq!(printed.parse::<QuietHours>().unwrap(), hours);
    }
}

#[test]
fn a_wrong_line_is_told_what_is_wrong_with_it() {
    let form = "`quiet_hours`: expected days, times and time zone, such as \"mon-fri 22:00-07:00 Europe/Berlin\"; \
                the times are needed; found";
    for (line, told) in [
        ("", format!("{form} \"\"")),
        ("mon-fri", format!("{form} \"mon-fri\"")),
        ("22:00", format!("{form} \"22:00\"")),
        ("22:00-07:00 UTC now", format!("{form} \"22:00-07:00 UTC now\"")),
        ("mon-frei 22:00-07:00", "`days`: expected days such as mon-fri or sat,sun; found \"mon-frei\"".to_owned()),
        ("mon, 22:00-07:00", "`days`: expected days such as mon-fri or sat,sun; found \"\"".to_owned()),
        (
            "mon-fri,wed 22:00-07:00",
            "`days`: expected each of mon, tue, wed, thu, fri, sat and sun at most once; found \"wed\" twice"
                .to_owned(),
        ),
        ("mon 24:00-07:00", "`from`: expected a time from 00:00 to 23:59, such as 22:00; found \"24:00\"".to_owned()),
        ("mon 22:00-7", "`to`: expected a time from 00:00 to 24:00, such as 07:00; found \"7\"".to_owned()),
        (
            "22:00-07:00 Berlin",
            "`time_zone`: expected a time zone of the IANA database, such as Europe/Berlin or UTC; found \"Berlin\""
                .to_owned(),
        ),
    ] {
        assert_eq!(line.parse::<QuietHours>().unwrap_err().to_string(), told);
    }
}
