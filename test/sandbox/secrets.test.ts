/** What looks secret in a workspace, as commands find it: it is not there, it is no change, and it stays as it was. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from './scenario.ts';
import { outputs, users } from './users.ts';

const secret = 'TOPSECRET-4711';
const key = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`;

const files: Record<string, string> = {
  'a.txt': 'a\n',
  '.env': `KEY=${secret}\n`,
  '.env.example': 'KEY=\n',
  'deep/er/.env.local': `KEY=${secret}\n`,
  'deep/er/code.txt': 'code\n',
  'ssh/id_ed25519': key,
  'ssh/id_ed25519.pub': 'public\n',
  'tls/server.pem': key,
  'tls/ca.pem': '-----BEGIN CERTIFICATE-----\n',
  'private/one.txt': secret,
  'private/sub/two.txt': secret,
  'notes.hidden': secret,
  '.codexignore': 'private/\n*.hidden\n!.env\n',
  '.gitignore': '.env.local\n',
};

const setup = 'git init -q && git add -A && git -c user.name=A -c user.email=a@b.org commit -q --allow-empty -m start';
const withRemote = [
  setup,
  `git remote add origin https://bob:${secret}@example.org/x.git`,
  `git config http.https://example.org/.extraheader "AUTHORIZATION: basic ${secret}"`,
].join('; ');

const visible = ['.codexignore .env.example .gitignore a.txt deep/er/code.txt', 'ssh/id_ed25519.pub tls/ca.pem'].join(
  ' ',
);
const listing = "find . -path ./.git -prune -o -type f -printf '%P\\n' | LC_ALL=C sort | xargs";

describe.each(users)('$name', ({ play }) => {
  /** The scenario's outputs; nothing of the secret in them, in the copy's folder or its changes; the user's tree is the same. */
  const hidden = async (scenario: Scenario, { mayTell = false } = {}) => {
    const outcome = await play({ files, secret, ...scenario });
    const told = outputs(outcome);
    expect(outcome.before).toEqual(outcome.after);
    if (!mayTell) {
      expect(told.join('')).not.toContain(secret);
      expect(outcome.leaks).toEqual([]);
    }
    expect(JSON.stringify(outcome.changes)).not.toContain(secret);
    return { ...outcome, told, paths: outcome.changes.map(({ path }) => path) };
  };

  test('secrets are absent by every way to look', async () => {
    const { told, changes } = await hidden({
      steps: [
        { command: listing },
        { command: 'ls -a . ssh tls deep/er; cat .env; cat ./deep/../.env ssh/id_ed25519 tls/server.pem; ls private' },
        { command: `python3 -c "open('.env').read()" 2>&1 | tail -1; echo private/* *.hidden; stat .env` },
        {
          command: `grep -rn ${secret.slice(0, 9)} . ; ln -s .env link; cat link; cp .env copy; ln .env hard; rm link`,
        },
      ],
    });
    expect(told[0]?.trim()).toBe(visible);
    expect(told[2]).toMatch(/FileNotFoundError|No such file/);
    expect(changes).toEqual([]);
  });

  test('a control: allowed by the user, they are there', async () => {
    const { told } = await hidden(
      {
        allowed: ['.env', '/tls/server.pem', 'private/'],
        steps: [{ command: 'cat .env tls/server.pem private/*.txt notes.hidden' }],
      },
      { mayTell: true },
    );
    expect(told[0]?.split(secret).length).toBe(4);
    expect(told[0]).toContain('notes.hidden: No such file');
  });

  test('git sees them deleted, and what it does about that is no change of the user’s', async () => {
    const { told, changes } = await hidden({
      setup,
      steps: [{ command: 'git status --short' }, { command: 'git add -A; git commit -qm gone; git status --short' }],
    });
    expect(told[0]).toContain(' D .env\n');
    expect(changes).toEqual([]);
  });

  test('out of git’s history they come back for one command only, and are no change', async () => {
    const { told, changes } = await hidden(
      { setup, steps: [{ command: 'git checkout -q . && cat .env' }, { command: 'cat .env private/one.txt' }] },
      { mayTell: true },
    );
    expect(told[0]).toContain(secret);
    expect(told[1]).not.toContain(secret);
    expect(changes).toEqual([]);
  });

  test('everything deleted: what was never seen is not', async () => {
    const { paths } = await hidden({
      steps: [
        { command: 'rm -rf deep private tls; rm -f .env * 2>/dev/null; rm -rf ssh; ls -A' },
        { command: 'ls -A deep tls' },
      ],
    });
    expect(paths).toEqual(['a.txt', 'deep/er/code.txt', 'ssh/id_ed25519.pub', 'tls/ca.pem']);
  });

  test('a file of the agent’s own in its place is a change from nobody knows what, or none where it is ignored', async () => {
    const { changes, told } = await hidden({
      setup,
      steps: [
        {
          command:
            'echo MINE=1 >.env; echo MINE=2 >deep/er/.env.local; mkdir -p private/sub; echo mine >private/sub/two.txt',
        },
        { command: 'cat .env deep/er/.env.local private/sub/two.txt; ls private private/sub' },
        { command: 'rm .env; ls private/sub' },
      ],
    });
    expect(told[1]).toBe('MINE=1\nMINE=2\nmine\nprivate:\nsub\n\nprivate/sub:\ntwo.txt\n');
    expect(changes).toMatchObject([{ path: 'private/sub/two.txt', base: 'unknown', agent: { text: 'mine\n' } }]);
  });

  test('a folder that is hidden no more shows what the user has beside what the agent made', async () => {
    const { told, changes } = await hidden(
      {
        steps: [
          { command: 'mkdir -p private/sub; echo mine >private/sub/mine.txt; echo mine >private/one.txt' },
          { command: 'ls private private/sub; cat private/*.txt', meanwhile: 'mv .codexignore away' },
          { command: 'ls -A private/sub', meanwhile: 'mv away .codexignore' },
        ],
      },
      { mayTell: true },
    );
    expect(told[1]).toBe('private:\none.txt\nsub\n\nprivate/sub:\nmine.txt\ntwo.txt\nmine\n');
    expect(told[2]).toBe('mine.txt\n');
    expect(changes.map(({ path, agent }) => [path, agent.kind])).toEqual([
      ['private/one.txt', 'text'],
      ['private/sub/mine.txt', 'text'],
    ]);
  });

  test('a secret that appears, moves or goes while the thread lives', async () => {
    const { told, changes } = await hidden({
      // What the user does meanwhile is the same tree again at the end.
      steps: [
        { command: 'cat .env.production' },
        { command: 'cat .env.production', meanwhile: `echo ${secret} >.env.production` },
        { command: 'cat .env.staging .env.production', meanwhile: 'mv .env.production .env.staging' },
        { command: 'ls -a; cat .env.staging', meanwhile: 'rm .env.staging' },
        { command: 'cat notes.hidden', meanwhile: 'mv .codexignore kept; mv notes.hidden n; echo shown >notes.hidden' },
        { command: 'cat notes.hidden', meanwhile: 'mv n notes.hidden; mv kept .codexignore' },
      ],
    });
    expect(told[4]).toBe('shown\n');
    expect(changes).toEqual([]);
  });

  test('unsaved text of a secret is not put in', async () => {
    const { told, changes } = await hidden({
      steps: [
        {
          command: 'cat .env .env.new new.pem private/new.txt a.txt',
          buffers: {
            ...{ '.env': `X=${secret}`, '.env.new': secret, 'new.pem': key, 'private/new.txt': secret },
            'a.txt': 'unsaved\n',
          },
        },
      ],
    });
    expect(told[0]).toContain('unsaved\n');
    expect(changes).toEqual([]);
  });

  test('credentials in git’s settings and logs are masked; git works; what the agent sets stays', async () => {
    const log = `.git/logs/HEAD`;
    const { told, changes } = await hidden({
      setup: `${withRemote}; mkdir sub; cd sub; ${withRemote}; cd ..; printf "0 0 A <a@b> 1 +0000	pull https://t:${secret}@h/x: Fast-forward\\n" >>${log}`,
      steps: [
        {
          command: `git remote -v; git config --list; cat .git/config sub/.git/config ${log}; git log --oneline | wc -l`,
        },
        { command: 'git -C sub remote -v; git config user.name Agent; git checkout -qb mine; grep -c . .git/config' },
        { command: 'git config user.name; git branch --show-current; git remote get-url origin' },
      ],
    });
    expect(told[0]).toContain('https://***@example.org/x.git');
    expect(told[0]).toContain('pull https://***@h/x');
    expect(told[2]).toBe('Agent\nmine\nhttps://***@example.org/x.git\n');
    expect(changes).toEqual([]);
  });

  test('settings of git that the user changes are masked anew', async () => {
    const { told } = await play({
      files: { a: 'a' },
      setup,
      steps: [
        { command: 'git remote -v' },
        { command: 'git remote -v', meanwhile: `git remote add o https://x:${secret}@one.org/` },
        { command: 'git remote -v', meanwhile: `git remote set-url o https://x:${secret}@two.org/` },
        { command: 'git remote -v', meanwhile: 'git remote set-url o https://three.org/' },
      ],
    }).then((outcome) => ({ told: outputs(outcome).map((text) => text.match(/https\S+/)?.[0]) }));
    expect(told).toEqual([undefined, 'https://***@one.org/', 'https://***@two.org/', 'https://three.org/']);
  });

  test('behind names that are no others for some file system, or hard to write', async () => {
    const names = [
      '.ENV',
      '.Env.Local',
      '.env.\nx',
      '.env.\u202egpj',
      '.env.*',
      '.env.$(x)',
      'ID_RSA',
      'K.PEM',
      '.env. ü',
    ];
    const { changes, told } = await hidden({
      files: Object.fromEntries(names.map((name) => [`d/${name}`, `${key}${name}`])),
      steps: [{ command: 'ls -A d; cat d/* d/.e* d/.E*' }],
    });
    expect(told[0]?.startsWith('cat:')).toBe(true);
    expect(changes).toEqual([]);
  });
});
