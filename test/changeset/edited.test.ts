import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasNotes, parseReview, withoutComments } from '../../server/changeset/edited-document.ts';
import { type EditedReview, editedOutcomes } from '../../server/changeset/edited-outcome.ts';
import { asWrittenIn } from '../../server/changeset/edited-parts.ts';
import { applyLineEdits, splitLines } from '../../server/changeset/lines.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import { isAsWritten } from '../../server/changeset/review-mark.ts';
import type { Decisions, FileOutcome, Review } from '../../server/changeset/review-types.ts';
import { commentKeys, withoutSent } from '../../server/changeset/sent-comments.ts';
import { asTree, gitApply } from './git.ts';
import { absent, binary, contentsOf, type Files, idsOf, link, review, text, threeTexts, words } from './states.ts';

const heading = { title: 'Do it', threadId: 't1' };
const nine = 'a b c d e f g h i j k l m n o p q r s t';

function written(reviewed: Review, ...all: readonly Files[]): string {
  return reviewDocument(reviewed, heading, contentsOf(...all));
}

/** The user's files after the outcomes. */
function filesAfter(user: Files, outcomes: readonly FileOutcome[]): Files {
  const after: Record<string, Files[string]> = { ...user };
  for (const { path, from, after: state } of outcomes) {
    if (from !== undefined) delete after[from];
    if (state.kind === 'absent') delete after[path];
    else after[path] = state;
  }
  return after;
}

type Case = { base: Files; agent: Files; user?: Files; decisions?: Decisions; later?: Files };

/** `edit`: what becomes of the document; `later`: what the user's files become after it was written. */
function applied(of: Case, edit: (document: string) => string, more: Partial<EditedReview> = {}) {
  const { base, agent, user = base, decisions, later = user } = of;
  const document = written(review(base, agent, user), base, agent);
  const reviewed = review(base, agent, later, decisions);
  const edited = { text: edit(document), written: document, ...more };
  const made = editedOutcomes(reviewed, edited, contentsOf(base, agent));
  return { ...made, files: filesAfter(later, made.outcomes), reviewed };
}

const file = (content: string): Files => ({ f: text(content) });
const textOf = (files: Files, path = 'f'): string | undefined => {
  const state = files[path];
  return state?.kind === 'text' ? state.text : undefined;
};
const replace =
  (from: string, to: string) =>
  (document: string): string => {
    expect(document).toContain(from);
    return document.replace(from, to);
  };

