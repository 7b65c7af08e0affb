/** Why no sandbox can run here, and what to do about it: from what the tools said and how the machine is set. */
import { access, readFile } from 'node:fs/promises';
import { isOnOverlay } from './filesystems.ts';

export type Explanation = { reason: string; remedy: string };

/** `/etc/os-release` names -> how bubblewrap is installed. */
const installers: readonly (readonly [RegExp, string])[] = [
  [/debian|ubuntu|mint|pop/, 'apt-get install -y bubblewrap'],
  [/fedora|rhel|centos|rocky|alma/, 'dnf install -y bubblewrap'],
  [/arch|manjaro/, 'pacman -S --noconfirm bubblewrap'],
  [/suse/, 'zypper install -y bubblewrap'],
  [/alpine/, 'apk add bubblewrap bash util-linux mount'],
  [/nixos/, 'nix-env -iA nixos.bubblewrap'],
  [/void/, 'xbps-install -y bubblewrap'],
  [/gentoo/, 'emerge sys-apps/bubblewrap'],
];

export async function explainMissing(missing: readonly string[]): Promise<Explanation> {
  const release = await text('/etc/os-release');
  const system = [/^ID=(.*)$/m, /^ID_LIKE=(.*)$/m].map((line) => line.exec(release)?.[1] ?? '').join(' ');
  const install = installers.find(([name]) => name.test(system))?.[1];
  const others = missing.filter((name) => name !== 'bwrap');
  const packages = others.length === 0 ? '' : ` ${others.join(', ')} belong to util-linux, mount and coreutils.`;
  return {
    reason: `The sandbox needs ${missing.join(', ')}, which this machine has not got in its system folders.`,
    remedy: install
      ? `Run: ${asRoot(install)}.${packages}`
      : `Install the package bubblewrap (0.5 or newer).${packages}`,
  };
}

/** `said`: what the chain wrote before any command ran. */
export async function explainFailure(said: string, stateFolder: string): Promise<Explanation> {
  const message = said.trim().split('\n').slice(-3).join('; ').slice(0, 500) || 'it ended without a word';
  const because = (reason: string, remedy: string): Explanation => ({ reason: `${reason} (${message})`, remedy });
  const isOfOverlay = /overlay|wrong fs type|unknown filesystem/i.test(said);
  // A whole copy can be kept there: what fails with one fails for another reason.
  if (isOfOverlay && (await isOnOverlay(stateFolder))) {
    return because(
      'The state folder lies on an overlay filesystem, as in a container, and can not hold the copy.',
      'Set CODEX_LSP_STATE_DIR to a folder on a volume or a tmpfs.',
    );
  }
  if ((await setting('kernel/apparmor_restrict_unprivileged_userns')) === '1' && process.getuid?.() !== 0) {
    return because(
      'AppArmor on this system forbids ordinary programs to make user namespaces.',
      `Run: ${asRoot('sysctl -w kernel.apparmor_restrict_unprivileged_userns=0')} (and keep it in /etc/sysctl.d).`,
    );
  }
  for (const [name, off, on] of userNamespaceSettings) {
    if ((await setting(name)) !== off) continue;
    const command = `sysctl -w ${name.replace('/', '.')}=${on}`;
    return because('User namespaces are switched off on this system.', `Run: ${asRoot(command)}.`);
  }
  if (isForbidden(said) && (await isContainer())) {
    return because(
      'This container may not make the namespaces and mounts a sandbox is made of.',
      'Start it with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …',
    );
  }
  if (/mount/.test(said) && isOfOverlay) {
    return because(
      'The kernel can not mount an overlay here.',
      'It needs Linux 5.11 or newer with overlayfs, a workspace without mounts inside it, and a state folder on ext4, xfs, btrfs or tmpfs.',
    );
  }
  return because(
    'The sandbox did not start.',
    'Try it with a newer kernel or bubblewrap, or report it with the words above.',
  );
}

/** What the tools that make the sandbox say where they may not; a command, or the copy's own files, say such things too. */
export const isForbidden = (said: string): boolean => /^(bwrap|unshare|mount): .*(permi|\/proc|proc on)/im.test(said);

const userNamespaceSettings = [
  ['kernel/unprivileged_userns_clone', '0', '1'],
  ['user/max_user_namespaces', '0', '15000'],
] as const;

const asRoot = (command: string): string => (process.getuid?.() === 0 ? command : `sudo ${command}`);

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const setting = async (name: string): Promise<string> => (await text(`/proc/sys/${name}`)).trim();

async function isContainer(): Promise<boolean> {
  for (const mark of ['/.dockerenv', '/run/.containerenv']) {
    if (
      await access(mark).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return /docker|containerd|kubepods|lxc/.test(await text('/proc/1/cgroup'));
}
