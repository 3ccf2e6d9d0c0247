//! Clew's window: the engine and the UI in one process, joined by one command and a few events.
//!
//! Everything that Clew knows comes through [`call`]. What the page may not do itself (pick files, take dropped ones)
//! is in [`files`], which of them were opened last in [`recent`]; addresses it opens and links that lead to it are in [`links`]; what Linux needs before a window can open is in [`rendering`].
#![cfg_attr(windows, windows_subsystem = "windows")]

mod files;
mod links;
mod recent;
mod rendering;
#[cfg(target_os = "linux")]
mod second;

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use clew_engine::host::next_topics;
use clew_engine::instance::{Kind, Running, Start, ending};
use clew_engine::{Engine, Error, api, harden};
use tauri::ipc::Response;
use tauri::webview::NewWindowResponse;
use tauri::{
    App, AppHandle, Emitter as _, Manager as _, RunEvent, State, WebviewWindow,
    WebviewWindowBuilder,
};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};

/// Label of the one window.
const WINDOW: &str = "main";

/// The running Clew, until the window closes.
struct Held(Mutex<Option<Running>>);

#[expect(
    clippy::disallowed_methods,
    reason = "tauri's generated code ends the process where its context cannot be read"
)]
fn main() -> anyhow::Result<()> {
    rendering::prepare()?;
    #[cfg(target_os = "linux")]
    if second::hand_over() {
        return Ok(());
    }
    harden::process();
    harden::core_dumps();
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLEW_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(
            |app, arguments, folder| {
                focus(app);
                files::take_arguments(app, arguments.into_iter().skip(1), folder.as_ref());
            },
        ))
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_deep_link::init())
        .plugin(
            tauri_plugin_opener::Builder::new()
                .open_js_links_on_click(false)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![
            call,
            files::pick_files,
            recent::recent_files,
            recent::pick_recent,
            links::open_link,
            links::take_place,
            set_zoom
        ])
        .setup(|app| {
            if let Err(error) = open(app) {
                refuse(app.handle(), &error);
            }
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        if let RunEvent::Exit = event {
            close(app);
        }
    });
    Ok(())
}

/// Answers a command of the engine: the bytes of its reply, JSON or packed.
#[tauri::command]
async fn call(
    name: String,
    params: serde_json::Value,
    engine: State<'_, Engine>,
    waiting: State<'_, files::Waiting>,
) -> Result<Response, Error> {
    if name == "open_files" {
        waiting.clear();
    }
    let engine = Engine::clone(&engine);
    let params = serde_json::to_vec(&params).map_err(Error::internal)?;
    // A task of its own: a panic costs one answer, not the window.
    let answer =
        tauri::async_runtime::spawn(async move { api::dispatch(&engine, &name, &params).await });
    match answer.await.map_err(Error::internal)?? {
        api::Reply::Json(bytes) | api::Reply::Packed(bytes) => Ok(Response::new(bytes)),
    }
}

/// Draws the page larger or smaller; 1 is its own size.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tauri hands parameters over by value"
)]
fn set_zoom(window: WebviewWindow, factor: f64) -> Result<(), Error> {
    let factor = if factor.is_finite() { factor } else { 1.0 };
    window
        .set_zoom(factor.clamp(0.5, 2.0))
        .map_err(Error::internal)
}

/// Opens engine, sockets and window.
fn open(app: &App) -> anyhow::Result<()> {
    let start = Start::from_environment(|name| std::env::var(name).ok())?;
    let running = tauri::async_runtime::block_on(Running::start(start, Kind::Window, |_| None))?;
    let engine = running.engine.clone();
    app.manage(engine.clone());
    app.manage(files::Waiting::default());
    app.manage(links::Place::default());
    app.manage(recent::Recent::read(&app.path().app_data_dir()?));
    app.manage(Held(Mutex::new(Some(running))));

    let config = app.config().app.windows.first();
    let config = config.ok_or_else(|| anyhow::anyhow!("tauri.conf.json names no window"))?;
    let window = WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    files::take_drops(&window);
    links::register(app.handle());

    let mut topics = engine.subscribe();
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        while let Some(stale) = next_topics(&mut topics).await {
            if let Err(error) = handle.emit_to(WINDOW, "changed", stale) {
                tracing::warn!("cannot tell the page of a change: {error}");
            }
        }
    });
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        match ending().await {
            Ok(_) => handle.exit(0),
            Err(error) => tracing::warn!("cannot listen for signals: {error}"),
        }
    });
    let folder = std::env::current_dir().unwrap_or_default();
    files::take_arguments(app.handle(), std::env::args().skip(1), &folder);
    Ok(())
}

/// The page may go nowhere but to itself.
fn is_own(url: &tauri::Url) -> bool {
    let is_ours = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // Windows serves the page under a name of http.
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    if !is_ours {
        tracing::warn!(
            "refused to leave the page for {}",
            url.origin().ascii_serialization()
        );
    }
    is_ours
}

/// Says why Clew cannot open, and ends.
fn refuse(app: &AppHandle, error: &anyhow::Error) {
    tracing::error!("cannot open Clew: {error:#}");
    let ending = app.clone();
    app.dialog()
        .message(format!("{error:#}"))
        .title("Clew cannot open")
        .kind(MessageDialogKind::Error)
        .show(move |_| ending.exit(1));
}

/// Brings the window to the front.
fn focus(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        let raised = window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus());
        if let Err(error) = raised {
            tracing::warn!("cannot bring the window to the front: {error}");
        }
    }
}

/// Commits what was taken, within five seconds.
fn close(app: &AppHandle) {
    let Some(state) = app.try_state::<Held>() else {
        return;
    };
    let running = state
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(running) = running
        && let Err(error) = tauri::async_runtime::block_on(running.shut_down())
    {
        tracing::warn!("{error}");
    }
}
