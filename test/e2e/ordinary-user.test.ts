/** The built program as an ordinary user, where no overlay can be made: a turn, its review, and its apply. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, constants, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot, ordinaryId } from '../sandbox/users.ts';
import { patch, say, script, shell, startModel, toolOutputs } from '../support/model.ts';
import { makeWorkspace, type TestWorkspace } from '../support/workspace.ts';

const checkout = join(import.meta.dirname, '../..');
let stage = '';
beforeAll(() => {
  // Where everybody can run it: the checkout may lie in a folder that only root can enter.
  stage = mkdtempSync(join(tmpdir(), 'codex-lsp-stage-'));
  chmodSync(stage, 0o755);
  copyFileSync(process.execPath, join(stage, 'node'), constants.COPYFILE_FICLONE);
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(checkout, name), join(stage, name), { recursive: true });
});
afterAll(() => rmSync(stage, { recursive: true, force: true }));

const obstacles: [string, RegExp, (workspace: TestWorkspace) => () => void][] = [
  [
    'a file system mounted inside the workspace',
    /mounted inside the workspace, at mounted/,
    ({ root }) => {
      const path = join(root, 'mounted');
      mkdirSync(path);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `uid=${ordinaryId},gid=${ordinaryId}`, 'tmpfs', path]);
      return () => execFileSync('umount', [path]);
    },
  ],
  [
    'a file of another owner',
    /b\.txt belongs to another user/,
    ({ root }) => {
      execFileSync('chown', ['0:0', join(root, 'b.txt')]);
      return () => {};
    },
  ],
];

describe.runIf(isRoot)('as an ordinary user', () => {
  test.each(obstacles)('%s', async (_, reason, put) => {
    await using workspace = await makeWorkspace({ 'a.txt': 'one\n', 'b.txt': 'two\n' });
    await using model = await startModel(
      script(
        shell('id -u; pwd; cat a.txt b.txt; (echo x >b.txt) 2>&1; cat b.txt; git log --format=%s'),
        patch('a.txt', '-one', '+ONE'),
        shell('cat a.txt; git -c user.name=A -c user.email=a@localhost commit -qam agent; git log --format=%s'),
        say('Done.'),
      ),
    );
    const { root, stateDir } = workspace;
    execFileSync('chown', ['-R', `${ordinaryId}:${ordinaryId}`, root, stateDir]);
    const remove = put(workspace);
    try {
      const env = {
        ...{ PATH: process.env.PATH, HOME: join(stateDir, 'home'), NO_COLOR: '1', CODEX_LSP_STATE_DIR: stateDir },
        ...{ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL },
      };
      const ids = [`--reuid=${ordinaryId}`, `--regid=${ordinaryId}`, '--clear-groups'];
      const run = (...args: string[]) =>
        promisify(execFile)('setpriv', [...ids, '--', join(stage, 'node'), join(stage, 'bin/codex-lsp.js'), ...args], {
          env,
          cwd: root,
        });
      const { stdout, stderr } = await run('exec', 'work');
      expect(stdout).toBe('Done.\n');
      expect(stderr.match(/No overlay can be made here/g)).toHaveLength(1);
      expect(stderr).toMatch(reason);
      expect(toolOutputs(model.requests[1])[0]).toContain(`${ordinaryId}\n${root}\none\ntwo\n`);
      expect(toolOutputs(model.requests[1])[0]).toMatch(/start\n$/);
      expect(toolOutputs(model.requests[3]).at(-1)).toContain('ONE\nagent\nstart\n');
      expect(await workspace.read('a.txt')).toBe('one\n');
      const threadId = (await run('threads')).stdout.split(' ')[0] ?? '';
      expect((await run('apply', threadId)).stdout).toContain('applied a.txt\n');
      expect(await workspace.read('a.txt')).toBe('ONE\n');
    } finally {
      remove();
    }
  });
});
