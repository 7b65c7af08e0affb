/** Document URIs and paths: the only place where one becomes the other. */
import { fileURLToPath, pathToFileURL } from 'node:url';

export { within } from '../protocol/path-inside.ts';

/** The absolute path of a `file:` URI; undefined for any other scheme, for what is no URI, and with a NUL in it. */
export function pathOf(uri: string): string | undefined {
  if (!/^file:/i.test(uri)) return undefined;
  try {
    const path = fileURLToPath(uri);
    return path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

/** Node trims a control character at the end, as if it were white space: the URI of another file. */
export const uriOf = (path: string): string =>
  /[\0-\x20]$/.test(path) ? pathToFileURL(`${path}x`).href.slice(0, -1) : pathToFileURL(path).href;
