#!/usr/bin/env bash
# newer-pythons.sh PREFIX VERSION...    for example: newer-pythons.sh /opt/hooks-compile-pythons 3.15
# Unpacks Debian's own builds of newer CPythons, with the C library and the other libraries that
# they need, from its unstable suite into PREFIX/VERSION. PREFIX/VERSION/bin/python3 runs on an older
# Debian. What is there already stays. Without root, apt or the suite it says so and does nothing.
set -euo pipefail

skip() {
    echo "newer-pythons: ${missing% } not installed: $1" >&2
    exit 0
}

prefix=$1
shift
missing=""
for version in "$@"; do
    "$prefix/$version/bin/python3" -c 'import ssl, sqlite3' 2>/dev/null || missing+="$version "
done
[ -n "$missing" ] || exit 0
[ "$(uname -m)" = x86_64 ] || skip "this script knows the libraries of x86_64"
[ "$(id -u)" = 0 ] || skip "that needs root"
command -v apt-get >/dev/null || skip "that needs apt"
# shellcheck disable=SC2016 # apt fills it in
mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/*$') ||
    skip "apt has no Debian archive"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/lists/partial"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"
sid=(-qq -oDir::Etc::SourceList="$work/sources.list" -oDir::Etc::SourceParts=/dev/null
    -oDir::State::Lists="$work/lists" -oAPT::Sandbox::User=root -oAPT::Update::Error-Mode=any)
apt-get "${sid[@]}" update 2>/dev/null || skip "Debian's unstable suite is out of reach"
if ! command -v patchelf >/dev/null; then
    { apt-get -qq update && apt-get -qq install -y patchelf; } >/dev/null 2>&1 || skip "no patchelf"
fi

libraries=(libc6 libbz2-1.0 libdb5.3t64 libexpat1 libffi8 libgcc-s1 liblzma5 libncursesw6
    libreadline8t64 libsqlite3-0 libssl3t64 libtinfo6 libuuid1 libzstd1 zlib1g)
for version in $missing; do
    new=$prefix/.new-$version
    rm -rf "$new"
    mkdir -p "$new/bin" "$work/$version"
    cd "$work/$version"
    apt-get "${sid[@]}" download "${libraries[@]}" "python$version" "python$version-minimal" \
        "libpython$version-minimal" "libpython$version-stdlib" "libpython$version-testsuite" ||
        { echo "newer-pythons: $version is not complete in Debian's unstable suite" >&2; continue; }
    for package in ./*.deb; do dpkg-deb -x "$package" "$new"; done
    cd /
    rm -f "$new"/usr/lib/python3*/sitecustomize.py # it points to a file in /etc
    lib=$prefix/$version/usr/lib/x86_64-linux-gnu
    patchelf --set-interpreter "$lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$lib" \
        "$new/usr/bin/python$version"
    for name in python python3 "python$version"; do
        ln -s "../usr/bin/python$version" "$new/bin/$name"
    done
    rm -rf "${prefix:?}/$version"
    mv "$new" "$prefix/$version"
    "$prefix/$version/bin/python3" -c 'import ctypes, ssl, sqlite3, sys; print("newer-pythons:", sys.version)'
done
