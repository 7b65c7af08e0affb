/** server/README.md says who may import whom and which module is used where; here every file of the server is held to it. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

const server = join(import.meta.dirname, '../server');
const linesMax = 400;

type Import = { file: string; module: string };

const readme = await readFile(join(server, 'README.md'), 'utf8');
/** What each room may import. */
const rooms = new Map(tableOf('room').map(([room = '', , mayImport = '']) => [names(room)[0] ?? '', names(mayImport)]));
/** Where each restricted module may be used: rooms, folders or files. */
const modules = tableOf('module').flatMap(([module = '', only = '']) =>
  names(module).map((name) => ({ name, only: names(only) })),
);

const files = (await readdir(server, { recursive: true }))
  .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/demo/service/'))
  .sort();
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(join(server, file), 'utf8')] as const)),
);
const imports = [...sources].flatMap(([file, text]) => importsOf(text).map((module): Import => ({ file, module })));

test('the tables are there, and every room of the server stands in them', () => {
  expect(modules.length).toBeGreaterThan(5);
  expect(imports.length).toBeGreaterThan(20);
  expect([...new Set(files.map(roomOf))].filter((room) => !rooms.has(room))).toEqual([]);
});

test('imports point down: no room imports one that its row does not name', () => {
  expect(imports.filter(({ file, module }) => !mayImport(file, module)).map(show)).toEqual([]);
});

test('the rows themselves point down', () => {
  const order = [...rooms.keys()];
  const upward = [...rooms].flatMap(([room, below]) =>
    below.filter((other) => order.indexOf(other) <= order.indexOf(room)).map((other) => `${room} imports ${other}`),
  );
  expect(upward).toEqual([]);
});

test('modules with a place of their own are used nowhere else', () => {
  const misplaced = imports.filter(({ file, module }) => {
    const rule = modules.find(({ name }) => module === name || module.startsWith(`${name}/`));
    const exact = modules.find(({ name }) => module === name) ?? rule;
    return exact !== undefined && !exact.only.some((place) => file === place || file.startsWith(`${place}/`));
  });
  expect(misplaced.map(show)).toEqual([]);
});

test('nobody imports a program', () => {
  const programs = ['main.ts', 'protocol/generate.ts', 'sandbox/launcher-process.ts'];
  expect(imports.filter(({ file, module }) => programs.includes(target(file, module))).map(show)).toEqual([]);
});

test(`no file is over ${linesMax} lines`, () => {
  const lengths = [...sources].map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }));
  expect(lengths.filter(({ lines }) => lines > linesMax)).toEqual([]);
});

test.each([
  ['`any`', /(?::|<|\bas|\|)\s*any\b(?!\w)/],
  // Of bounded cost (one lock file removed, say) is fine.
  ['synchronous file access', /\b(?:readFile|writeFile|appendFile|copyFile|readdir|mkdir|cp|exists)Sync\(/],
  ['a check turned off', /@ts-(?:ignore|nocheck|expect-error)/],
])('nothing in the server is %s', (_, pattern) => {
  const found = [...sources].flatMap(([file, text]) =>
    withoutComments(text, pattern).flatMap((line, index) =>
      pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [],
    ),
  );
  expect(found).toEqual([]);
});

/** `changeset/hunk.ts` → `changeset`; a file beside the rooms is a room of its own. */
function roomOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
}

/** The file a relative import names, from `server/`; empty for a package. */
function target(file: string, module: string): string {
  return module.startsWith('.') ? normalize(join(dirname(file), module)) : '';
}

function mayImport(file: string, module: string): boolean {
  const imported = target(file, module);
  if (!imported) return true;
  const outside = relative('.', imported).startsWith('..');
  return !outside && (roomOf(imported) === roomOf(file) || (rooms.get(roomOf(file)) ?? []).includes(roomOf(imported)));
}

/** Static, type-only, re-exporting and dynamic imports. A patch inside a string does not begin its lines with `import`. */
function importsOf(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm);
  const expressions = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...expressions].map(([, module = '']) => module);
}

/** Lines without their comments, unless it is comments that are looked for. */
function withoutComments(text: string, pattern: RegExp): string[] {
  if (pattern.source.includes('@ts-')) return text.split('\n');
  return text.split('\n').map((line) => line.replace(/(?:^|\s)(?:\/\/|\/?\*).*$/, ''));
}

const show = ({ file, module }: Import): string => `${file} imports ${module}`;

/** The rows of the README's table whose first column has this title. */
function tableOf(title: string): string[][] {
  const lines = readme.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${title} |`));
  const rest = lines.slice(head + 2);
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What stands in backquotes. */
function names(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}
