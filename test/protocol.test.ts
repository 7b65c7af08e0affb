/** protocol.md says what the schemas say. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { subcommands } from '../server/cli/commands.ts';
import { commandOf, methods, refusalReasons } from '../server/protocol/methods.ts';
import { notationWith } from '../server/protocol/notation.ts';
import { referenceText } from '../server/protocol/reference.ts';
import { failureReasonSchema, itemSchema, threadEventSchema } from '../server/protocol/thread.ts';

test('protocol.md is as new as server/protocol; if this fails, run `npm run protocol`', async () => {
  expect(await readFile(new URL('../protocol.md', import.meta.url), 'utf8')).toBe(referenceText());
});

test('every request, its command, every event, item and reason is in it', () => {
  const text = referenceText();
  const methodNames = Object.keys(methods).filter((name): name is keyof typeof methods => name in methods);
  const names = [
    ...methodNames,
    ...methodNames.map(commandOf),
    ...refusalReasons,
    ...failureReasonSchema.options,
    ...threadEventSchema.options.map(({ shape }) => shape.type.value),
    ...itemSchema.options.map(({ shape }) => shape.type.value),
  ];
  expect(names.filter((name) => !new RegExp(`['\`]${name}['\`]`).test(text))).toEqual([]);
});

test('every subcommand is in it', () => {
  const text = referenceText();
  expect(Object.keys(subcommands).filter((name) => !new RegExp(`\`(codex-lsp )?${name}\\b`).test(text))).toEqual([]);
});

const inner = z.object({ id: z.string() });
const notation = notationWith({ TestInner: inner });

test.each([
  ['a named type by its name', inner, 'TestInner'],
  [
    'optional fields and defaults',
    z.object({ a: z.string().optional(), b: z.int().default(1) }),
    '{ a?: string; b?: integer }',
  ],
  ['a list of alternatives', z.array(z.enum(['x', 'y'])), "('x' | 'y')[]"],
  ['a record', z.record(z.string(), inner), 'Record<string, TestInner>'],
  ['no fields', z.object({}), '{}'],
  ['a description', z.object({ a: z.number().describe('bytes') }), '{\n  a: number; // bytes\n}'],
])('notation: %s', (_, schema, expected) => {
  expect(notation.of(schema)).toBe(expected);
});

test('settings by their paths, with defaults', () => {
  const schema = z.strictObject({
    outer: z.strictObject({ leaf: z.number().default(3).describe('what it is') }).prefault({}),
    list: z.array(z.string()).default([]),
  });
  expect(notation.settings(schema)).toEqual([
    { path: 'outer.leaf', type: 'number', default: '3', doc: 'what it is' },
    { path: 'list', type: 'string[]', default: '[]', doc: '' },
  ]);
});
