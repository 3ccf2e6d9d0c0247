//! Files that the user picked, dropped or named: the page gets tokens for them, never paths.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clew_engine::Engine;
use serde::Serialize;
use tauri::{
    AppHandle, DragDropEvent, Emitter as _, Manager as _, State, Url, WebviewWindow, WindowEvent,
};
use tauri_plugin_dialog::DialogExt as _;

use crate::recent::Recent;
use crate::{WINDOW, links};

/// How long a page that has just opened is given before it is told again.
const AGAIN: Duration = Duration::from_millis(500);
/// How often it is told.
const TIMES: usize = 40;

/// Tokens that no page has taken yet: files named at the start are there before the page listens.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Vec<String>>);

impl Waiting {
    /// Forgets them: the page has asked to open files.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn add(&self, tokens: Vec<String>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(tokens);
    }

    fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What the event `dropped` carries.
#[derive(Debug, Clone, Serialize)]
struct Dropped {
    tokens: Vec<String>,
}

/// Lets the user pick files; returns their tokens, none when the user backs out.
#[tauri::command]
pub(crate) async fn pick_files(
    app: AppHandle,
    engine: State<'_, Engine>,
) -> Result<Vec<String>, clew_engine::Error> {
    let (tell, told) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .set_title("Open traces")
        .pick_files(|picked| {
            let _ = tell.send(picked);
        });
    let picked = told.await.map_err(clew_engine::Error::internal)?;
    let paths = picked.unwrap_or_default().into_iter();
    Ok(offer(
        &app,
        &engine,
        paths.filter_map(|path| path.into_path().ok()),
    ))
}

/// Takes files that are dropped on the window, and tells the page while they hover over it.
pub(crate) fn take_drops(window: &WebviewWindow) {
    let app = window.app_handle().clone();
    window.on_window_event(move |event| {
        let WindowEvent::DragDrop(event) = event else {
            return;
        };
        if let Some(hovering) = hovering(event)
            && let Err(error) = app.emit_to(WINDOW, "hovering", hovering)
        {
            tracing::warn!("cannot tell the page of files that hover over it: {error}");
        }
        if let DragDropEvent::Drop { paths, .. } = event {
            hand_over(&app, paths.clone());
        }
    });
}

/// Whether files hover over the window from now on; `None` where that has not changed.
fn hovering(event: &DragDropEvent) -> Option<bool> {
    match event {
        DragDropEvent::Enter { paths, .. } => Some(!paths.is_empty()),
        DragDropEvent::Drop { .. } | DragDropEvent::Leave => Some(false),
        _ => None,
    }
}

/// Takes files and links that were named when Clew was started, or started again. Flags are neither.
pub(crate) fn take_arguments(
    app: &AppHandle,
    arguments: impl Iterator<Item = String>,
    folder: &Path,
) {
    let mut named: Vec<PathBuf> = Vec::new();
    for argument in arguments.filter(|argument| !argument.starts_with('-')) {
        if links::is_link(&argument) {
            links::follow(app, &argument);
        } else {
            named.push(path_of(&argument, folder));
        }
    }
    if !named.is_empty() {
        hand_over(app, named);
    }
}

/// The path that an argument names: desktops hand files over as `file:` URLs too.
fn path_of(argument: &str, folder: &Path) -> PathBuf {
    Url::parse(argument)
        .ok()
        .filter(|url| url.scheme() == "file")
        .and_then(|url| url.to_file_path().ok())
        .unwrap_or_else(|| folder.join(argument))
}

/// Tells the page of files until it takes them.
fn hand_over(app: &AppHandle, paths: Vec<PathBuf>) {
    let (Some(engine), Some(waiting)) = (app.try_state::<Engine>(), app.try_state::<Waiting>())
    else {
        return;
    };
    waiting.add(offer(app, &engine, paths.into_iter()));
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        for _ in 0..TIMES {
            let tokens = app.state::<Waiting>().all();
            if tokens.is_empty() {
                return;
            }
            if let Err(error) = app.emit_to(WINDOW, "dropped", Dropped { tokens }) {
                tracing::warn!("cannot tell the page of files: {error}");
            }
            tokio::time::sleep(AGAIN).await;
        }
        app.state::<Waiting>().clear();
    });
}

/// Offers regular files to the engine, and remembers them; anything else is left out, with a word in the log.
fn offer(app: &AppHandle, engine: &Engine, paths: impl Iterator<Item = PathBuf>) -> Vec<String> {
    let files: Vec<PathBuf> = paths
        .filter(|path| {
            let is_file = path.is_file();
            if !is_file {
                tracing::warn!("not a file: {}", path.display());
            }
            is_file
        })
        .collect();
    if !files.is_empty() {
        app.state::<Recent>().add(&files);
    }
    files.iter().map(|path| engine.offer_file(path)).collect()
}

#[cfg(test)]
mod tests {
    use tauri::PhysicalPosition;

    use super::*;

    #[test]
    fn the_page_is_told_when_files_come_and_when_they_go() {
        let position = PhysicalPosition::new(4.0, 4.0);
        let paths = vec![PathBuf::from("saved.jsonl")];
        let enter = |paths| DragDropEvent::Enter { paths, position };
        assert_eq!(hovering(&enter(paths.clone())), Some(true));
        assert_eq!(
            hovering(&enter(Vec::new())),
            Some(false),
            "text, or a picture"
        );
        assert_eq!(hovering(&DragDropEvent::Over { position }), None);
        assert_eq!(hovering(&DragDropEvent::Leave), Some(false));
        assert_eq!(
            hovering(&DragDropEvent::Drop { paths, position }),
            Some(false)
        );
    }
}
