#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/util.h"
#include "io/xfer_crew.h"

/* Closing connections that nobody uses. libcurl has no call for it, but closes the oldest such
 * where a new one would be one too many: so one is asked for that may not be, and that never gets a
 * socket. */

/* A run that needs descriptors closes one in so many idle connections. */
enum { SHARE_CLOSED = 4 };

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

/* How many that closed. */
static size_t close_oldest(struct crew *crew, CURL *decoy)
{
    size_t before = crew->closed;

    if (curl_multi_add_handle(crew->multi, decoy) != CURLM_OK)
        out_of_memory();
    xfer_crew_call(crew);
    curl_multi_remove_handle(crew->multi, decoy);
    return crew->closed - before;
}

bool xfer_close_idle_of(struct crew *crew, size_t share)
{
    size_t before = crew->closed;

    if (!xfer_crew_count_idle(crew))
        return false;
    CURL *decoy = new_decoy();
    /* What was started and has not begun would find no room meanwhile. */
    xfer_crew_call(crew);
    size_t idle = xfer_crew_count_idle(crew), left = (idle + share - 1) / share;
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
    for (size_t closed = 1; left && closed; left -= MIN(left, closed))
        closed = close_oldest(crew, decoy);
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
    curl_easy_cleanup(decoy);
    return crew->closed > before;
}

/* Of the crews on duty; the others keep none. */
bool xfer_close_idle(struct xfer *xfer)
{
    bool has_closed = false;

    if (xfer->stopped)
        return false;
    for (unsigned post = 0; post < xfer->posts->count; post++)
        has_closed |= xfer_close_idle_of(xfer->posts->on_duty[post], SHARE_CLOSED);
    return has_closed;
}
