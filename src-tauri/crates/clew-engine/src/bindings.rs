//! Writes `ui/src/generated/api.ts`: every type on the wire, every command, what makes its answer stale.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clew_core::model::Operation;
use clew_core::trace::RUNNING_MICROS;
use ts_rs::{Config, TS, TypeVisitor};

use crate::event::Topic;

/// Collects commands and the types that they reach.
pub(crate) struct Bindings {
    config: Config,
    declarations: BTreeMap<String, String>,
    commands: String,
    topics: String,
    packed: Vec<&'static str>,
}

impl Default for Bindings {
    fn default() -> Self {
        Self {
            config: Config::new().with_large_int("number"),
            declarations: BTreeMap::new(),
            commands: String::new(),
            topics: String::new(),
            packed: Vec::new(),
        }
    }
}

impl Bindings {
    /// Adds a command and every type that its parameters and reply reach.
    pub(crate) fn command<P: TS + 'static, R: TS + 'static>(
        &mut self,
        name: &'static str,
        docs: &[&str],
        form: &str,
        topics: &[Topic],
    ) {
        self.types::<P>();
        self.types::<R>();
        let docs = docs
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join(" ");
        let (params, reply) = (P::name(&self.config), R::name(&self.config));
        let _ = writeln!(
            self.commands,
            "  /** {docs} */\n  {name}: {{ params: {params}; reply: {reply} }};"
        );
        let topics = topics
            .iter()
            .map(|topic| format!("\"{}\"", topic.name()))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(self.topics, "  {name}: [{topics}],");
        if form == "pack" {
            self.packed.push(name);
        }
    }

    /// Adds a type and every type that it reaches.
    pub(crate) fn types<T: TS + 'static + ?Sized>(&mut self) {
        Visitor(self).visit::<T>();
    }

    /// The whole file.
    pub(crate) fn finish(self) -> String {
        let mut out = String::from(
            "// Written by `cargo xtask bindings` from the table in clew-engine/src/api.rs. Do not edit.\n\n",
        );
        for declaration in self.declarations.values() {
            let _ = writeln!(out, "{declaration}\n");
        }
        let _ = writeln!(out, "/** Every command: its parameters and its reply. */");
        let _ = writeln!(out, "export interface Commands {{\n{}}}\n", self.commands);
        let _ = writeln!(out, "/** What makes a command's answer stale. */");
        let _ = writeln!(
            out,
            "export const topics: Record<keyof Commands, Topic[]> = {{\n{}}};\n",
            self.topics
        );
        let _ = writeln!(out, "/** Commands that answer with packed columns. */");
        let names = self
            .packed
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(
            out,
            "export const packed: ReadonlySet<keyof Commands> = new Set([{names}]);\n"
        );
        let _ = writeln!(
            out,
            "/** Every operation, in the order of their index in a waterfall. */"
        );
        let names = Operation::ALL
            .map(|operation| format!("\"{}\"", operation.name()))
            .join(", ");
        let _ = writeln!(
            out,
            "export const operations = [{names}] as const satisfies readonly Operation[];\n"
        );
        let _ = writeln!(
            out,
            "/** Microseconds after its newest telemetry for which a trace without an ended root counts as running. */"
        );
        let _ = writeln!(out, "export const runningMicros = {RUNNING_MICROS};");
        out
    }
}

struct Visitor<'a>(&'a mut Bindings);

impl TypeVisitor for Visitor<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let config = &self.0.config;
        if T::output_path().is_some() {
            let name = T::ident(config);
            if self.0.declarations.contains_key(&name) {
                return;
            }
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", T::decl(config));
            self.0.declarations.insert(name, declaration);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}
