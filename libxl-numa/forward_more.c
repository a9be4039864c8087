/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs call of Xen's libraries, and the shared library does not. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include "forward.h"

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <xenctrl.h>
#include <xenstore.h>
#include <xentoollog.h>

/* ---- libxenlight ---- */

FORWARD(int, libxl_bitmap_is_empty, (const libxl_bitmap *bitmap), (bitmap), 1)
FORWARD(int, libxl_bitmap_is_full, (const libxl_bitmap *bitmap), (bitmap), 0)
FORWARD(int, libxl_bitmap_test, (const libxl_bitmap *bitmap, int bit),
        (bitmap, bit), 0)
FORWARD(int, libxl_cpupool_qualifier_to_cpupoolid,
        (libxl_ctx *ctx, const char *p, uint32_t *poolid_r, int *was_name_r),
        (ctx, p, poolid_r, was_name_r), ERROR_FAIL)
FORWARD_VOID(libxl_cpupoolinfo_list_free, (libxl_cpupoolinfo *list, int nr),
             (list, nr))
FORWARD(int, libxl_ctx_alloc,
        (libxl_ctx **ctx_r, int version, unsigned flags,
         xentoollog_logger *lg), (ctx_r, version, flags, lg), ERROR_FAIL)
FORWARD(int, libxl_ctx_free, (libxl_ctx *ctx), (ctx), ERROR_FAIL)
FORWARD(libxl_device_pci *, libxl_device_pci_assignable_list,
        (libxl_ctx *ctx, int *nr_r), (ctx, nr_r), NULL)
FORWARD_VOID(libxl_device_pci_assignable_list_free,
             (libxl_device_pci *list, int nr), (list, nr))
FORWARD_VOID(libxl_domain_config_copy,
             (libxl_ctx *ctx, libxl_domain_config *to,
              const libxl_domain_config *from), (ctx, to, from))
FORWARD_VOID(libxl_domain_config_dispose, (libxl_domain_config *config),
             (config))
FORWARD(int, libxl_domain_config_from_json,
        (libxl_ctx *ctx, libxl_domain_config *config, const char *text),
        (ctx, config, text), ERROR_FAIL)
FORWARD_VOID(libxl_domain_config_init, (libxl_domain_config *config), (config))
FORWARD(int, libxl_domain_destroy,
        (libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *ao_how),
        (ctx, domid, ao_how), ERROR_FAIL)
FORWARD(int, libxl_domain_rename,
        (libxl_ctx *ctx, uint32_t domid, const char *from, const char *to),
        (ctx, domid, from, to), ERROR_FAIL)
FORWARD(int, libxl_domain_resume,
        (libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
         const libxl_asyncop_how *ao_how),
        (ctx, domid, suspend_cancel, ao_how), ERROR_FAIL)
FORWARD(int, libxl_domain_unpause,
        (libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *ao_how),
        (ctx, domid, ao_how), ERROR_FAIL)
FORWARD(int, libxl_domain_need_memory,
        (libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
         uint64_t *need_kb_r), (ctx, config, domid, need_kb_r), ERROR_FAIL)
FORWARD_VOID(libxl_event_dispose, (libxl_event *event), (event))
FORWARD(int, libxl_event_from_json,
        (libxl_ctx *ctx, libxl_event *event, const char *text),
        (ctx, event, text), ERROR_FAIL)
FORWARD_VOID(libxl_event_init, (libxl_event *event), (event))
FORWARD(libxl_numainfo *, libxl_get_numainfo, (libxl_ctx *ctx, int *nr_r),
        (ctx, nr_r), NULL)
FORWARD_VOID(libxl_key_value_list_dispose, (libxl_key_value_list *list),
             (list))
FORWARD(libxl_cpupoolinfo *, libxl_list_cpupool, (libxl_ctx *ctx, int *nr_r),
        (ctx, nr_r), NULL)
FORWARD(int, libxl_name_to_domid,
        (libxl_ctx *ctx, const char *name, uint32_t *domid_r),
        (ctx, name, domid_r), ERROR_FAIL)
FORWARD_VOID(libxl_numainfo_list_free, (libxl_numainfo *list, int nr),
             (list, nr))
FORWARD(int, libxl_read_file_contents,
        (libxl_ctx *ctx, const char *path, void **data_r, int *size_r),
        (ctx, path, data_r, size_r), ENOSYS)
FORWARD(int, libxl_retrieve_domain_configuration,
        (libxl_ctx *ctx, uint32_t domid, libxl_domain_config *config,
         const libxl_asyncop_how *ao_how), (ctx, domid, config, ao_how),
        ERROR_FAIL)
FORWARD(const char *, libxl_scheduler_to_string, (libxl_scheduler scheduler),
        (scheduler), NULL)
FORWARD(int, libxl_userdata_retrieve,
        (libxl_ctx *ctx, uint32_t domid, const char *id, uint8_t **data_r,
         int *size_r), (ctx, domid, id, data_r, size_r), ERROR_FAIL)
FORWARD(int, libxl_userdata_store,
        (libxl_ctx *ctx, uint32_t domid, const char *id, const uint8_t *data,
         int size), (ctx, domid, id, data, size), ERROR_FAIL)
