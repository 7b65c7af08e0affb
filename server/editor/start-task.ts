/** From what an editor points at (a document, a range, a comment, diagnostics) to a task that runs. */

import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Range } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Params } from '../protocol/methods.ts';
import type { Attachment, TaskRequest } from '../task/ports.ts';
import { InvalidParams } from '../task/refusal.ts';
import type { Session } from './session.ts';
import { within } from './uri.ts';

export type TaskStart = Params<'codex/runTask'> & {
  prompt: string;
  /** Shown to the model with the document. */
  diagnostics?: Attachment['diagnostics'];
  seeds?: TaskRequest['seeds'];
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
  const root = start.threadId
    ? await session.tasks.rootOf(start.threadId)
    : await session.folders.rootFor({ root: start.root, document });
  const attachments: Attachment[] = [];
  const about = uri === undefined ? undefined : await attach(session, root, uri, start);
  if (about) attachments.push(about);
  for (const [index, file] of (start.files ?? []).entries()) {
    const path = await inside(session, root, file, index);
    if (!attachments.some((attachment) => attachment.path === path)) attachments.push({ path });
  }
  const line = start.range?.start.line ?? 0;
  const request: TaskRequest = {
    root,
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
  session.folders.remember(root);
  const started = await session.tasks.start(request);
  session.lastThread = started.threadId;
  return started;
}

/** The document as the buffer has it, else as it is on disk; undefined where it is neither. */
export async function textAt(session: Session, uri: string): Promise<TextDocument | undefined> {
  const open = session.documents.get(uri);
  if (open) return open;
  const path = session.documents.pathOf(uri);
  const text = path === undefined ? undefined : await readText(path);
  return text === undefined ? undefined : TextDocument.create(uri, '', 0, text);
}

async function attach(
  session: Session,
  root: string,
  uri: string,
  { range, diagnostics, text }: TaskStart,
): Promise<Attachment | undefined> {
  const file = session.documents.pathOf(uri);
  const path = file === undefined ? uri : within(root, file);
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
async function inside(session: Session, root: string, file: string, index: number): Promise<string> {
  const path = /^[a-z][a-z0-9+.-]+:/i.test(file)
    ? session.documents.pathOf(file)
    : isAbsolute(file)
      ? file
      : join(root, file);
  const found = path === undefined ? undefined : within(root, path);
  if (!found) throw new InvalidParams(`files[${index}]: ${file} is not a file of the workspace ${root}.`);
  const there = path !== undefined && (session.documents.at(path) || (await stat(path).catch(() => undefined)));
  if (!there) throw new InvalidParams(`files[${index}]: there is no ${found} in ${root}.`);
  return found;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > fileBytesMax) return undefined;
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
