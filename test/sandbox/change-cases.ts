/** Commands, and what they change: the same wherever the copy stands. */
import type { CopyChange } from '../../server/changeset/review-types.ts';
import type { Outcome, Scenario } from './scenario.ts';

// Newer versions of git go on tidying up after they have ended.
const git =
  'git init -q . && git add -A && git -c maintenance.auto=false -c user.name=a -c user.email=a@b commit -qm first && sleep 0.02';

const shown = (state: CopyChange['base']): string => {
  if (state === 'unknown') return 'unknown';
  if (state.kind === 'text') return `${JSON.stringify(state.text)}${state.mode & 0o100 ? ' x' : ''}`;
  if (state.kind === 'binary') return `binary ${state.size}`;
  return state.kind === 'symlink' ? `-> ${state.target}` : state.kind === 'other' ? state.what : 'absent';
};

/** Each change in a line. */
export const list = ({ changes }: Outcome) =>
  changes.map(({ path, base, agent }) => `${path}: ${shown(base)} => ${shown(agent)}`);

export const files = {
  'a.txt': 'one\ntwo\n',
  'src/b.ts': 'b\n',
  'src/deep/c.ts': 'c\n',
  '.gitignore': 'node_modules/\n*.log\n',
};

export const cases: { name: string; command: string; expected: string[]; more?: Partial<Scenario> }[] = [
  { name: 'nothing', command: 'cat a.txt', expected: [] },
  { name: 'sed -i', command: 'sed -i s/one/ONE/ a.txt', expected: ['a.txt: "one\\ntwo\\n" => "ONE\\ntwo\\n"'] },
  { name: 'the same text written again', command: 'cp a.txt x && mv x a.txt; touch src/b.ts', expected: [] },
  { name: 'changed and changed back', command: 'sed -i s/one/ONE/ a.txt; sed -i s/ONE/one/ a.txt', expected: [] },
  {
    name: 'a new file in a new folder',
    command: 'mkdir -p n/m && echo x > n/m/f',
    expected: ['n/m/f: absent => "x\\n"'],
  },
  { name: 'an empty folder', command: 'mkdir empty', expected: [] },
  { name: 'a deletion', command: 'rm a.txt', expected: ['a.txt: "one\\ntwo\\n" => absent'] },
  {
    name: 'a folder deleted',
    command: 'rm -rf src',
    expected: ['src/b.ts: "b\\n" => absent', 'src/deep/c.ts: "c\\n" => absent'],
  },
  {
    name: 'a folder deleted and made again',
    command: 'rm -rf src && mkdir src && echo new > src/n.ts && echo B > src/b.ts',
    expected: ['src/b.ts: "b\\n" => "B\\n"', 'src/deep/c.ts: "c\\n" => absent', 'src/n.ts: absent => "new\\n"'],
  },
  {
    name: 'a file moved',
    command: 'mv src/b.ts src/moved.ts',
    expected: ['src/b.ts: "b\\n" => absent', 'src/moved.ts: absent => "b\\n"'],
  },
  {
    name: 'a folder moved',
    command: 'mv src/deep d2',
    expected: ['d2/c.ts: absent => "c\\n"', 'src/deep/c.ts: "c\\n" => absent'],
  },
  { name: 'chmod', command: 'chmod +x a.txt', expected: ['a.txt: "one\\ntwo\\n" => "one\\ntwo\\n" x'] },
  { name: 'a binary file', command: "printf '\\xff\\x00' > bin", expected: ['bin: absent => binary 2'] },
  { name: 'a symbolic link', command: 'ln -s /etc out', expected: ['out: absent => -> /etc'] },
  {
    name: 'a symbolic link in the place of a folder',
    command: 'rm -rf src && ln -s /etc src',
    expected: ['src: absent => -> /etc', 'src/b.ts: "b\\n" => absent', 'src/deep/c.ts: "c\\n" => absent'],
  },
  {
    name: 'a folder in the place of a file',
    command: 'rm a.txt && mkdir a.txt && echo i > a.txt/in',
    expected: ['a.txt: "one\\ntwo\\n" => absent', 'a.txt/in: absent => "i\\n"'],
  },
  { name: 'a pipe', command: 'mkfifo pipe', expected: ['pipe: absent => pipe'] },
  {
    name: 'names that only a shell likes',
    command: 'echo x > "-rf"; echo y > $\'new\\nline\'',
    expected: ['-rf: absent => "x\\n"', 'new\nline: absent => "y\\n"'],
  },
  {
    name: 'ignored files',
    command: 'mkdir -p node_modules/p && echo x > node_modules/p/i.js; echo l > x.log',
    expected: [],
  },
  { name: 'a file of mode 000', command: 'echo x > f; chmod 000 f', expected: ['f: absent => "x\\n"'] },
  {
    name: 'git at work, in any depth',
    command:
      'git init -q vendor/x; git config core.fsmonitor evil; echo h > .git/hooks/pre-commit; echo v > vendor/x/v',
    expected: ['vendor/x/v: absent => "v\\n"'],
    more: { setup: git },
  },
  {
    name: 'a commit',
    command:
      'echo more >> a.txt; git add -A; git -c user.name=a -c user.email=a@b commit -qm second && git log --oneline | wc -l',
    expected: ['a.txt: "one\\ntwo\\n" => "one\\ntwo\\nmore\\n"'],
    more: { setup: git },
  },
  {
    name: 'a tracked file that the rules ignore',
    command: 'echo 2 > kept.log; echo 3 > other.log; echo 4 > node_modules/t.js; echo 5 > node_modules/u.js',
    expected: ['kept.log: "1\\n" => "2\\n"', 'node_modules/t.js: "1\\n" => "4\\n"'],
    more: {
      setup: `mkdir node_modules; echo 1 > kept.log; echo 1 > node_modules/t.js; git init -q .; git add -f kept.log node_modules; ${git}`,
    },
  },
];
