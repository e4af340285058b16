# shellcheck shell=sh
# shellcheck disable=SC2154,SC3045 # the wrapper sets more; without `ulimit -S` it is left to uv
# The part of hook_wrapper.sh for "uv run". It gets $hooks_compile_uv, $hooks_compile_launch and the
# words behind "run". If uv has chosen an interpreter for this script before, the launcher checks that
# all it read then is unchanged. Else uv chooses again, and its choice is recorded.

hooks_compile_record=
hooks_compile_value=
hooks_compile_kind=
hooks_compile_count=0
for hooks_compile_word do
    case $hooks_compile_value$hooks_compile_word in
    -s | --script) hooks_compile_kind=script: ;;
    -q | --quiet | --no-project | --no-sync | --frozen | --locked) ;;
    --offline | --no-dev | --no-config | --no-progress | --active) ;;
    -p | --python | --project | --extra | --group) hooks_compile_value=value: ;;
    value:*) hooks_compile_value= ;;
    -* | '' | ../* | */../* | *://*) break ;; # uv may do something else, or leave its directory
    *)
        case $hooks_compile_kind$hooks_compile_word in
        script:/* | /*.py) hooks_compile_record=$hooks_compile_word ;;
        script:* | *.py) hooks_compile_record=$PWD/$hooks_compile_word ;;
        esac
        break
        ;;
    esac
    hooks_compile_count=$((hooks_compile_count + 1))
done

if [ -n "$hooks_compile_record" ]; then
    hooks_compile_home=${hooks_compile_launch%/launch.py}
    hooks_compile_record=$hooks_compile_home/uv$hooks_compile_record.uv
    hooks_compile_python=
    hooks_compile_limit=
    [ -O "$hooks_compile_record" ] && [ -f "$hooks_compile_record" ] &&
        [ ! -L "$hooks_compile_record" ] && [ -r "$hooks_compile_record" ] && {
        IFS= read -r hooks_compile_python || :
        IFS= read -r hooks_compile_limit || :
    } <"$hooks_compile_record"
    case $hooks_compile_python:$hooks_compile_limit in
    -:*) exec "$hooks_compile_uv" run "$@" ;;
    *: | *:*[!0-9]*) ;; # damaged
    /*)
        # uv raises the limit of open files; an older one leaves it.
        hooks_compile_loader=$hooks_compile_home/snapshots/loader
        [ -x "$hooks_compile_loader" ] && [ -O "$hooks_compile_loader" ] || hooks_compile_loader=
        [ -f "$hooks_compile_python" ] && [ -x "$hooks_compile_python" ] &&
            { [ "$hooks_compile_limit" = 0 ] || ulimit -S -n "$hooks_compile_limit" 2>/dev/null; } &&
            exec ${hooks_compile_loader:+"$hooks_compile_loader"} "$hooks_compile_python" \
                "$hooks_compile_launch" \
                "--uv=$hooks_compile_count:$hooks_compile_record" "$hooks_compile_uv" "$@"
        ;;
    esac
    # Python would run any file there: only files of this user are used, as with the launcher.
    if [ -O "$hooks_compile_home/uvsite" ] && [ ! -L "$hooks_compile_home/uvsite" ] &&
        [ -O "$hooks_compile_home/uvsite/sitecustomize.py" ] &&
        [ -r "$hooks_compile_home/uvsite/sitecustomize.py" ] &&
        [ ! -L "$hooks_compile_home/uvsite/sitecustomize.py" ]; then
        HOOKS_COMPILE_UV=$hooks_compile_record
        PYTHONPATH=$hooks_compile_home/uvsite${PYTHONPATH+:$PYTHONPATH}
        export HOOKS_COMPILE_UV PYTHONPATH
    fi
fi
