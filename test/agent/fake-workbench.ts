/** A workbench that does nothing but what the test says, and remembers what it was asked. */
import type { Workbench } from '../../server/agent/workbench.ts';
import type { CommandResult } from '../../server/sandbox/types.ts';

export type Asked =
  | ['run', string, { cwd: string; timeoutMs: number; opened: { hosts: readonly string[]; paths: readonly string[] } }]
  | ['patch', string]
  | ['permit', Parameters<Workbench['permit']>[0]];

export const ran = (output: string, more: Partial<Extract<CommandResult, { kind: 'ran' }>> = {}): CommandResult => ({
  kind: 'ran',
  status: 'completed',
  exitCode: 0,
  output,
  outputBytes: output.length,
  durationMs: 1234,
  ...more,
});

export function fakeWorkbench(answers: Partial<Workbench> = {}): Workbench & { asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    async runCommand(request) {
      const { command, cwd, timeoutMs, opened } = request;
      asked.push(['run', command, { cwd, timeoutMs, opened }]);
      if (answers.runCommand) return answers.runCommand(request);
      request.onOutput(`ran ${command}\n`);
      return ran(`ran ${command}\n`);
    },
    async applyPatch(text) {
      asked.push(['patch', text]);
      return answers.applyPatch?.(text) ?? { ok: true, files: [{ path: 'a.txt', kind: 'modify' }] };
    },
    async permit(action) {
      asked.push(['permit', action]);
      return answers.permit?.(action) ?? { allowed: true };
    },
    access: () => answers.access?.() ?? { approvalPolicy: 'onRequest', network: 'off' },
  };
}

/** A command that runs until the signal fires, as the sandbox would end it. */
export const runsUntilKilled: Workbench['runCommand'] = ({ signal, onOutput }) =>
  new Promise((resolve) => {
    onOutput('started\n');
    const killed = () => resolve(ran('started\n', { status: 'killed', exitCode: undefined, durationMs: 50 }));
    if (signal.aborted) killed();
    else signal.addEventListener('abort', killed, { once: true });
  });
