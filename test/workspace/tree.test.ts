/** The copy as a whole tree, kept between commands: what is copied, what is taken back, and what a hostile one leaves. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { counted } from '../../server/workspace/counted.ts';
import { trackedFiles } from '../../server/workspace/git-index.ts';
import { ignoreRules } from '../../server/workspace/ignore.ts';
import { Layers } from '../../server/workspace/layers.ts';
import type { MaterializeOptions } from '../../server/workspace/tree.ts';
import { planTree } from '../../server/workspace/tree-plan.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });

async function openTree(files: Record<string, string | Uint8Array>, setup = 'true') {
  const inside = Object.entries(files).map(([path, content]): [string, string | Uint8Array] => [`ws/${path}`, content]);
  const folder = makeFolder(Object.fromEntries(inside));
  mkdirSync(join(folder.path, 'ws'), { recursive: true });
  folder.bash(`cd ws; ${setup}`);
  const options = { dir: join(folder.path, 'state'), root: join(folder.path, 'ws') };
  let copy = await Copy.open(options);
  const run = async (command: string, materialize: MaterializeOptions = {}) => {
    await copy.refresh(new Map());
    const startedAtMs = Date.now();
    const { links } = await copy.materialize(materialize);
    const output = folder.bash(`cd state/tree; ${command}`);
    const { problems } = await copy.absorb();
    const scan = await copy.scan({ startedAtMs });
    return { output, links, problems: [...problems, ...scan.problems] };
  };
  return {
    ...options,
    bash: folder.bash,
    run,
    tree: join(options.dir, 'tree'),
    get copy() {
      return copy;
    },
    /** As the next process does. */
    async reopen() {
      copy = await Copy.open(options);
    },
    changed: () => copy.changes().map(({ path, agent }) => `${path} ${agent.kind}`),
    async [Symbol.asyncDispose]() {
      await copy.remove();
      expect(existsSync(options.dir)).toBe(false);
      folder[Symbol.dispose]();
    },
  };
}

/** Stamps of all files of a tree: what has one still has not been touched. */
const stamps = (place: { bash: (command: string) => string }) =>
  place.bash("cd state/tree; find . -type f -printf '%P %i %C@\\n' | sort").trim().split('\n');

