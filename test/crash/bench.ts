/** A workspace, a model and the built program, for one round. */
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { soon } from '../support/model.ts';
import { startProgram } from '../support/program.ts';
import { makeWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { type Attached, attach } from './attached.ts';
import type { Victim } from './choice.ts';
import { startForgetfulModel } from './model.ts';
import { gitOf } from './on-disk.ts';
import { answerTo, filesBefore } from './story.ts';

export type Bench = AsyncDisposable & {
  workspace: TestWorkspace;
  /** All that is of this round lies below it. */
  top: string;
  /** The repository as it was. */
  git: string;
  /** An editor as the victim needs it; disposing it ends what is left of it. */
  attach(victim: Victim): Promise<AsyncDisposable & { editor: Attached }>;
  /** kill -9. */
  kill(victim: Victim, editor: Attached): void;
};

export async function openCrashBench(): Promise<Bench> {
  const workspace = await makeWorkspace(filesBefore);
  const { root, stateDir } = workspace;
  const model = await startForgetfulModel(answerTo);
  const env = {
    CODEX_LSP_STATE_DIR: stateDir,
    XDG_CONFIG_HOME: join(stateDir, 'config'),
    OPENAI_API_KEY: 'sk-test-secret',
    OPENAI_BASE_URL: model.baseURL,
  };
  return {
    workspace,
    top: dirname(root),
    git: gitOf(root),
    async attach(victim) {
      const program = startProgram(victim === 'server' ? ['--stdio', '--no-host'] : ['--stdio'], { cwd: root, env });
      const editor = await soon(attach(program, root, 'open.txt'), 'initialize');
      return {
        editor,
        async [Symbol.asyncDispose]() {
          program.child.stdin.end();
          await soon(program.ended, 'the end of the editor');
        },
      };
    },
    kill(victim, { program }) {
      if (victim === 'host') process.kill(hostOf(stateDir), 'SIGKILL');
      else program.child.kill('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await model.close();
      await workspace[Symbol.asyncDispose]();
      if (model.problems.length > 0) throw new Error(`The model was asked: ${model.problems.join('\n')}`);
    },
  };
}

const version: string = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version;

const hostOf = (stateDir: string): number => JSON.parse(readlinkSync(join(stateDir, 'host', `${version}.lock`))).pid;
