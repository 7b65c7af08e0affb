/** Any sequence of accepts, edits of the user's, undos and redos, over real files. */
import { chmodSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ApplyResult } from '../../server/protocol/changeset.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { Refusal } from '../../server/task/refusal.ts';
import { say, script, shell } from '../support/model.ts';
import { snapshot } from '../support/snapshot.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const numbered = (name: string) => Array.from({ length: 12 }, (_, line) => `${name} ${line}\n`).join('');
const files = Object.fromEntries(['a', 'b', 'gone', 'old', 'run', 'to-link'].map((name) => [name, numbered(name)]));
/** Of every kind; several hunks in most. */
const change = [
  "sed -i -e 's/^a 2$/A 2/' -e '/^a 5$/d' -e 's/^a 9$/a 9\\nA 9b/' a",
  "sed -i -e 's/^b 0$/B 0/' -e 's/^b 11$/B 11/' b",
  "rm gone && mkdir new && mv old new/moved && sed -i 's/^old 6$/OLD 6/' new/moved",
  "chmod +x run && sed -i 's/^run 4$/RUN 4/' run && rm to-link && ln -s a to-link && ln -sfn b link",
  "printf '\\0\\1' > data && printf '\\0' > picture && echo made > new/made && : > empty",
].join(' && ');

type Operation =
  | { do: 'accept'; which: number }
  | { do: 'acceptAll' | 'undo' | 'redo' }
  | { do: 'edit'; line: number; what: 'change' | 'add' | 'takeOut' }
  | { do: 'type'; file: number; line: number }
  | { do: 'drop'; file: number; line: number };

const withoutTyping: fc.Arbitrary<Operation>[] = [
  fc.record({ do: fc.constant('accept' as const), which: fc.nat(0xffff) }),
  fc.record({ do: fc.constantFrom('acceptAll' as const, 'undo' as const, 'undo' as const, 'redo' as const) }),
];
/** Of the lines that `review.diff` adds: one is edited, joined by another or taken out, and the document applied. */
const asEdited: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('edit' as const),
  line: fc.nat(30),
  what: fc.constantFrom('change' as const, 'add' as const, 'takeOut' as const),
});
const place = { file: fc.nat(20), line: fc.nat(14) };
const withTyping: fc.Arbitrary<Operation>[] = [
  ...withoutTyping,
  asEdited,
  fc.record({ do: fc.constant('type' as const), ...place }),
  fc.record({ do: fc.constant('drop' as const), ...place }),
];

async function inReview(run: (bench: Bench, threadId: string) => Promise<void>): Promise<void> {
  await using bench = await openBench({ files, git: false, script: script(shell(change), say('Done.')) });
  const at = (path: string) => join(bench.workspace.root, path);
  chmodSync(at('gone'), 0o600);
  chmodSync(at('run'), 0o640);
  symlinkSync('a', at('link'));
  writeFileSync(at('picture'), Buffer.from([0, 1, 255]));
  const { threadId } = await bench.run('change it');
  await run(bench, threadId);
}

function editedDocument(written: string, { line, what }: Extract<Operation, { do: 'edit' }>): string {
  const lines = written.split('\n');
  const added = lines.flatMap((text, at) => (/^\+(?!\+\+ )/.test(text) ? [at] : []));
  const at = added[line % Math.max(1, added.length)];
  if (at === undefined) return written;
  const kept = { change: [`${lines[at]} edited`], add: [lines[at] ?? '', '+edited'], takeOut: [] }[what];
  return lines.toSpliced(at, 1, ...kept).join('\n');
}

