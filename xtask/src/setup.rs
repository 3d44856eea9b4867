//! Installs what is missing: the wasm target, the npm packages, a browser and its driver.
//!
//! Each function returns once its tool is installed. If it can't install the tool, its error is one
//! sentence that says what to install.

use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// The browsers that the page tests can use, in order of preference.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// What to install on Debian and its derivatives: the browser, its driver, and fonts.
const BROWSER_PACKAGES: [&str; 4] = ["chromium", "chromium-driver", "fonts-liberation", "fonts-dejavu-core"];

/// Chromium without windows, tabs and toolbars: it opens a page in a third of the time.
const HEADLESS_SHELL: &str = "chromium-headless-shell";

/// The standard library for another target, from rustup.
pub fn ensure_target(target: &str) -> Result<()> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(tools::root()).args(["--print", "target-libdir", "--target", target]);
    let printed = rustc.stderr(Stdio::null()).output().context("cannot start rustc")?;
    let folder = String::from_utf8(printed.stdout)?;
    if printed.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    tools::run(tools::program("rustup").args(["target", "add", target]))
        .with_context(|| format!("Rust's {target} target is missing; install it with `rustup target add {target}`"))
}

/// Node, which runs wasm tests and everything from npm.
pub fn ensure_node() -> Result<()> {
    ensure!(tools::find(&["node"]).is_some(), "Node.js is missing; install version 20 or later, with npm");
    Ok(())
}

/// The npm packages that `package-lock.json` names.
pub fn ensure_npm_packages() -> Result<()> {
    ensure_node()?;
    let root = tools::root();
    let modified = |name: &str| root.join(name).metadata().and_then(|file| file.modified()).ok();
    let lock = modified("package-lock.json").context("there is no package-lock.json")?;
    // npm writes this file last.
    if is_installed_since(modified("node_modules/.package-lock.json"), lock) {
        return Ok(());
    }
    tools::run(tools::npm("npm").args(["ci", "--no-audit", "--no-fund"]))
        .context("the npm packages could not be installed; run `npm ci` where the npm registry can be reached")
}

fn is_installed_since(installed: Option<SystemTime>, lock: SystemTime) -> bool {
    installed.is_some_and(|installed| installed >= lock)
}

/// A Chromium or Chrome: `$CHROMIUM`, or one on the search path, or a new one.
pub fn ensure_browser() -> Result<PathBuf> {
    match named_by("CHROMIUM")? {
        Some(named) => Ok(named),
        None => find_or_install(|| tools::find(&BROWSERS), &BROWSER_PACKAGES)
            .context("Chromium is missing; install it (Debian's package `chromium`) or name one in $CHROMIUM"),
    }
}

/// A browser for the page's tests: `$CHROMIUM`, or Chromium's headless shell where that is there or
/// can be installed, or what [`ensure_browser`] has.
pub fn ensure_headless_browser() -> Result<PathBuf> {
    if let Some(named) = named_by("CHROMIUM")? {
        return Ok(named);
    }
    let find = || tools::find(&[HEADLESS_SHELL]);
    match find_or_install(find, &[HEADLESS_SHELL]) {
        Ok(found) => Ok(found),
        Err(error) => {
            println!("{HEADLESS_SHELL} could not be installed ({error:#}); Chromium itself takes longer.");
            ensure_browser()
        }
    }
}

/// The browser's driver: `$CHROMEDRIVER`, or one on the search path, or a new one.
pub fn ensure_driver() -> Result<PathBuf> {
    let find = || {
        let beside_chrome = env::var_os("CHROMEWEBDRIVER").map(|folder| PathBuf::from(folder).join("chromedriver"));
        tools::find(&["chromedriver"]).or(beside_chrome.filter(|path| path.is_file()))
    };
    match named_by("CHROMEDRIVER")? {
        Some(named) => Ok(named),
        None => find_or_install(find, &BROWSER_PACKAGES).context(
            "ChromeDriver is missing; install it (Debian's package `chromium-driver`) or name one in $CHROMEDRIVER",
        ),
    }
}

/// The program that the environment variable names, which must exist.
fn named_by(variable: &str) -> Result<Option<PathBuf>> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(value);
    ensure!(path.is_file(), "${variable} names {}, which is not there", path.display());
    Ok(Some(path))
}

fn find_or_install(find: impl Fn() -> Option<PathBuf>, packages: &[&str]) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    install(packages)?;
    find().context("it is still not on the search path after the installation")
}

fn install(packages: &[&str]) -> Result<()> {
    ensure!(tools::find(&["apt-get"]).is_some(), "this system has no apt-get that could install it");
    // Without a network it gives up soon.
    const PATIENCE: [&str; 4] = ["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1"];
    let mut update = as_root("apt-get")?;
    tools::run(update.args(PATIENCE).arg("update"))?;
    let mut install = as_root("apt-get")?;
    install.args(PATIENCE).args(["install", "--yes", "--no-install-recommends"]).args(packages);
    tools::run(&mut install)
}

/// The command as root, if that needs no password.
fn as_root(name: &str) -> Result<Command> {
    let succeeds = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    let is_root = tools::program("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout.trim_ascii() == b"0");
    let mut command = if is_root {
        tools::program(name)
    } else if succeeds(tools::program("sudo").args(["-n", "true"])) {
        let mut sudo = tools::program("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", name]);
        sudo
    } else {
        bail!("installing it needs root, or sudo without a password");
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn packages_older_than_the_lock_file_are_installed_again() {
        let lock = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        assert!(!is_installed_since(None, lock));
        assert!(!is_installed_since(Some(lock - Duration::from_secs(1)), lock));
        assert!(is_installed_since(Some(lock), lock));
        assert!(is_installed_since(Some(lock + Duration::from_secs(1)), lock));
    }
}
