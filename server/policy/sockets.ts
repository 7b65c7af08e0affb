/** What whoever reaches a Unix socket gets with it, as the warning of a turn that opens it to commands. */

/** By what stands in its path; the first that fits. */
const services: readonly (readonly [RegExp, string])[] = [
  [/docker|podman|containerd|crio|buildkit/i, 'can start containers, and with that act as root on this machine'],
  [/libvirt|lxd|incus/i, 'can start virtual machines and containers, and with that act as root on this machine'],
  [/nix\/(var\/nix\/)?daemon-socket/i, 'can have anything built, with a network'],
  [/ssh|S\.gpg-agent\.ssh/i, 'can log in wherever the keys of this agent do'],
  [/gpg|gnupg|keyring|secrets|1password/i, 'can use, and perhaps read, the keys and passwords kept there'],
  [/X11-unix|wayland/i, 'can read the screen and the keyboard, and type'],
  [/dbus|\/bus$|systemd/i, 'can start programs outside the sandbox'],
  [/postgres|mysql|mariadb|redis|mongo/i, 'can read and change the data of this database as far as it lets them'],
];

export function socketWarnings(sockets: readonly string[]): string[] {
  return sockets.map((path) => {
    const [, what] = services.find(([name]) => name.test(path)) ?? [
      undefined,
      'can do whatever its service does for them, outside the sandbox',
    ];
    return `sandbox.sockets opens ${path} to every command of this turn: whoever reaches it ${what}.`;
  });
}
