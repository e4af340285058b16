#!/bin/sh
# hooks-compile git hook 3: compiles the Python hooks that git has just changed.
# "hooks-compile git-hooks" replaces and removes these lines. Put yours after the last of them.

hooks_compile_git_hook() {
    # Not inside of our own sync, nor while pre-commit or prek hide unstaged edits for a moment.
    [ -z "${HOOKS_COMPILE_GIT_HOOK-}${_PRE_COMMIT_SKIP_POST_CHECKOUT-}${PREK_INTERNAL__SKIP_POST_CHECKOUT-}" ] || return 0
    # git stash and git commit FILE build another index on the side: no file has changed.
    case /${GIT_INDEX_FILE:-index} in
    */index) ;;
    *) return 0 ;;
    esac
    # Under sudo, or in a colleague's tree, directories would be left that their owner can't write.
    [ -O . ] || return 0
    if [ -d .git ]; then
        hooks_compile_dir=.git
    elif [ -f .git ]; then # a linked worktree or a submodule
        IFS= read -r hooks_compile_dir <.git || :
        hooks_compile_dir=${hooks_compile_dir#gitdir: }
        [ -d "$hooks_compile_dir" ] || return 0
    else
        return 0
    fi
    hooks_compile_stamp=$hooks_compile_dir/hooks-compile/stamp

    # The last sync listed the places of hooks. git replaces files, which changes their directory.
    if [ -f "$hooks_compile_stamp" ]; then
        hooks_compile_changed=
        while IFS= read -r hooks_compile_place; do
            # Not older, because some shells and file systems know whole seconds only.
            if [ -e "$hooks_compile_place" ] && ! [ "$hooks_compile_place" -ot "$hooks_compile_stamp" ]; then
                hooks_compile_changed=1
                break
            fi
        done <"$hooks_compile_stamp"
        [ -n "$hooks_compile_changed" ] || return 0
    fi

    hooks_compile_tool=@TOOL@
    hooks_compile_tree=@TREE@ # the work tree that it is in, if any
    [ -x "$hooks_compile_tool" ] || return 0
    # Nothing that a branch brings is executed: an environment in a work tree is the user's own only
    # if git tracks nothing in it. git is asked at the root, where no tracked file configures it.
    if [ -n "$hooks_compile_tree" ]; then
        hooks_compile_place=$(cd -P "${hooks_compile_tool%/*}/.." && pwd -P) || return 0
        hooks_compile_said=$(
            unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_PREFIX
            git -C "$hooks_compile_tree" --literal-pathspecs ls-files -- "$hooks_compile_place" 2>&1 ||
                echo unknown
        )
        [ -z "$hooks_compile_said" ] || return 0
        until [ "$hooks_compile_place" = "$hooks_compile_tree" ]; do # is it in a submodule?
            if [ -z "$hooks_compile_place" ] || [ -e "$hooks_compile_place/.git" ]; then return 0; fi
            hooks_compile_place=${hooks_compile_place%/*}
        done
    fi
    {
        hooks_compile_said=$(
            export HOOKS_COMPILE_GIT_HOOK=1 PYTHONDONTWRITEBYTECODE=
            # A Python that hangs would keep a pipe open, and us waiting: it has our stderr at most.
            "$hooks_compile_tool" sync --git-hook </dev/null 2>/dev/null
        ) ||
            # The next try is when something changes, not at every git status.
            [ ! -f "$hooks_compile_stamp" ] || echo >>"$hooks_compile_stamp"
    } 2>/dev/null
    # What it says of a hook is for the user; what a broken installation says is not.
    case $hooks_compile_said in
    'hooks-compile: '*) printf '%s\n' "$hooks_compile_said" >&2 ;;
    esac
    return 0
}

hooks_compile_git_hook || :
unset -f hooks_compile_git_hook
unset hooks_compile_dir hooks_compile_stamp hooks_compile_changed hooks_compile_place
unset hooks_compile_tool hooks_compile_tree hooks_compile_said
# end of the lines of hooks-compile
