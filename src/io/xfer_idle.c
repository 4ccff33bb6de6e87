#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/util.h"
#include "io/xfer_setup.h"

/* Closing connections that nobody uses. libcurl has no call for it, but closes the oldest such
 * where a new one would be one too many: so one is asked for that may not be, and that never gets a
 * socket. */

static curl_socket_t refuse_socket(void *userdata, curlsocktype purpose,
                                   struct curl_sockaddr *address)
{
    (void)userdata;
    (void)purpose;
    (void)address;
    return CURL_SOCKET_BAD;
}

/* To an address, so that no name is looked up. */
static CURL *new_decoy(void)
{
    CURL *easy = curl_easy_init();

    if (!easy || curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)
        out_of_memory();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, refuse_socket);
    return easy;
}

static void close_oldest(struct xfer *xfer, CURL *decoy)
{
    int running;

    if (curl_multi_add_handle(xfer->multi, decoy) != CURLM_OK)
        out_of_memory();
    curl_multi_socket_action(xfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    xfer_collect_ended(xfer);
    curl_multi_remove_handle(xfer->multi, decoy);
}

bool xfer_close_idle(struct xfer *xfer)
{
    size_t idle = xfer->stopped ? 0 : xfer_count_idle(xfer);
    size_t left = idle - (idle + 3) / 4, before = idle + 1;
    int running;

    if (!idle)
        return false;
    CURL *decoy = new_decoy();
    /* What was started and has not begun would find no room meanwhile. */
    curl_multi_socket_action(xfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    curl_multi_setopt(xfer->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
    /* While it helps. */
    for (size_t now = idle; now > left && now < before; now = xfer_count_idle(xfer)) {
        before = now;
        close_oldest(xfer, decoy);
    }
    bool closed_some = xfer_count_idle(xfer) < idle;
    curl_multi_setopt(xfer->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
    curl_easy_cleanup(decoy);
    return closed_some;
}
