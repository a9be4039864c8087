# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reads what Xen's console has, finds the last report of debug key u in it, and
# prints
#   what=pages: "domain node pages" for each domain and node, or for those of
#               only, a name or domid; a domain is called by its name if lines
#               of 'rig-xen domains' before the report give it one
#   what=free:  "node free_pages" for each node, or for node only
# Exits 1 if the ring has cut the report short, or has nothing of that.
#
# The part of a report that counts, and the older form of its fourth line:
#   (XEN) 'u' pressed -> dumping numa info (now = 7345671011)
#   (XEN) NODE0 start->0 size->262144 free->27436
#   (XEN) Memory location of each domain:
#   (XEN) d0 (total: 196608):            (XEN) Domain 0 (total: 196608):
#   (XEN)     Node 0: 155648
# Xen prints a report at one go and the ring drops its oldest bytes, so a
# report whose first line is there is all there, and one that is cut is the
# only one. That each domain lists as many nodes as there are is a second check.

function cut_short(why) {
    print "the report is cut short: " why \
          " (boot with a larger conring_size)" > "/dev/stderr"
    failed = 1
    exit 1
}

function end_domain() {
    if (domid != "" && nr_listed != nr_nodes)
        cut_short("domain " domid " lists " nr_listed " of " nr_nodes " nodes")
    domid = ""
}

# The first number in text.
function number(text) {
    match(text, /[0-9]+/)
    return substr(text, RSTART, RLENGTH)
}

{
    sub(/\r$/, "")
    sub(/^\(XEN\) (\[[^]]*\] )?/, "")
}

/^'u' pressed -> dumping numa info/ {
    started = 1
    nr_nodes = nr_lines = nr_free = 0
    domid = ""
    next
}

!started && /^domain [0-9]+ [^ ] ./ {
    domid = $2
    sub(/^domain [0-9]+ [^ ] /, "")
    name[domid] = $0
    domid = ""
}

!started { next }

/^NODE[0-9]+ start->[0-9]+ size->[0-9]+ free->[0-9]+/ {
    free = $0
    sub(/.*free->/, "", free)
    nr_nodes++
    if (only == "" || only == number($0) "")
        free_line[nr_free++] = number($0) " " number(free)
}

/^(Domain |d)[0-9]+ \(total: [0-9]+\):/ {
    end_domain()
    domid = number($0)
    nr_listed = 0
}

/^ +Node [0-9]+: [0-9]+$/ && domid != "" {
    nr_listed++
    pages = $0
    sub(/.*: /, "", pages)
    called = domid in name ? name[domid] : domid
    if (only == "" || only == domid "" || only == called "")
        pages_line[nr_lines++] = called " " number($0) " " pages
}

END {
    if (failed)
        exit 1
    if (!started)
        cut_short("its first line is gone")
    end_domain()
    if ((what == "pages" ? nr_lines : nr_free) + 0 == 0) {
        print "no '" only "' in the report" > "/dev/stderr"
        exit 1
    }
    for (i = 0; what == "pages" && i < nr_lines; i++)
        print pages_line[i]
    for (i = 0; what == "free" && i < nr_free; i++)
        print free_line[i]
}
