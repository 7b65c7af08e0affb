/** What this machine has for a sandbox, read once per user whose commands run. */
import { explainMissing } from './explain.ts';
import { findTools, type Host, readHost, type Tools } from './host.ts';
import { type Identity, ownIdentity } from './identity.ts';
import { seccompProgram } from './seccomp.ts';
import type { CommandResult } from './types.ts';

export type Machine = { tools: Tools; host: Host; identity: Identity; seccomp: Uint8Array | undefined };
export type Unavailable = Extract<CommandResult, { kind: 'unavailable' }>;

/** Owners of workspaces that one server works in. */
const knownMax = 64;
const known = new Map<string, Promise<Machine | Unavailable>>();

/** As `readMachine`, remembered; what is missing may be installed meanwhile, and is looked for again. */
export async function knownMachine(
  identity: Identity,
  toolFolders?: readonly string[],
): Promise<Machine | Unavailable> {
  const key = JSON.stringify([identity.uid, identity.gid, toolFolders]);
  const reading = known.get(key) ?? readMachine(toolFolders, identity);
  known.set(key, reading);
  const [oldest] = known.keys();
  if (known.size > knownMax && oldest !== undefined) known.delete(oldest);
  const machine = await reading;
  if ('kind' in machine) known.delete(key);
  return machine;
}

/** What was read does not hold any more. */
export const forgetMachines = (): void => known.clear();

/** `toolFolders` only for a machine that is not this one. */
export async function readMachine(
  toolFolders?: readonly string[],
  identity: Identity = ownIdentity(),
): Promise<Machine | Unavailable> {
  if (process.platform !== 'linux') {
    return unavailable({ reason: 'Only Linux has namespaces.', remedy: 'Run: codex-lsp doctor.' });
  }
  const tools = await findTools(toolFolders);
  if ('missing' in tools) return unavailable(await explainMissing(tools.missing));
  return { tools, identity, host: await readHost(tools, identity), seccomp: seccompProgram(process.arch) };
}

export const unavailable = (explanation: { reason: string; remedy: string }): Unavailable => ({
  kind: 'unavailable',
  ...explanation,
});
