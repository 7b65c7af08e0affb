/** Where hunks are cut in code as people write it: what a person added is one hunk, from its first line to its last. */
import { describe, expect, test } from 'vitest';
import { type Block, changedBlocks } from '../../server/changeset/hunks.ts';
import { splitLines } from '../../server/changeset/lines.ts';

/** `added` between `head` and `tail`: the diff could begin with the end of what stands before, and must not. */
type Cut = { name: string; head: string; added: string; tail: string };

const cuts: readonly Cut[] = [
  {
    name: 'a Python function',
    head: 'def a():\n    return 1\n\n\n',
    added: 'def b():\n    return 2\n\n\n',
    tail: 'def c():\n    return 3\n',
  },
  {
    name: 'a method after which a blank line stands',
    head: 'class A:\n    def a(self):\n        return 1\n\n',
    added: '    def b(self):\n        return 2\n\n',
    tail: '    def c(self):\n        return 3\n',
  },
  {
    name: 'a decorated function',
    head: '@x\ndef a():\n    pass\n\n',
    added: '@x\ndef b():\n    pass\n\n',
    tail: '@x\ndef c():\n    pass\n',
  },
  {
    name: 'a method without blank lines around',
    head: 'class A {\n  a() {\n    x();\n  }\n',
    added: '  b() {\n    y();\n  }\n',
    tail: '  c() {\n    z();\n  }\n}\n',
  },
  {
    name: 'a function of Go, indented by tabs',
    head: 'func a() {\n\tx()\n}\n\n',
    added: 'func b() {\n\ty()\n}\n\n',
    tail: 'func c() {\n\tz()\n}\n',
  },
  {
    name: 'a function in CRLF',
    head: 'f {\r\n  1\r\n}\r\n\r\n',
    added: 'h {\r\n  3\r\n}\r\n\r\n',
    tail: 'g {\r\n  2\r\n}\r\n',
  },
  {
    name: 'a function with its comment',
    head: '/** a */\nfunction a() {\n}\n\n',
    added: '/** b */\nfunction b() {\n}\n\n',
    tail: '/** c */\nfunction c() {\n}\n',
  },
  {
    name: 'the last test of a group',
    head: "describe('x', () => {\n  test('a', () => {\n    expect(1).toBe(1);\n  });\n",
    added: "\n  test('b', () => {\n    expect(2).toBe(2);\n  });\n",
    tail: '});\n',
  },
  {
    name: 'a method of Ruby',
    head: 'class A\n  def a\n    1\n  end\n\n',
    added: '  def b\n    2\n  end\n\n',
    tail: '  def c\n    3\n  end\nend\n',
  },
  {
    name: 'a condition before another',
    head: 'function f() {\n',
    added: '  if (b) {\n    y();\n  }\n',
    tail: '  if (a) {\n    x();\n  }\n  return 1;\n}\n',
  },
  {
    name: 'a condition after another',
    head: 'function f() {\n  if (a) {\n    x();\n  }\n',
    added: '  if (b) {\n    y();\n  }\n',
    tail: '  return 1;\n}\n',
  },
  {
    name: 'a branch',
    head: 'if (a) {\n  x();\n',
    added: '} else if (b) {\n  y();\n',
    tail: '} else {\n  z();\n}\n',
  },
  {
    name: 'a case',
    head: 'switch (x) {\n  case 1:\n    a();\n    break;\n',
    added: '  case 2:\n    b();\n    break;\n',
    tail: '  case 3:\n    c();\n    break;\n}\n',
  },
  {
    name: 'a member of JSON',
    head: '{\n  "a": {\n    "x": 1\n  },\n',
    added: '  "b": {\n    "x": 2\n  },\n',
    tail: '  "c": {\n    "x": 3\n  }\n}\n',
  },
  {
    name: 'an element of HTML',
    head: '<ul>\n  <li>\n    a\n  </li>\n',
    added: '  <li>\n    b\n  </li>\n',
    tail: '  <li>\n    c\n  </li>\n</ul>\n',
  },
  {
    name: 'a step of YAML',
    head: 'steps:\n  - name: a\n    run: x\n',
    added: '  - name: b\n    run: y\n',
    tail: '  - name: c\n    run: z\n',
  },
  {
    name: 'a rule of CSS',
    head: '.a {\n  x: 1;\n}\n',
    added: '.b {\n  x: 2;\n}\n',
    tail: '.c {\n  x: 3;\n}\n',
  },
  {
    name: 'a section of Markdown',
    head: '# T\n\n## A\n\ntext a\n\n',
    added: '## B\n\ntext b\n\n',
    tail: '## C\n\ntext c\n',
  },
  {
    name: 'an argument',
    head: 'f(\n  a,\n',
    added: '  b,\n',
    tail: ');\ng();\n',
  },
];

const linesOf = (lines: readonly string[], start: number, count: number): string =>
  lines.slice(start, start + count).join('');

function only(before: string, after: string): { removed: string; added: string } {
  const [oldLines, newLines] = [splitLines(before), splitLines(after)];
  const [block, ...more]: Block[] = changedBlocks(oldLines, newLines);
  expect(more).toEqual([]);
  if (!block) throw new Error('one block expected');
  return {
    removed: linesOf(oldLines, block.oldLine, block.oldCount),
    added: linesOf(newLines, block.newLine, block.newCount),
  };
}

describe.each(cuts)('$name', ({ head, added, tail }) => {
  test('is one hunk when it comes', () => {
    expect(only(head + tail, head + added + tail)).toEqual({ removed: '', added });
  });

  test('and when it goes', () => {
    expect(only(head + added + tail, head + tail)).toEqual({ removed: added, added: '' });
  });
});
