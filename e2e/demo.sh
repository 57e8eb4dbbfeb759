#!/bin/sh
# Shows the main job with bin/syncline, in a folder that stays: make demo.
set -eu
PATH=$PWD/bin:$PATH

play=play
n=1
while [ -e "$play" ]; do
	n=$((n + 1))
	play=play$n
done

# run shows a command and runs it. The first argument is the exit code that it has to end with.
run() {
	want=$1
	shift
	printf '\n$ '
	for word in "$@"; do
		case $word in
		*" "*) printf '"%s" ' "$word" ;;
		*) printf '%s ' "$word" ;;
		esac
	done
	echo
	code=0
	"$@" || code=$?
	if [ "$code" -ne "$want" ]; then
		echo "demo: exit $code, expected $want" >&2
		exit 1
	fi
}

run 0 syncline demo init "$play"
cd "$play"
run 0 syncline sync a.db b.db --two-way --yes
run 0 syncline diff a.db b.db
run 0 syncline sql a.db "update orders set total = 1 where id = 7"
run 0 syncline sql a.db "update orders set total = 5 where id = 8"
run 0 syncline sql b.db "update orders set total = 6 where id = 8"
run 1 syncline diff a.db b.db --cells
run 1 syncline sync a.db b.db --two-way --yes
run 1 syncline conflicts a.db b.db
run 0 syncline conflicts resolve a.db b.db orders/8 --take a
run 0 syncline diff a.db b.db
echo
echo "The databases are in $play. Go on with: cd $play && ../bin/syncline sync a.db b.db --two-way --watch"
