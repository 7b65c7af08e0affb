/** What stands in a conversation: repaired, cut, and told only once. Pure. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectAgentsMd } from '../../server/agent/agents-md.ts';
import {
  agentsMdContext,
  contextUpdates,
  type Environment,
  environmentContext,
  reviewContext,
  taskMessage,
} from '../../server/agent/context.ts';
import { instructions } from '../../server/agent/instructions.ts';
import { repairConversation } from '../../server/agent/repair.ts';
import { truncateMiddle } from '../../server/agent/truncate.ts';
import type { ConversationItem } from '../../server/model/model.ts';
import { inputProblems } from '../support/model-request.ts';

const textOf = (item: ConversationItem | undefined): string => {
  const [part] = (item?.content ?? []) as { text: string }[];
  return part?.text ?? '';
};

/** `c1` a function call, `x1` a freeform one, `o1` and `p1` their outputs, `u` the user, `a` the model, `r` reasoning. */
const items = (words: string): ConversationItem[] =>
  words.split(' ').map((word) => {
    const [kind, id] = [word[0], word.slice(1)];
    if (kind === 'c') return { type: 'function_call', call_id: id, name: 'shell', arguments: '{}' };
    if (kind === 'x') return { type: 'custom_tool_call', call_id: id, name: 'apply_patch', input: '' };
    if (kind === 'o') return { type: 'function_call_output', call_id: id, output: 'done' };
    if (kind === 'p') return { type: 'custom_tool_call_output', call_id: id, output: 'done' };
    if (kind === 'A') return { type: 'function_call_output', call_id: id, output: 'aborted by the user' };
    if (kind === 'B') return { type: 'custom_tool_call_output', call_id: id, output: 'aborted by the user' };
    if (kind === 'r') return { type: 'reasoning', summary: [], encrypted_content: 'x' };
    return { type: 'message', role: kind === 'u' ? 'user' : 'assistant', content: [] };
  });

test.each([
  ['u r a', 'u r a'],
  ['u c1 o1 a', 'u c1 o1 a'],
  ['u c1', 'u c1 A1'],
  ['u c1 x2 o1', 'u c1 x2 o1 B2'],
  ['u c1 x2 u a', 'u c1 x2 A1 B2 u a'],
  ['u c1 x2 p2 u c3 o3', 'u c1 x2 p2 A1 u c3 o3'],
  ['u c1 a o1 u', 'u c1 a o1 u'],
  ['u o1 a', 'u a'],
  ['u c1 o1 o1 a', 'u c1 o1 a'],
  ['u c1 p1 a', 'u c1 a A1'],
  ['u c1 c1 o1', 'u c1 o1'],
  ['u c1 o1 c1 o1 u c1', 'u c1 o1 c1 o1 u c1 A1'],
])('%s is repaired to %s', (before, after) => {
  expect(repairConversation(items(before))).toEqual(items(after));
});

test('whatever was kept, the repaired conversation is valid, stays so, and only grows', () => {
  const word = fc.constantFrom('u', 'a', 'r', 'c1', 'c2', 'x3', 'o1', 'o2', 'p3', 'o3');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 14 }), fc.array(word, { maxLength: 6 }), (words, more) => {
      const kept = items(words.join(' '));
      const repaired = repairConversation(kept);
      expect(inputProblems(repaired)).toEqual([]);
      expect(repairConversation(repaired)).toEqual(repaired);
      const grown = repairConversation([...kept, ...items(['u', ...more].join(' '))]);
      expect(grown.slice(0, repaired.length)).toEqual(repaired);
    }),
  );
});

