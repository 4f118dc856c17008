//! `cargo xtask pictures`: each mail of the tests as a browser shows it, for docs/pictures. Needs chromium.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Where the mails are: those that the tests compare.
const MAILS: &str = "plugins/email/tests/snapshots";
const PICTURES: &str = "docs/pictures";
/// Each is tried.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How a mail is looked at: the picture's ending, the width, and whether it is dark.
const LOOKS: [(&str, u32, bool); 3] = [("", 680, false), ("-dark", 680, true), ("-narrow", 380, false)];
/// These are looked at in every way, the others in the first.
const IN_EVERY_WAY: &str = "full";

pub(crate) fn run() -> Result<()> {
    let browser = BROWSERS
        .into_iter()
        .find(|browser| Command::new(browser).arg("--version").output().is_ok_and(|output| output.status.success()))
        .with_context(|| format!("no browser is installed: one of {} is needed", BROWSERS.join(", ")))?;
    fs::create_dir_all(PICTURES)?;
    let folder = std::env::temp_dir().join(format!("pqh-pictures-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut mails: Vec<PathBuf> = fs::read_dir(MAILS)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    mails.sort();
    for mail in mails {
        let name = mail.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let Some(name) = name.strip_prefix("messages__").and_then(|name| name.strip_suffix("-html.snap")) else {
            continue;
        };
        let text = fs::read_to_string(&mail)?;
        let (_, html) = text.split_once("\n---\n").context("a snapshot without a head")?;
        let page = folder.join(format!("{name}.html"));
        fs::write(&page, html)?;
        let looks = if name == IN_EVERY_WAY { &LOOKS[..] } else { &LOOKS[..1] };
        for (ending, width, dark) in looks {
            let picture = Path::new(PICTURES).join(format!("email-{name}{ending}.png"));
            photograph(browser, &page, &picture, *width, *dark)?;
            println!("{}", picture.display());
        }
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn photograph(browser: &str, page: &Path, picture: &Path, width: u32, dark: bool) -> Result<()> {
    let height = height(browser, page, width)?;
    let output = headless(browser, page, dark)
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--screenshot={}", picture.display()))
        .output()?;
    if !output.status.success() || !picture.exists() {
        bail!("{browser} made no picture: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// How high the page is in this width. A browser's window has a least width, a frame has none: measured in one.
fn height(browser: &str, page: &Path, width: u32) -> Result<u32> {
    let measured = page.with_extension("measured.html");
    let framed = fs::read_to_string(page)?.replace('&', "&amp;").replace('"', "&quot;");
    let script = "document.title='height:'+this.contentDocument.documentElement.scrollHeight";
    let frame =
        format!("<iframe onload=\"{script}\" style=\"width:{width}px;height:9px;border:0\" srcdoc=\"{framed}\">");
    fs::write(&measured, format!("<!doctype html><title></title>{frame}</iframe>"))?;
    let output = headless(browser, &measured, false).arg("--dump-dom").output()?;
    let dom = String::from_utf8_lossy(&output.stdout);
    let height = dom.split_once("<title>height:").and_then(|(_, rest)| rest.split('<').next()?.parse().ok());
    height.context("the browser says nothing of the page's height")
}

fn headless(browser: &str, page: &Path, dark: bool) -> Command {
    let mut command = Command::new(browser);
    // What is seen must not depend on the machine: no scroll bars, one pixel a pixel, nothing from the network.
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .arg(format!("--user-data-dir={}", page.with_extension("profile").display()))
        .arg(format!("file://{}", page.display()));
    command
}
