/** Fixtures as one string: each file under a header line `-- path --`. */

export function parseFiles(text: string): Record<string, string> {
  const files: Record<string, string> = {};
  let path: string | undefined;
  for (const line of text.replace(/^\n/, '').split(/(?<=\n)/)) {
    const [, header] = /^-- (.+) --\r?\n?$/.exec(line) ?? [];
    if (header !== undefined) {
      path = header;
      files[path] = '';
    } else if (path !== undefined) files[path] += line;
    else if (line.trim() !== '') throw new Error(`text before the first header: ${line}`);
  }
  return files;
}
