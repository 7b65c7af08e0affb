/** What the sandbox really keeps apart on this machine: one command is run in it, and what it could do is looked at. */
import { access, chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runInSandbox } from '../sandbox/run.ts';
import { chooseStrategy } from '../sandbox/strategy.ts';
import type { Check } from './doctor.ts';

const everywhere = `
echo changed > file && echo "file=$(cat file)"
touch /usr/codex-lsp-doctor 2>/dev/null && echo system=writable
echo "secret=$CODEX_LSP_DOCTOR"
for program in git node npm; do command -v $program >/dev/null && echo "$program=$($program --version 2>/dev/null | head -n 1)"; done
`;
/** What there is on Linux only: /proc, and a home folder that is another one under its own name. */
const inNamespaces = `
echo "routes=$(tail -n +2 /proc/net/route | wc -l)"
echo "home=$(ls -A "$HOME" 2>/dev/null | paste -sd,)"
echo "processes=$(ls -d /proc/[0-9]* | wc -l)"
sed -n 's/^Seccomp:[[:space:]]*/seccomp=/p; s/^NoNewPrivs:[[:space:]]*/privileges=/p' /proc/self/status
`;
const processesMax = 64;
const timeoutMs = 20_000;
/** More than these and the host's own are in sight. */
const processesSeenMax = 20;

/** `versions`: what `--version` said in the sandbox, by program. */
export type SandboxFindings = { runs: boolean; checks: Check[]; versions: ReadonlyMap<string, string> };

/** Only where `sandboxStatus` says that a sandbox runs. */
export async function checkSandbox(stateDir: string): Promise<SandboxFindings> {
  const folder = await mkdtemp(join(await realpath(stateDir), 'doctor-'));
  const layers = {
    root: join(folder, 'root'),
    upper: join(folder, 'up'),
    work: join(folder, 'work'),
    whiteouts: join(folder, 'whiteouts'),
  };
  try {
    for (const path of [layers.root, layers.upper, layers.work]) await mkdir(path);
    await writeFile(layers.whiteouts, '');
    const strategy = await chooseStrategy({ stateDir, root: layers.root, unsandboxed: false });
    const hasNamespaces = strategy.kind === 'overlay' || strategy.kind === 'copy';
    const tree = { path: join(folder, 'tree'), links: [] };
    await mkdir(tree.path);
    const result = await runInSandbox({
      layers,
      strategy,
      ...(strategy.kind === 'overlay' ? {} : { tree }),
      policy: {
        mode: 'workspace',
        network: 'off',
        readableRoots: [],
        sockets: [],
        env: [],
        processesMax,
        memoryBytesMax: 2 ** 31,
        diskBytesMax: 2 ** 30,
      },
      environment: { CODEX_LSP_DOCTOR: 'seen' },
      command: `${everywhere}${hasNamespaces ? inNamespaces : ''}exit 0`,
      cwd: layers.root,
      timeoutMs,
      outputBytesMax: 64 * 1024,
      signal: new AbortController().signal,
    });
    if (result.kind === 'unavailable') return failed(result.reason, result.remedy);
    const facts = new Map(
      result.output
        .split('\n')
        .map((line) => line.split(/=(.*)/s, 2))
        .map(([key = '', value = '']) => [key, value]),
    );
    if (result.exitCode !== 0 || facts.get('file') !== 'changed') {
      return failed(
        `a command in the sandbox did not work: ${result.output.trim().split('\n').at(-1) ?? ''}`,
        reportIt,
      );
    }
    return { runs: true, checks: judge(facts, await surroundings(layers.root, hasNamespaces)), versions: facts };
  } finally {
    // The kernel leaves a folder without any permission in `work`.
    await chmod(join(layers.work, 'work'), 0o700).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

const reportIt = 'this is a defect of codex-lsp; report it with this output';

type Surroundings = {
  /** The workspace is as it was. */
  isUntouched: boolean;
  /** Names in the user's home folder; nothing where commands run without namespaces. */
  ownHome?: readonly string[];
};

async function surroundings(root: string, hasNamespaces: boolean): Promise<Surroundings> {
  const isUntouched = await access(join(root, 'file')).then(
    () => false,
    () => true,
  );
  return hasNamespaces ? { isUntouched, ownHome: await readdir(homedir()).catch(() => []) } : { isUntouched };
}

/** `facts`: what the command said, by name. Of a sandbox without namespaces, as on macOS, less can be looked at. */
export function judge(facts: ReadonlyMap<string, string>, { isUntouched, ownHome }: Surroundings): Check[] {
  const verdict = (ok: boolean, what: string): Check =>
    ok ? { ok, what } : { ok, what: `not so: ${what}`, mend: reportIt };
  const copy = verdict(isUntouched, 'what a command writes stays in the copy');
  const system = verdict(facts.get('system') === undefined, 'the rest of the system is read-only');
  const secret = verdict(facts.get('secret') === '', 'the environment, and with it the key, is hidden');
  if (ownHome === undefined) return [copy, system, secret];
  const shown = (facts.get('home') ?? '').split(',').filter(Boolean);
  const inSight = ownHome.filter((name) => shown.includes(name));
  return [
    copy,
    system,
    verdict(facts.get('routes') === '0', 'a command has no network'),
    verdict(
      ownHome.length === 0 || inSight.length < ownHome.length,
      `the home folder is hidden${inSight.length > 0 ? `, but for ${inSight.join(', ')}` : ''}`,
    ),
    secret,
    verdict(Number(facts.get('processes')) <= processesSeenMax, "the machine's other processes are hidden"),
    verdict(facts.get('privileges') === '1', 'no privilege can be gained'),
    facts.get('seccomp') === '2'
      ? { ok: true, what: 'dangerous system calls are refused' }
      : {
          ok: false,
          what: `system calls are not filtered on ${process.arch}`,
          mend: 'nothing to do; the other walls hold',
        },
  ];
}

const failed = (what: string, mend: string): SandboxFindings => ({
  runs: false,
  checks: [{ ok: false, what, mend }],
  versions: new Map(),
});