describe('what is copied', () => {
  test('files with their modes and times, links as links, empty folders; nothing else', async () => {
    await using place = await openTree(
      { a: 'a\n', 'd/run': '#!\n', bin: Buffer.from([0xff, 0]) },
      'chmod 755 d/run; chmod 750 d; chmod 600 a; mkdir empty; ln -s /etc out; ln -s nowhere broken; mkfifo pipe',
    );
    utimesSync(join(place.root, 'a'), 1_700_000_000.123456, 1_700_000_000.123456);
    const { output } = await place.run(
      "find . -mindepth 1 -printf '%y %m %P %l\\n' | sed 's/ $//' | sort; od -An -tu1 bin",
    );
    expect(output).toBe(
      'd 750 d\nd 755 empty\nf 600 a\nf 644 bin\nf 755 d/run\nl 777 broken nowhere\nl 777 out /etc\n 255   0\n',
    );
    const difference = statSync(join(place.tree, 'a')).mtimeMs - statSync(join(place.root, 'a')).mtimeMs;
    expect(Math.abs(difference)).toBeLessThan(0.001);
    expect(place.changed()).toEqual([]);
  });

  test('once; later only what the user or the agent has changed', async () => {
    await using place = await openTree(
      { a: 'a\n', b: 'b\n', 'd/c': 'c\n', 'd/e': 'e\n' },
      "touch -d '1 minute ago' *; sleep 0.1",
    );
    await place.run('true');
    const first = stamps(place);
    await place.reopen();
    await place.run('true');
    expect(stamps(place)).toEqual(first);
    place.bash('echo user > ws/b; rm ws/d/e; mkdir ws/n; echo n > ws/n/n');
    await place.copy.write([{ path: 'd/c', state: text('agent\n') }]);
    const { output } = await place.run('cat b d/c n/n; ls d');
    expect(output).toBe('user\nagent\nn\nc\n');
    expect(stamps(place).filter((stamp) => first.includes(stamp))).toEqual(
      first.filter((stamp) => stamp.startsWith('a ')),
    );
  });

  test('again, where the user has written in the same moment, so that the times may not tell', async () => {
    await using place = await openTree({ a: 'a\n' });
    const isCopiedTwice = async (write: boolean) => {
      if (write) writeFileSync(join(place.root, 'a'), 'b\n');
      await place.copy.materialize();
      const first = stamps(place);
      await place.copy.materialize();
      return stamps(place).join() !== first.join();
    };
    // On a busy machine a moment may have passed.
    let isCopied = false;
    for (let tries = 0; tries < 50 && !isCopied; tries++) isCopied = await isCopiedTwice(true);
    expect(isCopied).toBe(true);
    for (let tries = 0; tries < 50 && isCopied; tries++) isCopied = await isCopiedTwice(false);
    expect(isCopied).toBe(false);
  });

  test('in the place of what was there: a file for a folder, a folder for a link', async () => {
    await using place = await openTree({ 'd/a': 'a\n', f: 'f\n' }, 'ln -s d l');
    await place.run('true');
    place.bash('cd ws; rm -r d f l; echo d > d; mkdir -p f/f l; echo x > f/f/x; echo y > l/y');
    const { output } = await place.run('cat d f/f/x l/y');
    expect(output).toBe('d\nx\ny\n');
    expect(place.changed()).toEqual([]);
  });

  test('with progress, until the signal; what is copied then is not copied again', async () => {
    const files = Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`d${index % 30}/f${index}`, 'x']));
    await using place = await openTree(files, "find . -type f -exec touch -d '1 minute ago' {} +; sleep 0.1");
    const cancel = new AbortController();
    const told: [number, number, number][] = [];
    const onProgress = (done: number, total: number) => {
      told.push([done, total, performance.now()]);
      if (done > 300) cancel.abort(new Error('stopped by the user'));
    };
    await expect(place.copy.materialize({ onProgress, signal: cancel.signal })).rejects.toThrow('stopped by the user');
    expect(told.at(-1)?.[1]).toBe(6_030);
    for (const [index, [, , at]] of told.entries()) expect(at - (told[index - 1]?.[2] ?? 0)).toBeGreaterThan(240);
    const before = stamps(place);
    expect(before.length).toBeGreaterThan(300);
    expect(before.length).toBeLessThan(6_000);
    await place.copy.materialize();
    const after = stamps(place);
    expect(after.length).toBe(6_000);
    expect(new Set([...before, ...after]).size).toBe(6_000);
    told.length = 0;
    await place.copy.materialize({ onProgress });
    expect(told).toEqual([]);
  });

  test('and what it holds of the user’s, which is no command’s', async () => {
    await using place = await openTree({ a: 'a\n', 'd/b': 'b\n' });
    const held = async () => {
      const { bytes, entries } = (await place.copy.materialize()).held;
      return { kibibytes: bytes / 1024, entries };
    };
    expect(await held()).toEqual({ kibibytes: 8, entries: 3 });
    await place.run('echo agent >a; mkdir e; head -c 100000 /dev/zero >e/x; head -c 9000 /dev/zero >d/y');
    expect(await held()).toEqual({ kibibytes: 4, entries: 2 });
    place.bash('cd ws; head -c 40960 /dev/zero >d/new');
    await place.reopen();
    expect(await held()).toEqual({ kibibytes: 44, entries: 3 });
  });

  test.each(['changing', 'open x', ''])(
    'anew, where a process ended at work on it (%j) or the list is damaged',
    async (state) => {
      await using place = await openTree({ a: 'a\n', 'd/b': 'b\n' });
      await place.run('echo agent > a');
      place.bash('rm state/tree/d/b; echo half > state/tree/half');
      writeFileSync(join(place.dir, 'tree.state'), state);
      if (state === '') writeFileSync(join(place.dir, 'tree.manifest'), '{"version":1}\n[');
      await place.reopen();
      const { output } = await place.run('cat a d/b; ls');
      expect(output).toBe('agent\nb\na\nd\n');
      expect(place.changed()).toEqual(['a text']);
    },
  );
});

