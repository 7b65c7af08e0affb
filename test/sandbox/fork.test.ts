/** A forked copy shows a command what the first one shows, whoever runs it: what is deleted, hidden, closed or a link. */
import { describe, expect, test } from 'vitest';
import { outputs, users } from './users.ts';

const look = [
  "find . -name .git -prune -o -printf '%p %y %m %l %U:%G\\n' | sort",
  'cat a.txt new/deep/n.txt d/sub/n.txt',
  'wc -c < zeros',
  'stat -c %Y a.txt',
].join('; ');

describe.each(users)('$name', (user) => {
  test('a forked copy is the same to a command, and the same changes are in it', async () => {
    const outcome = await user.play({
      files: {
        '.gitignore': 'ignored/\n',
        'a.txt': 'a\n',
        'gone.txt': 'g\n',
        'gone/x/y.txt': 'y\n',
        'd/old.txt': 'o\n',
        'd/sub/old.txt': 'o\n',
        'd/kept/old.txt': 'o\n',
        'file-or-folder': 'f\n',
        'folder-or-file/x': 'x\n',
        '.env': 'KEY=TOPSECRET-4711\n',
      },
      setup: 'git init -q . && git add -A',
      secret: 'TOPSECRET-4711',
      steps: [
        {
          command:
            'echo A > a.txt; touch -d 2001-02-03 a.txt; rm gone.txt; rm -r gone; mkdir -p new/deep; echo n > new/deep/n.txt',
        },
        // Folders that hide the user's, down to the second.
        {
          command:
            'rm -r d; mkdir -p d/sub d/kept; echo n > d/sub/n.txt; rm file-or-folder; mkdir file-or-folder; echo x > file-or-folder/x; rm -r folder-or-file; echo f > folder-or-file',
        },
        {
          command:
            'ln -s nowhere link; ln -s d dir-link; mkdir -p ignored; echo i > ignored/i; truncate -s 3M zeros; echo c > closed; chmod 0 closed; mkdir shut; echo s > shut/s; chmod 500 shut; chmod 755 a.txt; mkfifo pipe',
        },
      ],
      forkThen: look,
    });
    expect(outputs(outcome)).toHaveLength(3);
    const { said, changes, problems } = outcome.forked ?? { said: [], changes: [], problems: [] };
    expect(said[0]).toContain('n\nn\n3145728\n981');
    expect(said[1]).toBe(said[0]?.replace(/^\.\/pipe .*\n/m, ''));
    expect(problems).toEqual(['pipe is no file']);
    expect(said[1]).not.toContain('old.txt');
    expect(said[1]).not.toContain('.env');
    expect(changes.filter(({ path }) => path !== 'pipe')).toEqual(
      outcome.changes.filter(({ path }) => path !== 'pipe'),
    );
    expect(outcome.leaks).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });
});
