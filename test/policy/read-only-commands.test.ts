/** Which commands the policy untrusted lets through, and every way found so far of making one of them do more. */
import { expect, test } from 'vitest';
import { startsNoProgram } from '../../server/policy/git-config.ts';
import { isKnownReadOnly } from '../../server/policy/read-only-commands.ts';

test.each([
  'ls -la',
  'cat a b',
  'git status',
  'git log --oneline -5',
  'git diff --stat HEAD',
  'git diff --no-index a /etc/hosts',
  'git show HEAD:a.txt | head -20',
  'rg TODO src | wc -l',
  "sed -n '1,20p' a.txt",
  'find . -name "x.ts" -type f',
  'pwd && ls; true',
  'cd src && cat a.ts',
  'grep -rn "some words" src',
  'sort -rn -k2,2 a.txt | uniq -c',
  'cat /proc/self/status',
  'date +%Y',
  'date -u',
  'printf "%s" x',
  'printf -- -v',
  'test -f a.txt && cat a.txt',
])('known to change nothing: %s', (text) => {
  expect(isKnownReadOnly(text, { git: true })).toBe(true);
});

test.each([
  '',
  '   ',
  'npm test',
  './ls',
  '/bin/ls',
  'ls > out',
  'ls >> out',
  'cat < in',
  'cat $(which node)',
  'cat `id`',
  'ls &',
  'FOO=1 ls',
  'PATH=. ls',
  'env ls',
  'exec ls',
  'command ls',
  'eval ls',
  'xargs ls',
  'sudo ls',
  'time ls',
  '! ls',
  'if true',
  'coproc ls',
  'ls | tee x',
  '(ls)',
  '{ ls; }',
  'cat <(ls)',
  'ls |& cat',
  'ls\\\nrm',
  'ls #x',
  'ls ~',
  'ls *',
  'ls {a,b}',
  'cat "$HOME/.ssh/id_rsa"',
  'cat "`id`"',
  "cat $'\\x41'",
  "cat 'unclosed",
  'ls; ; ls',
  'ls | | ls',
  // Options that write or start a program, in full, shortened, bundled and with their value attached.
  'find . -delete',
  'find . -exec rm {} +',
  'find . -execdir rm x',
  'find . -ok rm x',
  'find . -fls out',
  'find . -fprint out',
  'find . -fprint0 out',
  'find . -fprintf out x',
  "sed -n '1w out' a.txt",
  "sed -n '1e id' a.txt",
  "sed -i 's/a/b/' a.txt",
  "sed -n '1p' a.txt -i",
  "sed -n '1p' --in-place a.txt",
  'rg --pre ./run x',
  'rg --pre=./run x',
  'rg --hostname-bin ./run x',
  'rg -z x',
  'rg -nz x',
  'rg --search-zip x',
  'sort -o a a',
  'sort -oa a',
  'sort -ro a a',
  'sort --output=a a',
  'sort --outp=a a',
  'sort --o=a a',
  'sort --compress-program=./run a',
  'sort --comp=./run a',
  'sort -T . a',
  'uniq a b',
  'uniq -c a b',
  'uniq - b',
  'uniq -- -a b',
  'base64 -o x a',
  'base64 -ox a',
  'base64 --output=x a',
  'date -s 2020-01-01',
  'date --set 2020-01-01',
  'date --se=2020-01-01',
  'date 010100002020',
  'file -C -m magic',
  'file --compile -m magic',
  'file -z a.gz',
  'printf -v PATH .',
  'printf -vPATH .',
  "printf -v 'a[$(id)]' x",
  "test -v 'a[$(id)]'",
  "test -R 'a[$(id)]'",
  "[ -v 'a[$(id)]' ]",
  'git',
  'git commit -m x',
  'git branch new',
  'git stash',
  'git config alias.status "!id"',
  'git fetch',
  'git -c core.pager=x log',
  'git -c core.fsmonitor=./run status',
  'git -C sub log',
  'git --git-dir=x log',
  'git --exec-path=. log',
  'git --paginate log',
  'git -p log',
  'git st',
  'git diff --output=x',
  'git diff --outp=x',
  'git log --output x',
  'git diff --ext-diff',
  'git diff --ext',
  'git log -p --textconv',
  'git cat-file --textconv HEAD:a',
  'git cat-file --filters HEAD:a',
  'git grep -O x',
  'git grep -O./run x',
  'git grep -nO./run x',
  'git grep --open-files-in-pager=./run x',
  'git grep --open x',
  'cd sub && git status',
  'git status; cd sub; git status',
])('not known to: %s', (text) => {
  expect(isKnownReadOnly(text, { git: true })).toBe(false);
});

test('where git is configured to start programs, no git command is known', () => {
  expect(isKnownReadOnly('git status', { git: false })).toBe(false);
  expect(isKnownReadOnly('ls && git log', { git: false })).toBe(false);
  expect(isKnownReadOnly('ls', { git: false })).toBe(true);
});

const plain = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[remote "origin"]
\turl = https://example.org/x.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
; a comment
[user]
\tname = Ada
`;

test('the configuration that git itself writes starts nothing', () => {
  expect(startsNoProgram(plain)).toBe(true);
  expect(startsNoProgram(plain.replaceAll('\n', '\r\n'))).toBe(true);
  expect(startsNoProgram('')).toBe(true);
});

test.each([
  '[core]\n\tfsmonitor = ./run',
  '[core] fsmonitor = ./run',
  '[CORE]\n\tFsMonitor = ./run',
  '[core]\n\tpager = ./run',
  '[core]\n\thooksPath = hooks',
  '[core]\n\tsshCommand = ./run',
  '[core]\n\tattributesFile = a',
  '[core]\n\tworktree = /',
  '[core]\n\tbare = \\\n\tfsmonitor',
  '[diff]\n\texternal = ./run',
  '[diff "x"]\n\ttextconv = ./run',
  '[diff "x"]\n\tcommand = ./run',
  '[filter "x"]\n\tclean = ./run',
  '[gpg]\n\tprogram = ./run',
  '[log]\n\tshowSignature = true',
  '[pager]\n\tlog = ./run',
  '[alias]\n\tx = !./run',
  '[include]\n\tpath = ../config',
  '[includeIf "gitdir:/"]\n\tpath = ../config',
  '[remote "x"]\n\tuploadpack = ./run',
  '[remote "x"]\n\tpromisor = true',
  '[extensions]\n\tworktreeConfig = true',
  '[submodule "x"]\n\turl = .',
  '[branch.x]\n\tfoo = 1',
  '[constructor]\n\tname = x',
  '[__proto__]\n\tx = 1',
  'x = 1',
  'nonsense',
  '\ufeff[core]',
])('a configuration that may: %j', (text) => {
  expect(startsNoProgram(plain + text)).toBe(false);
});
