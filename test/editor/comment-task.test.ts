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
  ['reStructuredText', '.. codex: do it'],
  ['roff', '.\\" codex: do it'],
  ['roff, other', '\'\\" codex: do it'],
  ['roff, short', '\\" codex: do it'],
  ['COBOL, free', '*> codex: do it'],
  ['Pug', '//- codex: do it'],
  ['Haml', '-# codex: do it'],
  ['APL', '⍝ codex: do it'],
  ['Razor', '@* codex: do it *@'],
  ['Mustache', '{{! codex: do it }}'],
  ['Lua, longer', '--[==[ codex: do it ]==]'],
  ['C, doubled', '/*** codex: do it ***/'],
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
  ['COBOL', 'add 1 to a * b ‸*> codex: do it', 'add 1 to a * b'],
  ['APL', 'a←1 ‸⍝ codex: do it', 'a←1'],
  ['roff', 'text ‸\\" codex: do it', 'text'],
  ['Razor', '<p>@* codex: ‸do it *@</p>', '<p></p>'],
  ['a division before, in Python', 'a = b // 2 ‸# codex: do it', 'a = b // 2'],
  ['a decrement before', 'i--; ‸// codex: do it', 'i--;'],
  ['a directive before', '#include <a> ‸// codex: do it', '#include <a>'],
  ['a spaced directive before', '# define A 1 ‸// codex: do it', '# define A 1'],
  ['a private field before', '#count = 0; ‸// codex: do it', '#count = 0;'],
  ['a URL in a string before', 'get("http://x"); ‸// codex: do it', 'get("http://x");'],
  ['a URL before, in a shell', 'curl http://x ‸# codex: do it', 'curl http://x'],
  ['a glob before, in a shell', 'rm a/* ‸# codex: do it', 'rm a/*'],
  ['a URL before, in CSS', 'background: url(http://x); ‸/* codex: do it */', 'background: url(http://x);'],
  ['a heading before', '# Title ‸<!-- codex: do it -->', '# Title'],
  ['a closed comment before', 'f(/* a */); ‸// codex: do it', 'f(/* a */);'],
  ['a length before, in a shell', `n=\${#a} ‸# codex: do it`, `n=\${#a}`],
])('only the comment behind the code goes: %s', (_, text, rest) => {
  expect(find(text)).toEqual({ prompt: 'do it', rest });
});

