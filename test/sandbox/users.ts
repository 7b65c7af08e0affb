/** Who a sandbox has to work for: whoever runs the tests, and an ordinary user where that is root. */
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../server/workspace/remove-tree.ts';
import { marker, type Outcome, play, type Scenario } from './scenario.ts';

export type User = { name: string; isRoot: boolean; play: (scenario: Scenario) => Promise<Outcome> };

/** A number with no entry in /etc/passwd, as in a container. */
const ordinaryId = 54_321;

const isRoot = process.getuid?.() === 0;

const ordinary: User = { name: 'an ordinary user', isRoot: false, play: playAsOrdinary };

export const users: User[] = isRoot ? [{ name: 'root', isRoot, play }, ordinary] : [{ name: 'the user', isRoot, play }];

/** The scenario as a process of its own: as the ordinary user where we are root. */
export function startScenario(scenario: Scenario) {
  const home = mkdtempSync(join(tmpdir(), 'codex-lsp-home-'));
  if (isRoot) chownSync(home, ordinaryId, ordinaryId);
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'scenario.ts')], {
    ...(isRoot ? { uid: ordinaryId, gid: ordinaryId } : {}),
    cwd: '/',
    // Its workspaces too lie there, so that they are gone whatever ends it.
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const output = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', () => removeTree(home).then(() => resolve(text), reject));
  });
  child.stdin.end(JSON.stringify(scenario));
  return { child, output };
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