describe('large ignored folders', () => {
  const many = 'mkdir -p node_modules/p; cd node_modules/p; touch $(seq 2100); cd ../..';

  test('are empty folders to mount on, never changed and never in the changeset; small ones are copied', async () => {
    await using place = await openTree({ '.gitignore': 'node_modules/\nout/\n', 'out/o': 'o\n', a: 'a\n' }, many);
    const { output, links } = await place.run('ls node_modules; cat out/o; echo x > node_modules/mounted; rm out/o');
    expect({ output, links }).toEqual({ output: 'o\n', links: ['node_modules'] });
    expect(place.changed()).toEqual([]);
    expect(existsSync(join(place.copy.layers.upper, 'node_modules'))).toBe(false);
    expect((await place.run('ls out')).output).toBe('');
  });

  test('are links where nothing can be mounted; one that a command takes away stays so', async () => {
    await using place = await openTree({ '.gitignore': 'node_modules/\n', a: 'a\n' }, many);
    const options = { linksAs: 'symlinks' } as const;
    expect(await place.run('ls node_modules/p | wc -l', options)).toEqual({
      output: '2100\n',
      links: ['node_modules'],
      problems: [],
    });
    expect(
      (await place.run('rm node_modules; mkdir node_modules; echo own > node_modules/q', options)).problems,
    ).toEqual([]);
    expect(await place.run('ls node_modules', options)).toMatchObject({ output: 'q\n', links: [] });
    expect(place.changed()).toEqual([]);
    expect(place.bash('ls ws/node_modules/p | wc -l')).toBe('2100\n');
  });

  test('are copied where asked for, and the way they stand can change', async () => {
    await using place = await openTree({ '.gitignore': 'node_modules/\n', a: 'a\n' }, many);
    expect(await place.run('ls node_modules', {})).toMatchObject({ output: '', links: ['node_modules'] });
    expect(await place.run('readlink node_modules', { linksAs: 'symlinks' })).toMatchObject({
      output: `${place.root}/node_modules\n`,
    });
    expect(await place.run('rm node_modules/p/7; ls node_modules/p | wc -l', { linksAs: 'copies' })).toMatchObject({
      output: '2099\n',
      links: [],
    });
    expect(place.bash('ls ws/node_modules/p | wc -l')).toBe('2100\n');
    expect(place.changed()).toEqual([]);
  });

  test('are copied as they are where the agent has something of its own in them, or git tracks something', async () => {
    await using place = await openTree(
      { '.gitignore': 'node_modules/\nvendor/\n', 'vendor/kept': 'k\n' },
      `${many}; git init -q .; git add -f vendor/kept; cp -r node_modules/p vendor/p`,
    );
    await place.copy.write([{ path: 'node_modules/own', state: text('own\n') }]);
    const { output, links } = await place.run(
      'ls node_modules/p | wc -l; cat node_modules/own vendor/kept; ls vendor/p',
    );
    expect(output).toBe('2100\nown\nk\n');
    expect(links).toEqual(['vendor/p']);
  });

  test('and the packs of a large repository: commits work beside them', async () => {
    await using place = await openTree(
      { a: 'a\n' },
      'git init -q .; git add -A; git -c user.name=a -c user.email=a@b commit -qm first; git gc -q; truncate -s 257M .git/objects/pack/large.tmp',
    );
    const before = place.bash('cd ws; find .git -type f -exec md5sum {} +');
    const commit = 'echo b >> a; git -c user.name=a -c user.email=a@b commit -qam second; git log --oneline | wc -l';
    const { output, links } = await place.run(commit, { linksAs: 'symlinks' });
    expect({ output, links }).toEqual({ output: '2\n', links: ['.git/objects/pack'] });
    expect((await place.run('git status --short; git log --oneline | wc -l', { linksAs: 'symlinks' })).output).toBe(
      '2\n',
    );
    expect(place.changed()).toEqual(['a text']);
    expect(place.bash('find state/up -name pack')).toBe('');
    expect(place.bash('cd ws; find .git -type f -exec md5sum {} +')).toBe(before);
  });
});

