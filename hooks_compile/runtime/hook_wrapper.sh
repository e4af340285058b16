#!/bin/sh
# hooks-compile wrapper 1 (52b7c497db010a26): hook_wrapper.sh [--python=CMD | --shebang | --uv[=CMD]] [FLAGS] HOOK [ARGS]
# Does what "python3 HOOK.py ARGS" does: from compiled code where hooks-compile is set up, from the
# source where it is not. "hooks-compile wrapper" writes this file; commit it, do not edit it.

hooks_compile_python=python3
hooks_compile_uv=
hooks_compile_launch=${HOOKS_COMPILE_HOME:-${XDG_DATA_HOME:-${HOME-}/.local/share}/hooks-compile}/launch.py
# A launcher that is not this user's own file is not run; the launcher itself checks its folder.
case $hooks_compile_launch in
/*)
    [ "${OS-}" != Windows_NT ] &&
        [ -O "$hooks_compile_launch" ] && [ -r "$hooks_compile_launch" ] &&
        [ ! -L "$hooks_compile_launch" ] && [ -r "${hooks_compile_launch%launch.py}prepare.py" ] ||
        hooks_compile_launch=
    ;;
*) hooks_compile_launch= ;; # a relative folder would depend on where the hook starts
esac

case ${1-} in
--python=*)
    hooks_compile_python=${1#--python=}
    shift
    ;;
--uv)
    hooks_compile_uv=uv
    shift
    ;;
--uv=*)
    hooks_compile_uv=${1#--uv=}
    shift
    ;;
--shebang)
    # The script ran by its own first line before, and still does where that is not plain Python.
    shift
    hooks_compile_first=
    [ -f "${1-}" ] && [ -r "$1" ] && [ -x "$1" ] && IFS= read -r hooks_compile_first <"$1"
    case $hooks_compile_first in
    '#!'/*/env\ -S\ uv\ run\ --script)
        hooks_compile_uv=uv
        set -- --script "$@"
        ;;
    '#!'/*/env\ -S\ uv\ run\ --quiet\ --script | '#!'/*/env\ -S\ uv\ run\ -q\ --script)
        hooks_compile_uv=uv
        set -- -q --script "$@"
        ;;
    '#!'/*/env\ python* | '#!'/*/env\ pypy*) hooks_compile_python=${hooks_compile_first#* } ;;
    '#!'/*/python* | '#!'/*/pypy*) hooks_compile_python=${hooks_compile_first#'#!'} ;;
    *) exec "$@" ;;
    esac
    case $hooks_compile_python in *python2* | *[!0-9A-Za-z_./+-]*) exec "$@" ;; esac
    ;;
esac

if [ -n "$hooks_compile_uv" ]; then
    # "uv run" chose an interpreter for this script before, and the launcher sees whether all that
    # it went by is as it was. Else uv chooses again, and its choice is recorded.
    hooks_compile_record=
    hooks_compile_value=
    for hooks_compile_word do
        case $hooks_compile_value$hooks_compile_word in
        -s | --script | -q | --quiet | --no-project | --no-sync | --frozen | --locked) ;;
        --offline | --no-dev | --no-config | --no-progress | --active) ;;
        -p | --python | --project | --extra | --group) hooks_compile_value=value: ;;
        value:*) hooks_compile_value= ;;
        -* | '' | ../* | */../* | *://*) break ;;
        *)
            case $hooks_compile_word in
            /*) hooks_compile_record=$hooks_compile_word ;;
            *) hooks_compile_record=$PWD/$hooks_compile_word ;;
            esac
            break
            ;;
        esac
    done
    case $hooks_compile_launch:$hooks_compile_record in
    :* | *:) exec "$hooks_compile_uv" run "$@" ;;
    esac
    hooks_compile_home=${hooks_compile_launch%/launch.py}
    hooks_compile_record=$hooks_compile_home/uv$hooks_compile_record.uv
    hooks_compile_python=
    hooks_compile_limit=
    [ -O "$hooks_compile_record" ] && [ -f "$hooks_compile_record" ] &&
        [ ! -L "$hooks_compile_record" ] && [ -r "$hooks_compile_record" ] && {
        IFS= read -r hooks_compile_python || :
        IFS=' ' read -r hooks_compile_limit hooks_compile_more || :
    } <"$hooks_compile_record"
    # shellcheck disable=SC3045 # a shell without `ulimit -S` leaves it to uv
    case $hooks_compile_python:$hooks_compile_limit in
    -:*) exec "$hooks_compile_uv" run "$@" ;;
    *: | *:*[!0-9]*) ;; # damaged
    /*)
        # uv raises the limit of open files to the highest that is allowed, up to its own maximum.
        [ -f "$hooks_compile_python" ] && [ -x "$hooks_compile_python" ] &&
            ulimit -S -n "$hooks_compile_limit" 2>/dev/null &&
            { [ -z "$hooks_compile_more" ] || ! ulimit -S -n "$hooks_compile_more" 2>/dev/null; } &&
            exec "$hooks_compile_python" "$hooks_compile_launch" \
                "--uv=$hooks_compile_record" "$hooks_compile_uv" "$@"
        ;;
    esac
    if [ -r "$hooks_compile_home/uvsite/sitecustomize.py" ]; then
        HOOKS_COMPILE_UV=$hooks_compile_record
        PYTHONPATH=$hooks_compile_home/uvsite${PYTHONPATH+:$PYTHONPATH}
        export HOOKS_COMPILE_UV PYTHONPATH
    fi
    exec "$hooks_compile_uv" run "$@"
fi

case $hooks_compile_launch:${1-} in
:* | *:) exec "$hooks_compile_python" "$@" ;;
*:-*) ;;
*) exec "$hooks_compile_python" "$hooks_compile_launch" "$@" ;;
esac

# Flags: go once around all arguments, and put the launcher in front of the script. A flag that may
# make Python run something else than a script leaves everything to Python.
hooks_compile_left=$#
hooks_compile_value=
while [ "$hooks_compile_left" -gt 0 ]; do
    if [ -n "$hooks_compile_launch" ]; then
        case $hooks_compile_value$1 in
        -W | -X) hooks_compile_value=value: ;;
        value:* | -W* | -X*) hooks_compile_value= ;;
        -*[!BEIOPSbdqsuv]* | - | '') hooks_compile_launch= ;;
        -*) ;;
        *)
            set -- "$@" "$hooks_compile_launch"
            hooks_compile_launch=
            ;;
        esac
    fi
    set -- "$@" "$1"
    shift
    hooks_compile_left=$((hooks_compile_left - 1))
done
exec "$hooks_compile_python" "$@"
