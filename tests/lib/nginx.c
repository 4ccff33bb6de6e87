#include "nginx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blob.h"
#include "client.h"
#include "moment.h"
#include "run.h"
#include "scratch.h"

enum {
    PORTS = 6,
    TRIES = 8, /* another program may take a port between our look and nginx's */
};

static const double start_patience = 30;
static const double stop_patience = 10;
static const double forever = 24 * 3600;

struct nginx {
    struct scratch *scratch;
    struct certs certs;
    struct nginx_ports ports;
    struct run *run;
    struct blob log;
    struct blob error_log;
};

static const char *find_program(void)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/local/sbin/nginx"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    return "nginx";
}

static int bind_any(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        abort();
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Different ones, since all are held before any is let go. */
static void find_ports(struct nginx_ports *ports)
{
    uint16_t *const fields[PORTS] = {&ports->plain,       &ports->tls,        &ports->expired,
                                     &ports->self_signed, &ports->wrong_name, &ports->client_cert};
    int fds[PORTS];

    for (int i = 0; i < PORTS; i++)
        fds[i] = bind_any(fields[i]);
    for (int i = 0; i < PORTS; i++)
        close(fds[i]);
}

static void add_limits(const struct nginx_options *options, struct blob *text)
{
    if (options->keepalive_requests)
        blob_addf(text, "keepalive_requests %u;\n", options->keepalive_requests);
    if (options->limit_rate) {
        blob_addf(text, "limit_req_zone $server_port zone=rig:1m rate=%s;\n", options->limit_rate);
        blob_add_text(text, "limit_req_status 429;\nlimit_req zone=rig");
        if (options->limit_burst)
            blob_addf(text, " burst=%u nodelay", options->limit_burst);
        blob_add_text(text, ";\n");
    }
    if (options->gzip)
        blob_add_text(text, "gzip on;\ngzip_min_length 0;\ngzip_types *;\ngzip_proxied any;\n");
}

static void add_server(const struct nginx_options *options, uint16_t port, const char *certificate,
                       const char *key, const char *client_ca, struct blob *text)
{
    blob_addf(text, "server {\nlisten 127.0.0.1:%u%s%s;\nroot www;\n", (unsigned)port,
              certificate ? " ssl" : "", certificate && !options->http1 ? " http2" : "");
    if (certificate && options->http3)
        blob_addf(text, "listen 127.0.0.1:%u quic;\n", (unsigned)port);
    if (certificate)
        blob_addf(text, "ssl_certificate %s;\nssl_certificate_key %s;\n", certificate, key);
    if (client_ca)
        blob_addf(text, "ssl_client_certificate %s;\nssl_verify_client on;\n", client_ca);
    blob_addf(text, "%s\n}\n", options->locations ? options->locations : "");
}

/* Paths are relative to the prefix, which is the scratch; its own defaults are root's. */
static void add_places(const struct nginx_options *options, struct blob *text)
{
    static const char *const temporary[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};

    for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++)
        blob_addf(text, "%s_temp_path %s_temp;\n", temporary[i], temporary[i]);
    blob_add_text(text, "log_format rig '$status $connection $server_protocol $request_uri';\n");
    blob_add_text(text, options->trace ? "access_log access.log rig;\n" : "access_log off;\n");
    blob_add_text(text, "types { text/plain txt; text/html html; application/json json; }\n"
                        "default_type application/octet-stream;\n");
}

static void write_config(struct nginx *nginx, const struct nginx_options *options)
{
    const struct certs *certs = &nginx->certs;
    const struct nginx_ports *ports = &nginx->ports;
    struct blob text = {0};

    blob_add_text(&text, "daemon off;\nworker_processes 1;\npid nginx.pid;\n"
                         "error_log error.log warn;\n");
    /* Its workers would otherwise become somebody who cannot read the scratch. */
    if (geteuid() == 0)
        blob_add_text(&text, "user root;\n");
    blob_add_text(&text, "events { worker_connections 8192; }\nworker_rlimit_nofile 16384;\n"
                         "http {\n");
    add_places(options, &text);
    add_limits(options, &text);
    blob_addf(&text, "%s\n", options->http ? options->http : "");
    add_server(options, ports->plain, NULL, NULL, NULL, &text);
    add_server(options, ports->tls, certs->good, certs->key, NULL, &text);
    add_server(options, ports->expired, certs->expired, certs->key, NULL, &text);
    add_server(options, ports->self_signed, certs->self_signed, certs->key, NULL, &text);
    add_server(options, ports->wrong_name, certs->wrong_name, certs->key, NULL, &text);
    add_server(options, ports->client_cert, certs->good, certs->key, certs->ca, &text);
    blob_add_text(&text, "}\n");
    scratch_write(nginx->scratch, "nginx.conf", text.at, text.len);
    blob_release(&text);
}

