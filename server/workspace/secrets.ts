/** What a workspace has that its copies do not show, and how far one may rely on knowing all of it. */
import { join } from 'node:path';
import { inBatches } from './batches.ts';
import type { Counted } from './counted.ts';
import { gitFilesIn, type Mask, maskOf } from './git-secrets.ts';
import { joined, parentOf } from './paths.ts';
import { SecretRules } from './secret-rules.ts';
import { stampOf, statusOf } from './snapshot.ts';
import { foundSecretsMax, type Survey, surveyFolder, surveyWorkspace } from './survey.ts';

/** A survey that is older is made again in the background. */
const freshMs = 5_000;
/** Looked at before each command: the top, and folders that hold secrets; configurations of git. */
const watchedFoldersMax = 32;
const watchedConfigsMax = 64;

const nothingYet = (): Survey => ({ secrets: new Set(), gitFolders: new Set(), problems: [], isTruncated: false });

/** A flood of such names would let the user's own among them be seen: then nothing is shown at all. */
export class TooManySecrets extends Error {
  readonly remedy =
    'Name those that are none in sandbox.secrets (patterns as in .gitignore), in the config.json of codex-lsp.';

  constructor() {
    super(`More than ${foundSecretsMax} files of the workspace look secret, and can not all be hidden.`);
  }
}

export class Secrets {
  readonly rules: SecretRules;
  readonly #root: string;
  readonly #counts: () => Counted;
  readonly #report: (problem: string) => void;
  #survey = nothingYet();
  /** By path. */
  #masks = new Map<string, Mask>();
  /** Of watched folders as they were listed last. */
  #listed = new Map<string, string>();
  #running: Promise<void> | undefined;
  /** Whoever shows the copy to somebody waits for this one. */
  #awaited: Promise<void> | undefined;
  /** The `.codexignore` that it went by. */
  #ruledBy: string | undefined;
  #endedAtMs = 0;

  /** `counts`: of this turn. */
  constructor(root: string, counts: () => Counted, report: (problem: string) => void) {
    this.#root = root;
    this.#counts = counts;
    this.#report = report;
    this.rules = new SecretRules(root, report);
  }

  /** Files, links and whole folders that are not to be seen. As of `ready`. */
  get hidden(): ReadonlySet<string> {
    const stores = [...this.#masks].filter(([, { shown }]) => shown === 'nothing').map(([path]) => path);
    return stores.length === 0 ? this.#survey.secrets : new Set([...this.#survey.secrets, ...stores]);
  }

  get masks(): ReadonlyMap<string, Mask> {
    return this.#masks;
  }

  /** Some may be unknown. */
  get isTruncated(): boolean {
    return this.#survey.isTruncated;
  }

  /** Whether the user has something secret at a path. `text`: of an unsaved buffer there. */
  async has(path: string, text?: string): Promise<boolean> {
    if (text === undefined && !(await statusOf(join(this.#root, path)))) return false;
    return this.rules.isSecret(path, text);
  }

  /** At the start of a turn, with what the user lets commands read: looks everywhere, in the background. */
  begin(allowed: readonly string[]): void {
    this.rules.allow(allowed);
    this.#awaited = this.#again();
    this.#awaited.catch(() => {});
  }

  /**
   * Before anybody sees the copy: all is known that was there when the turn began, and what is new where it is likeliest.
   * Throws `TooManySecrets`, and where the workspace can't be searched.
   */
  async ready(): Promise<void> {
    this.#awaited ??= this.#again();
    await this.#awaited;
    await this.rules.read();
    if (this.rules.stamp !== this.#ruledBy) {
      this.#awaited = this.#again();
      await this.#awaited;
    }
    await this.#lookNear();
    if (this.#survey.secrets.size >= foundSecretsMax) throw new TooManySecrets();
  }

  /** After a command. */
  lookSoon(): void {
    if (this.#awaited && !this.#running && Date.now() - this.#endedAtMs > freshMs) this.#again().catch(() => {});
  }

  /** One at a time: one that is at work may have begun with other rules, so another follows it. */
  #again(): Promise<void> {
    const before = this.#running?.catch(() => {}) ?? Promise.resolve();
    const mine = before
      .then(() => this.#look())
      .finally(() => {
        this.#endedAtMs = Date.now();
        if (this.#running === mine) this.#running = undefined;
      });
    this.#running = mine;
    return mine;
  }

  async #look(): Promise<void> {
    await this.rules.read();
    const ruledBy = this.rules.stamp;
    const survey = await surveyWorkspace({ root: this.#root, rules: this.rules, counts: this.#counts() });
    const masks = new Map<string, Mask>();
    for (const folder of survey.gitFolders) {
      const files = await gitFilesIn(join(this.#root, folder));
      await inBatches([...files], async ([name, kind]) => {
        const path = joined(folder, name);
        const mask = await maskOf(join(this.#root, path), kind, this.#masks.get(path));
        if (mask) masks.set(path, mask);
      });
    }
    for (const problem of survey.problems) this.#report(problem);
    this.#survey = survey;
    this.#masks = masks;
    this.#ruledBy = ruledBy;
    // What was listed meanwhile is in the survey before.
    this.#listed.clear();
  }

  async #lookNear(): Promise<void> {
    const folders = new Set(['', ...[...this.#survey.secrets].slice(0, watchedFoldersMax).map(parentOf)]);
    await inBatches([...folders], async (folder) => {
      const status = await statusOf(join(this.#root, folder));
      const stamp = status && stampOf(status);
      if (stamp === undefined || stamp === this.#listed.get(folder)) return;
      this.#listed.set(folder, stamp);
      await surveyFolder({ root: this.#root, rules: this.rules, survey: this.#survey, folder });
    });
    const configs = [...this.#masks].filter(([, { kind }]) => kind === 'config').slice(0, watchedConfigsMax);
    await inBatches(configs, async ([path, known]) => {
      const mask = await maskOf(join(this.#root, path), known.kind, known);
      if (mask) this.#masks.set(path, mask);
    });
  }
}
