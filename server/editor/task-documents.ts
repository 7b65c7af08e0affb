/** Task documents: a prompt written like a commit message, in a file of its own that is run when it is saved. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Range } from 'vscode-languageserver';
import type { Session } from './session.ts';
import { folderFor, insideLocal, rootOfLocal, show } from './shown-files.ts';
import { startTask } from './start-task.ts';
import { uriOf, within } from './uri.ts';

/** What a document says of the task it holds; the rest of its text is the prompt. */
type Header = {
  /** The folder it is delegated from. `isAlone`: the task has no other. */
  root: string;
  isAlone?: boolean;
  file?: string;
  lines?: { start: number; end: number };
  thread?: string;
};

const onlyThis = 'only this one';
const helpLines = [
  'Codex task. Write what you want done below this comment, and save the file: the task then runs, once.',
  'Where your editor saves by itself, turn off the setting runOnSave and use the action "Codex: run this task".',
];

/** Writes a fresh document and shows it. `about` is named to the agent with the prompt. Answers its URI. */
export async function openTaskDocument(
  session: Session,
  root: string,
  about: { uri?: string; range?: Range; threadId?: string; isAlone?: boolean },
): Promise<{ uri: string }> {
  const name = `task-${new Date()
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, '')}-${randomBytes(2).toString('hex')}.md`;
  const folder = await folderFor(session, root, '', join(session.surroundings.stateFolder, 'documents'));
  const path = join(folder, name);
  const file = about.uri === undefined ? undefined : session.documents.pathOf(about.uri);
  const range = about.range;
  const lines = range && {
    start: range.start.line + 1,
    end: Math.max(range.start.line, range.end.line - (range.end.character === 0 ? 1 : 0)) + 1,
  };
  const { isAlone } = about;
  const header: Header = {
    root,
    isAlone,
    file: (file && within(root, file)) || undefined,
    lines,
    thread: about.threadId,
  };
  await writeFile(path, text(header), { flag: 'wx' });
  const uri = show(session, path);
  session.client.show('info', `Codex: write the task in ${within(root, path) ?? path} and save it.`);
  return { uri };
}

/** The path of the document at this URI, if it is a task document: only a file in one of our own folders can be one. */
export function taskDocumentAt(session: Session, uri: string): string | undefined {
  const path = session.documents.pathOf(uri);
  if (path === undefined || !/\/task-[^/]*\.md$/.test(path)) return undefined;
  const root = rootOfLocal(path);
  const local = root !== undefined && insideLocal(root, path) !== undefined;
  return local || within(join(session.surroundings.stateFolder, 'documents'), path) !== undefined ? path : undefined;
}

const running = new Set<string>();

/** After a save: runs it unless it is empty or has run. */
export async function runSaved(session: Session, uri: string): Promise<void> {
  const path = taskDocumentAt(session, uri);
  if (path === undefined || !session.settings.runOnSave || (await ranBefore(path))) return;
  await runTaskDocument(session, uri);
}

/** Runs the document as it is in the buffer; undefined where it holds no prompt. */
export async function runTaskDocument(
  session: Session,
  uri: string,
): Promise<{ threadId: string; turnId: string } | undefined> {
  const path = taskDocumentAt(session, uri);
  if (path === undefined || running.has(path)) return undefined;
  running.add(path);
  try {
    const content = session.documents.get(uri)?.getText() ?? (await readFile(path, 'utf8'));
    const { header, prompt } = parse(content, rootOfLocal(path));
    if (prompt === '') return undefined;
    // Written before it runs: a task that runs twice is worse than one that has to be started by hand.
    await writeFile(`${path}.json`, `${JSON.stringify({ ranAt: new Date().toISOString() })}\n`);
    const { file, lines, isAlone } = header;
    return await startTask(session, {
      prompt,
      ...(isAlone ? { root: uriOf(header.root) } : { from: uriOf(header.root) }),
      threadId: header.thread,
      textDocument: file === undefined ? undefined : { uri: session.folders.uriFor(join(header.root, file)) },
      range: lines && { start: { line: lines.start - 1, character: 0 }, end: { line: lines.end, character: 0 } },
    });
  } finally {
    running.delete(path);
  }
}

const ranBefore = (path: string): Promise<boolean> =>
  readFile(`${path}.json`).then(
    () => true,
    () => false,
  );

function text({ root, isAlone, file, lines, thread }: Header): string {
  const about = file && `about: ${file}${lines ? `:${lines.start}-${lines.end}` : ''}`;
  const alone = isAlone && `folders: ${onlyThis}`;
  const header = ['<!--', ...helpLines, `root: ${root}`, alone, about, thread && `thread: ${thread}`, '-->'];
  return `${header.filter((line) => typeof line === 'string' && line !== '').join('\n')}\n\n`;
}

/** Comments are help, not prompt. A document inside a workspace belongs to that one, whatever it says. */
function parse(content: string, home: string | undefined): { header: Header; prompt: string } {
  const [comment = ''] = /^\s*<!--[\s\S]*?-->/.exec(content) ?? [];
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.+)$`, 'm').exec(comment)?.[1]?.trim();
  const [, file, start, end] = /^(.*?)(?::(\d+)-(\d+))?$/.exec(field('about') ?? '') ?? [];
  const lines = start && end ? { start: Math.max(1, Number(start)), end: Number(end) } : undefined;
  const prompt = content.replace(/<!--[\s\S]*?-->/g, '').trim();
  const root = home ?? field('root') ?? '';
  const isAlone = field('folders') === onlyThis;
  return { header: { root, isAlone, file: file || undefined, lines, thread: field('thread') }, prompt };
}
