//! The browser half of the build: the islands as WebAssembly, the bundled style sheet and the public files, laid out
//! as cargo-leptos does (`pkg/holdpoint.HASH.js`, hashes in `hash.txt`), with cargo and crates alone.
//!
//! Node.js is optional: with it, wasm-opt from npm's binaryen makes the module a third smaller.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{css, process};

const NAME: &str = "holdpoint";
const WASM: &str = "wasm32-unknown-unknown";

/// What Chromium, Firefox and Safari of the last years read. Not `--all-features`: Chromium refuses what that writes.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// How to build the site, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The cargo profile of the WebAssembly half.
    pub profile: String,
    /// The finished site's folder.
    pub site: PathBuf,
    /// Whether to shrink with wasm-opt where it can be had.
    pub optimise: bool,
    /// Whether to write `.br` and `.gz` beside each file.
    pub precompress: bool,
}

impl Options {
    /// The site as it is shipped.
    pub(crate) fn release(site: PathBuf) -> Self {
        Self {
            profile: "wasm-release".to_owned(),
            site,
            optimise: true,
            precompress: true,
        }
    }

    /// The site that is built fastest.
    pub(crate) fn quick(profile: &str, site: PathBuf) -> Self {
        Self {
            profile: profile.to_owned(),
            site,
            optimise: false,
            precompress: false,
        }
    }

    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::quick("dev", process::target_dir().join("site"));
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value after it"))
            };
            match word.as_str() {
                "--release" => options = Self::release(options.site),
                "--profile" => value()?.clone_into(&mut options.profile),
                "--site" => options.site = process::root().join(value()?),
                "--wasm-opt" => options.optimise = true,
                other => bail!("`xtask wasm` does not know \"{other}\""),
            }
        }
        Ok(options)
    }

    fn profile_dir(&self) -> &str {
        if self.profile == "dev" {
            "debug"
        } else {
            &self.profile
        }
    }
}

/// Builds the site unless nothing has changed since it was built. Returns the names of the files in `pkg/`.
pub(crate) fn build(options: &Options) -> Result<Vec<PathBuf>> {
    let module = compile(options)?;
    let wasm_opt = if options.optimise { wasm_opt() } else { None };
    let style = css::bundle(&process::root().join("style/main.css"))?;
    let public = files_below(&process::root().join("public"))?;

    let stamp = stamp(options, &module, wasm_opt.is_some(), &style, &public)?;
    let stamp_file = stamp_file(&options.site);
    let fresh = options.site.join("hash.txt").is_file()
        && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp);
    if !fresh {
        eprintln!("xtask: building {}", shown(&options.site));
        let fresh_site = options.site.with_extension("new");
        remove(&fresh_site)?;
        write_site(
            options,
            &fresh_site,
            &module,
            wasm_opt.as_deref(),
            &style,
            &public,
        )?;
        // Swapped whole, so that a running server never sees half a site.
        let old_site = options.site.with_extension("old");
        remove(&old_site)?;
        if options.site.exists() {
            fs::rename(&options.site, &old_site)?;
        }
        fs::rename(&fresh_site, &options.site)?;
        remove(&old_site)?;
        fs::create_dir_all(stamp_file.parent().expect("a stamp lies in a folder"))?;
        fs::write(&stamp_file, &stamp)?;
    }
    let mut files: Vec<PathBuf> = fs::read_dir(options.site.join("pkg"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

/// Compiles the islands with cargo, which knows what is fresh.
fn compile(options: &Options) -> Result<PathBuf> {
    process::run(process::cargo().args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "holdpoint-browser",
        "--target",
        WASM,
        "--profile",
        &options.profile,
    ]))
    .with_context(|| format!("if the target is missing: `rustup target add {WASM}`"))?;
    Ok(process::target_dir()
        .join(WASM)
        .join(options.profile_dir())
        .join("holdpoint_browser.wasm"))
}

fn write_site(
    options: &Options,
    site: &Path,
    module: &Path,
    wasm_opt: Option<&Path>,
    style: &str,
    public: &[(String, PathBuf)],
) -> Result<()> {
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg)?;
    for (name, file) in public {
        let copy = site.join(name);
        fs::create_dir_all(copy.parent().expect("a file lies in a folder"))?;
        fs::copy(file, &copy).with_context(|| format!("cannot copy public/{name}"))?;
    }

    let mut bindings = Bindgen::new()
        .input_path(module)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(options.precompress)
        .remove_producers_section(true)
        .generate_output()?;
    if !bindings.local_modules().is_empty() || !bindings.npm_dependencies().is_empty() {
        bail!(
            "a crate of the browser half brings JavaScript files of its own; the site has no place for them"
        );
    }
    let mut wasm = bindings.wasm_mut().emit_wasm();
    if let Some(program) = wasm_opt {
        wasm = optimised(program, &pkg, &wasm)?;
    }
    let mut script = minify_script(bindings.js());
    for (name, parts) in bindings.snippets() {
        for (index, part) in parts.iter().enumerate() {
            let file = format!("snippets/{name}/inline{index}.js");
            let snippet_hash = hash(part.as_bytes());
            let hashed = format!("snippets/{name}/inline{index}.{snippet_hash}.js");
            script = script.replace(&file, &hashed);
            let path = pkg.join(&hashed);
            fs::create_dir_all(path.parent().expect("a snippet lies in a folder"))?;
            fs::write(path, part)?;
        }
    }

    let parts: BTreeMap<&str, &[u8]> = BTreeMap::from([
        ("css", style.as_bytes()),
        ("js", script.as_bytes()),
        ("wasm", wasm.as_slice()),
    ]);
    let mut hashes = String::new();
    for (extension, bytes) in parts {
        let hash = hash(bytes);
        fs::write(pkg.join(format!("{NAME}.{hash}.{extension}")), bytes)?;
        writeln!(hashes, "{extension}: {hash}")?;
    }
    if options.precompress {
        for (_, file) in files_below(site)? {
            precompress(&file)?;
        }
    }
    // Last, since a site with this file counts as whole.
    fs::write(site.join("hash.txt"), hashes)?;
    Ok(())
}

