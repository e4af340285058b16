#!/bin/sh
# hooks-compile wrapper 7 (49067235b31be517): hook_wrapper.sh [--python=CMD | --shebang | --uv[=CMD]] [FLAGS] HOOK [ARGS]
# (--beside=NAME for the HOOK of that name beside this file)
# Does what "python3 HOOK.py ARGS" does: from compiled code if hooks-compile is set up, else from the
# source. "hooks-compile wrapper" writes this file; commit it, do not edit it.
# Each line ends in a comment, so that the shell also reads a checkout with the line ends of Windows.
#
hooks_compile_python=python3 #
hooks_compile_uv= #
hooks_compile_launch=${HOOKS_COMPILE_HOME:-${XDG_DATA_HOME:-${HOME-}/.local/share}/hooks-compile}/launch.py #
# A launcher that is not this user's own file is not run; the launcher itself checks its directory.
case $hooks_compile_launch in #
/*) #
    [ "${OS-}" != Windows_NT ] && #
        [ -O "$hooks_compile_launch" ] && [ -s "$hooks_compile_launch" ] && #
        [ -r "$hooks_compile_launch" ] && [ ! -L "$hooks_compile_launch" ] && #
        [ -r "${hooks_compile_launch%launch.py}prepare.py" ] || #
        hooks_compile_launch= #
    ;; #
*) hooks_compile_launch= ;; # a relative directory would depend on where the hook starts
esac #
#
# Becomes the process that runs the hook, unless there are flags in front of it.
hooks_compile_start() { #
    # If the command is the shim of a version manager: use the binary that it would start.
    hooks_compile_shims=${hooks_compile_launch%launch.py}shims #
    if [ -n "$hooks_compile_launch" ] && [ -O "$hooks_compile_shims.sh" ] && #
        [ -r "$hooks_compile_shims.sh" ] && [ ! -L "$hooks_compile_shims.sh" ]; then #
        # shellcheck source=/dev/null
        . "$hooks_compile_shims.sh" #
    fi #
    #
    case $hooks_compile_launch:${1-} in #
    :* | *:) exec "$hooks_compile_python" "$@" ;; #
    *:-*) ;; #
    *) #
        hooks_compile_loader=${hooks_compile_launch%launch.py}snapshots/loader #
        [ -x "$hooks_compile_loader" ] && [ -O "$hooks_compile_loader" ] && #
            exec "$hooks_compile_loader" "$hooks_compile_python" "$hooks_compile_launch" "$@" #
        exec "$hooks_compile_python" "$hooks_compile_launch" "$@" #
        ;; #
    esac #
} #
#
# The usual calls, first: a shell parses only as far as it runs.
case ${1-} in #
--python=*) #
    hooks_compile_python=${1#--python=} #
    shift #
    ;; #
esac #
case ${1-} in #
-*) ;; #
*) hooks_compile_start "$@" ;; #
esac #
#
hooks_compile_mark= #
case ${1-} in #
--uv | --uv=* | --shebang) #
    hooks_compile_mark=$1 #
    shift #
    ;; #
esac #
case ${1-} in #
--beside=*) #
    hooks_compile_hook=${0%/*}/${1#--beside=} #
    shift #
    set -- "$hooks_compile_hook" "$@" #
    ;; #
esac #
case $hooks_compile_mark in #
--uv) hooks_compile_uv=uv ;; #
--uv=*) hooks_compile_uv=${hooks_compile_mark#--uv=} ;; #
--shebang) #
    # The script ran by its own first line before, and still does if that is not plain Python.
    hooks_compile_first= #
    [ -f "${1-}" ] && [ -r "$1" ] && [ -x "$1" ] && IFS= read -r hooks_compile_first <"$1" #
    case $hooks_compile_first in #
    '#!'/*/env\ -S\ uv\ run\ --script) #
        hooks_compile_uv=uv #
        set -- --script "$@" #
        ;; #
    '#!'/*/env\ -S\ uv\ run\ --quiet\ --script | '#!'/*/env\ -S\ uv\ run\ -q\ --script) #
        hooks_compile_uv=uv #
        set -- -q --script "$@" #
        ;; #
    '#!'/*/env\ python* | '#!'/*/env\ pypy*) hooks_compile_python=${hooks_compile_first#* } ;; #
    '#!'/*/python* | '#!'/*/pypy*) hooks_compile_python=${hooks_compile_first#'#!'} ;; #
    *) exec "$@" ;; #
    esac #
    case $hooks_compile_python in *python2* | *[!0-9A-Za-z_./+-]*) exec "$@" ;; esac #
    ;; #
esac #
#
if [ -n "$hooks_compile_uv" ]; then #
    # The interpreter that "uv run" would choose, if that is certain.
    hooks_compile_rest=${hooks_compile_launch%launch.py}uv.sh #
    if [ -n "$hooks_compile_launch" ] && [ -O "$hooks_compile_rest" ] && #
        [ -r "$hooks_compile_rest" ] && [ ! -L "$hooks_compile_rest" ]; then #
        # shellcheck source=/dev/null
        . "$hooks_compile_rest" #
    fi #
    exec "$hooks_compile_uv" run "$@" #
fi #
#
hooks_compile_start "$@" #
#
# Flags: rotate all arguments once, and put the launcher in front of the script. A flag that may make
# Python run something else than a script leaves everything to Python.
hooks_compile_left=$# #
hooks_compile_value= #
while [ "$hooks_compile_left" -gt 0 ]; do #
    if [ -n "$hooks_compile_launch" ]; then #
        case $hooks_compile_value$1 in #
        -W | -X) hooks_compile_value=value: ;; #
        value:* | -W* | -X*) hooks_compile_value= ;; #
        -*[!BEIOPSbdqsuv]* | - | '') hooks_compile_launch= ;; #
        -*) ;; #
        *) #
            set -- "$@" "$hooks_compile_launch" #
            hooks_compile_launch= #
            ;; #
        esac #
    fi #
    set -- "$@" "$1" #
    shift #
    hooks_compile_left=$((hooks_compile_left - 1)) #
done #
exec "$hooks_compile_python" "$@" #
