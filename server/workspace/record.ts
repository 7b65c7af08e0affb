/** What a copy knows of its upper layer, on disk in the copy's folder: read by the next process after any end. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { FileState } from '../changeset/file-state.ts';
import { writeAtomically } from './atomic.ts';

/** Why a file is in the upper layer. `stamp`: of the file in `upper` when it was last read. */
export type Entry =
  | { kind: 'change'; base: FileState | 'unknown'; agent: FileState; stamp?: string }
  /** Unsaved text of the user, put there by us. `lower`: stamp of the file on disk then. */
  | { kind: 'buffer'; text: string; mode: number; stamp: string; lower?: string }
  /** The agent wrote what the user has. `lower` is missing where the disk already differed. */
  | { kind: 'same'; stamp?: string; lower?: string }
  /** A secret of the user, or a whole folder: a whiteout of ours, which is no change. */
  | { kind: 'hidden'; stamp?: undefined }
  /** Settings of git with their credentials masked, put there by us. */
  | { kind: 'masked'; stamp: string; lower: string };

/** What `settle` makes true; written down before it begins, so that it can be finished later. */
export type Settled = ReadonlyMap<string, { base: FileState | 'unknown'; agent: FileState }>;

const storedState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('text'), blob: z.string(), mode: z.number() }),
  z.object({ kind: z.literal('binary'), hash: z.string(), size: z.number(), mode: z.number() }),
  z.object({ kind: z.literal('symlink'), target: z.string() }),
  z.object({ kind: z.literal('other'), what: z.string() }),
]);
const storedBase = z.union([z.literal('unknown'), storedState]);
type StoredState = z.infer<typeof storedState>;

const storedRecord = z.object({
  version: z.literal(1),
  opaque: z.record(z.string(), z.string()),
  entries: z.array(
    z.discriminatedUnion('kind', [
      z.object({ path: z.string(), kind: z.literal('change'), base: storedBase }),
      z.object({
        path: z.string(),
        kind: z.literal('buffer'),
        blob: z.string(),
        mode: z.number(),
        stamp: z.string(),
        lower: z.string().optional(),
      }),
      z.object({
        path: z.string(),
        kind: z.literal('same'),
        stamp: z.string().optional(),
        lower: z.string().optional(),
      }),
      z.object({ path: z.string(), kind: z.literal('hidden') }),
      z.object({ path: z.string(), kind: z.literal('masked'), stamp: z.string(), lower: z.string() }),
    ]),
  ),
  settling: z.array(z.object({ path: z.string(), base: storedBase, agent: storedState })).optional(),
});

type Stored = z.infer<typeof storedRecord>;

export type Recalled = {
  opaque: Map<string, string>;
  /** Without the agent's states: those are in the upper layer. */
  entries: Map<string, Entry>;
  settling?: Settled;
};

/** One copy's record: `copy.json` and the texts it names in `base/`. */
export class CopyRecord {
  readonly #dir: string;
  readonly #texts: string;
  readonly #written = new Set<string>();
  /** A state is a value: its text is hashed once. */
  readonly #names = new WeakMap<FileState, string>();
  #last = '';

  constructor(dir: string) {
    this.#dir = dir;
    this.#texts = join(dir, 'base');
  }

  /** Throws where what is there is no record of ours: a copy must not be guessed. */
  async read(): Promise<Recalled> {
    await mkdir(this.#texts, { recursive: true, mode: 0o700 });
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return { opaque: new Map(), entries: new Map() };
    this.#last = text;
    const stored = storedRecord.parse(JSON.parse(text));
    const entries = new Map<string, Entry>();
    for (const entry of stored.entries) entries.set(entry.path, await this.#recall(entry));
    const settling = new Map<string, { base: FileState | 'unknown'; agent: FileState }>();
    for (const { path, base, agent } of stored.settling ?? []) {
      settling.set(path, { base: await this.#base(base), agent: await this.#state(agent) });
    }
    return { opaque: new Map(Object.entries(stored.opaque)), entries, settling: stored.settling && settling };
  }

  /** Texts first, then the record that names them; nothing where nothing has changed. */
  async write(
    entries: ReadonlyMap<string, Entry>,
    opaque: ReadonlyMap<string, string>,
    settling?: Settled,
  ): Promise<void> {
    const stored: Stored = { version: 1, opaque: Object.fromEntries(opaque), entries: [] };
    for (const [path, entry] of entries) {
      if (entry.kind === 'change')
        stored.entries.push({ path, kind: 'change', base: await this.#keepBase(entry.base) });
      else if (entry.kind === 'hidden') stored.entries.push({ path, kind: 'hidden' });
      else if (entry.kind !== 'buffer') stored.entries.push({ path, ...entry });
      else {
        const { text, ...rest } = entry;
        stored.entries.push({ path, ...rest, blob: await this.#keepText(text) });
      }
    }
    if (settling) {
      stored.settling = [];
      for (const [path, { base, agent }] of settling) {
        stored.settling.push({ path, base: await this.#keepBase(base), agent: await this.#keep(agent) });
      }
    }
    const text = JSON.stringify(stored);
    if (text === this.#last) return;
    await writeAtomically(this.#file, text, { mode: 0o600, beside: this.#dir });
    this.#last = text;
  }

  /** Texts that the record no longer names. */
  async forgetTexts(): Promise<void> {
    const names = new Set([...this.#last.matchAll(/"blob":"([0-9a-f]+)"/g)].map(([, name]) => name));
    for (const name of await readdir(this.#texts)) {
      if (names.has(name)) continue;
      this.#written.delete(name);
      await rm(join(this.#texts, name), { force: true });
    }
  }

  get #file(): string {
    return join(this.#dir, 'copy.json');
  }

  async #recall(entry: Stored['entries'][number]): Promise<Entry> {
    switch (entry.kind) {
      case 'change':
        return { kind: 'change', base: await this.#base(entry.base), agent: { kind: 'absent' } };
      case 'hidden':
        return { kind: 'hidden' };
      case 'masked':
        return { kind: 'masked', stamp: entry.stamp, lower: entry.lower };
      case 'same':
        return { kind: 'same', stamp: entry.stamp, lower: entry.lower };
      case 'buffer': {
        const { mode, stamp, lower } = entry;
        return { kind: 'buffer', text: await this.#text(entry.blob), mode, stamp, lower };
      }
    }
  }

  async #base(base: 'unknown' | StoredState): Promise<FileState | 'unknown'> {
    return base === 'unknown' ? base : this.#state(base);
  }

  async #state(state: StoredState): Promise<FileState> {
    if (state.kind !== 'text') return state;
    return { kind: 'text', text: await this.#text(state.blob), mode: state.mode };
  }

  #text(name: string): Promise<string> {
    return readFile(join(this.#texts, name), 'utf8');
  }

  async #keepBase(base: FileState | 'unknown'): Promise<'unknown' | StoredState> {
    return base === 'unknown' ? base : this.#keep(base);
  }

  async #keep(state: FileState): Promise<StoredState> {
    if (state.kind !== 'text') return state;
    const known = this.#names.get(state);
    const blob = known !== undefined && this.#written.has(known) ? known : await this.#keepText(state.text);
    this.#names.set(state, blob);
    return { kind: 'text', blob, mode: state.mode };
  }

  async #keepText(text: string): Promise<string> {
    const name = createHash('sha256').update(text).digest('hex');
    if (this.#written.has(name)) return name;
    await writeAtomically(join(this.#texts, name), text, { mode: 0o600, beside: this.#texts });
    this.#written.add(name);
    return name;
  }
}
