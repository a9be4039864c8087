/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creates through xl's module are what numa-plan says. */
#include <libxlutil.h>
#include <stdio.h>
#include <string.h>

#include "decide-pairs.h"

#define VNODE(node, mib, vcpus, distances) \
    "[\"pnode=" node "\",\"size=" mib "\",\"vcpus=" vcpus "\"," \
    "\"vdistances=" distances "\"]"
#define TWO_VNODES(a, b, mib_a, mib_b) \
    "type=\"hvm\"\nmaxvcpus=3\nvnuma=[" \
    VNODE(a, mib_a, "0,2", "10,20") "," VNODE(b, mib_b, "1", "20,10") "]"

static const struct decide_pair pairs[] = {
    { "memory=64", "" },
    { "memory=600\nvcpus=2", "" },
    { "memory=600\nvcpus=2\nnodes_policy=\"worst\"", "" },
    { "memory=3000\nvcpus=10\ntype=\"pvh\"", "" },
    { "memory=3000\nvcpus=10\nnodes_smt=\"cores\"\nnodes_cpus=\"hard\"", "" },
    { "memory=20000\nvcpus=6\ntype=\"hvm\"\nnodes_policy=\"best\"", "" },
    { "memory=400000\nvcpus=40\ntype=\"pvh\"", "" },
    { "memory=400000\nvcpus=40\nnodes_mode=\"strict\"", "" },
    { "memory=90000000\nvcpus=2", "" },
    { "memory=90000000\ntype=\"hvm\"\nvnuma=\"auto\"", "" },
    { "memory=300\nnodes=\"%a\"", "" },
    { "memory=300\nnodes=\"%z\"\nnodes_mode=\"strict\"", "" },
    { "memory=60000\nnodes=\"%a\"\nnodes_mode=\"strict\"", "" },
    { "memory=60000\nnodes=\"%a\"", "" },
    { "memory=300\nnodes=\"%a,%x\"", "" },
    { "memory=300\nnodes_mem=\"%x\"", "" },
    { "memory=300", "nodes=\"%a,%x\"" },
    { "memory=300", "nodes_mem=\"%x\"\nnodes_policy=\"first\"" },
    { "memory=300\nnodes=\"all\"", "dma_reserve=0" },
    { "memory=300\nnodes=\"%a\"\nnodes_mem=\"%z\"", "" },
    { "memory=300\nnodes_mem=\"%a:75%%,%z:25%%\"", "" },
    { "memory=600\nvcpus=3\nnodes_max=1", "" },
    { "memory=600\nvcpus=2\ncpus=\"%c\"", "" },
    { "memory=600\nvcpus=2\ncpus=\"%c\"\nnodes=\"%z\"", "" },
    { "memory=600\nvcpus=2\ncpus=\"%c\"\nnodes=\"%z\"\nnodes_cpus=\"hard\"",
      "" },
    { "memory=600\nvcpus=2\ncpus=[\"%c\",\"60000\"]", "" },
    { "memory=600\nvcpus=2\ncpus_soft=\"%c\"", "" },
    { "memory=600\nvcpus=2\npool=\"0\"", "" },
    { "memory=600\nvcpus=2\npool=\"auto\"", "" },
    { "memory=600\nvcpus=2\npool=\"auto\"\nnodes=\"%z\"", "" },
    { "memory=600\nvcpus=2\npool=\"auto\"\ncpus=\"%c\"", "" },
    { "memory=60000\npool=\"auto\"\nnodes_mode=\"strict\"", "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"core\"", "" },
    { "memory=600\nvcpus=4000\nnodes_cpus=\"core\"", "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"core\"\ncpus=\"%c\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nnodes=\"%a,%z\"\nvnuma=\"auto\"",
      "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"thread\"", "" },
    { "memory=600\nvcpus=4000\nnodes_cpus=\"thread\"", "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"thread\"\ncpus=\"%c\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nnodes=\"%a,%z\"\nvnuma=\"auto\"\n"
      "nodes_cpus=\"thread\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"\ncpus=\"%c\"", "" },
    { "memory=200\nvcpus=2\ntype=\"hvm\"\nnodes=\"%a,%z\"\nvnuma=\"auto\"\n"
      "videoram=128", "" },
    { "memory=16\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=300000\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=300\nmaxmem=600\ntype=\"hvm\"", "vnuma=\"host\"" },
    { "memory=300\nmaxmem=600\ntype=\"pvh\"\nnodes=\"%a\"", "" },
    { "memory=300\ntype=\"pv\"", "vnuma=\"auto\"\nnodes=\"%a,%z\"" },
    { "memory=300\ntype=\"hvm\"\nnodes_migratable=1", "vnuma=\"host\"" },
    { "memory=300\ntype=\"hvm\"\nnodes_migratable=1\nvnuma=\"host\"", "" },
    { "memory=300\nnodes_mode=\"loose\"", "" },
    { "memory=300\nnodes_cpus=\"none\"", "nodes_mode=\"strict\"" },
    /* Virtual nodes of its own. */
    { TWO_VNODES("%a", "%z", "300", "300"), "" },
    { TWO_VNODES("%z", "%z", "300", "200"), "vnuma=\"host\"" },
    { TWO_VNODES("%a", "%x", "300", "300"), "" },
    { TWO_VNODES("%a", "%z", "300", "90000000"), "" },
    { TWO_VNODES("%a", "%z", "300", "300") "\nnodes=\"%a\"", "" },
    { TWO_VNODES("%a", "%z", "300", "300") "\nmaxvcpus=4", "" },
    { TWO_VNODES("%a", "%z", "300", "300") "\nmaxmem=700", "" },
    { TWO_VNODES("%a", "%z", "300", "300") "\nmemory=500", "" },
    { TWO_VNODES("%a", "%z", "300", "300") "\ncpus=\"%c\"",
      "nodes_mode=\"strict\"\nnodes=\"%a\"" },
    { TWO_VNODES("%a", "%z", "300", "300") "\ncpus=\"60000\"", "" },
    { "type=\"pvh\"\nvnuma=[[\"pnode=%a\",\"size=300\",\"vcpus=0\"]]", "" },
};

/* xl reads its file; 0, or xl ends. */
static int read_file(const char *path, const char *text)
{
    XLU_Config *config = xlu_cfg_init(stderr, path);
    int e;

    decide_pairs_need(config);
    e = xlu_cfg_readdata(config, text, strlen(text));
    xlu_cfg_destroy(config);
    return e;
}

static void create(libxl_ctx *ctx, const char *path, const char *text,
                   const struct config *from, const struct xln_host *host,
                   struct outcome *o)
{
    if (read_file(path, text))
        o->status = 1;
    else
        decide_pairs_create(ctx, from, host, o);
}

int main(void)
{
    static const struct decide_tests tests = {
        .pairs = pairs,
        .nr = sizeof(pairs) / sizeof(*pairs),
        .before = "name=\"g\"\n",
        .after = "\n",
        .has_status = true,
        .create = create,
    };

    return decide_pairs_run(&tests);
}
