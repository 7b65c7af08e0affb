#!/usr/bin/env bash
# setup-bwrap.sh - put a bubblewrap that makes overlays (0.11 or newer) into a private folder, for tests.
#
#   setup-bwrap.sh [FOLDER] [SUITE]
#
#   FOLDER  where it goes                    (default: $HOME/.cache/codex-lsp-bwrap)
#   SUITE   Debian suite it is taken from    (default: trixie)
#
# Makes FOLDER/bwrap and prints its path and version. Where the system's own bwrap is new enough, it makes
# nothing and says so: the tests use that one.
#
# How: apt downloads bubblewrap and its libraries with private package lists, dpkg -x unpacks them under FOLDER, and
# FOLDER/bwrap starts the program by the loader unpacked beside it. Nothing is installed on the system and no
# maintainer script is run. FOLDER may be moved.
#
# Needs apt and dpkg on a Debian machine (root or not). Safe to run again: a finished folder is only checked.
set -euo pipefail

folder=${1:-$HOME/.cache/codex-lsp-bwrap}
suite=${2:-trixie}
packages=(bubblewrap libc6 libcap2 libselinux1 libpcre2-8-0)

log() { printf 'setup-bwrap: %s\n' "$*" >&2; }
die() { log "$*"; exit 1; }

# makes_overlays PROGRAM: whether it runs and is 0.11 or newer; leaves its version in $version.
makes_overlays() {
  version=$("$1" --version 2>/dev/null | awk '{ print $2 }') && [ -n "$version" ] || return 1
  [ "${version%%.*}" -gt 0 ] || [ "$(echo "$version" | cut -d. -f2)" -ge 11 ]
}

if makes_overlays /usr/bin/bwrap; then
  echo "/usr/bin/bwrap $version"
  exit 0
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# One run at a time in a folder.
exec 9>"$folder/.lock"
flock 9
if makes_overlays "$folder/bwrap"; then
  echo "$folder/bwrap $version"
  exit 0
fi

# The mirror and the keyring are those the machine already uses for Debian's main archive.
mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' 'Identifier: Packages' |
         awk '$2 == "main" && $1 !~ /security|backports/ { sub("/$", "", $1); print $1; exit }')
[ -n "$mirror" ] || die "apt has no source with a main component"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die "no $keyring (install debian-archive-keyring)"

base=$folder/root
apt=$folder/apt
rm -rf "$base" "$apt"
mkdir -p "$base" "$apt"/etc/apt/preferences.d "$apt"/var/lib/{apt/lists/partial,dpkg} "$apt"/var/cache/apt/archives/partial "$apt/debs"
: >"$apt/var/lib/dpkg/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/etc/apt/sources.list"
aptget() {
  apt-get -q -y -o Dir::Etc="$apt/etc/apt" -o Dir::Etc::sourceparts=- \
    -o Dir::State="$apt/var/lib/apt" -o Dir::State::lists="$apt/var/lib/apt/lists" \
    -o Dir::State::status="$apt/var/lib/dpkg/status" -o Dir::Cache="$apt/var/cache/apt" \
    -o Dir::Cache::archives="$apt/var/cache/apt/archives" -o APT::Sandbox::User="$(id -un)" \
    -o Debug::NoLocking=1 -o Acquire::Languages=none -o Acquire::Retries=3 \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Update::Post-Invoke::= "$@"
}

log "downloading ${packages[*]} of $suite"
aptget update >"$folder/apt.log" 2>&1 || { cat "$folder/apt.log" >&2; die "apt-get update failed"; }
(cd "$apt/debs" && aptget download "${packages[@]}") >>"$folder/apt.log" 2>&1 ||
  { tail -20 "$folder/apt.log" >&2; die "download failed"; }
# The layout of the suite, which has /lib in /usr.
mkdir -p "$base"/usr/{bin,lib,lib64}
for name in lib lib64; do ln -s "usr/$name" "$base/$name"; done
for package in "$apt"/debs/*.deb; do dpkg -x "$package" "$base"; done
rm -rf "$apt" "$base"/usr/share

libraries=$(dirname "$(find "$base/usr/lib" -name libc.so.6 | head -1)")
loader=$(find "$libraries" "$base/usr/lib" -maxdepth 1 -name 'ld-linux*' | head -1)
[ -x "$loader" ] || die "no loader in $base"
cat >"$folder/bwrap.new" <<END
#!/bin/sh
here=\${0%/*}
exec "\$here/${loader#"$folder/"}" --library-path "\$here/${libraries#"$folder/"}" "\$here/root/usr/bin/bwrap" "\$@"
END
chmod 755 "$folder/bwrap.new"
mv "$folder/bwrap.new" "$folder/bwrap"
makes_overlays "$folder/bwrap" || die "$folder/bwrap doesn't run, or is older than 0.11"
echo "$folder/bwrap $version"
