import { expect, test } from 'vitest';
import { findCommentTask } from '../../server/editor/comment-task.ts';

/** `‸` marks the cursor's line; answers the prompt and the text that is left. */
function find(marked: string, markers = ['codex:']): { prompt: string; rest: string } | undefined {
  const cursor = marked.slice(0, marked.indexOf('‸')).split('\n').length - 1;
  const text = marked.replace('‸', '');
  const all = text.split('\n');
  const found = findCommentTask(
    { count: all.length, at: (line) => all[line]?.replace(/\r$/, '') ?? '' },
    cursor,
    markers,
  );
  if (!found) return undefined;
  const offset = ({ line, character }: { line: number; character: number }) =>
    all.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0) + character;
  const { start, end } = found.remove;
  return { prompt: found.prompt, rest: text.slice(0, offset(start)) + text.slice(offset(end)) };
}

test.each<[language: string, comment: string]>([
  ['TypeScript', '// codex: do it'],
  ['TypeScript without a space', '//codex: do it'],
  ['Rust, documentation', '/// codex: do it'],
  ['Rust, inner', '//! codex: do it'],
  ['Python', '# codex: do it'],
  ['shell, doubled', '## codex: do it'],
  ['SQL, Lua, Haskell, Ada', '-- codex: do it'],
  ['Lisp', ';; codex: do it'],
  ['assembler, ini', '; codex: do it'],
  ['TeX, Erlang, Prolog', '% codex: do it'],
  ['Vim script', '" codex: do it'],
  ['Visual Basic', "' codex: do it"],
  ['BASIC', 'REM codex: do it'],
  ['batch', '@REM codex: do it'],
  ['batch, label', ':: codex: do it'],
  ['Fortran', '! codex: do it'],
  ['Forth', '\\ codex: do it'],
  ['COBOL', '* codex: do it'],
  ['m4', 'dnl codex: do it'],
  ['C', '/* codex: do it */'],
  ['Java', '/** codex: do it */'],
  ['JSX', '{/* codex: do it */}'],
  ['HTML, Markdown', '<!-- codex: do it -->'],
  ['Handlebars', '{{!-- codex: do it --}}'],
  ['JSP', '<%-- codex: do it --%>'],
  ['ERB', '<%# codex: do it %>'],
  ['OCaml, Pascal', '(* codex: do it *)'],
  ['Haskell', '{- codex: do it -}'],
  ['Jinja', '{# codex: do it #}'],
  ['Lua, long', '--[[ codex: do it ]]'],
  ['Scheme', '#| codex: do it |#'],
  ['Julia', '#= codex: do it =#'],
  ['Nim', '#[ codex: do it ]#'],
  ['Matlab', '%{ codex: do it %}'],
  ['PowerShell', '<# codex: do it #>'],
  ['Python, string', '""" codex: do it """'],
  ['Python, other string', "''' codex: do it '''"],
])('%s: %s', (_, comment) => {
  expect(find(`before\n  ‸${comment}\nafter\n`)).toEqual({ prompt: 'do it', rest: 'before\nafter\n' });
  expect(find(`‸${comment}`)).toEqual({ prompt: 'do it', rest: '' });
  expect(find(`before\r\n‸${comment}\r\nafter\r\n`)).toEqual({ prompt: 'do it', rest: 'before\r\nafter\r\n' });
  expect(find(`‸before\n${comment}\nafter`)).toBeUndefined();
  expect(find(`before\n${comment}\n‸after`)).toBeUndefined();
});

test.each<[language: string, text: string, rest: string]>([
  ['TypeScript', 'let a = 1; ‸// codex: do it\n', 'let a = 1;\n'],
  ['Python', 'a = 1  ‸# codex: do it', 'a = 1'],
  ['SQL', 'select 1 ‸-- codex: do it\n', 'select 1\n'],
  ['C', 'int a; ‸/* codex: do it */\n', 'int a;\n'],
  ['C, in the middle', 'f(a, ‸/* codex: do it */ b);\n', 'f(a,  b);\n'],
  ['C, at the start', '‸/* codex: do it */ int b;\n', 'int b;\n'],
  ['a quoted word before', 'say("it"); ‸// codex: do it\n', 'say("it");\n'],
  ['a lifetime before', "fn f<'a>() {} ‸// codex: do it\n", "fn f<'a>() {}\n"],
])('only the comment behind the code goes: %s', (_, text, rest) => {
  expect(find(text)).toEqual({ prompt: 'do it', rest });
});

test.each([[0], [1], [2], [3]])('consecutive line comments are one task, from any of their lines (%i)', (at) => {
  const lines = ['// codex: one', '// two', '//', '// three'];
  const marked = lines.map((text, index) => (index === at ? `${text}‸` : text)).join('\n');
  expect(find(`a\n${marked}\nb\n`)).toEqual({ prompt: 'one\ntwo\n\nthree', rest: 'a\nb\n' });
});

test('another opener, code or another marker ends a task of several lines', () => {
  expect(find('‸# codex: one\n# two\n// three\n')).toEqual({ prompt: 'one\ntwo', rest: '// three\n' });
  expect(find('# codex: one\n‸# codex: two\n# three')).toEqual({ prompt: 'two\nthree', rest: '# codex: one\n' });
  expect(find('# codex: one\nx = 1\n‸# three')).toBeUndefined();
  expect(find('x = 1 # codex: one\n‸# two')).toBeUndefined();
});

test.each([
  ['/*\n * codex: one\n *‸ two\n */\nrest'],
  ['/** codex: one\n * ‸two */\nrest'],
  ['/* codex: one\n‸   two\n*/\nrest'],
  ['<!--\ncodex: one\ntwo\n‸-->\nrest'],
  ['"""codex: one\n‸two"""\nrest'],
  ['(*‸ codex: one\n * two\n *)\nrest'],
])('a block of several lines: %j', (text) => {
  expect(find(text)).toEqual({ prompt: 'one\ntwo', rest: 'rest' });
});

test.each([
  ['no marker', '‸// fix this'],
  ['the marker is not the first word', '‸// the codex: marker'],
  ['nothing behind the marker', '‸// codex:   '],
  ['no comment', '‸codex: do it'],
  ['a string', `‸const a = '// codex: do it';`],
  ['a string in double quotes', '‸const a = "# codex: do it";'],
  ['a template', '‸const a = `/* codex: do it */`;'],
  ['a quoted argument', `‸print( 'codex: do it')`],
  ['a quoted line', `‸"codex: do it",`],
  ['a URL', '‸see http://codex: do it'],
  ['an open block', '‸/* codex: do it'],
  ['below a closed block', '/* codex: do it */\n‸/* other */'],
  ['a heading', '‸## Codex'],
])('no task: %s', (_, text) => {
  expect(find(text)).toBeUndefined();
});

test('the markers are settings, and case does not matter', () => {
  expect(find('‸# TODO(ai) do it', ['TODO(ai)', '@codex'])?.prompt).toBe('do it');
  expect(find('‸# @Codex do it', ['TODO(ai)', '@codex'])?.prompt).toBe('do it');
  expect(find('‸# codex: do it', [])).toBeUndefined();
});
