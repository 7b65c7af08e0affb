/** The shell that comes before bwrap: it mounts what bwrap can't, leaves a holder behind, and becomes the rest of the chain. */
import type { Tools } from './host.ts';
import type { Identity } from './identity.ts';

/** In the chain: what the holder and bwrap say, our lifeline to the holder, the filter, and bwrap's arguments. */
export const descriptor = { status: 3, lifeline: 4, seccomp: 5, arguments: 6 } as const;

/**
 * Paths come in by descriptors, because `:`, `,` and `\` mean something in mount options. They are opened here, because
 * the kernel takes none from another mount namespace. What was opened must lie where it was named: whoever owns a folder
 * above it may put a link there, and root would mount what that leads to.
 *
 * The holder comes first: it belongs to no group that is limited. To join one the kernel waits for every processor, and
 * mounting goes on meanwhile. `ulimit` saves a program, `prlimit`; what bash calls `-u` is `-p` in dash.
 */
const script = `
mount=$1 cgroup=$2 fileBlocks=$3 processes=$4; shift 4
{ exec </dev/null >/dev/null 2>&1 3>&- 5<&- 6<&-; read -r end <&4; kill -9 0; } &
echo "holder $!" >&3
joined=
[ -z "$cgroup" ] || { { for group in $cgroup; do echo $$ >"$group" || exit 125; done; } & joined=$!; }
layer=/proc/self/fd
isThere() {
  cd -P "$layer/7" && [ "$PWD" = "$1" ] && return
  echo "$1 was replaced by a link" >&2
  return 1
}
while [ "$1" != -- ]; do
  case $1 in
  overlay)
    exec 7<"$2" 8<"$3" 9<"$4" || exit 125
    isThere "$2" || exit 125
    "$mount" -t overlay overlay -o "lowerdir=$layer/7,upperdir=$layer/8,workdir=$layer/9,userxattr" "$2" || exit 125
    exec 7<&- 8<&- 9<&-
    shift 4 ;;
  sealed)
    if [ -d "$2" ] && ! "$mount" -t overlay overlay -o "ro,lowerdir=$layer/7:$layer/8" "$2" 7<"$2" 8<"$3" 2>/dev/null; then
      "$mount" -t tmpfs -o ro tmpfs "$2" || exit 125
      echo "The sandbox can not show $2: something else is mounted in it."
    fi
    shift 3 ;;
  tree)
    at=$2 from=$3 links=$4; shift 4
    exec 7<"$at" || exit 125
    isThere "$at" || exit 125
    "$mount" -c --bind "$from" "$at" || exit 125
    while [ "$links" -gt 0 ]; do
      "$mount" -c --bind -o ro "$layer/7/$1" "$at/$1" || exit 125
      shift; links=$((links - 1))
    done
    exec 7<&- ;;
  *) exit 125 ;;
  esac
done
shift
cd /
[ -z "$joined" ] || wait "$joined" || exit 125
ulimit -c 0 && ulimit -f "$fileBlocks" || exit 125
[ -z "$processes" ] || ulimit -u "$processes" 2>/dev/null || ulimit -p "$processes" || exit 125
echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec "$@" 4<&-
`;

/** Whoever is nobody in a new namespace has lost all rights in it; root gets them by its next program. */
const waitForIds = `
echo waiting >&3
read -r ids <&4 || { echo 'the user of the workspace can not be mapped' >&2; exit 125; }
exec "$@"
`;

/**
 * Who mounts what stands at the workspace's path. `itself`: bwrap. `unshare`: the stage, in namespaces of its own.
 * `root`: the stage as root, in namespaces that know the workspace's owner too, whom the rest runs as.
 */
export type Mounter = 'itself' | 'unshare' | 'root';

/** Of what comes after the stage. None of memory: it is counted as a whole, and what is only reserved takes none. */
export type Limits = { fileBlocks: number; processes?: number };

/** Bytes in which shells that are POSIX count the size of files. */
export const blockBytes = 512;

/** The program to start. `words`: of `stageWords`; `next`: what it becomes. `inherited`: descriptors to be closed. */
export function stage(options: {
  mounter: Mounter;
  tools: Tools;
  identity: Identity;
  words: readonly string[];
  cgroup: string;
  limits: Limits;
  inherited: readonly number[];
  next: readonly string[];
}): [program: string, ...args: string[]] {
  const { mounter, tools, identity, words, cgroup, limits, inherited, next } = options;
  const { fileBlocks, processes } = limits;
  const { uid, gid } = identity;
  const become =
    mounter === 'root' && tools.setpriv !== undefined
      ? [tools.setpriv, '--reuid', String(uid), '--regid', String(gid), '--clear-groups']
      : [];
  const [program, ...args] = shell(inherited);
  const rest = [
    ...args,
    tools.mount,
    cgroup,
    String(fileBlocks),
    String(processes ?? ''),
    ...words,
    '--',
    ...become,
    ...next,
  ];
  const namespaces = ['--mount', '--propagation', 'private'];
  switch (mounter) {
    case 'itself':
      return [program, ...rest];
    case 'unshare':
      return [tools.unshare, '--user', '--map-root-user', ...namespaces, program, ...rest];
    case 'root':
      return [tools.unshare, '--user', ...namespaces, '/bin/sh', '-c', waitForIds, 'sh', program, ...rest];
  }
}

/** dash can't close a descriptor above 9, bash can; the former starts faster. */
function shell(inherited: readonly number[]): [program: string, ...args: string[]] {
  const closing = inherited.filter((number) => !Object.values<number>(descriptor).includes(number));
  if (closing.length === 0) return ['/bin/sh', '-c', script, 'sh'];
  return ['/bin/bash', '--posix', '-c', `exec ${closing.map((number) => `${number}>&-`).join(' ')}\n${script}`, 'bash'];
}
