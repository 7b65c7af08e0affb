/** Who a sandbox has to work for: whoever runs the tests, and an ordinary user where that is root. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, constants, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';
import { removeTree } from '../../server/workspace/remove-tree.ts';
import { marker, type Outcome, play, type Scenario } from './scenario.ts';

export type User = { name: string; isRoot: boolean; play: (scenario: Scenario) => Promise<Outcome> };

/** A number with no entry in /etc/passwd, as in a container. */
export const ordinaryId = 54_321;

export const isRoot = process.getuid?.() === 0;

const ordinary: User = { name: 'an ordinary user', isRoot: false, play: playAsOrdinary };

export const users: User[] = isRoot ? [{ name: 'root', isRoot, play }, ordinary] : [{ name: 'the user', isRoot, play }];

/** The scenario as a process of its own: as the ordinary user where we are root. */
export function startScenario(scenario: Scenario) {
  const home = mkdtempSync(join(tmpdir(), 'codex-lsp-home-'));
  if (isRoot) chownSync(home, ordinaryId, ordinaryId);
  // Its workspaces too lie there, so that they are gone whatever ends it.
  const environment = { PATH: process.env.PATH, HOME: home, TMPDIR: home };
  const { child, text } = startPlayer(scenario, { environment, asRoot: false });
  return { child, output: text.finally(() => removeTree(home)) };
}

/**
 * A process that plays a scenario and says what came of it, as JSON. `asRoot` is for where we are root. `cgroups`: the
 * files that it joins groups by.
 */
export function startPlayer(
  scenario: Scenario,
  options: {
    environment: Record<string, string | undefined>;
    asRoot: boolean;
    cgroups?: readonly string[];
  },
) {
  const { node, program } = staged();
  const joins = (options.cgroups ?? []).map((file) => `echo 0 > ${file};`).join(' ');
  const child = spawn(
    '/bin/sh',
    ['-c', `${joins} exec "$@"`, 'sh', ...as(options.asRoot), node, '--no-warnings', program],
    {
      cwd: '/',
      env: options.environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const text = new Promise<string>((resolve) => {
    let read = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      read += chunk;
    });
    child.on('close', () => resolve(read));
  });
  child.stdin.end(JSON.stringify(scenario));
  return { child, text };
}

/** As root, groups can be joined that the ordinary user may not; so the change of user comes after. */
const as = (asRoot: boolean): string[] =>
  isRoot && !asRoot ? ['setpriv', `--reuid=${ordinaryId}`, `--regid=${ordinaryId}`, '--clear-groups', '--'] : [];

let stage: { node: string; program: string } | undefined;
let stageFolder: string | undefined;
afterAll(() => stageFolder && rmSync(stageFolder, { recursive: true, force: true }));

/** Node and the scenario where everybody can run them: the checkout may lie in a folder that only root can enter. */
function staged(): { node: string; program: string } {
  if (stage) return stage;
  const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-stage-'));
  chmodSync(folder, 0o755);
  stageFolder = folder;
  const node = join(folder, 'node');
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  chmodSync(node, 0o755);
  const program = join(folder, 'scenario.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'scenario.ts')],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  stage = { node, program };
  return stage;
}

async function playAsOrdinary(scenario: Scenario): Promise<Outcome> {
  const { output } = startScenario(scenario);
  return JSON.parse(await output);
}

/** The outputs of all steps, of which each must have run: what did not run proves nothing. */
export function outputs({ results }: Outcome): string[] {
  return results.map((result) => {
    if (result.kind !== 'ran') throw new Error(`it did not run: ${result.reason} ${result.remedy}`);
    if (!result.output.startsWith(`${marker}\n`)) throw new Error(`it did not start: ${result.output}`);
    return result.output.slice(marker.length + 1);
  });
}

/** Processes of this machine whose command line holds a word. */
export const processesWith = (word: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word);
      } catch {
        return false;
      }
    });
