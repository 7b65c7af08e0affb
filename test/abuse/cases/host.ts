/** The user's host holds every thread and key: whoever could speak to it could do all that the user can. */
import { neverSays, says } from '../checks.ts';
import type { Case } from '../types.ts';
import { unixConnect } from './network.ts';

const connected = neverSays(/CONNECTED/);
const failed = says(/^failed: (No such file|Permission denied|Connection refused)/);

export const host: readonly Case[] = [
  {
    name: 'host-socket',
    shell: unixConnect('"@HOSTSOCKET@\\0"'),
    control: 'same',
    verify: [failed, connected],
  },
  {
    name: 'host-token',
    shell: 'cat @HOSTTOKEN@ 2>&1; echo rc=$?',
    control: 'same',
    verify: [says('rc=1')],
  },
  {
    name: 'host-socket-of-a-long-state-folder',
    shell: unixConnect('"@FARSOCKET@\\0"'),
    control: 'same',
    verify: [failed, connected],
  },
  {
    name: 'host-token-of-a-long-state-folder',
    shell: 'cat @FARTOKEN@ 2>&1; echo rc=$?; [ -e "$(dirname @FARTOKEN@)" ] && echo FOUND; true',
    control: 'same',
    verify: [says('rc=1'), neverSays(/FOUND/)],
  },
  {
    name: 'host-through-the-root-of-a-process',
    shell: `for pid in 1 @PID@ $$ self $(ls /proc | grep -E '^[0-9]+$' | head -50); do cat /proc/$pid/root@HOSTTOKEN@ /proc/$pid/cwd/@HOSTTOKEN@; done 2>/dev/null; ${unixConnect('"/proc/@PID@/root@HOSTSOCKET@\\0"')}`,
    control: 'same',
    verify: [failed, connected],
  },
  {
    name: 'host-by-a-link',
    shell: `ln -s @HOSTSOCKET@ socket; ln -s @HOSTTOKEN@ token; ${unixConnect('"socket\\0"')}; cat token 2>&1; rm socket token`,
    control: 'same',
    verify: [failed, connected],
  },
  {
    name: 'host-found-by-its-name',
    shell: `find / -xdev \\( -name '*.sock' -o -name '1.0.0.token' \\) 2>/dev/null | grep @ID@ | sed 's/^/FOUND /'; grep -a @ID@ /proc/net/unix | sed 's/^/FOUND /'; echo looked`,
    control: { shell: 'find @HOME@/.local -name "*.sock" | sed "s/^/FOUND /"; echo looked' },
    verify: [says('looked'), neverSays(/FOUND/)],
  },
];
