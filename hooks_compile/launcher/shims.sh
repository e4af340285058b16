# hooks-compile: bypasses the shim of pyenv, to the binary that it would start now (docs/shims.md).
# In:  hooks_compile_python, a command; hooks_compile_shims, the directory of records; "$@".
# Out: the same command, and in hooks_compile_why why it stays; or the path of the binary, and in
#      the environment what the shim and its bash would have put there. No fork, no subshell.
# What is read here (a record, a version file) is compared and exported, never executed.
# Each "return 0" leaves the launch to the shim, because of what hooks_compile_why says then.
# Every shell that gets beyond ZSH_VERSION has -ef and -nt, and POSIX has them since 2024.
# shellcheck shell=sh disable=SC2034,SC2154,SC3013,SC3028

# The command that PATH finds, if each directory up to it is absolute: is it a shim of pyenv?
hooks_compile_why='it is no shim of pyenv'
case $hooks_compile_python in */*) return 0 ;; esac
case ${PATH-} in /*) ;; *) return 0 ;; esac
hooks_compile_after=$PATH:
until [ -f "${hooks_compile_after%%:*}/$hooks_compile_python" ] &&
    [ -x "${hooks_compile_after%%:*}/$hooks_compile_python" ]; do
    hooks_compile_after=${hooks_compile_after#*:}
    case $hooks_compile_after in /*) ;; *) return 0 ;; esac
done
hooks_compile_shim=${hooks_compile_after%%:*}
hooks_compile_root=${hooks_compile_shim%/shims}
[ "$hooks_compile_root" != "$hooks_compile_shim" ] || return 0
[ -d "$hooks_compile_root/versions" ] || return 0

# What changes how pyenv or its bash works, or has the name of a variable of theirs.
hooks_compile_why='a shim of pyenv has started all of this (PYENV_DIR is set)'
[ -z "${PYENV_DIR+x}" ] || return 0
hooks_compile_why='the shell or a variable changes how pyenv works (see docs/shims.md)'
case ${ZSH_VERSION-}${KSH_VERSION-}${YASH_VERSION-}${PYENV_HOOK_PATH+x}${PYENV_DEBUG+x}\
${PYENV_NATIVE_EXT+x}${_PYENV_SHIM_PATH+x}${_PYENV_SHIM_PATHS_PYTHON+x}${_PYENV_SHIM_PATHS_PYTHON3+x}\
${FORCE+x}${FROM_KNOWN+x}${program+x}${command+x}${script+x}${scripts+x}${BASH_ENV+x}\
${BASH_COMPAT+x}${GLOBIGNORE+x}${EXECIGNORE+x}${CDPATH+x} in
?*) return 0 ;;
esac
# A shell with options of its own, which the bash of pyenv would inherit from SHELLOPTS.
case ${BASH_VERSION+bash}:${SHELLOPTS-} in
: | bash:braceexpand:hashall:interactive-comments) ;;
bash:braceexpand:hashall:interactive-comments:posix) ;;
*) return 0 ;;
esac
# bash sets these two itself; from another shell they are the user's, and pyenv's bash obeys them.
[ -n "${BASH_VERSION+x}" ] || [ -z "${POSIXLY_CORRECT+x}${BASHOPTS+x}" ] || return 0
# bash counts SHLVL and drops OLDPWD in other ways if they hold something else.
case ${SHLVL-} in '' | 0 | [1-9] | [1-9][0-9] | [1-8][0-9][0-9]) ;; *) return 0 ;; esac
[ -z "${OLDPWD+x}" ] || [ -d "$OLDPWD" ] || return 0
hooks_compile_why='pyenv would take the arguments for those of pip'
case "$*" in *-m*pip*) return 0 ;; esac

# The version: of the variable, of the nearest .python-version, or of pyenv's global file.
hooks_compile_why='the current directory is gone or has no plain name'
case ${PWD-}/ in //) ;; *//* | */./* | */../* | [!/]*) return 0 ;; esac
[ "$PWD" -ef . ] || return 0
hooks_compile_spec=${PYENV_VERSION-}
if [ -z "$hooks_compile_spec" ]; then
    hooks_compile_file=${PWD%/}
    until [ -z "$hooks_compile_file" ] || [ -f "$hooks_compile_file/.python-version" ]; do
        hooks_compile_file=${hooks_compile_file%/*}
    done
    hooks_compile_file=$hooks_compile_file/.python-version
    [ -f "$hooks_compile_file" ] || hooks_compile_file=$hooks_compile_root/version
    if [ -s "$hooks_compile_file" ]; then
        hooks_compile_why="$hooks_compile_file holds more than names of versions"
        [ -f "$hooks_compile_file" ] && [ -r "$hooks_compile_file" ] || return 0
        while IFS= read -r hooks_compile_line || [ -n "$hooks_compile_line" ]; do
            [ "${#hooks_compile_line}" -lt 1000 ] || return 0 # pyenv reads no more at a time
            case $hooks_compile_line in
            '' | '#'*) ;;
            *[!0-9A-Za-z._-]*) return 0 ;;
            *) hooks_compile_spec=$hooks_compile_spec${hooks_compile_spec:+:}$hooks_compile_line ;;
            esac
        done <"$hooks_compile_file"
    fi
fi
hooks_compile_spec=${hooks_compile_spec:-system}
hooks_compile_why="the version \"$hooks_compile_spec\" has no plain name"
case $hooks_compile_spec in *[!0-9A-Za-z._:-]*) return 0 ;; esac

# The record of what pyenv did for this version, and the files and directories on which that depended.
hooks_compile_why="no record of \"$hooks_compile_spec\" is there yet (hooks-compile compile makes it)"
hooks_compile_record=$hooks_compile_shims/$hooks_compile_python@$hooks_compile_spec
[ -f "$hooks_compile_record" ] && [ -O "$hooks_compile_record" ] &&
    [ -r "$hooks_compile_record" ] && [ ! -L "$hooks_compile_record" ] || return 0
{
    IFS= read -r hooks_compile_line && [ "$hooks_compile_line" = "$hooks_compile_spec" ] &&
        IFS= read -r hooks_compile_line && [ "$hooks_compile_line" = "$hooks_compile_shim" ] &&
        IFS= read -r hooks_compile_version && IFS= read -r hooks_compile_binary &&
        IFS= read -r hooks_compile_path && IFS= read -r hooks_compile_hook_path &&
        IFS= read -r hooks_compile_prefix && IFS= read -r hooks_compile_stamps &&
        IFS= read -r hooks_compile_left || return 0
} <"$hooks_compile_record"
case $hooks_compile_left in '' | 0* | *[!0-9]* | ?????*) return 0 ;; esac
# RECORD+N is a link to each of them, RECORD+Nt an empty file with its time, unless it is missing.
hooks_compile_why='pyenv, a plugin or an installed version is not as recorded'
while [ "$hooks_compile_left" -gt 0 ]; do
    hooks_compile_file=$hooks_compile_stamps$hooks_compile_left
    [ -L "$hooks_compile_file" ] || return 0
    if [ -e "${hooks_compile_file}t" ]; then
        [ -e "$hooks_compile_file" ] && [ ! "$hooks_compile_file" -nt "${hooks_compile_file}t" ] &&
            [ ! "$hooks_compile_file" -ot "${hooks_compile_file}t" ] || return 0
    else
        [ ! -e "$hooks_compile_file" ] || return 0
    fi
    hooks_compile_left=$((hooks_compile_left - 1))
done

if [ "$hooks_compile_binary" = system ]; then
    hooks_compile_record= # another one would not help
    hooks_compile_why='the system has no plain Python on PATH'
    until [ "${hooks_compile_after%%:*}" != "$hooks_compile_shim" ] &&
        [ -f "${hooks_compile_after%%:*}/$hooks_compile_python" ] &&
        [ -x "${hooks_compile_after%%:*}/$hooks_compile_python" ]; do
        hooks_compile_after=${hooks_compile_after#*:}
        case ${hooks_compile_after%%:*} in *'~'* | [!/]* | '') return 0 ;; esac
    done
    hooks_compile_binary=${hooks_compile_after%%:*}/$hooks_compile_python
    case $hooks_compile_binary in "$hooks_compile_root"*) return 0 ;; esac
fi
[ -f "$hooks_compile_binary" ] && [ -x "$hooks_compile_binary" ] || return 0

# What pyenv and its three runs of bash leave in the environment.
hooks_compile_why=
hooks_compile_python=$hooks_compile_binary
export PATH="$hooks_compile_path$PATH" PWD PYENV_DIR="$PWD" PYENV_ROOT="$hooks_compile_root"
export PYENV_HOOK_PATH="$hooks_compile_hook_path" PYENV_VERSION="$hooks_compile_version"
export _PYENV_INSTALL_PREFIX="$hooks_compile_prefix"
[ -n "${BASH_VERSION-}" ] || export SHLVL="${SHLVL:-0}" # this bash has counted already
unset _ PS1 PS2