/// wasm-bindgen's glue is written to be read; comments and indentation go, everything else stays.
fn minify_script(script: &str) -> String {
    let mut short = String::with_capacity(script.len());
    let mut in_comment = false;
    for line in script.lines() {
        let line = line.trim();
        if in_comment || line.starts_with("/*") {
            in_comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            short.push_str(line);
            short.push('\n');
        }
    }
    short
}

/// wasm-opt from the path, or from npm beside this crate; installed there once when npm can be had.
fn wasm_opt() -> Option<PathBuf> {
    if let Some(program) = process::on_path("wasm-opt") {
        return Some(program);
    }
    let here = process::root().join("server/xtask");
    let program = here.join("node_modules/.bin/wasm-opt");
    if program.is_file() && process::on_path("node").is_some() {
        return Some(program);
    }
    if process::on_path("npm").is_none() {
        eprintln!(
            "xtask: Node.js is not here, so wasm-opt is left out: the browser module is about a third larger."
        );
        return None;
    }
    eprintln!(
        "xtask: installing wasm-opt (npm package binaryen, pinned, into server/xtask/node_modules) to make the \
         browser module a third smaller."
    );
    let installed = process::run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--loglevel=error"])
            .current_dir(&here),
    );
    if let Err(error) = installed {
        eprintln!("xtask: {error:#}; wasm-opt is left out.");
        return None;
    }
    Some(program)
}

fn optimised(program: &Path, folder: &Path, wasm: &[u8]) -> Result<Vec<u8>> {
    let (input, output) = (folder.join("in.wasm"), folder.join("out.wasm"));
    fs::write(&input, wasm)?;
    process::run(
        Command::new(program)
            .args(WASM_FEATURES)
            .arg("-Oz")
            .arg(&input)
            .arg("-o")
            .arg(&output),
    )?;
    let short = fs::read(&output)?;
    fs::remove_file(&input)?;
    fs::remove_file(&output)?;
    Ok(short)
}

/// Writes `.br` and `.gz` beside a file where they are smaller than it.
fn precompress(file: &Path) -> Result<()> {
    let bytes = fs::read(file)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    for (extension, short) in [("br", brotli(&bytes)?), ("gz", gzip.finish()?)] {
        if short.len() < bytes.len() {
            let mut name = file.as_os_str().to_owned();
            name.push(".");
            name.push(extension);
            fs::write(PathBuf::from(name), short)?;
        }
    }
    Ok(())
}

/// The bytes as brotli makes them at its best.
pub(crate) fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    let mut short = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut short, &parameters)?;
    Ok(short)
}

/// Names everything that the site is made of, so that an equal stamp means an equal site.
fn stamp(
    options: &Options,
    module: &Path,
    has_wasm_opt: bool,
    style: &str,
    public: &[(String, PathBuf)],
) -> Result<String> {
    let us = std::env::current_exe().and_then(fs::read)?;
    let mut stamp = format!("xtask {}\n", hash(&us));
    writeln!(
        stamp,
        "profile {} wasm-opt {has_wasm_opt} precompress {}",
        options.profile, options.precompress
    )?;
    let wasm = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    writeln!(stamp, "wasm {}", hash(&wasm))?;
    writeln!(stamp, "css {}", hash(style.as_bytes()))?;
    for (name, file) in public {
        writeln!(stamp, "public {name} {}", hash(&fs::read(file)?))?;
    }
    Ok(stamp)
}

fn stamp_file(site: &Path) -> PathBuf {
    let name = site.file_name().unwrap_or_default().to_string_lossy();
    process::target_dir()
        .join("xtask")
        .join(format!("{name}.stamp"))
}

/// Every file below a folder, with its name relative to it, in order.
fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        if !next.exists() {
            continue;
        }
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .expect("found below it")
                    .to_string_lossy();
                files.push((name.into_owned(), path.clone()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Enough of the digest to tell every version of a file from the others.
fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(process::root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_keeps_the_site_named_before_it() {
        let words = ["--site", "target/elsewhere", "--release"].map(str::to_owned);
        let options = Options::parse(&words).unwrap();
        assert_eq!(options.profile, "wasm-release");
        assert!(options.precompress);
        assert!(options.site.ends_with("target/elsewhere"));
    }

    #[test]
    fn an_unknown_word_is_refused_by_name() {
        let error = Options::parse(&["--fast".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("--fast"), "{error}");
    }

    #[test]
    fn a_script_loses_comments_and_indentation_only() {
        let script = "/* tslint */\nlet a;\n/**\n * @param x\n */\nfunction f(x) {\n    // why\n    return `a // b`;\n}\n";
        assert_eq!(
            minify_script(script),
            "let a;\nfunction f(x) {\nreturn `a // b`;\n}\n"
        );
    }
}
