#include "certs.h"

#include <stdio.h>
#include <string.h>

#include "run.h"
#include "scratch.h"

#define RIGHT_NAMES "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:good.localhost"

static int openssl(const char *const *argv)
{
    struct run_options options = {.argv = argv};
    struct run_result result;

    if (!run_finish(&options, &result)) {
        perror("rig: openssl");
        return -1;
    }
    if (result.code != 0)
        fprintf(stderr, "rig: openssl %s: %s\n", argv[1], blob_text(&result.err));
    int code = result.code;
    run_result_release(&result);
    return code == 0 ? 0 : -1;
}

#define OPENSSL(...) openssl((const char *const[]){"openssl", __VA_ARGS__, NULL})

static int make_key(const char *path)
{
    return OPENSSL("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path);
}

/* One the authority signs: `file`.pem, with these extensions, for so many days. */
static int sign(struct scratch *scratch, const char *request, const char *name,
                const char *extensions, const char *days, const char **ret_path)
{
    char file[64];

    snprintf(file, sizeof file, "%s.ext", name);
    const char *extension_path = scratch_write_text(scratch, file, extensions);
    snprintf(file, sizeof file, "%s.pem", name);
    *ret_path = scratch_path(scratch, file);
    return OPENSSL("x509", "-req", "-in", request, "-CA", scratch_path(scratch, "ca.pem"), "-CAkey",
                   scratch_path(scratch, "ca.key"), "-CAcreateserial", "-days", days, "-extfile",
                   extension_path, "-out", *ret_path);
}

static int make_authority(struct scratch *scratch, struct certs *certs)
{
    const char *key = scratch_path(scratch, "ca.key");

    certs->ca = scratch_path(scratch, "ca.pem");
    if (make_key(key) < 0)
        return -1;
    return OPENSSL("req", "-x509", "-new", "-key", key, "-subj", "/CN=Rig Authority", "-days", "30",
                   "-addext", "keyUsage=critical,keyCertSign", "-out", certs->ca);
}

static int make_self_signed(struct scratch *scratch, struct certs *certs)
{
    certs->self_signed = scratch_path(scratch, "self.pem");
    return OPENSSL("req", "-x509", "-new", "-key", certs->key, "-subj", "/CN=localhost", "-days",
                   "30", "-addext", RIGHT_NAMES, "-out", certs->self_signed);
}

int certs_make(struct scratch *scratch, struct certs *certs)
{
    const char *request = scratch_path(scratch, "request.pem");

    certs->key = scratch_path(scratch, "key.pem");
    if (make_authority(scratch, certs) < 0 || make_key(certs->key) < 0 ||
        OPENSSL("req", "-new", "-key", certs->key, "-subj", "/CN=rig", "-out", request) < 0 ||
        make_self_signed(scratch, certs) < 0)
        return -1;
    if (sign(scratch, request, "good", RIGHT_NAMES, "30", &certs->good) < 0 ||
        sign(scratch, request, "expired", RIGHT_NAMES, "-1", &certs->expired) < 0 ||
        sign(scratch, request, "wrong", "subjectAltName=DNS:wrong.example", "30",
             &certs->wrong_name) < 0)
        return -1;
    return sign(scratch, request, "client", "extendedKeyUsage=clientAuth", "30", &certs->client);
}
