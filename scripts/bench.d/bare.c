/*
 * bare URL REQUESTS AT_ONCE
 *
 * The least that a program can do with libcurl's multi interface: epoll, handles that are used again,
 * a URL of which only the number at its end changes, bodies thrown away. What it takes is libcurl's,
 * libc's and the kernel's, so nothing that goes by libcurl and one loop can be much below it. Status
 * 1 if a request was not answered with 200.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, FILES_MAX = 20000 };

struct bare {
    CURLM *multi;
    uint32_t watched[FILES_MAX]; /* by descriptor: for what; 0: not known to epoll */
    int epoll;
    long timeout; /* in ms; less than 0: none */
    const char *path;
    long to_start, running, failed;
};

/* A connection that goes idle stays watched: it mostly is used again at once. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    struct bare *bare = data;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    (void)socket_data;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE || fd >= FILES_MAX || bare->watched[fd] == event.events)
        return 0;
    epoll_ctl(bare->epoll, bare->watched[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    bare->watched[fd] = event.events;
    return 0;
}

static int on_close(void *data, curl_socket_t fd)
{
    struct bare *bare = data;

    if (fd < FILES_MAX)
        bare->watched[fd] = 0;
    return close(fd);
}

static int on_timer(CURLM *multi, long timeout, void *data)
{
    struct bare *bare = data;

    (void)multi;
    bare->timeout = timeout;
    return 0;
}

static size_t throw_away(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    (void)data;
    return size * count;
}

static void start(struct bare *bare, CURL *easy)
{
    CURLU *url = NULL;
    char text[256];

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &url);
    snprintf(text, sizeof text, "%s%ld", bare->path, --bare->to_start);
    curl_url_set(url, CURLUPART_PATH, text, 0);
    curl_easy_setopt(easy, CURLOPT_CURLU, url);
    curl_multi_add_handle(bare->multi, easy);
    bare->running++;
}

static void make(struct bare *bare, const char *text, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();
    CURLU *url = curl_url();

    curl_url_set(url, CURLUPART_URL, text, 0);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, bare);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    start(bare, easy);
}

/* The messages are read before a handle goes: libcurl searches those that are unread for it. */
static void collect(struct bare *bare)
{
    CURL *done[EVENTS_MAX];
    struct CURLMsg *message;
    int n, left;

    do {
        for (n = 0; n < EVENTS_MAX && (message = curl_multi_info_read(bare->multi, &left)); n++) {
            long code = 0;
            done[n] = message->easy_handle;
            curl_easy_getinfo(done[n], CURLINFO_RESPONSE_CODE, &code);
            bare->failed += message->data.result != CURLE_OK || code != 200;
        }
        for (int i = 0; i < n; i++) {
            curl_multi_remove_handle(bare->multi, done[i]);
            bare->running--;
            if (bare->to_start)
                start(bare, done[i]);
        }
    } while (n == EVENTS_MAX);
}

static void turn(struct bare *bare)
{
    struct epoll_event events[EVENTS_MAX];
    int running, n = epoll_wait(bare->epoll, events, EVENTS_MAX, (int)bare->timeout);

    for (int i = 0; i < n; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(bare->multi, events[i].data.fd, what, &running);
    }
    if (n <= 0 || bare->timeout == 0) {
        bare->timeout = -1;
        curl_multi_socket_action(bare->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect(bare);
}

int main(int argc, char **argv)
{
    static struct bare bare = {.timeout = -1};
    struct curl_slist *headers = NULL;
    long at_once;

    if (argc != 4 || strncmp(argv[1], "http://", 7) != 0 || !strchr(argv[1] + 7, '/'))
        return 2;
    bare.path = strchr(argv[1] + 7, '/');
    bare.to_start = strtol(argv[2], NULL, 10);
    at_once = strtol(argv[3], NULL, 10);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bare.epoll = epoll_create1(EPOLL_CLOEXEC);
    bare.multi = curl_multi_init();
    curl_multi_setopt(bare.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(bare.multi, CURLMOPT_SOCKETDATA, &bare);
    curl_multi_setopt(bare.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(bare.multi, CURLMOPT_TIMERDATA, &bare);
    curl_multi_setopt(bare.multi, CURLMOPT_MAXCONNECTS, at_once);
    headers = curl_slist_append(headers, "User-Agent: bare/1.0.0");
    for (long i = 0; i < at_once && bare.to_start; i++)
        make(&bare, argv[1], headers);
    while (bare.running)
        turn(&bare);
    return bare.failed > 0; /* the system takes the rest back */
}