FORWARD(int, libxl_userdata_unlink,
        (libxl_ctx *ctx, uint32_t domid, const char *id), (ctx, domid, id),
        ERROR_FAIL)

/* ---- libxenctrl ---- */

FORWARD(int, xc_cpupool_movedomain,
        (xc_interface *xch, uint32_t poolid, uint32_t domid),
        (xch, poolid, domid), -1)
FORWARD(int, xc_domain_getvnuma,
        (xc_interface *xch, uint32_t domid, uint32_t *nr_vnodes,
         uint32_t *nr_vmemranges, uint32_t *nr_vcpus,
         xen_vmemrange_t *vmemrange, unsigned int *vdistance,
         unsigned int *vcpu_to_vnode),
        (xch, domid, nr_vnodes, nr_vmemranges, nr_vcpus, vmemrange, vdistance,
         vcpu_to_vnode), -1)
FORWARD(int, xc_domain_setvnuma,
        (xc_interface *xch, uint32_t domid, uint32_t nr_vnodes,
         uint32_t nr_regions, uint32_t nr_vcpus, xen_vmemrange_t *regions,
         unsigned int *vdistance, unsigned int *vcpu_to_vnode,
         unsigned int *vnode_to_pnode),
        (xch, domid, nr_vnodes, nr_regions, nr_vcpus, regions, vdistance,
         vcpu_to_vnode, vnode_to_pnode), -1)
FORWARD(int, xc_interface_close, (xc_interface *xch), (xch), -1)
FORWARD(int, xc_shadow_control,
        (xc_interface *xch, uint32_t domid, unsigned int op,
         unsigned int *mb, unsigned int mode),
        (xch, domid, op, mb, mode), -1)
FORWARD(xc_interface *, xc_interface_open,
        (xentoollog_logger *lg, xentoollog_logger *builder_lg, unsigned flags),
        (lg, builder_lg, flags), NULL)

/* ---- libxlutil ---- */

FORWARD_VOID(xlu_cfg_destroy, (XLU_Config *config), (config))
FORWARD(int, xlu_cfg_get_list,
        (const XLU_Config *config, const char *key, XLU_ConfigList **list_r,
         int *nr_r, int quiet), (config, key, list_r, nr_r, quiet), -1)
FORWARD(const char *, xlu_cfg_get_listitem,
        (const XLU_ConfigList *list, int item), (list, item), NULL)
FORWARD(XLU_ConfigValue *, xlu_cfg_get_listitem2,
        (const XLU_ConfigList *list, int item), (list, item), NULL)
FORWARD(int, xlu_cfg_get_long,
        (const XLU_Config *config, const char *key, long *value_r, int quiet),
        (config, key, value_r, quiet), -1)
FORWARD(int, xlu_cfg_get_string,
        (const XLU_Config *config, const char *key, const char **value_r,
         int quiet), (config, key, value_r, quiet), -1)
FORWARD(XLU_Config *, xlu_cfg_init, (FILE *report, const char *source),
        (report, source), NULL)
FORWARD(int, xlu_cfg_readdata,
        (XLU_Config *config, const char *data, int size), (config, data, size),
        ENOSYS)
FORWARD(int, xlu_cfg_value_get_list,
        (const XLU_Config *config, XLU_ConfigValue *value,
         XLU_ConfigList **list_r, int quiet), (config, value, list_r, quiet),
        -1)
FORWARD(int, xlu_cfg_value_get_string,
        (const XLU_Config *config, XLU_ConfigValue *value, char **text_r,
         int quiet), (config, value, text_r, quiet), -1)
FORWARD(enum XLU_ConfigValueType, xlu_cfg_value_type,
        (const XLU_ConfigValue *value), (value), XLU_STRING)

/* ---- libxenstore ---- */

FORWARD(bool, xs_set_permissions,
        (struct xs_handle *xsh, xs_transaction_t t, const char *path,
         struct xs_permissions *perms, unsigned int nr),
        (xsh, t, path, perms, nr), false)
FORWARD(bool, xs_transaction_end,
        (struct xs_handle *xsh, xs_transaction_t t, bool abort),
        (xsh, t, abort), false)
FORWARD(xs_transaction_t, xs_transaction_start, (struct xs_handle *xsh),
        (xsh), XBT_NULL)
FORWARD(bool, xs_write,
        (struct xs_handle *xsh, xs_transaction_t t, const char *path,
         const void *data, unsigned int size), (xsh, t, path, data, size),
        false)

/* ---- libxentoollog ---- */

FORWARD(xentoollog_logger_stdiostream *, xtl_createlogger_stdiostream,
        (FILE *f, xentoollog_level min_level, unsigned flags),
        (f, min_level, flags), NULL)
FORWARD_VOID(xtl_logger_destroy, (struct xentoollog_logger *logger), (logger))
FORWARD_VOID(xtl_logv,
             (struct xentoollog_logger *logger, xentoollog_level level,
              int errnoval, const char *context, const char *format,
              va_list ap), (logger, level, errnoval, context, format, ap))
void xtl_log(struct xentoollog_logger *logger, xentoollog_level level,
             int errnoval, const char *context, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    xtl_logv(logger, level, errnoval, context, format, ap);
    va_end(ap);
}