describe('what the text says is what is applied', () => {
  const base = file(words(nine));
  const agent = file(words(nine.replace('b', 'B').replace('t', 'T u')));
  const both = words(nine.replace('b', 'B').replace('t', 'T u'));
  const cases: [name: string, edit: (document: string) => string, expected: string][] = [
    ['as it was written', (same) => same, both],
    [
      'a line that the agent added, edited',
      replace('\n+B\n', '\n+bee\n'),
      words(nine.replace('b', 'bee').replace('t', 'T u')),
    ],
    ['taken out', replace('\n+B\n', '\n'), words(nine.replace('b ', '').replace('t', 'T u'))],
    ['one more', replace('\n+B\n', '\n+B\n+B2\n'), words(nine.replace('b', 'B B2').replace('t', 'T u'))],
    ['a line of context, edited', replace('\n c\n', '\n gamma\n'), both.replace('c\n', 'gamma\n')],
    ['the first line of context, edited', replace('\n a\n', '\n alpha\n'), both.replace('a\n', 'alpha\n')],
    ['a line of context, to be removed', replace('\n c\n', '\n-c\n'), both.replace('c\n', '')],
    ['a line to be removed, kept', replace('\n-b\n', '\n b\n'), both.replace('B\n', 'b\nB\n')],
    ['less context', replace('\n c\n d\n e\n', '\n c\n'), both],
    ['no context', (whole) => whole.replace('\n a\n', '\n').replace('\n c\n d\n e\n', '\n'), both],
    ['a hunk taken out', (whole) => whole.replace(/@@ -1,[\s\S]*?(?=@@ -17)/, ''), words(nine.replace('t', 'T u'))],
    ['wrong numbers', (whole) => whole.replaceAll(/@@ -\d+,\d+ \+\d+,\d+ @@/g, '@@ -7,70 +9,1 @@'), both],
    ['no numbers', (whole) => whole.replaceAll(/@@ -\d+,\d+ \+\d+,\d+ @@/g, '@@'), both],
    ['comments everywhere', (whole) => `> all\n${whole.replaceAll('\n', '\n> so?\n')}`, both],
    ['lines that end in CRLF', (whole) => whole.replaceAll('\n', '\r\n'), both],
    ['no end of the last line', (whole) => whole.replace(/\n$/, ''), both],
    ['empty lines between hunks', (whole) => whole.replaceAll('\n@@', '\n\n\n@@').replace(/$/, '\n\n\n'), both],
    ['another heading', (whole) => whole.replace(/^# Thread.*$/m, '# what'), both],
  ];
  test.each(cases)('%s', (_name, edit, expected) => {
    const { files, conflicts, failed, outcomes, reviewed } = applied({ base, agent }, edit);
    expect({ text: textOf(files), conflicts, failed }).toEqual({ text: expected, conflicts: [], failed: [] });
    for (const { before, after, edits } of outcomes) {
      if (before.kind !== 'text' || after.kind !== 'text') throw new Error('not text');
      expect(applyLineEdits(splitLines(before.text), edits)).toBe(after.text);
    }
    const count = _name === 'a hunk taken out' ? 1 : 2;
    expect(outcomes.flatMap(({ hunks }) => hunks)).toEqual(idsOf(reviewed).slice(-count));
  });

  test('without the text that was written, too, but for edited context', () => {
    for (const [name, edit, expected] of cases) {
      const { files, failed } = applied({ base, agent }, edit, { written: undefined });
      const isContext = /context, edited|context, to be/.test(name) && !name.includes('to be');
      expect([name, textOf(files)]).toEqual([name, isContext ? words(nine) : expected]);
      expect(failed).toHaveLength(isContext ? 1 : 0);
    }
  });

  test('a hunk of the user, without an id, at the only place that has its lines', () => {
    const own = (whole: string): string => `${whole}@@ @@\n k\n-l\n+L\n m\n`;
    const { files, outcomes } = applied({ base, agent }, own);
    expect(textOf(files)).toBe(both.replace('l\n', 'L\n'));
    expect(outcomes[0]?.hunks).toHaveLength(2);
  });

  test.each<[name: string, edit: (document: string) => string, reason: RegExp]>([
    [
      'a line to be removed, edited',
      replace('\n-b\n', '\n-bb\n'),
      /^line \d+ of review.diff: its lines that begin with/,
    ],
    ['a line to be removed, taken out', replace('\n-b\n', '\n'), /its lines that begin with - or a blank/],
    ['a line without a mark', replace('\n+B\n', '\n+B\nB2\n'), /begins with none of blank/],
    ['another name', replace('+++ b/f', '+++ b/g'), /not in the review any more/],
    ['another mode', replace('--- a/f', 'new mode 100755\n--- a/f'), /lines above the first hunk/],
    ['an id of nobody', (whole) => whole.replace(/@@ h\w+/, '@@ h0'), /this hunk is not in the review/],
    ['the same twice', (whole) => whole.replace(/@@ -17[\s\S]*?(?=diff)/, '$&$&'), /stands here twice/],
  ])('nothing of a file with %s', (_name, edit, reason) => {
    const other = { g2: text('1\n') };
    const { files, conflicts, failed } = applied({ base, agent: { ...agent, ...other } }, edit);
    expect(files).toEqual({ ...base, ...other });
    expect(failed).toEqual([{ path: expect.stringMatching(/^[fg]$/), reason: expect.stringMatching(reason) }]);
    if (!/name|mode/.test(_name)) expect(conflicts).toMatchObject([{ path: 'f', hunk: expect.stringMatching(/^h/) }]);
  });

  test('only what is chosen', () => {
    const edit = replace('\n+B\n', '\n+bee\n');
    const [first, second] = idsOf(review(base, agent));
    expect(textOf(applied({ base, agent }, edit, { hunks: [first ?? ''] }).files)).toBe(
      words(nine.replace('b', 'bee')),
    );
    expect(textOf(applied({ base, agent }, edit, { hunks: [second ?? ''] }).files)).toBe(
      words(nine.replace('t', 'T u')),
    );
    expect(applied({ base, agent }, edit, { files: ['f'] }).outcomes).toHaveLength(1);
    expect(applied({ base, agent }, edit, { files: ['g'] })).toMatchObject({ outcomes: [], failed: [{ path: 'g' }] });
  });
});

describe('what the user typed since the document was written stays', () => {
  const base = file(words(nine));
  const agent = file(words(nine.replace('b', 'B').replace('t', 'T u')));
  const same = (document: string): string => document;

  test('above, and in the context', () => {
    const later = file(`new\n${words(nine)}`.replace('d\n', 'dee\n'));
    const { files, failed } = applied({ base, agent, later }, replace('\n+B\n', '\n+bee\n'));
    expect(failed).toEqual([]);
    expect(textOf(files)).toBe(words(`new ${nine}`.replace('b', 'bee').replace(' d ', ' dee ').replace('t', 'T u')));
  });

  test('a hunk over it is named, and nothing of its file is applied', () => {
    const later = file(words(nine.replace('b', 'mine')));
    const { outcomes, conflicts, failed } = applied({ base, agent, later }, same);
    expect(outcomes).toEqual([]);
    expect(conflicts).toMatchObject([
      { path: 'f', reason: expect.stringContaining('you have changed the same lines') },
    ]);
    expect(failed).toHaveLength(1);
  });

  test('a line of context that both edited is named', () => {
    const later = file(words(nine.replace('d', 'mine')));
    const { outcomes, failed } = applied({ base, agent, later }, replace('\n d\n', '\n delta\n'));
    expect(outcomes).toEqual([]);
    expect(failed).toMatchObject([{ path: 'f', reason: expect.stringContaining('your file has changed where') }]);
  });

  test('what was decided since is not done again; edited, it is named', () => {
    const [first] = idsOf(review(base, agent));
    const decisions: Decisions = new Map([[first ?? '', 'accepted']]);
    const later = file(words(nine.replace('b', 'B')));
    expect(textOf(applied({ base, agent, later, decisions }, same).files)).toBe(
      words(nine.replace('b', 'B').replace('t', 'T u')),
    );
    const edited = applied({ base, agent, later, decisions }, replace('\n+B\n', '\n+bee\n'));
    expect(edited).toMatchObject({ outcomes: [], failed: [{ reason: expect.stringContaining('already accepted') }] });
  });

  test('a change applied as edited is decided: it leaves the review, and its neighbours stay', () => {
    const { files, outcomes } = applied({ base, agent }, (whole) =>
      whole.replace('\n+B\n', '\n+bee\n+more\n').replace(/@@ -17[\s\S]*/, ''),
    );
    const decisions: Decisions = new Map(outcomes.flatMap(({ hunks }) => hunks.map((id) => [id, 'accepted'] as const)));
    expect(idsOf(review(base, agent, files, decisions))).toEqual(idsOf(review(base, agent)).slice(1));
    expect(idsOf(review(base, agent, files, decisions), 'accepted')).toHaveLength(1);
  });
});

describe('files that are not only lines', () => {
  const same = (document: string): string => document;

  test('creations can be edited; all else is applied as it stands, or not at all', () => {
    const base: Files = { d: text('1\n'), b: binary('1'), old: text(words(nine)), e: text('x\n') };
    const agent: Files = {
      n: text('one\ntwo'),
      empty: text(''),
      b: binary('2'),
      new: text(words(nine.replace('e', 'E'))),
      e: link('n'),
    };
    expect(applied({ base, agent }, same).files).toEqual(agent);
    const edited = applied({ base, agent }, (whole) => whole.replace('+one\n', '+uno\n+due\n').replace('+E\n', '+é\n'));
    expect(edited.files).toEqual({
      ...agent,
      n: text('uno\ndue\ntwo'),
      new: text(words(nine.replace('e', 'é'))),
    });
    const crlf = applied({ base, agent }, (whole) => whole.replaceAll('\n', '\r\n'), { written: undefined });
    expect(crlf.files).toEqual(agent);
    const broken = applied({ base, agent }, (whole) =>
      whole.replace('literal 2', 'literal 3').replace('\n-1\n', '\n-2\n').replace('\n+n\n', '\n+m\n'),
    );
    expect(broken.failed.map(({ path }) => path)).toEqual(['b', 'd', 'e']);
    expect(broken.files).toMatchObject({ b: base.b, d: base.d, e: base.e, n: agent.n });
  });

  test('a new link may lead elsewhere', () => {
    const { files } = applied({ base: {}, agent: { l: link('a') } }, replace('\n+a\n', '\n+b\n'));
    expect(files).toEqual({ l: link('b') });
  });

  test('a rename without its hunks is a rename', () => {
    const base: Files = { old: text(words(nine)) };
    const agent: Files = { new: text(words(nine.replace('e', 'E'))) };
    const { files, outcomes } = applied({ base, agent }, (whole) => whole.slice(0, whole.indexOf('@@')));
    expect(files).toEqual({ new: base.old });
    expect(outcomes[0]?.hunks).toEqual([]);
  });

  test('what is sensitive is left out, and applied by its name', () => {
    const [base, agent] = [{}, { '.vscode/tasks.json': text('{}\n'), f: text('1\n') }];
    expect(applied({ base, agent }, same)).toMatchObject({
      files: { f: agent.f },
      failed: [{ path: '.vscode/tasks.json', reason: expect.stringContaining('left out') }],
    });
    const named = applied({ base, agent }, replace('+{}', '+{ }'), { files: ['.vscode/tasks.json'] });
    expect(named.files).toEqual({ '.vscode/tasks.json': text('{ }\n') });
  });

  test.each([
    ['CRLF', 'a\r\nb\r\n', 'a\r\nB\r\n', 'a\r\nbeta\r\nmore\r\n'],
    ['CRLF to LF', 'a\r\nb\r\n', 'a\nB\n', 'a\nbeta\nmore\n'],
    ['no final newline', 'a\nb', 'a\nB', 'a\nbeta\nmore'],
  ])('ends of lines: %s', (_name, before, after, expected) => {
    const edit = (whole: string): string => whole.replace(/\n\+B(\r?)\n/, '\n+beta$1\n+more$1\n');
    expect(textOf(applied({ base: file(before), agent: file(after) }, edit).files)).toBe(expected);
    const stripped = (whole: string): string => edit(whole).replaceAll('\r', '');
    expect(textOf(applied({ base: file(before), agent: file(after) }, stripped).files)).toBe(expected);
    const everywhere = (whole: string): string => stripped(whole).replaceAll('\n', '\r\n');
    expect(textOf(applied({ base: file(before), agent: file(after) }, everywhere).files)).toBe(expected);
  });

  test('an editor that takes blanks from the ends of lines', () => {
    const base = file('a\n\nb\n\nc\n');
    const agent = file('a\n\nB\n\nc\n');
    const edit = (whole: string): string => whole.replaceAll(/[ \t]+$/gm, '');
    expect(edit(written(review(base, agent)))).toContain('\n a\n\n-b\n+B\n\n c\n');
    expect(applied({ base, agent }, edit).files).toEqual(agent);
    expect(applied({ base, agent }, edit, { written: undefined }).files).toEqual(agent);
  });
});

const lines = fc.array(
  fc.constantFrom('a\n', 'b\n', 'c\r\n', '\n', '--- x\n', '@@ -1 +1 @@\n', '> q\n', '# * [h1] x\n', '+z\n', ' \n'),
  { maxLength: 16 },
);
/**
 * Without `\r`, because an editor shows one end for all lines: we give a new line that of its neighbours, and git does not.
 * With a last line that ends, because git joins lines where an edit leaves `\ No newline` in the middle.
 */
const unixContent = fc
  .array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', '+z\n', ' \n'), { maxLength: 16 })
  .map((all) => all.join(''));
const content = fc.tuple(lines, fc.constantFrom('', 'end')).map(([all, last]) => all.join('') + last);

describe('whatever the texts are', () => {
  test('the document gives back all of its hunks, and applied as written it is accept', () => {
    fc.assert(
      fc.property(content, content, content, fc.boolean(), (base, agent, user, crlf) => {
        const reviewed = review(file(base), file(agent), file(user));
        const document = written(reviewed);
        expect(isAsWritten(document)).toBe(true);
        const ids = parseReview(document).files.flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.ids));
        expect(ids).toEqual(
          idsOf(reviewed).filter((id) => document.includes(`@@ ${id}`) || document.includes(` ${id}`)),
        );
        const edited = { text: crlf ? document.replaceAll('\n', '\r\n') : document };
        const { outcomes, failed } = editedOutcomes(reviewed, edited, new Map());
        const accepted = acceptOutcomes(reviewed, new Set(idsOf(reviewed)));
        expect({ files: filesAfter({}, outcomes), failed }).toEqual({ files: filesAfter({}, accepted), failed: [] });
      }),
      { numRuns: 2000 },
    );
  });

  /** Of each line that begins with `+`: left, taken out, another, one more. */
  const fates = fc.array(fc.constantFrom('keep', 'keep', 'drop', 'change', 'add'), { minLength: 40, maxLength: 40 });

  function editedLines(document: string, list: readonly string[]): string {
    let count = 0;
    const body = document.indexOf('\n@@');
    const changed = document
      .slice(body)
      .split('\n')
      .flatMap((line) => {
        if (!line.startsWith('+')) return [line];
        const own = line.endsWith('\r') ? '+new\r' : '+new';
        return { keep: [line], drop: [], change: [own], add: [own, line] }[list[count++] ?? 'keep'] ?? [line];
      });
    return document.slice(0, body) + changed.join('\n');
  }

  test('what the user typed after it was written is in every outcome, whatever was edited', () => {
    let made = 0;
    const fates = fc.array(fc.constantFrom(...Array.from({ length: 8 }, () => 'keep'), 'change', 'drop'), {
      minLength: 60,
      maxLength: 60,
    });
    fc.assert(
      fc.property(threeTexts, fates, fc.boolean(), (texts, list, isKnown) => {
        const document = written(review(file(texts.base), file(texts.agent)));
        const body = document.indexOf('\n@@');
        if (body < 0) return;
        const edited = document
          .slice(body)
          .split('\n')
          .flatMap((line, index) => {
            const fate = /^[ +]/.test(line) ? list[index] : 'keep';
            return fate === 'drop' ? [] : [fate === 'change' ? `${line[0]}z${index}` : line];
          });
        const later = review(file(texts.base), file(texts.agent), file(texts.user));
        const text = document.slice(0, body) + edited.join('\n');
        const result = editedOutcomes(
          later,
          { text, written: isKnown ? document : undefined, hunks: idsOf(later) },
          new Map(),
        );
        const after = textOf(filesAfter(file(texts.user), result.outcomes)) ?? '';
        const typed = texts.user.split('\n').filter((line) => !texts.base.split('\n').includes(line));
        for (const line of typed) expect(after.split('\n')).toContain(line);
        made += result.outcomes.length;
        // Named or done, and nothing in between.
        expect(result.outcomes.length + result.failed.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 3000 },
    );
    expect(made).toBeGreaterThan(300);
  });

  /** With `@@` lines that are right again, as git wants them. */
  function recounted(document: string): string {
    const lines = document.split('\n');
    let shift = 0;
    return lines
      .map((line, at) => {
        const [, start, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? [];
        if (start === undefined || count === undefined) return line;
        const next = lines.findIndex((other, index) => index > at && (/^@@ -\d/.test(other) || other === ''));
        const added = lines.slice(at + 1, next).filter((other) => /^[ +]/.test(other)).length;
        const first = Number(start) + (count === '0' ? 1 : 0) + shift - (added === 0 ? 1 : 0);
        shift += added - Number(count);
        return `@@ -${start},${count} +${first},${added} @@`;
      })
      .join('\n');
  }

  test('edited as by hand: git, with numbers that are right again, makes the same of it', () => {
    let taken = 0;
    fc.assert(
      fc.property(unixContent, unixContent, fates, (base, agent, list) => {
        const reviewed = review(file(base), file(agent));
        const document = written(reviewed);
        if (!document.includes('\n@@')) return;
        const text = editedLines(document, list);
        const { outcomes, failed } = editedOutcomes(reviewed, { text, written: document }, new Map());
        expect(failed).toEqual([]);
        const made = asTree(filesAfter(file(base), outcomes));
        const byGit = gitApply(file(base), recounted(text));
        if (byGit.said !== '') return;
        taken++;
        expect(made).toEqual(byGit.files);
      }),
      { numRuns: 150 },
    );
    expect(taken).toBeGreaterThan(30);
  });
});

describe("what is left of the user's own once a part was applied", () => {
  const base = { f: text(words(nine)), g: text('x\n') };
  const agent = { f: text(words(nine.replace('b', 'B').replace('t', 'T'))), g: text('X\n') };
  const reviewed = review(base, agent);
  const document = written(reviewed);
  const [first = '', second = '', third = ''] = idsOf(reviewed);
  test.each([
    ['one hunk', [['+B\n', '+bee\n']], { hunks: [first] }, true],
    ['another hunk', [['+B\n', '+bee\n']], { hunks: [second] }, false],
    ['a line of context', [[' c\n', ' sea\n']], { hunks: [first] }, true],
    [
      'two hunks',
      [
        ['+B\n', '+bee\n'],
        ['+T\n', '+tea\n'],
      ],
      { hunks: [first, second] },
      true,
    ],
    [
      'one of two',
      [
        ['+B\n', '+bee\n'],
        ['+T\n', '+tea\n'],
      ],
      { hunks: [first] },
      false,
    ],
    [
      'the file of two',
      [
        ['+B\n', '+bee\n'],
        ['+T\n', '+tea\n'],
      ],
      { files: ['f'] },
      true,
    ],
    ['another file', [['+X\n', '+ex\n']], { files: ['f'] }, false],
    ['the last hunk', [['+X\n', '+ex\n']], { hunks: [third] }, true],
    ['a comment in the hunk', [['+B\n', '+bee\n> good?\n']], { hunks: [first] }, false],
    [
      'a note',
      [
        ['+B\n', '+bee\n'],
        ['# Thread', 'Dear diary\n# Thread'],
      ],
      { hunks: [first] },
      false,
    ],
    [
      'CRLF',
      [
        ['+B\n', '+bee\n'],
        [/\n/g, '\r\n'],
      ],
      { hunks: [first] },
      true,
    ],
  ] as const)('%s', (_name, edits, chosen, isDone) => {
    const edited = edits.reduce((now, [from, to]) => now.replace(from, to), document);
    expect(isAsWritten(edited)).toBe(edited === document);
    expect(isAsWritten(asWrittenIn(edited, document, chosen))).toBe(isDone);
  });
});

test('comments that were sent are no part of what is left', () => {
  const document = written(review(file(words(nine)), file(words(nine.replace('b', 'B')))));
  const text = document.replace('+B\n', '+B\n> why?\n> really?\n');
  const [sent = '', ...others] = commentKeys(text);
  expect(others).toEqual([]);
  expect(withoutSent(text, new Set())).toBe(text);
  expect(withoutSent(text, new Set([sent]))).toBe(document);
  const more = text.replace('# Thread', '> and this\n# Thread');
  expect(withoutSent(more, new Set([sent]))).toBe(document.replace('# Thread', '> and this\n# Thread'));
  // A text without its mark may be any.
  expect(commentKeys(text.replace(/^# Thread.*\n/m, ''))).toEqual([]);
  // Under another text of the review, the same words are said again.
  expect(commentKeys(text.replace(/text \w+/, 'text 123456789abc'))).not.toEqual([sent]);
});

test('comments know what they stand under, and are no part of the diff', () => {
  const reviewed = review(file(words(nine)), file(words(nine.replace('b', 'B').replace('t', 'T'))));
  const [first, second] = idsOf(reviewed);
  const document = written(reviewed);
  const text = document
    .replace('# Thread', '> All of it:\n>   twice\n# Thread')
    .replace('+++ b/f\n', '+++ b/f\n> the file\n')
    .replace('+B\n', '+B\n> why not bee?\n>\n> really\n')
    .replace(/$/, '>end\r\n> \n');
  expect(parseReview(text).comments).toEqual([
    { line: 1, place: {}, text: 'All of it:\n  twice' },
    expect.objectContaining({ place: { path: 'f' }, text: 'the file' }),
    expect.objectContaining({ place: { path: 'f', hunk: first }, text: 'why not bee?\n\nreally' }),
    expect.objectContaining({ place: { path: 'f', hunk: second }, text: 'end\n' }),
  ]);
  expect(withoutComments(text)).toBe(document);
  expect(isAsWritten(withoutComments(text))).toBe(true);
  expect(isAsWritten(text)).toBe(false);
  expect(gitApply(file(words(nine)), withoutComments(text)).said).toBe('');
  // What git itself does with them: it takes those at the end of a file's diff, and no others.
  expect(gitApply(file(words(nine)), `${document}> end\n`).said).toBe('');
  expect(gitApply(file(words(nine)), document.replace('\n@@ -17', '\n> between\n@@ -17')).said).not.toBe('');
});

test('notes of the user are told from edits', () => {
  const document = written(review(file(words(nine)), file(words(nine.replace('b', 'B')))));
  for (const edit of [
    (same: string) => same,
    (whole: string) => whole.replaceAll('\n', '\r\n'),
    (whole: string) => whole.replace('+B', '+bee\n+\n-x').replace('@@ -1', '@@ -2'),
    (whole: string) => whole.slice(0, whole.indexOf('diff')),
  ]) {
    expect(hasNotes(edit(document), document)).toBe(false);
  }
  for (const note of ['# mine', '> mine', 'mine']) {
    expect(hasNotes(document.replace('+B\n', `+B\n${note}\n`), document)).toBe(true);
    expect(hasNotes(`${note}\n${document}`, document)).toBe(true);
  }
  expect(hasNotes(` mine\n${document}`, document)).toBe(true);
});

test('the mark: what an editor does by itself is no edit, what a person types is', () => {
  const document = written(review({ f: text('a\n\nb\n') }, { f: text('a\n\nB\n'), g: absent }));
  for (const edit of [
    (whole: string) => whole.replaceAll('\n', '\r\n'),
    (whole: string) => whole.replace(/\n$/, ''),
    (whole: string) => whole.replaceAll('\n \n', '\n\n'),
  ]) {
    expect(isAsWritten(edit(document))).toBe(true);
  }
  for (const from of ['+B', ' a', '# Codex', '@@ ', 'Thread t1']) {
    expect(isAsWritten(document.replace(from, `${from}x`))).toBe(false);
    expect(isAsWritten(document.replace(from, `${from} `))).toBe(false);
  }
  expect(isAsWritten('')).toBe(false);
});

test('a created file of 200,000 lines, and 3,000 hunks of one file, take a moment', () => {
  const long = Array.from({ length: 200_000 }, (_, i) => `line ${i % 1000}\n`).join('');
  const many = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join('');
  const [base, agent] = [{ m: text(many) }, { n: text(long), m: text(many.replace(/line (\d*7)\n/g, 'changed $1\n')) }];
  const reviewed = review(base, agent);
  const document = written(reviewed);
  const startedAtMs = performance.now();
  const { outcomes, failed } = editedOutcomes(reviewed, { text: document, written: document }, new Map());
  expect(failed).toEqual([]);
  expect(filesAfter(base, outcomes)).toEqual(agent);
  expect(outcomes.flatMap(({ hunks }) => hunks)).toHaveLength(3_001);
  expect(performance.now() - startedAtMs).toBeLessThan(8000);
});
