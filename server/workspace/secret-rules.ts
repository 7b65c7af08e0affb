/** Which paths of a workspace are secret: by name, by what a file holds, by `.codexignore`, and by the user's exceptions. */
import { constants, open } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import createIgnore, { type Ignore } from 'ignore';
import { readSmallFile } from './bounded-file.ts';
import { limited, rulesBytesMax, usableRules } from './ignore.ts';
import { isHidden, parentsOf } from './paths.ts';
import { holdsPrivateKey, judgeName, keyBytesMax } from './secret-names.ts';
import { codeOf, isReachable, stampOf, statusOf } from './snapshot.ts';

const codexIgnore = '.codexignore';

export class SecretRules {
  readonly #root: string;
  readonly #report: (problem: string) => void;
  #hiding: Ignore | undefined;
  #stamp: string | undefined;
  #showing: Ignore | undefined;

  /** Begins without `.codexignore`: see `read`. */
  constructor(root: string, report: (problem: string) => void = () => {}) {
    this.#root = root;
    this.#report = report;
  }

  /** What the user lets commands read: patterns as in `.gitignore`, or paths of the workspace. */
  allow(patterns: readonly string[]): void {
    const rules = usableRules(
      patterns.map((pattern) => this.#relative(pattern)).join('\n'),
      'sandbox.secrets',
      this.#report,
    );
    this.#showing = rules.length === 0 ? undefined : createIgnore({ ignorecase: false }).add(rules);
  }

  /** Of `.codexignore`, as it was read last. */
  get stamp(): string | undefined {
    return this.#stamp;
  }

  /** Reads `.codexignore` where it is another than at the last time. */
  async read(): Promise<void> {
    const file = join(this.#root, codexIgnore);
    const status = await statusOf(file);
    const stamp = status && stampOf(status);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const text = status && (await readSmallFile(file, rulesBytesMax))?.toString('utf8');
    if (status && text === undefined)
      this.#report(`${codexIgnore} is no file, or too large to be read: it hides nothing`);
    const rules = text === undefined ? [] : usableRules(text, codexIgnore, this.#report);
    this.#hiding = rules.length === 0 ? undefined : createIgnore({ ignorecase: true }).add(rules);
  }

  /** Whether the name alone, or `.codexignore`, decides. For a folder only the latter does. */
  judge(path: string, kind: 'file' | 'link' | 'folder'): 'secret' | 'byContent' | 'open' {
    if (isHidden(path)) return 'open';
    const suffix = kind === 'folder' ? '/' : '';
    const name = kind === 'folder' ? 'open' : judgeName(path.slice(path.lastIndexOf('/') + 1));
    const verdict = this.#hiding?.ignores(limited(path + suffix)) ? 'secret' : name;
    // What a link leads to is judged by its own name.
    if (verdict === 'open' || (verdict === 'byContent' && kind === 'link')) return 'open';
    return this.#showing?.ignores(limited(path + suffix)) ? 'open' : verdict;
  }

  /** Of the user's file, which need not be there: then, and for a buffer, `text` is what it would hold. */
  async isSecret(path: string, text?: string): Promise<boolean> {
    if (this.isBelowSecret(path)) return true;
    const verdict = this.judge(path, 'file');
    if (verdict !== 'byContent') return verdict === 'secret';
    return (text !== undefined && holdsPrivateKey(Buffer.from(text))) || this.holdsKey(path);
  }

  isBelowSecret(path: string): boolean {
    return this.#hiding !== undefined && parentsOf(path).some((parent) => this.judge(parent, 'folder') === 'secret');
  }

  /** Whether the user's file begins like a private key; yes where that can't be read. */
  async holdsKey(path: string): Promise<boolean> {
    if (!(await isReachable(this.#root, path))) return false;
    try {
      await using handle = await open(
        join(this.#root, path),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      const bytes = Buffer.alloc(keyBytesMax);
      const { bytesRead } = await handle.read(bytes, 0, keyBytesMax, 0);
      return holdsPrivateKey(bytes.subarray(0, bytesRead));
    } catch (error) {
      const code = codeOf(error);
      return code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP' && code !== 'EISDIR';
    }
  }

  #relative(pattern: string): string {
    const inside = isAbsolute(pattern) ? relative(this.#root, pattern) : pattern;
    return isAbsolute(pattern) && !inside.startsWith('..') ? `/${inside}` : pattern.replace(/^\.\//, '/');
  }
}
