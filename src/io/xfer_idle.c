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

static void close_oldest(struct crew *crew, CURL *decoy)
{
    if (curl_multi_add_handle(crew->multi, decoy) != CURLM_OK)
        out_of_memory();
    xfer_crew_call(crew);
    curl_multi_remove_handle(crew->multi, decoy);
}

void xfer_close_idle_of(struct crew *crew, size_t left)
{
    CURL *decoy = new_decoy();

    /* What was started and has not begun would find no room meanwhile. */
    xfer_crew_call(crew);
    size_t idle = xfer_crew_count_idle(crew), before = idle + 1;
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
    for (; idle > left && idle < before; idle = xfer_crew_count_idle(crew)) {
        before = idle;
        close_oldest(crew, decoy);
    }
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
    curl_easy_cleanup(decoy);
}

static bool close_some_of(struct crew *crew)
{
    size_t idle = xfer_crew_count_idle(crew);

    if (idle)
        xfer_close_idle_of(crew, idle - (idle + 3) / 4);
    return xfer_crew_count_idle(crew) < idle;
}

/* Of the crews on duty; the others keep none. */
bool xfer_close_idle(struct xfer *xfer)
{
    bool has_closed = false;

    if (xfer->stopped)
        return false;
    for (unsigned post = 0; post < xfer->posts->count; post++)
        has_closed |= close_some_of(xfer->posts->on_duty[post]);
    return has_closed;
}
