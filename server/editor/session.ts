/** The state of one connection. It changes only in synchronous code; what awaits works on what it read before. */
import { join } from 'node:path';
import type { ClientCapabilities } from 'vscode-languageserver';
import { resolveSettings, type SettingsProblem, type SettingsSource } from '../policy/settings.ts';
import { defaultSettings, type Settings } from '../protocol/settings.ts';
import type { Face, WrittenFile } from '../task/ports.ts';
import type { Tasks } from '../task/tasks.ts';
import { applyEdits } from './apply.ts';
import type { Client } from './client.ts';
import { Documents } from './documents.ts';
import { Folders } from './folders.ts';
import { applyModeOf, applyModeProblem, type Profile, profileOf } from './profiles.ts';

export type Surroundings = {
  tasks: Tasks;
  /** Of the connection: for the key, the base URL and the names in `sandbox.env`. */
  environment: Readonly<Record<string, string | undefined>>;
  /** What the user's own config.json and flags say, in the order in which the later wins. */
  settings: readonly SettingsSource[];
  version: string;
  /** Absolute, real path. */
  stateFolder: string;
  /** Absolute. */
  homeFolder: string;
  /** For what a person may want to read afterwards; never holds a secret. */
  log(message: string): void;
  /** How long the editor has to show that it did an edit; 9 s, for an accept must be answered in 10. */
  verifyTimeoutMs?: number;
};

/** Different ones that are logged. */
const failuresMax = 200;

export class Session {
  readonly client: Client;
  readonly surroundings: Surroundings;
  readonly documents = new Documents();
  readonly folders: Folders;
  capabilities: ClientCapabilities = {};
  profile: Profile = profileOf(undefined, {});
  settings: Settings = defaultSettings;
  /** The thread this connection last started or opened. */
  lastThread: string | undefined;
  /** The client said in `initialize` that it reads `$/codex/event`. */
  wantsEvents = false;
  /** Resolves when the editor's own settings have come, or will not come. */
  configured: Promise<void> = Promise.resolve();
  /** Resolves when the edited review that was applied last is applied, and renewed where nothing of it is left to do. */
  applyingEdited: Promise<unknown> = Promise.resolve();
  /** By path, the text of a `review.diff` of which all that the user wrote into it was applied. */
  readonly usedReviews = new Map<string, string>();
  #written = new Map<string, WrittenFile>();
  #initializationOptions: unknown;
  #section: unknown;
  readonly #reported = new Set<string>();
  readonly #failures = new Set<string>();
  readonly #end = new AbortController();
  readonly #forgetting = new Set<(threadId: string) => void>();

  constructor(client: Client, surroundings: Surroundings) {
    this.client = client;
    this.surroundings = surroundings;
    const { homeFolder, stateFolder } = surroundings;
    const found = (path: string, real: string): void => this.documents.folderIs(path, real);
    this.folders = new Folders({ homeFolder, stateFolder, found });
  }

  get tasks(): Tasks {
    return this.surroundings.tasks;
  }

  get face(): Face {
    const mode = applyModeOf(this.settings.apply, this.profile);
    return {
      documents: this.documents,
      profile: { mode },
      applyEdits: (root, edits) => applyEdits(this, root, edits),
      wrote: (root, files) => {
        for (const file of files) this.#written.set(join(root, file.path), file);
      },
    };
  }

  /** Paths of folders and documents are known, and no document waits for its base. */
  async settled(): Promise<void> {
    await Promise.all([this.folders.settled(), this.documents.settled()]);
  }

  /** Fires when the connection has ended: whoever waits for the editor waits in vain. */
  get gone(): AbortSignal {
    return this.#end.signal;
  }

  /** Its unsaved text went with the editor: the disk is the truth again, for turns and decisions that go on. */
  end(): void {
    this.documents.closeAll();
    this.#end.abort();
  }

  /** What the server has written itself, since it was last asked for: by absolute path. */
  takeWritten(): ReadonlyMap<string, WrittenFile> {
    const written = this.#written;
    this.#written = new Map();
    return written;
  }

  /** The thread is deleted: nothing of it is shown any more. */
  forget(threadId: string): void {
    if (this.lastThread === threadId) this.lastThread = undefined;
    for (const listener of this.#forgetting) listener(threadId);
  }

  onForget(listener: (threadId: string) => void): void {
    this.#forgetting.add(listener);
  }

  /** Logs what went wrong with a part of an answer that is given without it; the same only once. */
  skipped(what: string, error: unknown): void {
    const text = `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    if (this.#failures.has(text) || this.#failures.size >= failuresMax) return;
    this.#failures.add(text);
    this.surroundings.log(text);
  }

  hear(source: { initializationOptions: unknown } | { section: unknown }): void {
    if ('section' in source) this.#section = source.section;
    else this.#initializationOptions = source.initializationOptions;
    const { settings } = resolveSettings(this.#sources());
    this.settings = settings;
  }

  /** What is wrong with the settings and was not yet said. */
  newProblems(): SettingsProblem[] {
    const unfit = applyModeProblem(this.settings.apply, this.profile);
    const problems: SettingsProblem[] = [
      ...resolveSettings(this.#sources()).problems,
      ...(unfit === undefined ? [] : [{ path: 'apply', message: unfit }]),
    ];
    const fresh = problems.filter(({ message }) => !this.#reported.has(message));
    for (const { message } of fresh) this.#reported.add(message);
    return fresh;
  }

  #sources(): SettingsSource[] {
    return [
      ...this.surroundings.settings,
      { origin: 'initializationOptions', value: this.#initializationOptions },
      { origin: 'workspace/configuration', value: this.#section },
    ];
  }
}
