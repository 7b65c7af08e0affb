/** Descriptors that the server itself was started with, and that every process it starts would inherit. */
import { readdir, readFile } from 'node:fs/promises';

const closeOnExec = 0o2000000;

let inherited: Promise<readonly number[]> | undefined;

/** Those above 2 that are not close-on-exec. Node opens its own so, hence the list does not change: read once. */
export function inheritedDescriptors(): Promise<readonly number[]> {
  inherited ??= readInherited();
  return inherited;
}

async function readInherited(): Promise<number[]> {
  const numbers = (await readdir('/proc/self/fd').catch(() => [])).map(Number).filter((number) => number > 2);
  const flags = await Promise.all(
    numbers.map((number) => readFile(`/proc/self/fdinfo/${number}`, 'utf8').catch(() => 'flags: 02000000')),
  );
  return numbers.filter((_, index) => {
    const octal = /flags:\s*([0-7]+)/.exec(flags[index] ?? '')?.[1] ?? '0';
    return (Number.parseInt(octal, 8) & closeOnExec) === 0;
  });
}
