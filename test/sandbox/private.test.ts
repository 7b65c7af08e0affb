/** What root alone can read of the machine is hidden from the commands that root starts. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { privatePaths } from '../../server/sandbox/private.ts';
import { outputs, users } from './users.ts';

const bounds = { entriesMax: 5_000, durationMsMax: 5_000 };

function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), 'codex-lsp-private-'));
  chmodSync(path, 0o755);
  return {
    path,
    file(name: string, mode: number) {
      writeFileSync(join(path, name), '');
      chmodSync(join(path, name), mode);
    },
    folder(name: string, mode: number) {
      mkdirSync(join(path, name));
      chmodSync(join(path, name), mode);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

test('files and folders that others can not read; nothing inside a hidden folder, nothing behind a link', async () => {
  using place = makeFolder();
  place.folder('open', 0o755);
  place.file('open/readable', 0o644);
  place.file('open/key', 0o640);
  place.folder('open/closed', 0o710);
  place.file('open/closed/inside', 0o600);
  symlinkSync('open/key', join(place.path, 'link'));
  expect(await privatePaths([place.path, join(place.path, 'missing')], bounds)).toEqual({
    files: [join(place.path, 'open/key')],
    folders: [join(place.path, 'open/closed')],
  });
});

test('where they are too many, the folder they lie in is hidden', async () => {
  using place = makeFolder();
  place.folder('many', 0o755);
  for (let count = 0; count < 400; count++) place.file(`many/${count}`, 0o600);
  place.file('one', 0o600);
  expect(await privatePaths([place.path], bounds)).toEqual({
    files: [join(place.path, 'one')],
    folders: [join(place.path, 'many')],
  });
});

describe.each(users)('$name', (user) => {
  test.runIf(user.isRoot)(
    'files of /etc and /proc that others can not read are empty; the others are there',
    async () => {
      const isPrivate = (path: string) => (statSync(path).mode & 0o004) === 0;
      const ofKernel = readdirSync('/proc')
        .map((name) => `/proc/${name}`)
        .filter((path) => {
          try {
            return statSync(path).isFile() && isPrivate(path) && !/kcore|sysrq|kmsg|kpage/.test(path);
          } catch {
            return false;
          }
        });
      const { files } = await privatePaths(['/etc']);
      expect(files.length).toBeGreaterThan(0);
      expect(ofKernel.length).toBeGreaterThan(0);
      const command = `cat ${[...files, ...ofKernel].join(' ')} 2>/dev/null | wc -c; wc -l < /etc/passwd | grep -c .; head -c 5 /proc/version`;
      expect(outputs(await user.play({ steps: [{ command }] }))).toEqual(['0\n1\nLinux']);
    },
  );

  test('no file of the kernel can be written, and there is no /sys', async () => {
    const command = `for f in $(find /proc -maxdepth 2 -path '/proc/[0-9]*' -prune -o -path /proc/self -prune -o -path /proc/thread-self -prune -o -type f -print 2>/dev/null); do
      (exec 3>>$f) 2>/dev/null && [ "$(stat -c %d $f)" != "$(stat -c %d /dev/null)" ] && echo OPENED $f; done; ls /sys 2>&1; cat /proc/keys 2>/dev/null | wc -c`;
    const [text] = outputs(await user.play({ steps: [{ command }] }));
    expect(text).toBe("ls: cannot access '/sys': No such file or directory\n0\n");
  });
});