/* Its pid file, not only its ports: another program could be answering there. */
static bool answers(struct nginx *nginx)
{
    struct blob pid = {0};

    bool running = scratch_read(nginx->scratch, "nginx.pid", &pid) &&
                   strtol(blob_text(&pid), NULL, 10) == run_pid(nginx->run);
    blob_release(&pid);
    if (!running)
        return false;
    int fd = client_connect("127.0.0.1", nginx->ports.plain);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool wait_for_answer(struct nginx *nginx)
{
    double deadline = moment_now() + start_patience;

    while (!answers(nginx)) {
        if (run_ended(nginx->run, 0.001) || moment_now() > deadline)
            return false;
    }
    return true;
}

/* One try, on ports that were free a moment ago. */
static bool try_start(struct nginx *nginx, const struct nginx_options *options)
{
    const char *dir = scratch_dir(nginx->scratch);
    const char *const argv[] = {find_program(), "-p", dir,         "-c",
                                "nginx.conf",   "-e", "error.log", NULL};
    struct run_options run = {.argv = argv, .death_signal = SIGTERM, .seconds = forever};

    find_ports(&nginx->ports);
    write_config(nginx, options);
    nginx->run = run_spawn(&run);
    if (!nginx->run) {
        perror("rig: nginx");
        return false;
    }
    if (wait_for_answer(nginx))
        return true;
    run_free(nginx->run);
    nginx->run = NULL;
    return false;
}

static void release(struct nginx *nginx)
{
    run_free(nginx->run);
    scratch_free(nginx->scratch);
    blob_release(&nginx->log);
    blob_release(&nginx->error_log);
    free(nginx);
}

struct nginx *nginx_start(const struct nginx_options *options)
{
    static const struct nginx_options plain = {0};
    struct nginx *nginx = calloc(1, sizeof *nginx);

    options = options ? options : &plain;
    if (!nginx)
        return NULL;
    nginx->scratch = scratch_new();
    scratch_mkdir(nginx->scratch, "www");
    if (certs_make(nginx->scratch, &nginx->certs) == 0) {
        for (int i = 0; i < TRIES; i++) {
            if (try_start(nginx, options))
                return nginx;
            /* Only a port that was taken is worth another try. */
            if (!strstr(nginx_error_log(nginx), "in use"))
                break;
        }
        fprintf(stderr, "rig: nginx does not start: %s\n", nginx_error_log(nginx));
    }
    release(nginx);
    return NULL;
}

int nginx_stop(struct nginx *nginx)
{
    struct run_result result;

    if (!nginx)
        return 0;
    run_signal(nginx->run, SIGTERM);
    if (!run_ended(nginx->run, stop_patience))
        run_signal(nginx->run, SIGKILL);
    run_wait(nginx->run, &result);
    nginx->run = NULL;
    int code = result.code;
    if (code)
        fprintf(stderr, "rig: nginx: %s%s\n", blob_text(&result.err), nginx_error_log(nginx));
    run_result_release(&result);
    release(nginx);
    return code;
}

const struct nginx_ports *nginx_ports(const struct nginx *nginx)
{
    return &nginx->ports;
}

const struct certs *nginx_certs(const struct nginx *nginx)
{
    return &nginx->certs;
}

void nginx_put(struct nginx *nginx, const char *name, const void *bytes, size_t len)
{
    struct blob path = {0};

    blob_addf(&path, "www/%s", name);
    scratch_write(nginx->scratch, path.at, bytes, len);
    blob_release(&path);
}

void nginx_put_text(struct nginx *nginx, const char *name, const char *text)
{
    nginx_put(nginx, name, text, strlen(text));
}

static const char *read_log(struct nginx *nginx, const char *name, struct blob *blob)
{
    blob_release(blob);
    scratch_read(nginx->scratch, name, blob);
    return blob_text(blob);
}

const char *nginx_log(struct nginx *nginx)
{
    return read_log(nginx, "access.log", &nginx->log);
}

const char *nginx_error_log(struct nginx *nginx)
{
    return read_log(nginx, "error.log", &nginx->error_log);
}