test.each<[what: string, code: string, words: string]>([
  ['a lifetime', "fn f<'a>() {}", "what's up"],
  ['three lifetimes', "fn f<'a>(x: &'a str, y: &'a str) {}", "say 'hi'"],
  ['lifetimes in a list', "impl<'a, 'b: 'a, T: 'static> X<'a, 'b> {}", "say 'hi'"],
  ['a label', "'outer: loop {", "don't say 'hi'"],
  ['a break to a label', "break 'outer;", "don't say 'hi'"],
  ['a quoted double quote', `if (c == '"') {`, 'say "hi"'],
  ['a quoted quote', `if (c == "'") {`, "say 'hi'"],
  ['an escaped quote', String.raw`c = '\'';`, "say 'hi'"],
  ['a prime', "let x' = f' x;", "what's up with f'"],
  ['an apostrophe', "<p>Don't</p>;", "don't"],
  ['a plural', "<p>the dogs' bowl</p>;", "the cats' bowl"],
  ['a quoted word', "x = 'a b';", "it's 'x'"],
  ['a prefixed string', "x = b'it is';", "it's"],
  ['a template', 'x = `a`;', 'use `b`'],
])('a quote in the words does not matter, with %s before', (_, code, words) => {
  expect(find(`${code} ‸// codex: ${words}\n`)).toEqual({ prompt: words, rest: `${code}\n` });
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
  ['=begin\ncodex: one\n‸two\n=end\nrest'],
  ['=begin codex: one\ntwo\n‸=end\nrest'],
  ['.. codex: one‸\n   two\nrest'],
  ['.. codex: one\n   two‸\nrest'],
  ['//- codex: one\n//- two‸\nrest'],
  ['/**\n * codex: one\n ** two‸ **/\nrest'],
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
  ['a comment in a comment', 'a ‸// b // codex: x'],
  ['a comment that begins at once', '‸// b // codex: x'],
  ['a comment of another kind in one', '‸// npm test -- codex: x'],
  ['a comment of another kind behind code', 'f(); ‸// see # codex: x'],
  ['a # comment in one', 'a = 1 # b ‸# codex: x'],
  ['a // in a # comment', '# b ‸// codex: x'],
  ['a -- comment in one', 'a := 1; -- b ‸-- codex: x'],
  ['a block in a comment', 'f(); // b ‸/* codex: x */'],
  ['a block in a block', '/* b ‸/* codex: x */'],
  ['a comment in a block', 'f(); /* b ‸// codex: x */'],
  ['behind a URL', '‸http://x // codex: x'],
  ['a string with a URL', '‸const a = "http://x // codex: x";'],
  ['a string behind an apostrophe', `‸don't("// codex: x");`],
  ['a prefixed string', "‸a = r'# codex: x'"],
  ['a string in SQL', "‸select N'-- codex: x'"],
  ['an escaped string', '‸"a": "say \\" codex: x\\"",'],
  ['an escaped string of several lines', '‸say \\" codex: x\\" to'],
  ['a string of three quotes that is used', '‸a = """codex: x"""'],
  ['a relative path', '‸../codex: x'],
  ['a pointer type', '‸f(int*> codex: x)'],
  ['=begin in a line', '‸ =begin codex: x\n=end'],
  ['an expression in a template', '‸{{! codex }}'],
  ['the end of the block around it', '/**\n * a\n ‸* codex: x */'],
])('no task: %s', (_, text) => {
  expect(find(text)).toBeUndefined();
});

test('the markers are settings, and case does not matter', () => {
  expect(find('‸# TODO(ai) do it', ['TODO(ai)', '@codex'])?.prompt).toBe('do it');
  expect(find('‸# @Codex do it', ['TODO(ai)', '@codex'])?.prompt).toBe('do it');
  expect(find('‸# codex: do it', [])).toBeUndefined();
});

test('a line of a block comment is a task without the end of the block', () => {
  const found = find('/**\n * What it does.\n ‸* codex: do it\n * well\n */\ncode\n');
  expect(found).toEqual({ prompt: 'do it\nwell', rest: '/**\n * What it does.\n */\ncode\n' });
});

test.each<[what: string, line: string]>([
  ['stars', `/${'*'.repeat(1_900)}codex:`],
  ['openers', '/*codex: '.repeat(200)],
  ['openers of another kind', `${'(*'.repeat(900)}codex: x`],
  ['brackets', `--[[ codex: ${']='.repeat(900)}`],
  ['semicolons', `x ${';'.repeat(1_900)} codex x`],
  ['spaces', `#${' '.repeat(1_900)}codex x`],
  ['quotes', `${"b'x ".repeat(400)}// codex: x`],
  ['lifetimes', `${"<'a".repeat(600)} /* codex: x`],
  ['markers', `/*${'codex:'.repeat(300)}`],
  ['slashes', `${'/'.repeat(1_900)} codex`],
])('a thousand long lines of %s are read in no time', (_, line) => {
  const lines = { count: 1_000, at: () => line };
  const before = performance.now();
  for (const cursor of [0, 500, 999]) findCommentTask(lines, cursor, ['codex:', '@codex']);
  expect(performance.now() - before).toBeLessThan(1_500);
});

test('a search reads no more than its budget, however many comments could be open', () => {
  let read = 0;
  const line = `/*codex: ${'x'.repeat(1_900)}`;
  const lines = {
    count: 1_000,
    at: () => {
      read += 1;
      return line;
    },
  };
  expect(findCommentTask(lines, 500, ['codex:'])).toBeUndefined();
  expect(read).toBeLessThan(5_000);
});
