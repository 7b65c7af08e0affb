/**
 * Files without a name that a sandbox's processes still hold: deleted but open, or never named (`memfd_create`). They
 * take disk or memory, and no walk finds them.
 */
import { readdir, stat, statfs } from 'node:fs/promises';
import { processesOf, text, threadsOf } from './processes.ts';

const memoryFilesystems = [0x01021994, 0x958458f6];
/** Open files looked at. */
const lookedAtMax = 200_000;
const atOnce = 64;

export type Held = {
  diskBytes: number;
  /** Without what lies on `countedDevices`. */
  memoryBytes: number;
  /** There may be more: on its way through a socket, mapped and closed, or of a process that shows nothing. */
  hidesSome: boolean;
};

/** `countedDevices`: file systems whose use is known as a whole, by number as in `stat`. */
export async function heldFiles(
  child: number | undefined,
  countedDevices: ReadonlySet<number> = new Set(),
): Promise<Held> {
  const held: Held = { diskBytes: 0, memoryBytes: 0, hidesSome: false };
  const seen = new Set<string>();
  let lookedAt = 0;
  const look = async (thread: string, name: string) => {
    const path = `${thread}/fd/${name}`;
    const status = await stat(path).catch(() => undefined);
    if (status?.isSocket()) {
      if (/^scm_fds:\s+[1-9]/m.test(await text(`${thread}/fdinfo/${name}`))) held.hidesSome = true;
      return;
    }
    const key = `${status?.dev}:${status?.ino}`;
    if (!status?.isFile() || status.nlink > 0 || seen.has(key)) return;
    seen.add(key);
    if (countedDevices.has(status.dev)) return;
    const type = (await statfs(path).catch(() => undefined))?.type;
    if (type !== undefined && memoryFilesystems.includes(type)) held.memoryBytes += status.blocks * 512;
    else held.diskBytes += status.blocks * 512;
  };
  const lookAt = async (thread: string) => {
    const names = await readdir(`${thread}/fd`).catch(async () => {
      held.hidesSome ||= await isAlive(thread);
      return [];
    });
    lookedAt += names.length;
    if (lookedAt > lookedAtMax) held.hidesSome = true;
    else
      for (let at = 0; at < names.length; at += atOnce)
        await Promise.all(names.slice(at, at + atOnce).map((name) => look(thread, name)));
  };
  const mapped = new Set<string>();
  for await (const pids of processesOf(child)) {
    for (const pid of pids) {
      const threads = await threadsOf(pid);
      for (const thread of threads) await lookAt(thread);
      for (const key of await mappedWithoutName(threads)) mapped.add(key);
    }
  }
  held.hidesSome ||= [...mapped].some((key) => !seen.has(key));
  return held;
}

/** A mapping tells which file it is of, and not how large that is. */
async function mappedWithoutName(threads: readonly string[]): Promise<string[]> {
  for (const thread of threads) {
    const maps = await text(`${thread}/maps`);
    if (maps === '') continue;
    return [...maps.matchAll(/^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) .* \(deleted\)$/gm)].map(
      ([, major = '', minor = '', ino = '']) =>
        `${deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16))}:${ino}`,
    );
  }
  return [];
}

/** As `stat` gives it. */
export const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) + ((major & 0xfff) << 8) + (minor >> 8) * 0x100000;

async function isAlive(thread: string): Promise<boolean> {
  const status = await text(`${thread}/status`);
  return status !== '' && !/^State:\s+[ZX]/m.test(status);
}