/** Undefined where there was nothing of the kind to do. */
async function perform(bench: Bench, threadId: string, operation: Operation): Promise<ApplyResult | undefined> {
  const { tasks } = bench;
  try {
    if (operation.do === 'undo' || operation.do === 'redo') {
      return await (await tasks.undo(threadId, diskFace, { redo: operation.do === 'redo' })).result;
    }
    if (operation.do === 'edit') {
      const written = await tasks.reviewDocument(threadId, noDocuments);
      const edited = { text: editedDocument(written, operation), written };
      return await (await tasks.applyEdited(threadId, edited, diskFace)).result;
    }
    const { files } = await tasks.review(threadId, noDocuments);
    const pending = files.flatMap(({ hunks }) => hunks.filter(({ status }) => status === 'pending'));
    const hunks = pending
      .filter(
        (_, index) => operation.do === 'acceptAll' || (operation.do === 'accept' && operation.which & (1 << index)),
      )
      .map(({ id }) => id);
    return hunks.length > 0 ? await (await tasks.accept(threadId, { hunks }, diskFace)).result : undefined;
  } catch (error) {
    if (error instanceof Refusal && error.reason.startsWith('nothingTo')) return undefined;
    throw error;
  }
}

/** Repeated until there is nothing left that it can do. */
async function toTheEnd(bench: Bench, threadId: string, what: 'undo' | 'redo'): Promise<void> {
  while (((await perform(bench, threadId, { do: what }))?.applied.length ?? 0) > 0);
}

test.each([
  { name: 'hunks are accepted as they are', kinds: withoutTyping, seed: 41 },
  { name: 'some are edited in the review', kinds: [...withoutTyping, asEdited], seed: 43 },
])(
  'where nobody types and $name, undoing all restores every byte and mode, and redoing all what it was before',
  async ({ kinds, seed }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 10 }), (operations) =>
        inReview(async (bench, threadId) => {
          const first = await bench.tasks.review(threadId, noDocuments);
          const ids = (): Promise<string[]> =>
            bench.tasks
              .review(threadId, noDocuments)
              .then(({ files }) =>
                files.flatMap(({ hunks }) => hunks.map(({ id, status }) => `${id} ${status}`)).sort(),
              );
          const old = snapshot(bench.workspace.root);
          for (const operation of operations) {
            const result = await perform(bench, threadId, operation);
            // Of an edited review it may be named what does not fit, or is sensitive.
            if (operation.do !== 'edit') expect([...(result?.failed ?? []), ...(result?.conflicts ?? [])]).toEqual([]);
          }
          await toTheEnd(bench, threadId, 'redo');
          const [before, decided] = [snapshot(bench.workspace.root), await ids()];
          await toTheEnd(bench, threadId, 'undo');
          expect(snapshot(bench.workspace.root)).toEqual(old);
          expect((await bench.tasks.review(threadId, noDocuments)).files).toEqual(first.files);
          await bench.restart();
          await toTheEnd(bench, threadId, 'redo');
          expect(snapshot(bench.workspace.root)).toEqual(before);
          // The rest of a change that was edited is another change.
          if (kinds === withoutTyping) expect(await ids()).toEqual(decided);
        }),
      ),
      { numRuns: 10, seed },
    );
  },
  120_000,
);

test('what the user types is never lost, whatever is accepted, undone and redone around it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...withTyping), { minLength: 5, maxLength: 20 }), (operations) =>
      inReview(async (bench, threadId) => {
        const { root } = bench.workspace;
        const texts = () =>
          readdirSync(root, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            .filter((path) => !readFileSync(path).includes(0))
            .sort();
        const typed = () =>
          texts()
            .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
            .filter((line) => line.startsWith('typed'))
            .sort();
        let expected: string[] = [];
        for (const [index, operation] of [...operations, { do: 'undo' } as const, { do: 'redo' } as const].entries()) {
          if (operation.do === 'type' || operation.do === 'drop') {
            const paths = texts();
            const path = paths[operation.file % paths.length] ?? '';
            const lines = readFileSync(path, 'utf8').split(/(?<=\n)/);
            const at = operation.line % (lines.length + 1);
            lines.splice(at, operation.do === 'drop' ? 1 : 0, ...(operation.do === 'drop' ? [] : [`typed ${index}\n`]));
            writeFileSync(path, lines.join(''));
            expected = typed();
          } else {
            await perform(bench, threadId, operation);
          }
          expect(typed(), `after ${JSON.stringify(operation)}`).toEqual(expected);
        }
        await toTheEnd(bench, threadId, 'undo');
        expect(typed()).toEqual(expected);
      }),
    ),
    { numRuns: 12, seed: 42 },
  );
}, 120_000);
