//! The configuration of the daemons.

use pfcluster_cli::report::json;
use pfcluster_core::document::Document as IniDocument;
use pfcluster_core::generate::{
    self as core, Access, Dashboard, GenerateError as CoreError, Options, Rendered, Request, Template,
};
use pfcluster_core::rule::Severity;
use pfcluster_core::span::Source;
use pyo3::prelude::*;
use serde_json::{Value, json as document_of};

use crate::classes::Class;
use crate::cluster::Cluster;
use crate::diagnostics;
use crate::document::Document;
use crate::error::{GenerateError, guarded, input};
use crate::input::{number, pair, parse, texts, word};

/// Generates files for one member: those of `keepalived`, `haproxy-db`, `haproxy-portal`, `haproxy-admin`, `mariadb`, or all
/// of them.
#[pyfunction]
#[pyo3(signature = (cluster, what=None, *, host=None, templates=None, advert_int=None, readonly_hook=false,
    dashboard=None, haproxy_version=None, keepalived_version=None, galera_provider=None, install_dir=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn generate(
    py: Python<'_>,
    cluster: &Bound<'_, Cluster>,
    what: Option<&Bound<'_, PyAny>>,
    host: Option<&Bound<'_, PyAny>>,
    templates: Option<&Bound<'_, PyAny>>,
    advert_int: Option<&Bound<'_, PyAny>>,
    readonly_hook: bool,
    dashboard: Option<&Bound<'_, PyAny>>,
    haproxy_version: Option<&Bound<'_, PyAny>>,
    keepalived_version: Option<&Bound<'_, PyAny>>,
    galera_provider: Option<&Bound<'_, PyAny>>,
    install_dir: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    guarded(|| {
        let what = what.map(|what| word(what, "what")).transpose()?;
        let mut options = Options::default();
        if let Some(seconds) = advert_int {
            options.advert_int = number(seconds, "advert_int", 1..=255)?;
        }
        options.readonly_hook = readonly_hook;
        if let Some(dashboard) = dashboard {
            let (user, password) = pair(dashboard, "dashboard")?;
            let (user, password) = (word(&user, "dashboard")?, word(&password, "dashboard")?);
            options.dashboard = Some(Dashboard { user, password });
        }
        if let Some(version) = haproxy_version {
            options.haproxy = parse(version, "haproxy_version", "write it like \"2.6\"")?;
        }
        if let Some(version) = keepalived_version {
            options.keepalived = parse(version, "keepalived_version", "write it like \"2.2\"")?;
        }
        if let Some(path) = galera_provider {
            options.galera_provider = word(path, "galera_provider")?;
        }
        if let Some(path) = install_dir {
            options.install_dir = word(path, "install_dir")?;
        }
        let templates: Vec<(String, String)> = texts(templates, "templates")?;
        options.templates = templates.into_iter().map(|(path, text)| Template { path, text }).collect();
        let rendered = render(py, cluster.get(), what.as_deref().unwrap_or("all"), host, options)?;
        let states: Vec<_> = rendered.files.iter().map(|file| (file, None)).collect();
        let text: Vec<&str> = rendered.files.iter().map(|file| file.path).collect();
        let document = Document::answer(&json::generate(&states, &rendered), text.join("\n"))?;
        Class::Generated.wrap(py, Document { hidden: contents(&rendered), ..document })
    })
}

fn render(
    py: Python<'_>,
    cluster: &Cluster,
    what: &str,
    host: Option<&Bound<'_, PyAny>>,
    options: Options,
) -> PyResult<Rendered> {
    let part = match what {
        "keepalived" => core::keepalived,
        "haproxy-db" => core::haproxy_db,
        "haproxy-portal" => core::haproxy_portal,
        "haproxy-admin" => core::haproxy_admin,
        "mariadb" => core::mariadb,
        "all" => core::all,
        _ => {
            let help = "give keepalived, haproxy-db, haproxy-portal, haproxy-admin, mariadb, or all";
            return Err(input(format!("`{}` is nothing that is generated", what.escape_debug()), help));
        }
    };
    let files = &cluster.files;
    let me = match host {
        Some(host) => cluster.hostname(host, "host")?,
        None => files.host.clone().ok_or_else(|| input("it is not said for which member", "name it as `host`"))?,
    };
    let installation = cluster.installation();
    let pf_conf = installation.pf_conf.as_ref();
    let pf_conf = pf_conf.ok_or_else(|| input("the cluster was read without pf.conf", "hand it over as `pf_conf`"))?;
    let networks = files.networks_conf.as_ref().map(|text| IniDocument::parse(Source::NetworksConf, text).value);
    let mut request = Request::new(&installation.cluster, pf_conf, &me, files.version);
    request.networks_conf = networks.as_ref();
    request.disabled.clone_from(&files.disabled);
    request.options = options;
    part(&request).map_err(|error| match error {
        CoreError::NotAMember(host) => cluster.not_a_member(&host),
        error => {
            // The files themselves may well be the cause.
            let found = if installation.diagnostics.count(Severity::Error) == 0 {
                Ok(Value::Null)
            } else {
                diagnostics::document(installation, |source| files.name_of(source)).map(|document| document.value)
            };
            match found.and_then(|found| diagnostics::errors(py, &found)) {
                Ok(errors) => GenerateError::new_err((error.to_string(), error.help().to_owned(), errors)),
                Err(error) => error,
            }
        }
    })
}

fn contents(rendered: &Rendered) -> Value {
    let files = rendered.files.iter().map(|file| {
        let access = match file.access {
            Access::Public => "public",
            Access::Placeholder => "placeholder",
            Access::Database => "database",
            Access::DatabaseScript => "database_script",
            // What is new in the core is better kept too close than too open.
            _ => "secret",
        };
        document_of!({ "path": file.path, "text": file.text, "access": access })
    });
    Value::Array(files.collect())
}
