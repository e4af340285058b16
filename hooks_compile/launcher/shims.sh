# hooks-compile: bypasses the shim of pyenv, to the binary that it would start now.
#
# hook_wrapper.sh sources it, and the tool when it reports on shims. No fork, no subshell.
# In:  hooks_compile_python, a command; hooks_compile_shims, the directory of records; "$@".
# Out: the same command, and in hooks_compile_why why it stays; or the path of the binary, and in
#      the environment what the shim and its bash would have put there. docs/shims.md explains each step.
# What is read here (a record, a version file) is compared and exported, never executed.
# Every shell that gets beyond ZSH_VERSION has -ef and -nt, and POSIX has them since 2024.
# shellcheck shell=sh disable=SC2034,SC2154,SC3013,SC3028

hooks_compile_why='it is no shim of pyenv'
case $hooks_compile_python in python | python3) ;; *) return 0 ;; esac
case ${PATH-} in /*) ;; *) return 0 ;; esac
hooks_compile_after=$PATH:
until [ -f "${hooks_compile_after%%:*}/$hooks_compile_python" ] &&
    [ -x "${hooks_compile_after%%:*}/$hooks_compile_python" ]; do
    hooks_compile_after=${hooks_compile_after#*:}
    case $hooks_compile_after in /*) ;; *) return 0 ;; esac
done
hooks_compile_shim=${hooks_compile_after%%:*}
hooks_compile_after=${hooks_compile_after#*:}
hooks_compile_root=${hooks_compile_shim%/shims}
[ "$hooks_compile_root" != "$hooks_compile_shim" ] && [ -d "$hooks_compile_root/versions" ] ||
    return 0

# What changes how pyenv or its bash works, or has the name of a variable of theirs.
hooks_compile_why='this shell changes the environment in ways of its own'
case ${ZSH_VERSION-}${KSH_VERSION-}${YASH_VERSION-} in ?*) return 0 ;; esac
hooks_compile_why='a shim of pyenv has started all of this (PYENV_DIR is set)'
case ${PYENV_DIR+x}${PYENV_HOOK_PATH+x} in ?*) return 0 ;; esac
hooks_compile_why='a variable is set that changes how pyenv or bash works (see docs/shims.md)'
case ${PYENV_DEBUG+x}${PYENV_NATIVE_EXT+x}${PYENV_VERSION_FILE+x}${PYENV_COMMAND+x}\
${PYENV_COMMAND_PATH+x}${PYENV_BIN_PATH+x}${PYENV_PIP_REHASH_ROOT+x}${PYENV_REHASH_COMMAND+x}\
${PYENV_REHASH_REAL_COMMAND+x}${_PYENV_SHIM_PATH+x}${_PYENV_SHIM_PATHS_PYTHON+x}\
${_PYENV_SHIM_PATHS_PYTHON3+x}${FORCE+x}${BYPASS+x}${FROM_KNOWN+x}${PROGRAM+x}${SHIM_PATH+x}\
${READLINK+x}${OLDIFS+x}${program+x}${command+x}${command_path+x}${plugin_bin+x}${plugin_hook+x}\
${script+x}${scripts+x}${BASH_ENV+x}${BASH_COMPAT+x}${GLOBIGNORE+x}${EXECIGNORE+x}${CDPATH+x} in
?*) return 0 ;;
esac
if [ -n "${BASH_VERSION-}" ]; then
    case ${SHELLOPTS-} in
    braceexpand:hashall:interactive-comments | braceexpand:hashall:interactive-comments:posix) ;;
    *) return 0 ;;
    esac
    case ${BASHOPTS-} in
    *compat[0-9]* | *dotglob* | *extdebug* | *failglob* | *lastpipe* | *nocase* | *nullglob*) return 0 ;;
    esac
else
    case ${SHELLOPTS+x}${BASHOPTS+x}${POSIXLY_CORRECT+x}${BASH+x}${BASHPID+x}${BASH_ARGV0+x}\
${BASH_COMMAND+x}${BASH_REMATCH+x}${BASH_SUBSHELL+x}${BASH_VERSINFO+x}${BASH_VERSION+x}\
${BASH_XTRACEFD+x}${COMP_WORDBREAKS+x}${HISTCMD+x}${OPTERR+x} in
    ?*) return 0 ;;
    esac
fi
case ${PS4-+ } in '+ ') ;; *) return 0 ;; esac
hooks_compile_why='pyenv would take the arguments for those of pip'
case "$*" in *-m*pip*) return 0 ;; esac
hooks_compile_why='bash would change SHLVL or OLDPWD, or say something about them'
case ${SHLVL-} in
'' | 0 | [1-9] | [1-9][0-9] | [1-9][0-8][0-9] | [1-8][0-9][0-9]) ;;
*) return 0 ;;
esac
[ -z "${OLDPWD+x}" ] || [ -d "$OLDPWD" ] || return 0

# The version: of the variable, of the nearest .python-version, or of pyenv's global file.
hooks_compile_why='the current directory is gone or has no plain name'
case ${PWD-} in
/) ;;
*//* | */./* | */../* | */ | */. | */..) return 0 ;;
/*) ;;
*) return 0 ;;
esac
[ "$PWD" -ef . ] || return 0
hooks_compile_spec=${PYENV_VERSION-}
hooks_compile_file=
if [ -z "$hooks_compile_spec" ]; then
    hooks_compile_file=${PWD%/}
    until [ -f "$hooks_compile_file/.python-version" ]; do
        [ -n "$hooks_compile_file" ] || break
        hooks_compile_file=${hooks_compile_file%/*}
    done
    hooks_compile_file=$hooks_compile_file/.python-version
    [ -f "$hooks_compile_file" ] || hooks_compile_file=$hooks_compile_root/version
    if [ -s "$hooks_compile_file" ]; then
        hooks_compile_why="$hooks_compile_file holds more than names of versions"
        [ -f "$hooks_compile_file" ] && [ -r "$hooks_compile_file" ] || return 0
        while IFS= read -r hooks_compile_line || [ -n "$hooks_compile_line" ]; do
            [ "${#hooks_compile_line}" -lt 1000 ] || return 0
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

# The record of what pyenv did for this version.
hooks_compile_why="of the version \"$hooks_compile_spec\" there is no record"
hooks_compile_record=$hooks_compile_shims/$hooks_compile_python@$hooks_compile_spec
[ -f "$hooks_compile_record" ] && [ -O "$hooks_compile_record" ] &&
    [ -r "$hooks_compile_record" ] && [ ! -L "$hooks_compile_record" ] || return 0
{
    IFS= read -r hooks_compile_old_spec && IFS= read -r hooks_compile_old_shim &&
        IFS= read -r hooks_compile_old_bash && IFS= read -r hooks_compile_pyenv &&
        IFS= read -r hooks_compile_prefix && IFS= read -r hooks_compile_old_plugins &&
        IFS= read -r hooks_compile_version && IFS= read -r hooks_compile_old_similar &&
        IFS= read -r hooks_compile_locales
} <"$hooks_compile_record" || return 0
[ "$hooks_compile_old_spec" = "$hooks_compile_spec" ] &&
    [ "$hooks_compile_old_shim" = "$hooks_compile_shim" ] || return 0

# bash prints no warning about a locale that it knows.
hooks_compile_why='the locale is another than at the time of the record'
for hooks_compile_line in "${LC_ALL-}" "${LC_CTYPE-}" "${LC_COLLATE-}" "${LC_MESSAGES-}" \
    "${LC_NUMERIC-}" "${LC_TIME-}" "${LANG-}"; do
    case "::C:POSIX:$hooks_compile_locales:" in *":$hooks_compile_line:"*) ;; *) return 0 ;; esac
done

# pyenv, its plugins and its bash are as recorded. So the variables can be derived.
hooks_compile_why='pyenv, a plugin or its bash is not as recorded'
hooks_compile_rest=$PATH:
until [ -f "${hooks_compile_rest%%:*}/bash" ] && [ -x "${hooks_compile_rest%%:*}/bash" ]; do
    hooks_compile_rest=${hooks_compile_rest#*:}
    case $hooks_compile_rest in /*) ;; *) return 0 ;; esac
done
[ "${hooks_compile_rest%%:*}/bash" = "$hooks_compile_old_bash" ] || return 0
[ "$hooks_compile_pyenv" -ef "$hooks_compile_prefix/libexec/pyenv" ] || return 0
# This file differs in each release, whatever time an archive gives it.
hooks_compile_file=$hooks_compile_prefix/libexec/pyenv---version
[ -f "$hooks_compile_record+" ] && [ ! "$hooks_compile_file" -nt "$hooks_compile_record+" ] &&
    [ ! "$hooks_compile_file" -ot "$hooks_compile_record+" ] || return 0
hooks_compile_path=$PATH
hooks_compile_plugins=
hooks_compile_hook_path=$hooks_compile_root/pyenv.d
if [ "$hooks_compile_prefix" != "$hooks_compile_root" ]; then
    hooks_compile_hook_path=$hooks_compile_hook_path:$hooks_compile_prefix/pyenv.d
    for hooks_compile_file in "$hooks_compile_prefix"/plugins/*/; do
        hooks_compile_plugins=$hooks_compile_plugins${hooks_compile_file#"$hooks_compile_prefix/plugins"}
        [ ! -e "${hooks_compile_file}bin" ] ||
            hooks_compile_path=${hooks_compile_file}bin:$hooks_compile_path
    done
fi
hooks_compile_hook_path=$hooks_compile_hook_path:/usr/etc/pyenv.d:/usr/local/etc/pyenv.d
hooks_compile_hook_path=$hooks_compile_hook_path:/etc/pyenv.d:/usr/lib/pyenv/hooks
for hooks_compile_file in "$hooks_compile_root"/plugins/*/; do
    hooks_compile_plugins=$hooks_compile_plugins${hooks_compile_file#"$hooks_compile_root/plugins"}
    [ ! -e "${hooks_compile_file}bin" ] ||
        hooks_compile_path=${hooks_compile_file}bin:$hooks_compile_path
    [ ! -e "${hooks_compile_file}etc/pyenv.d" ] ||
        hooks_compile_hook_path=$hooks_compile_hook_path:${hooks_compile_file}etc/pyenv.d
done
[ "$hooks_compile_plugins" = "$hooks_compile_old_plugins" ] || return 0
hooks_compile_rest=$hooks_compile_hook_path:
while [ -n "$hooks_compile_rest" ]; do
    hooks_compile_line=${hooks_compile_rest%%:*}
    hooks_compile_rest=${hooks_compile_rest#*:}
    [ -d "$hooks_compile_line" ] || continue
    for hooks_compile_file in "$hooks_compile_line"/exec/*.bash \
        "$hooks_compile_line"/version-name/*.bash "$hooks_compile_line"/which/*.bash; do
        [ -e "$hooks_compile_file" ] || [ -L "$hooks_compile_file" ] || continue
        case $hooks_compile_file in
        # for pip only
        "$hooks_compile_root/pyenv.d/exec/pip-rehash.bash") ;;
        "$hooks_compile_prefix/pyenv.d/exec/pip-rehash.bash") ;;
        # for programs that a virtual environment lacks, which is not its Python
        "$hooks_compile_root/plugins/pyenv-virtualenv/etc/pyenv.d/which/conda.bash") ;;
        "$hooks_compile_root/plugins/pyenv-virtualenv/etc/pyenv.d/which/python-config.bash") ;;
        "$hooks_compile_root/plugins/pyenv-virtualenv/etc/pyenv.d/which/system-site-packages.bash") ;;
        *)
            hooks_compile_why="$hooks_compile_file may choose otherwise each time"
            return 0
            ;;
        esac
        [ ! "$hooks_compile_file" -nt "$hooks_compile_record" ] || return 0
    done
done
[ ! "$hooks_compile_shim/$hooks_compile_python" -nt "$hooks_compile_record" ] || return 0
for hooks_compile_file in '' -exec -hooks -latest -prefix -version-file -version-file-read \
    -version-name -versions -which; do
    hooks_compile_file=$hooks_compile_prefix/libexec/pyenv$hooks_compile_file
    [ -x "$hooks_compile_file" ] && [ ! "$hooks_compile_file" -nt "$hooks_compile_record" ] ||
        return 0
done

# The binary.
hooks_compile_why="the version \"$hooks_compile_spec\" is not installed as recorded"
if [ "$hooks_compile_version" = system ]; then
    hooks_compile_why='the system has no plain Python on PATH'
    until [ "${hooks_compile_after%%:*}" != "$hooks_compile_shim" ] &&
        [ -f "${hooks_compile_after%%:*}/$hooks_compile_python" ] &&
        [ -x "${hooks_compile_after%%:*}/$hooks_compile_python" ]; do
        hooks_compile_after=${hooks_compile_after#*:}
        case ${hooks_compile_after%%:*} in *'~'*) return 0 ;; /*) ;; *) return 0 ;; esac
    done
    hooks_compile_binary=${hooks_compile_after%%:*}/$hooks_compile_python
    case $hooks_compile_binary in "$hooks_compile_root"*) return 0 ;; esac
    hooks_compile_path=$hooks_compile_prefix/libexec:$hooks_compile_path
else
    hooks_compile_rest=$hooks_compile_version:
    while [ -n "$hooks_compile_rest" ]; do
        case ${hooks_compile_rest%%:*} in
        system) ;;
        *) [ -d "$hooks_compile_root/versions/${hooks_compile_rest%%:*}" ] || return 0 ;;
        esac
        hooks_compile_rest=${hooks_compile_rest#*:}
    done
    if [ "$hooks_compile_version" != "$hooks_compile_spec" ]; then
        hooks_compile_line=
        for hooks_compile_file in "$hooks_compile_root/versions/$hooks_compile_spec"*/; do
            hooks_compile_line=$hooks_compile_line${hooks_compile_file#"$hooks_compile_root/versions"}
        done
        [ "$hooks_compile_line" = "$hooks_compile_old_similar" ] || return 0
    fi
    hooks_compile_binary=$hooks_compile_root/versions/${hooks_compile_version%%:*}/bin
    hooks_compile_path=$hooks_compile_binary:$hooks_compile_prefix/libexec:$hooks_compile_path
    hooks_compile_binary=$hooks_compile_binary/$hooks_compile_python
    [ -f "$hooks_compile_binary" ] && [ -x "$hooks_compile_binary" ] || return 0
fi

# What pyenv and its three runs of bash leave in the environment.
hooks_compile_why=
hooks_compile_python=$hooks_compile_binary
export PATH="$hooks_compile_path" PWD PYENV_DIR="$PWD" PYENV_HOOK_PATH="$hooks_compile_hook_path"
export PYENV_ROOT="$hooks_compile_root" PYENV_VERSION="$hooks_compile_version"
export _PYENV_INSTALL_PREFIX="$hooks_compile_prefix"
[ -n "${BASH_VERSION-}" ] || export SHLVL="${SHLVL:-0}"
unset _ PS1 PS2