test('a cut text is within its bytes, begins and ends as the text does, and has no half characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 400, maxLength: 1200 }),
      fc.integer({ min: 8, max: 300 }),
      (text, bytesMax) => {
        const cut = truncateMiddle(text, bytesMax);
        if (cut === text) return;
        const [, head = '', count, tail = ''] =
          /^([\s\S]*?)\n?\[… (\d+) bytes left out here …\]\n([\s\S]*)$/.exec(cut) ?? [];
        expect(Buffer.byteLength(head) + Buffer.byteLength(tail)).toBeLessThanOrEqual(bytesMax);
        expect(text.startsWith(head)).toBe(true);
        expect(text.endsWith(tail)).toBe(true);
        const shown = Buffer.byteLength(head) + Buffer.byteLength(tail);
        expect(Math.abs(Number(count) + shown - Buffer.byteLength(text))).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test('a text that is only as much too long as a mark is left alone', () => {
  expect(truncateMiddle('x'.repeat(1200), 1000)).toHaveLength(1200);
  expect(truncateMiddle('x'.repeat(1300), 1000)).toContain('300 bytes left out');
  const lines = Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join('');
  expect(truncateMiddle(lines, 200)).toMatch(/^line 0\n(line \d+\n)+\[… \d+ bytes left out here …\]\n(line \d+\n)+$/);
});

const environment: Environment = {
  root: '/work/place',
  os: 'linux',
  shell: 'bash',
  network: 'off',
  sandbox: 'workspace',
  isolation: 'namespaces',
  date: '2026-01-02',
};

test('context is told when it is new and when it changed, and never told twice', () => {
  const told = environmentContext(environment);
  const rules = agentsMdContext({ files: [{ path: 'AGENTS.md', text: 'Use tabs.\n' }], truncated: false });
  const first = contextUpdates([], [told, rules, undefined]);
  expect(first).toEqual([told, rules]);
  expect(contextUpdates(first, [environmentContext({ ...environment }), rules])).toEqual([]);

  const tomorrow = environmentContext({ ...environment, date: '2026-01-03' });
  const second = contextUpdates(first, [tomorrow, rules]);
  expect(second).toEqual([tomorrow]);
  // Back to what stood there at first is a change too.
  expect(contextUpdates([...first, ...second], [told, rules])).toEqual([told]);
});

test('the message of a turn: what was attached, and the prompt as it is', () => {
  const message = taskMessage({
    prompt: 'make it retry',
    mode: 'ask',
    attachments: [
      {
        path: 'src/a "b".ts',
        lines: { start: 2, end: 5 },
        selection: 'fetch(url)',
        unsaved: true,
        diagnostics: [{ line: 3, severity: 'error', message: 'no await', source: 'ts' }],
      },
      { path: 'b.ts' },
    ],
  });
  expect(textOf(message)).toBe(`<attached>
<file path="src/a \\"b\\".ts" lines="3-5" unsaved="true">
<selection>
fetch(url)
</selection>
line 4: error: no await (ts)
</file>
<file path="b.ts"/>
</attached>

This turn is a question. Answer it in words; files cannot be changed in it.

make it retry`);
  expect(textOf(taskMessage({ prompt: 'hi', mode: 'task', attachments: [] }))).toBe('hi');
});

test('attachments have a limit each', () => {
  const diagnostics = Array.from({ length: 60 }, (_, line) => ({ line, severity: 'error', message: 'm'.repeat(5000) }));
  const text = textOf(
    taskMessage({
      prompt: 'x',
      mode: 'task',
      attachments: [{ path: 'a', selection: 's'.repeat(90_000), diagnostics }],
    }),
  );
  expect(text.length).toBeLessThan(40_000 + 50 * 1100 + 1000);
  expect(text).toContain('[cut after 40000 characters]');
  expect(text).toContain('10 more diagnostics');
});

test('what became of the review is told', () => {
  const hunk = (id: string, path: string, status: 'accepted' | 'rejected') => ({ id, path, status });
  const item = reviewContext({
    lastTurn: 'interrupted',
    events: [
      { type: 'hunksDecided', hunks: [hunk('1', 'a.txt', 'accepted'), hunk('2', 'a.txt', 'rejected')] },
      {
        type: 'hunksDecided',
        hunks: [hunk('2', 'a.txt', 'accepted'), hunk('3', 'b.txt', 'rejected')],
        comment: 'use tabs',
      },
      { type: 'undone', result: { applyId: 'x', applied: ['c.txt'], conflicts: [], failed: [] } },
    ],
    pending: ['d.txt'],
    conflicting: ['e.txt'],
  });
  expect(textOf(item)).toBe(`<review>
The turn before was stopped by the user before it was finished.
Accepted, now in the user’s files: a.txt (2 hunks)
Rejected, taken out of your copy: b.txt (1 hunk)
Undone by the user: c.txt
Still waiting for the user’s review, and still in your copy: d.txt
In conflict with what the user has written meanwhile: e.txt
The user said of a rejected change: use tabs
</review>`);
  expect(reviewContext({ lastTurn: 'completed', events: [] })).toBeUndefined();
});

/** A disk of texts by absolute path; a path that ends with `/` is a folder. */
const collect = (disk: Record<string, string>, folder = '') =>
  collectAgentsMd({
    codexHome: '/home/u/.codex',
    root: '/home/u/repo/app',
    folder,
    read: async (path) => disk[path],
    exists: async (path) => path in disk || `${path}/` in disk,
  });

test('AGENTS.md: the global one, then from the root of the repository down to the working folder', async () => {
  const disk = {
    '/home/u/.codex/AGENTS.md': 'global',
    '/home/u/AGENTS.md': 'above the repository',
    '/home/u/repo/.git/': '',
    '/home/u/repo/AGENTS.md': 'repository',
    '/home/u/repo/app/AGENTS.md': 'app',
    '/home/u/repo/app/AGENTS.override.md': 'app, overridden',
    '/home/u/repo/app/src/AGENTS.md': 'src',
    '/home/u/repo/app/src/deep/AGENTS.md': '  \n',
    '/home/u/repo/app/test/AGENTS.md': 'test',
  };
  expect(await collect(disk, 'src/deep')).toEqual({
    files: [
      { path: '/home/u/.codex/AGENTS.md', text: 'global' },
      { path: '/home/u/repo/AGENTS.md', text: 'repository' },
      { path: 'AGENTS.override.md', text: 'app, overridden' },
      { path: 'src/AGENTS.md', text: 'src' },
    ],
    truncated: false,
  });
  const { '/home/u/repo/.git/': _, ...withoutGit } = disk;
  expect((await collect(withoutGit)).files.map(({ text }) => text)).toEqual(['global', 'app, overridden']);
  expect((await collect({ ...disk, '/home/u/repo/app/.git': 'gitdir: …' })).files.map(({ text }) => text)).toEqual([
    'global',
    'app, overridden',
  ]);
});

test('AGENTS.md: 32 KiB in all, cut between characters, and said so', async () => {
  const collected = await collect(
    {
      '/home/u/.codex/AGENTS.md': 'x'.repeat(32 * 1024 - 3),
      '/home/u/repo/app/AGENTS.md': 'ééé',
      '/home/u/repo/app/src/AGENTS.md': 'src',
    },
    'src',
  );
  expect(collected.truncated).toBe(true);
  expect(collected.files.map(({ text }) => text.slice(-5))).toEqual(['xxxxx', 'é']);
  expect(textOf(agentsMdContext(collected))).toMatch(/Cut: .*32 KiB/);
  expect(agentsMdContext({ files: [], truncated: false })).toBeUndefined();
});

test('the instructions are about a page and a half, and say what the agent must know', () => {
  expect(instructions.length).toBeGreaterThan(3000);
  expect(instructions.length).toBeLessThan(8000);
  for (const word of ['update_plan', 'apply_patch', 'network', 'AGENTS.md', '.git', 'review', 'Verify', 'Report'])
    expect(instructions).toContain(word);
});

test('AGENTS.md of several folders: each with what is above it, what both have once', async () => {
  const disk: Record<string, string> = {
    '/w/.git/': '',
    '/w/AGENTS.md': 'both',
    '/w/api/AGENTS.md': 'api',
    '/w/web/AGENTS.md': 'web',
    '/w/other/AGENTS.md': 'other',
  };
  const { files } = await collectAgentsMd({
    codexHome: '/home/u/.codex',
    root: '/w',
    folders: ['/w/api', '/w/web'],
    read: async (path) => disk[path],
    exists: async (path) => path in disk || `${path}/` in disk,
  });
  expect(files).toEqual([
    { path: 'AGENTS.md', text: 'both' },
    { path: 'api/AGENTS.md', text: 'api' },
    { path: 'web/AGENTS.md', text: 'web' },
  ]);
});

test('the folders of a workspace are named where there are several, and nothing is said of one', () => {
  const several = textOf(environmentContext({ ...environment, root: '/w', folders: ['api', 'web'] }));
  expect(several).toContain('<workspace>/w</workspace>\n<workspace_folders>\napi\nweb\n</workspace_folders>\n');
  expect(several).toContain('Commands start in api.');
  expect(textOf(environmentContext(environment))).not.toContain('folders');
});
