/** What is shown of the sandbox: whether one runs, of which kind, and why it is not the best one. */
import { ownIdentity } from './identity.ts';
import { knownMachine } from './machine.ts';
import { chooseStrategy, type StrategyOptions } from './strategy.ts';
import type { SandboxStatus } from './types.ts';

/** Said wherever a command could run. */
export const unsandboxedNotice =
  'sandbox.dangerouslyUnsandboxed is on: commands run without a sandbox, with all that you can read, write and reach. They still begin in a copy of the workspace.';

/** For one workspace, or for any that has nothing special. What is found out is known afterwards. */
export async function sandboxStatus(options: StrategyOptions): Promise<SandboxStatus> {
  const strategy = await chooseStrategy(options);
  switch (strategy.kind) {
    case 'none':
      return { kind: 'none', reason: strategy.reason, remedy: strategy.remedy };
    case 'unsandboxed':
      return {
        kind: 'none',
        reason: unsandboxedNotice,
        remedy: 'Take sandbox.dangerouslyUnsandboxed out of your settings.',
      };
    case 'seatbelt':
      return { kind: 'seatbelt' };
    case 'overlay':
      return { kind: 'overlay', bwrapVersion: await bwrapVersion(options.toolFolders) };
    case 'copy':
      return { kind: 'copy', bwrapVersion: await bwrapVersion(options.toolFolders), reason: strategy.reason };
  }
}

async function bwrapVersion(toolFolders?: readonly string[]): Promise<string> {
  const machine = await knownMachine(ownIdentity(), toolFolders);
  return 'kind' in machine ? 'of unknown version' : machine.host.bwrap.version;
}
