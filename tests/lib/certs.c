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

/* The authority signs `name`.pem, with these extensions, for 30 days. */
static int sign(struct scratch *scratch, const char *request, const char *name,
                const char *extensions, const char **ret_path)
{
    char file[64];

    snprintf(file, sizeof file, "%s.ext", name);
    const char *extension_path = scratch_write_text(scratch, file, extensions);
    snprintf(file, sizeof file, "%s.pem", name);
    *ret_path = scratch_path(scratch, file);
    return OPENSSL("x509", "-req", "-in", request, "-CA", scratch_path(scratch, "ca.pem"), "-CAkey",
                   scratch_path(scratch, "ca.key"), "-CAcreateserial", "-days", "30", "-extfile",
                   extension_path, "-out", *ret_path);
}

/* The authority signs expired.pem for one day of 2020. `openssl ca` takes dates in every version;
 * `openssl x509` takes them from 3.4 on, and takes no negative number of days since then. */
static int sign_expired(struct scratch *scratch, const char *request, const char **ret_path)
{
    struct blob config = {0};

    blob_addf(&config,
              "[ca]\ndefault_ca = one\n[one]\ndatabase = %s\nnew_certs_dir = %s\n"
              "default_md = sha256\nrand_serial = yes\npolicy = names\nx509_extensions = good\n"
              "[names]\ncommonName = supplied\n[good]\n" RIGHT_NAMES "\n",
              scratch_write_text(scratch, "index.txt", ""), scratch_path(scratch, ""));
    *ret_path = scratch_path(scratch, "expired.pem");
    int result =
        OPENSSL("ca", "-batch", "-notext", "-config",
                scratch_write_text(scratch, "ca.cnf", blob_text(&config)), "-in", request, "-cert",
                scratch_path(scratch, "ca.pem"), "-keyfile", scratch_path(scratch, "ca.key"),
                "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", *ret_path);
    blob_release(&config);
    return result;
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
    if (sign(scratch, request, "good", RIGHT_NAMES, &certs->good) < 0 ||
        sign_expired(scratch, request, &certs->expired) < 0 ||
        sign(scratch, request, "wrong", "subjectAltName=DNS:wrong.example", &certs->wrong_name) < 0)
        return -1;
    return sign(scratch, request, "client", "extendedKeyUsage=clientAuth", &certs->client);
}
