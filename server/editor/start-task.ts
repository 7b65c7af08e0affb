/** From what an editor points at (a document, a range, a comment, diagnostics) to a task that runs. */

import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Range } from 'vscode-languageserver';
import { foldersOf, homeFolderOf, pathIn, type Workspace } from '../protocol/folders.ts';
import type { Params } from '../protocol/methods.ts';
import type { Attachment, TaskRequest } from '../task/ports.ts';
import { InvalidParams } from '../task/refusal.ts';
import { LineDocument } from './line-document.ts';
import type { Session } from './session.ts';

export type TaskStart = Params<'codex/runTask'> & {
  prompt: string;
  /** Shown to the model with the document. */
  diagnostics?: Attachment['diagnostics'];
  seeds?: TaskRequest['seeds'];
  /** The folder it is delegated from, a URI. Unlike `root`, it lets the task have the editor's other folders too. */
  from?: string;
  redo?: TaskRequest['redo'];
  /** Of a document without a file: as the agent is to find it, instead of as the buffer has it. */
  text?: string;
};

const selectionCharactersMax = 200_000;
const fileBytesMax = 16 * 1024 * 1024;
/** How long a task waits for the editor's own settings, which may make it stricter. */
const configuredWaitMs = 80;

/** Starts the turn and makes its thread the connection's own. Throws `Refusal` or `InvalidParams`. */
export async function startTask(session: Session, start: TaskStart): Promise<{ threadId: string; turnId: string }> {
  await Promise.race([session.configured, new Promise((resolve) => setTimeout(resolve, configuredWaitMs).unref())]);
  await session.settled();
  const uri = start.textDocument?.uri;
  const document = uri === undefined ? undefined : session.documents.pathOf(uri);
  const { workspace, leftOut } = start.threadId
    ? { workspace: await session.tasks.workspaceOf(start.threadId), leftOut: [] }
    : await session.folders.workspaceFor({ root: start.root, from: start.from, document });
  const attachments: Attachment[] = [];
  const about = uri === undefined ? undefined : await attach(session, workspace, uri, start);
  if (about) attachments.push(about);
  for (const [index, file] of (start.files ?? []).entries()) {
    const path = await inside(session, workspace, file, index);
    if (!attachments.some((attachment) => attachment.path === path)) attachments.push({ path });
  }
  const line = start.range?.start.line ?? 0;
  const request: TaskRequest = {
    ...workspace,
    leftOut,
    prompt: start.prompt,
    threadId: start.threadId,
    mode: start.mode ?? 'task',
    model: start.model,
    effort: start.effort,
    attachments,
    seeds: start.seeds ?? [],
    redo: start.redo,
    origin: about && document !== undefined ? { path: about.path, line } : undefined,
    settings: session.settings,
    environment: session.surroundings.environment,
    documents: session.documents,
  };
  session.folders.remember(workspace);
  const started = await session.tasks.start(request);
  session.lastThread = started.threadId;
  return started;
}

/** The document as the buffer has it, else as it is on disk; undefined where it is neither. */
export async function textAt(session: Session, uri: string): Promise<LineDocument | undefined> {
  const open = session.documents.get(uri);
  if (open) return open;
  const path = session.documents.pathOf(uri);
  const text = path === undefined ? undefined : await readText(path);
  return text === undefined ? undefined : new LineDocument(uri, '', 0, text);
}

async function attach(
  session: Session,
  workspace: Workspace,
  uri: string,
  { range, diagnostics, text }: TaskStart,
): Promise<Attachment | undefined> {
  const file = session.documents.pathOf(uri);
  const path = file === undefined ? uri : pathIn(workspace, file);
  // The document in front of the user need not belong to the root that they named.
  if (!path) return undefined;
  const open = session.documents.get(uri);
  const document = range || file === undefined ? await textAt(session, uri) : undefined;
  const unsaved = open && file !== undefined ? (await readText(file)) !== open.getText() : file === undefined;
  const isSelected = range !== undefined && !isEmpty(range);
  // A document without a file can be read nowhere else.
  const whole = file === undefined ? (text ?? document?.getText()) : undefined;
  const selected = isSelected ? document?.getText(range) : whole;
  const selection = selected === undefined ? undefined : selected.slice(0, selectionCharactersMax);
  return { path, lines: range && linesOf(range), selection, diagnostics, unsaved: unsaved || undefined };
}

const isEmpty = ({ start, end }: Range): boolean => start.line === end.line && start.character === end.character;

function linesOf({ start, end }: Range): { start: number; end: number } {
  // A selection that ends before the first character of a line does not hold that line.
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { start: start.line, end: last + 1 };
}

/** Throws `InvalidParams` for what is not there, or not in the workspace. */
async function inside(session: Session, workspace: Workspace, file: string, index: number): Promise<string> {
  const folders = foldersOf(workspace).join(', ');
  const paths = placesOf(session, workspace, file).filter((path) => pathIn(workspace, path));
  for (const path of paths) {
    const found = pathIn(workspace, path);
    if (found && (session.documents.at(path) || (await stat(path).catch(() => undefined)))) return found;
  }
  const [first] = paths;
  if (first === undefined)
    throw new InvalidParams(`files[${index}]: ${file} is not a file of the workspace ${folders}.`);
  throw new InvalidParams(`files[${index}]: there is no ${pathIn(workspace, first)} in ${folders}.`);
}

/** A relative path is one of the workspace; where that has several folders, it may be one of the first of them too. */
function placesOf(session: Session, workspace: Workspace, file: string): string[] {
  if (/^[a-z][a-z0-9+.-]+:/i.test(file)) return [session.documents.pathOf(file) ?? ''];
  if (isAbsolute(file)) return [file];
  return [...new Set([join(workspace.root, file), join(homeFolderOf(workspace), file)])];
}

async function readText(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > fileBytesMax) return undefined;
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