describe('what a command leaves behind', () => {
  test('a link in the place of a folder is followed by nobody', async () => {
    await using place = await openTree({ 'd/a': 'a\n', 'd/e/f': 'f\n' });
    using outside = makeFolder({ a: 'outside\n', 'e/f': 'outside\n' });
    await place.run(`rm -r d; ln -s ${outside.path} d`);
    expect(place.changed()).toEqual(['d symlink', 'd/a absent', 'd/e/f absent']);
    place.bash('echo user > ws/d/a; echo user > ws/d/new; mkdir ws/d/g');
    await place.copy.refresh(
      new Map([
        ['d/a', 'typed\n'],
        ['d/typed', 'typed\n'],
      ]),
    );
    await place.run('true');
    await place.copy.settle(new Map());
    expect((await place.run('cat d/a d/e/f d/new')).output).toBe('user\nf\nuser\n');
    expect(outside.bash('find . -type f | sort | xargs cat; ls')).toBe('outside\noutside\na\ne\n');
  });

  test('a list of deletions that leads through no link: the sandbox makes devices by it', async () => {
    await using place = await openTree({ 'd/a': 'a\n', 'd/e/f': 'f\n', 'g/h': 'h\n' });
    await place.copy.write([
      { path: 'd/e/f', state: absent },
      { path: 'g/h', state: absent },
    ]);
    await place.run('rm -r d g; ln -s / d');
    expect(readFileSync(place.copy.layers.whiteouts, 'utf8')).toBe('g\0');
  });

  test('pipes and sockets are told, and gone after the turn', async () => {
    await using place = await openTree({ a: 'a\n', '.gitignore': 'out\n' });
    const { problems } = await place.run('mkfifo pipe out; rm a; mkfifo a');
    expect(problems.sort()).toEqual([
      expect.stringMatching(/^a: a pipe can not be kept/),
      expect.stringMatching(/^pipe: /),
    ]);
    expect(place.changed()).toEqual(['a absent']);
    await place.copy.settle(new Map());
    expect((await place.run('ls; cat a')).output).toBe('a\nout\na\n');
  });

  test('names that are not UTF-8 and folders too deep are told, and gone after the turn; ignored ones stay', async () => {
    await using place = await openTree({ 'd/ok': 'ok\n', '.gitignore': 'out\n' });
    const deep =
      'n=$(printf "%0100d" 7); for i in $(seq 60); do mkdir $n; cd -P $n 2>/dev/null || break; done; echo x > f';
    const { problems } = await place.run(
      `touch d/$'\\xff'; mkdir out; touch out/$'\\xfe'; echo hi > d/ok; mkdir top; cd top; ${deep}`,
    );
    expect(problems.sort()).toEqual(
      [expect.stringContaining('it lies too deep'), expect.stringContaining('is not UTF-8')].reverse().sort(),
    );
    expect((await place.run('ls d | wc -l; ls out | wc -l')).output).toBe('2\n1\n');
    await place.copy.settle(new Map(place.copy.changes().map(({ path, ...change }) => [path, change])));
    expect((await place.run('ls d out | wc -l; cat d/ok; ls')).output).toBe('5\nhi\nd\nout\n');
  });

  test('large files with nothing in them cost nothing', async () => {
    await using place = await openTree({});
    const startedAt = performance.now();
    await place.run('for i in $(seq 20); do truncate -s 1G big$i; done; truncate -s 40M part; echo x >> part');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(place.bash('cd state/up; du -sk . | cut -f1')).toMatch(/^\d{1,3}\n$/);
    expect(place.bash('cmp state/tree/part state/up/part; stat -c %s state/up/big7')).toBe(`${1024 ** 3}\n`);
  });

  test('a process that ended before anybody looked: the next one does', async () => {
    await using place = await openTree({ a: 'a\n', 'd/b': 'b\n' });
    await place.copy.refresh(new Map());
    await place.copy.materialize();
    place.bash('cd state/tree; echo agent > a; rm -r d');
    await place.reopen();
    expect(place.changed()).toEqual(['a text', 'd/b absent']);
    expect((await place.run('cat a; ls')).output).toBe('agent\na\n');
  });

  test('what a deleted folder holds later is no deletion, also for the next process', async () => {
    await using place = await openTree({ 'd/a': 'a\n', 'd/e/f': 'f\n' });
    await place.run('rm -r d');
    await place.reopen();
    place.bash('echo u > ws/d/user; echo u > ws/d/e/user');
    await place.run('true');
    await place.run('mkdir d');
    expect(place.changed()).toEqual(['d/a absent', 'd/e/f absent']);
  });

  test('a deletion of something ignored, in a folder that holds nothing else, outlives the turn', async () => {
    await using place = await openTree({ '.gitignore': 'out\n', 'd/out': 'o\n' });
    await place.run('rm d/out; echo x > d/x');
    await place.copy.settle(new Map());
    // The sandbox makes the device there.
    expect(readFileSync(place.copy.layers.whiteouts, 'utf8')).toBe('d/out\0');
    expect(lstatSync(join(place.copy.layers.upper, 'd')).isDirectory()).toBe(true);
    expect((await place.run('ls d')).output).toBe('');
  });
});

test('a tree whose folder was replaced from outside is made anew, and nothing is written through it', async () => {
  await using place = await openTree({ 'd/a': 'a\n' });
  using outside = makeFolder({});
  await place.run('true');
  place.bash('rm -r state/tree/d');
  symlinkSync(outside.path, join(place.tree, 'd'));
  place.bash('echo new > ws/d/new; chmod 700 ws/d');
  chmodSync(join(place.root, 'd'), 0o755);
  expect((await place.run('cat d/a d/new')).output).toBe('a\nnew\n');
  expect(outside.bash('ls -A')).toBe('');
});

test.each([
  [{ entries: 3, bytes: 100 }, /more than 3 files and folders that are not ignored/],
  [{ entries: 100, bytes: 1024 ** 2 }, /more than 1 MiB that are not ignored/],
  [{ entries: 4, bytes: 3 * 1024 ** 2 }, undefined],
])('a workspace larger than %j is told, before anything is copied', async (max, reason) => {
  using folder = makeFolder({ 'a/b': Buffer.alloc(2 * 1024 ** 2, 'x'), c: 'c', d: 'd' });
  const upper = join(folder.path, 'none');
  const layers = new Layers({ root: folder.path, upper, work: upper, whiteouts: upper });
  const counts = counted(ignoreRules(folder.path), trackedFiles(folder.path));
  const plan = planTree({ layers, counts, known: new Map(), linksAs: 'mountPoints', max });
  if (reason) await expect(plan).rejects.toThrow(reason);
  else expect((await plan).steps.map(({ path }) => path).sort()).toEqual(['a', 'a/b', 'c', 'd']);
});
