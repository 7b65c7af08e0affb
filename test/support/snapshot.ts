/** Everything in a folder as one value: names, modes, bytes, and where links lead. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export function snapshot(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const status = lstatSync(join(root, path));
    const mode = (status.mode & 0o777).toString(8);
    if (status.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(root, path))}`;
    else found[path] = `${mode} ${status.isFile() ? readFileSync(join(root, path), 'latin1') : '/'}`;
  }
  return found;
}
