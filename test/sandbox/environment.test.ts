import { expect, test } from 'vitest';
import { commandEnvironment, isInside } from '../../server/sandbox/environment.ts';

const options = { names: [], root: '/work/app', home: '/home/ann', user: 'ann', hasNode: true };

test('nothing of the environment is passed on but language and time zone', () => {
  const environment = {
    OPENAI_API_KEY: 'sk',
    AWS_SECRET: 's',
    LD_PRELOAD: 'x',
    LC_ALL: 'de_DE',
    TZ: 'UTC',
    SSH_AUTH_SOCK: '/s',
  };
  const result = commandEnvironment({ ...options, environment });
  expect(Object.keys(result).sort()).toEqual([
    'CI',
    'EMAIL',
    'GIT_OPTIONAL_LOCKS',
    'GIT_PAGER',
    'GIT_TERMINAL_PROMPT',
    'HOME',
    'LC_ALL',
    'LOGNAME',
    'NO_COLOR',
    'PAGER',
    'PATH',
    'SHELL',
    'TERM',
    'TMPDIR',
    'TZ',
    'USER',
  ]);
});

test('names that the user lists are passed on, and may say otherwise', () => {
  const environment = { TOKEN: 't', TERM: 'xterm', OTHER: 'o' };
  const result = commandEnvironment({ ...options, environment, names: ['TOKEN', 'TERM', 'MISSING', 'A=B', ''] });
  expect(result).toMatchObject({ TOKEN: 't', TERM: 'xterm' });
  expect(result).not.toHaveProperty('OTHER');
  expect(result).not.toHaveProperty('MISSING');
});

test("PATH begins with the server's node and has no folder of the workspace and none that is relative", () => {
  const environment = { PATH: '/work/app/node_modules/.bin:.:bin::/work/app:/home/ann/.cargo/bin:/work/application' };
  const path = commandEnvironment({ ...options, environment }).PATH ?? '';
  expect(path.split(':').slice(0, 3)).toEqual(['/run/codex-lsp/node/bin', '/home/ann/.cargo/bin', '/work/application']);
  expect(path).toContain('/usr/bin');
});

test.each([
  ['/a/b', '/a', true],
  ['/a', '/a', true],
  ['/ab', '/a', false],
  ['/', '/a', false],
  ['/a/..b', '/a', true],
])('%s inside %s: %s', (path, folder, expected) => expect(isInside(path, folder)).toBe(expected));
