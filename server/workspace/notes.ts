/** What a copy holds at a path, against its base: how a file that a command or a patch has left becomes a change, or none. */
import { type FileState, sameState } from '../changeset/file-state.ts';
import { isConcealed } from './conceal.ts';
import type { Counted } from './counted.ts';
import type { Layers, Located } from './layers.ts';
import type { Entry } from './record.ts';
import type { Secrets } from './secrets.ts';
import { newReading, readState, stampOf, statusOf } from './snapshot.ts';

export class Notes {
  /** What the call at work may still read of large files. */
  reading = newReading();
  readonly #layers: Layers;
  readonly #entries: Map<string, Entry>;
  readonly #secrets: Secrets;
  readonly #counts: () => Counted;

  constructor(of: { layers: Layers; entries: Map<string, Entry>; secrets: Secrets; counts: () => Counted }) {
    this.#layers = of.layers;
    this.#entries = of.entries;
    this.#secrets = of.secrets;
    this.#counts = of.counts;
  }

  /** Looks at one path of the copy again, unless its file is the one that was seen last. */
  async examine(path: string, located: Located, startedAtMs: number): Promise<void> {
    const entry = this.#entries.get(path);
    const stamp = located.in === 'upper' ? stampOf(located.status) : undefined;
    if (entry && stamp !== undefined && entry.stamp === stamp) return;
    if (await this.#staysSecret(path, entry, located)) return;
    if (entry?.kind === 'change') return this.note(path, entry.base, located);
    if (entry?.kind === 'buffer') return this.note(path, { kind: 'text', text: entry.text, mode: entry.mode }, located);
    // Not in the upper layer and never a change: the user's own file shows.
    if (located.in === 'lower') {
      this.#entries.delete(path);
      return;
    }
    await this.note(path, await this.#lowerBase(path, startedAtMs), located);
  }

  /** What is at a user's secret in the copy: no deletion of it, and no change from it, for it was never shown. */
  async #staysSecret(path: string, entry: Entry | undefined, located: Located): Promise<boolean> {
    if (entry?.kind === 'masked') return true;
    if (entry?.kind === 'change' && entry.base !== 'unknown' && entry.base.kind !== 'absent') return false;
    if (!isConcealed(this.#entries, path) && !(await this.#secrets.has(path))) return false;
    if (located.in !== 'upper') {
      if (entry?.kind !== 'hidden') this.#entries.delete(path);
      return true;
    }
    // The agent's own files in it are looked at one by one.
    if (located.status.isDirectory()) return true;
    const agent = await this.#layers.readLocated(path, located, undefined, this.reading);
    if (sameState(agent, await readState(this.#layers.paths.root, path, this.reading))) {
      // Out of git's history, for example: hidden again with the next refresh.
      this.#entries.set(path, { kind: 'same', stamp: stampOf(located.status) });
    } else if (await this.#counts().file(path)) await this.note(path, 'unknown', located);
    return true;
  }

  /** The user's text that the agent's change began from, unless it may have changed since. */
  async #lowerBase(path: string, startedAtMs: number): Promise<FileState | 'unknown'> {
    const state = await readState(this.#layers.paths.root, path, this.reading);
    const status = state.kind === 'absent' ? undefined : await statusOf(this.#layers.lower(path));
    return status && Number(status.ctimeNs / 1_000_000n) > startedAtMs ? 'unknown' : state;
  }

  /** Writes down what the copy holds at a path, against its base. */
  async note(path: string, base: FileState | 'unknown', known?: Located, reading = this.reading): Promise<void> {
    const located = known ?? (await this.#layers.locate(path));
    const stamp = located.in === 'upper' ? stampOf(located.status) : undefined;
    const agent = await this.#layers.readLocated(path, located, undefined, reading);
    const before = this.#entries.get(path);
    // The agent's own file is gone again, and the user's was never shown.
    const isHiddenAgain = base === 'unknown' && agent.kind === 'absent' && (await this.#secrets.has(path));
    if (isHiddenAgain) {
      this.#entries.set(path, { kind: 'hidden' });
    } else if (base === 'unknown' || !sameState(base, agent)) {
      this.#entries.set(path, { kind: 'change', base, agent, stamp });
    } else if (stamp === undefined) {
      this.#entries.delete(path);
    } else if (before?.kind === 'buffer') {
      this.#entries.set(path, { ...before, stamp });
    } else {
      const user = await readState(this.#layers.paths.root, path, reading);
      const lower = sameState(user, agent) ? await this.#layers.lowerStamp(path) : undefined;
      this.#entries.set(path, { kind: 'same', stamp, lower });
    }
  }
}
