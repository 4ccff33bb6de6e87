#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/util.h"
#include "io/xfer_crew.h"

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

static void call(struct crew *crew)
{
    int running;

    curl_multi_socket_action(crew->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    xfer_crew_collect(crew);
}

static void close_oldest(struct crew *crew, CURL *decoy)
{
    if (curl_multi_add_handle(crew->multi, decoy) != CURLM_OK)
        out_of_memory();
    call(crew);
    curl_multi_remove_handle(crew->multi, decoy);
}

/* Closes the oldest of one crew until so many are left of all, while it helps. */
static void close_of(struct crew *crew, CURL *decoy, size_t left)
{
    size_t idle = xfer_crew_count_idle(crew->xfer), before = idle + 1;

    /* What was started and has not begun would find no room meanwhile. */
    call(crew);
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
    for (; idle > left && idle < before; idle = xfer_crew_count_idle(crew->xfer)) {
        before = idle;
        close_oldest(crew, decoy);
    }
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
}

bool xfer_close_idle(struct xfer *xfer)
{
    size_t idle = xfer->stopped ? 0 : xfer_crew_count_idle(xfer);
    size_t left = idle - (idle + 3) / 4;

    if (!idle)
        return false;
    CURL *decoy = new_decoy();
    for (struct crew *crew = xfer->crews; crew; crew = crew->next)
        close_of(crew, decoy, left);
    curl_easy_cleanup(decoy);
    return xfer_crew_count_idle(xfer) < idle;
}
