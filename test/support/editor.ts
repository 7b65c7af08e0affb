/** An editor in memory: it speaks standard LSP to the real `serve`, keeps buffers, and fails on what it was not told to expect. */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  type CancellationToken,
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type {
  ApplyWorkspaceEditParams,
  ApplyWorkspaceEditResult,
  ClientCapabilities,
  CodeAction,
  Diagnostic,
  InitializeResult,
  Range,
  TextEdit,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { serve } from '../../server/editor/serve.ts';
import type { SettingsSource } from '../../server/policy/settings.ts';
import type { MethodName, Params, Result } from '../../server/protocol/methods.ts';
import type {
  EventEnvelope,
  Item,
  ItemOf,
  ThreadEvent,
  ThreadEventOf,
  ThreadStatus,
} from '../../server/protocol/thread.ts';
import type { Tasks } from '../../server/task/tasks.ts';
import { parseFiles } from './files.ts';

export type Place = { root: string; stateFolder: string; environment: Record<string, string | undefined> };

/** How this editor does a `workspace/applyEdit`. */
export type ApplyBehaviour =
  | 'honest'
  /** Says yes and does nothing. */
  | 'lies'
  | 'refuses'
  /** Refuses, and does it all the same. */
  | 'refusesButDoes'
  /** Answers, and does it a little later. */
  | 'late'
  /** Does it and never answers. */
  | 'silent'
  | 'never';

/** How an editor of one kind does it, with what it answers. */
export type Hands = (params: ApplyWorkspaceEditParams, editor: Editor) => Promise<unknown>;

export type EditorOptions = {
  /** A map of paths to texts, or one string with `-- path --` headers. */
  files?: string | Record<string, string>;
  /** Opened with another text than their files have. */
  unsaved?: Record<string, string>;
  tasks: Tasks | ((place: Place) => Tasks | Promise<Tasks>);
  /** Left out: none is sent. */
  clientInfo?: { name: string; version?: string };
  /** Instead of those of an editor that can do everything. */
  capabilities?: ClientCapabilities;
  initializationOptions?: unknown;
  /** What the editor answers for the section `codex`. */
  configuration?: unknown;
  /** Of config.json and flags. */
  settings?: readonly SettingsSource[];
  environment?: Record<string, string | undefined>;
  applyEdit?: ApplyBehaviour | Hands;
  /** Of a document that is opened; default 1. */
  firstVersion?: number;
  /** How it holds a text that it opens or has edited: with its own line ends, its own final newline. */
  shows?: (text: string) => string;
  /** A didChange for an edit of the server's comes so much after the edit. */
  tellDelayMs?: number;
  /** Answers of dialogs, in turn, an Error as one; without one left it never answers. */
  dialogs?: readonly unknown[];
  verifyTimeoutMs?: number;
  /** A workspace that is there already and stays: for a second editor. */
  place?: { root: string; stateFolder: string };
  /** Other workspace folders than the root; none at all with `[]`. */
  folders?: readonly string[];
  homeFolder?: string;
};

export type Message = { severity: 'error' | 'warning' | 'info' | 'log'; text: string };
type At = string | { path: string; range?: Range; diagnostics?: Diagnostic[]; only?: string[] };

const everything: ClientCapabilities = {
  workspace: {
    applyEdit: true,
    workspaceEdit: { documentChanges: true },
    configuration: true,
    workspaceFolders: true,
    codeLens: { refreshSupport: true },
  },
  textDocument: { hover: { contentFormat: ['markdown'] } },
  window: { workDoneProgress: true, showDocument: { support: true } },
  experimental: { codex: { events: true } },
};

const waitTimeoutMs = 10_000;
const severities = ['error', 'error', 'warning', 'info', 'log'] as const;

export async function openEditor(options: EditorOptions): Promise<Editor> {
  const made = options.place ? undefined : await realpath(await mkdtemp(join(tmpdir(), 'codex-editor-')));
  const root = options.place?.root ?? join(made ?? '', 'workspace');
  const stateFolder = options.place?.stateFolder ?? join(made ?? '', 'state');
  await mkdir(root, { recursive: true });
  await mkdir(stateFolder, { recursive: true });
  const files = typeof options.files === 'string' ? parseFiles(options.files) : (options.files ?? {});
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const environment = options.environment ?? {};
  const place = { root, stateFolder, environment };
  const tasks = typeof options.tasks === 'function' ? await options.tasks(place) : options.tasks;
  const editor = new Editor(options, place, tasks, made);
  await editor.initialize();
  for (const [path, text] of Object.entries(options.unsaved ?? {})) await editor.open(path, text);
  return editor;
}

export class Editor {
  readonly root: string;
  readonly stateFolder: string;
  readonly tasks: Tasks;
  readonly events: EventEnvelope[] = [];
  readonly progress: {
    token: string;
    value: { kind: string; title?: string; message?: string; cancellable?: boolean };
  }[] = [];
  readonly shown: { uri: string; takeFocus?: boolean; selection?: Range }[] = [];
  readonly dialogs: { message: string; actions: { title: string }[] }[] = [];
  /** Dialogs that the server has taken back. */
  withdrawn = 0;
  readonly edits: ApplyWorkspaceEditParams[] = [];
  /** How often diagnostics of any file were sent, and lenses were to be asked for again. */
  readonly sent = { diagnostics: 0, lensRefreshes: 0 };
  /** What the server wrote to its log: a bug, unless the test takes it. */
  readonly log: string[] = [];
  /** How it does the next edits. */
  applyEdit: ApplyBehaviour | Hands;
  initialized: InitializeResult | undefined;
  exitCode: number | undefined;
  readonly #connection: MessageConnection;
  readonly #options: EditorOptions;
  readonly #made: string | undefined;
  readonly #messages: (Message & { read: boolean })[] = [];
  readonly #diagnostics = new Map<string, Diagnostic[]>();
  readonly #documents = new Map<string, TextDocument>();
  readonly #unhandled: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #answers: unknown[];
  /** By URI and version. */
  readonly #texts = new Map<string, string>();
  /** Changes that the server is not yet told of. */
  #untold: object[] = [];
  #open = true;

  constructor(
    options: EditorOptions,
    { root, stateFolder, environment }: Place,
    tasks: Tasks,
    made: string | undefined,
  ) {
    this.root = root;
    this.stateFolder = stateFolder;
    this.tasks = tasks;
    this.#options = options;
    this.#made = made;
    this.#answers = [...(options.dialogs ?? [])];
    this.applyEdit = options.applyEdit ?? 'honest';
    const toServer = new PassThrough();
    const toEditor = new PassThrough();
    serve({
      input: toServer,
      output: toEditor,
      tasks,
      environment,
      settings: options.settings ?? [],
      version: '0.0.0-test',
      stateFolder,
      homeFolder: options.homeFolder ?? join(stateFolder, 'home'),
      verifyTimeoutMs: options.verifyTimeoutMs,
      log: (message) => this.log.push(message),
      exit: (code) => {
        this.exitCode = code;
        this.#wake();
      },
    });
    this.#connection = createMessageConnection(new StreamMessageReader(toEditor), new StreamMessageWriter(toServer));
    this.#handle();
    this.#connection.listen();
  }

  async initialize(): Promise<void> {
    const { clientInfo, capabilities, initializationOptions, folders } = this.#options;
    this.initialized = await this.#connection.sendRequest('initialize', {
      processId: null,
      rootUri: folders ? null : this.uri(''),
      workspaceFolders: (folders ?? [this.root]).map((path) => ({ name: path, uri: pathToFileURL(path).href })),
      clientInfo,
      capabilities: capabilities ?? everything,
      initializationOptions,
    });
    await this.#connection.sendNotification('initialized', {});
  }

  uri(path: string): string {
    if (/^[a-z-]+:/.test(path)) return path;
    return pathToFileURL(path.startsWith('/') ? path : join(this.root, path)).href.replace(/\/$/, '');
  }

  /** As on disk, or with another text. */
  async open(path: string, unsaved?: string): Promise<void> {
    const { firstVersion: version = 1, shows = (same) => same } = this.#options;
    const text = shows(unsaved ?? (await readFile(join(this.root, path), 'utf8')));
    const uri = this.uri(path);
    this.#documents.set(uri, TextDocument.create(uri, 'plaintext', version, text));
    this.#texts.set(`${uri} ${version}`, text);
    this.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'plaintext', version, text } });
  }

  /** Relative to the workspace. */
  path(uri: string): string {
    return decodeURIComponent(uri.slice(this.uri('').length + 1));
  }

  /** Of an open document. */
  version(path: string): number | undefined {
    return this.#documents.get(this.uri(path))?.version;
  }

  /** What it held at a version. */
  textAt(path: string, version: number): string | undefined {
    return this.#texts.get(`${this.uri(path)} ${version}`);
  }

  /** Does an edit as one change of an open document. */
  edit(path: string, edits: readonly TextEdit[], { versionStep = 1 } = {}): void {
    const document = this.#document(path);
    const before = TextDocument.create('', '', 0, document.getText());
    const { shows } = this.#options;
    this.#change(document, edits, versionStep);
    const made = document.getText();
    if (shows && shows(made) !== made) {
      const all = { start: { line: 0, character: 0 }, end: before.positionAt(before.getText().length) };
      TextDocument.update(document, [{ text: shows(made) }], document.version);
      // Told as the change of the whole that it is.
      this.#untold.pop();
      this.#untold.push(changeOf(document, [{ range: all, text: shows(made) }]));
    }
    if (this.#options.tellDelayMs === undefined) this.#tell();
    else setTimeout(() => this.#tell(), this.#options.tellDelayMs);
  }

  /** Replaces the first `from` of the buffer, and does not save it. */
  type(path: string, from: string, to: string): void {
    const document = this.#document(path);
    const at = document.getText().indexOf(from);
    if (at < 0) throw new Error(`${path} does not hold ${JSON.stringify(from)}`);
    const range = { start: document.positionAt(at), end: document.positionAt(at + from.length) };
    this.#change(document, [{ range, newText: to }]);
    this.#tell();
  }

  async save(path: string): Promise<void> {
    const document = this.#document(path);
    await writeFile(path.startsWith('/') ? path : join(this.root, path), document.getText());
    this.notify('textDocument/didSave', { textDocument: { uri: document.uri } });
  }

  close(path: string): void {
    this.#documents.delete(this.uri(path));
    this.notify('textDocument/didClose', { textDocument: { uri: this.uri(path) } });
  }

  isOpen(path: string): boolean {
    return this.#documents.has(this.uri(path));
  }

  /** Of the buffer; of the file where there is none. */
  async text(path: string): Promise<string> {
    return this.#documents.get(this.uri(path))?.getText() ?? (await this.disk(path));
  }

  disk(path: string): Promise<string> {
    return readFile(join(this.root, path), 'utf8');
  }

  /** `at`: `a.txt:3` or `a.txt:3-5`, lines from 1, or more exactly. */
  async codeActions(at: At): Promise<CodeAction[]> {
    const { path, range, diagnostics = [], only } = typeof at === 'string' ? this.#place(at) : at;
    const origin = { line: 0, character: 0 };
    return await this.#connection.sendRequest('textDocument/codeAction', {
      textDocument: { uri: this.uri(path) },
      range: range ?? { start: origin, end: origin },
      context: { diagnostics, only },
    });
  }

  async titles(at: At): Promise<string[]> {
    return (await this.codeActions(at)).map(({ title }) => title);
  }

  /** Picks the action of this title (or the only one that begins with it) as soon as it is offered, and runs its command. */
  async codeAction(title: string, { at }: { at: At }): Promise<unknown> {
    const found = await this.waitFor(`the action ${title}`, async () => {
      const actions = await this.codeActions(at);
      const beginning = actions.filter((action) => action.title.startsWith(title));
      return actions.find((action) => action.title === title) ?? (beginning.length === 1 ? beginning[0] : undefined);
    });
    const resolved: CodeAction = await this.#connection.sendRequest('codeAction/resolve', found);
    return this.executeCommand(resolved.command?.command ?? '', resolved.command?.arguments);
  }

  executeCommand(command: string, args?: unknown[]): Promise<unknown> {
    return this.#connection.sendRequest('workspace/executeCommand', { command, arguments: args });
  }

  request<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>;
  request(method: string, params?: unknown): Promise<unknown>;
  request(method: string, params?: unknown): Promise<unknown> {
    // What was not told yet is told before anything is asked.
    this.#tell();
    if (params === undefined) return this.#connection.sendRequest(method);
    return this.#connection.sendRequest(method, params);
  }

  notify(method: string, params: object): void {
    void this.#connection.sendNotification(method, params);
  }

  async runTask(prompt: string, params: Partial<Params<'codex/runTask'>> = {}): Promise<Task> {
    const started = await this.request('codex/runTask', { prompt, ...params });
    if (!('threadId' in started)) throw new Error('runTask opened a document');
    return new Task(this, started.threadId, started.turnId);
  }

  /** All of them, and takes note that they were read. */
  messages(): Message[] {
    return this.#messages.map((message) => {
      message.read = true;
      return { severity: message.severity, text: message.text };
    });
  }

  async message(holding: string | RegExp): Promise<Message> {
    const fits = ({ text }: Message): boolean =>
      typeof holding === 'string' ? text.includes(holding) : holding.test(text);
    const found = await this.waitFor(`a message with ${holding}`, () => this.#messages.find(fits));
    found.read = true;
    return found;
  }

  diagnostics(path: string): Diagnostic[] {
    return this.#diagnostics.get(this.uri(path)) ?? [];
  }

  /** The work-done steps of all turns, as a person reads them. */
  steps(): string[] {
    return this.progress.map(({ value }) => value.message ?? value.title ?? value.kind);
  }

  /** Asks again after every message, until there is an answer other than undefined and false. */
  async waitFor<T>(what: string, ask: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + waitTimeoutMs;
    for (;;) {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline) {
        const said = this.#messages.map(({ text }) => text).join('\n  ');
        throw new Error(`waited in vain for ${what}; messages were:\n  ${said}\nlog:\n  ${this.log.join('\n  ')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(go, 25);
        const waiting = this.#waiting;
        function go(): void {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        }
        waiting.add(go);
      });
    }
  }

  /** The connection breaks without a word. */
  kill(): void {
    this.#open = false;
    this.#connection.end();
    this.#connection.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) {
      await this.#connection.sendRequest('shutdown');
      this.notify('exit', {});
      await this.waitFor('the exit', () => this.exitCode !== undefined);
      this.#connection.dispose();
    }
    await this.tasks.close();
    // A review that was being read when the editor left may still hold its thread for a moment.
    if (this.#made) await rm(this.#made, { recursive: true, force: true, maxRetries: 5 });
    const unread = this.#messages.filter(({ severity, read }) => severity === 'error' && !read).map(({ text }) => text);
    const wrong = [...this.#unhandled, ...unread, ...this.log];
    if (wrong.length > 0) throw new Error(`nobody expected:\n  ${wrong.join('\n  ')}`);
  }

  #handle(): void {
    const on = (method: string, handle: (params: never) => unknown): void => {
      this.#connection.onNotification(method, (params: unknown) => {
        handle(params as never);
        this.#wake();
      });
    };
    const answer = (method: string, handle: (params: never, token: CancellationToken) => unknown): void => {
      this.#connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
        const result = await handle(params as never, token);
        this.#wake();
        return result;
      });
    };
    on('window/showMessage', ({ type, message }: { type: number; message: string }) => {
      if (/[\r\n]/.test(message)) this.#unhandled.push(`a message of two lines: ${message}`);
      this.#messages.push({ severity: severities[type] ?? 'log', text: message, read: false });
    });
    on('window/logMessage', ({ message }: { message: string }) => {
      this.#messages.push({ severity: 'log', text: message, read: false });
    });
    on('$/codex/event', (envelope: EventEnvelope) => this.events.push(envelope));
    on('$/progress', (progress: (typeof this.progress)[number]) => this.progress.push(progress));
    on('textDocument/publishDiagnostics', ({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => {
      this.#diagnostics.set(uri, diagnostics);
      this.sent.diagnostics += 1;
    });
    answer('window/workDoneProgress/create', () => null);
    answer('workspace/codeLens/refresh', () => {
      this.sent.lensRefreshes += 1;
      return null;
    });
    answer('workspace/configuration', ({ items }: { items: { section: string }[] }) =>
      items.map(({ section }) => (section === 'codex' ? (this.#options.configuration ?? null) : null)),
    );
    answer('window/showDocument', (params: { uri: string; takeFocus?: boolean; selection?: Range }) => {
      this.shown.push(params);
      return { success: true };
    });
    answer('window/showMessageRequest', (params: (typeof this.dialogs)[number], token: CancellationToken) => {
      this.dialogs.push(params);
      token.onCancellationRequested(() => {
        this.withdrawn += 1;
        this.#wake();
      });
      this.#wake();
      const reply = this.#answers.length > 0 ? this.#answers.shift() : new Promise(() => {});
      if (reply instanceof Error) throw reply;
      return reply;
    });
    answer('workspace/applyEdit', (params: ApplyWorkspaceEditParams) => this.#apply(params));
    this.#connection.onRequest((method) => {
      this.#unhandled.push(`request ${method}`);
      return null;
    });
    this.#connection.onNotification((method) => {
      this.#unhandled.push(`notification ${method}`);
    });
  }

  async #apply(params: ApplyWorkspaceEditParams): Promise<unknown> {
    this.edits.push(params);
    const applied = { applied: true };
    if (typeof this.applyEdit === 'function') return this.applyEdit(params, this);
    switch (this.applyEdit) {
      case 'honest':
        return this.#edit(params);
      case 'lies':
        return applied;
      case 'refuses':
        return { applied: false, failureReason: 'not today' };
      case 'refusesButDoes':
        await this.#edit(params);
        return { applied: false, failureReason: 'decision to apply manually' };
      case 'late':
        setTimeout(() => void this.#edit(params), 60);
        return applied;
      case 'silent':
        await this.#edit(params);
        return new Promise(() => {});
      case 'never':
        return new Promise(() => {});
    }
  }

  /** As a careful editor does it: all versions first, closed files as unsaved buffers. */
  async #edit({ edit }: ApplyWorkspaceEditParams): Promise<ApplyWorkspaceEditResult> {
    const wanted: { uri: string; version: number | null; edits: TextEdit[] }[] = [];
    for (const change of edit.documentChanges ?? []) {
      if (!('textDocument' in change)) return { applied: false, failureReason: 'no resource operations here' };
      const edits = change.edits.filter((one): one is TextEdit => 'newText' in one);
      wanted.push({ uri: change.textDocument.uri, version: change.textDocument.version, edits });
    }
    for (const [uri, edits] of Object.entries(edit.changes ?? {})) wanted.push({ uri, version: null, edits });
    for (const { uri, version } of wanted) {
      const open = this.#documents.get(uri);
      if (version !== null && open?.version !== version)
        return { applied: false, failureReason: 'document has changed' };
    }
    for (const { uri, edits } of wanted) {
      if (!this.#documents.has(uri)) await this.open(this.path(uri));
      this.edit(uri, edits);
    }
    return { applied: true };
  }

  #change(document: TextDocument, edits: readonly TextEdit[], versionStep = 1): void {
    // Bottom up, so that each range holds in the text that the ones before it left.
    const contentChanges = edits.toReversed().map(({ range, newText }) => ({ range, text: newText }));
    TextDocument.update(document, contentChanges, document.version + versionStep);
    this.#texts.set(`${document.uri} ${document.version}`, document.getText());
    this.#untold.push(changeOf(document, contentChanges));
  }

  #tell(): void {
    if (!this.#open) return;
    for (const change of this.#untold.splice(0)) this.notify('textDocument/didChange', change);
  }

  #document(path: string): TextDocument {
    const document = this.#documents.get(this.uri(path));
    if (!document) throw new Error(`${path} is not open`);
    return document;
  }

  #place(at: string): { path: string; range: Range; diagnostics?: Diagnostic[]; only?: string[] } {
    const [, path = at, first, last] = /^(.*?)(?::(\d+)(?:-(\d+))?)?$/.exec(at) ?? [];
    const start = { line: Number(first ?? 1) - 1, character: 0 };
    return { path, range: { start, end: last ? { line: Number(last), character: 0 } : start } };
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

const changeOf = ({ uri, version }: TextDocument, contentChanges: readonly object[]): object => ({
  textDocument: { uri, version },
  contentChanges,
});

/** A task that was started, for reading. */
export class Task {
  readonly threadId: string;
  readonly turnId: string;
  readonly #editor: Editor;

  constructor(editor: Editor, threadId: string, turnId: string) {
    this.#editor = editor;
    this.threadId = threadId;
    this.turnId = turnId;
  }

  /** Waits until the thread has this status. */
  async reaches(status: ThreadStatus): Promise<void> {
    await this.#editor.waitFor(`the status ${status}`, async () => {
      const { thread } = await this.#editor.request('codex/thread', { threadId: this.threadId });
      return thread.status === status;
    });
  }

  /** The first event of this type in the thread, past or to come. */
  async happens<T extends ThreadEvent['type']>(type: T): Promise<ThreadEventOf<T>> {
    return this.#editor.waitFor(`the event ${type}`, () => this.#events(type)[0]);
  }

  /** Finished items of a type, in order. */
  items<T extends Item['type']>(type: T): ItemOf<T>[] {
    const completed = this.#events('itemCompleted').map(({ item }) => item);
    return completed.filter((item): item is ItemOf<T> => item.type === type);
  }

  /** How its last turn ended. */
  end(): ThreadEventOf<'turnCompleted'> | undefined {
    return this.#events('turnCompleted').at(-1);
  }

  #events<T extends ThreadEvent['type']>(type: T): ThreadEventOf<T>[] {
    const mine = this.#editor.events.filter(({ threadId }) => threadId === this.threadId).map(({ event }) => event);
    return mine.filter((event): event is ThreadEventOf<T> => event.type === type);
  }

  /** `a.txt:4 pending`: the line is that of the new text, from 1. */
  async review(): Promise<string[]> {
    const { files } = await this.#editor.request('codex/changeset', { threadId: this.threadId });
    return files.flatMap(({ path, hunks }) => hunks.map(({ newStart, status }) => `${path}:${newStart} ${status}`));
  }
}
