#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/util.h"
#include "fetch/xfer_crew.h"

/* Closing connections that nobody uses. Only from 8.16 on libcurl has a call for it, which closes
 * all of them. But it closes the oldest where a new one would be one too many, 7.88 one and 8.x as
 * many as are too many: so one is asked for that may not be, and that never gets a socket. */

/* A run that needs descriptors closes one in so many idle connections. */
enum { SHARE_CLOSED = 4 };

/* The bound comes down by one in so many of what it is too high. */
enum { STEPS = 8 };

/* CURLMOPT_NETWORK_CHANGED, by number: see set_newer in xfer_crew.c. The bit is CURLMNWC_CLEAR_CONNS
 * in 8.16 and CURLMNWC_CLEAR_ALL in 8.23, which drops the names of the multi handle as well. It has
 * none, for those are in the shares. */
enum { NETWORK_CHANGED = 17, CLEAR_ALL = 1 };

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

/* Closes one in `share` idle connections, the oldest first; whether there was one.
 *
 * Transfers that share a connection, or have none yet, make it unknown how many libcurl counts: no fewer
 * than sockets, no more than `most`. From there the bound comes down in steps, and no step closes many
 * more than are due. */
static bool close_share(struct crew *crew, size_t share)
{
    size_t before = crew->closed;

    if (!xfer_crew_count_idle(crew))
        return false;
    CURL *decoy = new_decoy();
    /* What was started and has not begun would find no room meanwhile. */
    xfer_crew_call(crew);
    size_t idle = xfer_crew_count_idle(crew), left = (idle + share - 1) / share;
    size_t open = crew->opened - crew->closed, most = crew->running + idle - left + 1;
    while (left && most) {
        curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)most);
        size_t closed = close_oldest(crew, decoy);
        left -= MIN(left, closed);
        if (!closed)
            most -= MIN(most, MAX(left, most > open ? (most - open) / STEPS : 0));
    }
    curl_multi_setopt(crew->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
    curl_easy_cleanup(decoy);
    return crew->closed > before;
}

void xfer_close_all_idle(struct crew *crew)
{
    if (curl_multi_setopt(crew->multi, (CURLMoption)NETWORK_CHANGED, (long)CLEAR_ALL) == CURLM_OK)
        xfer_crew_call(crew);
    else
        close_share(crew, 1);
}

/* Of the crews on duty; the others keep none. */
bool xfer_close_idle(struct xfer *xfer)
{
    bool has_closed = false;

    if (xfer->stopped)
        return false;
    for (unsigned post = 0; post < xfer->posts->count; post++)
        has_closed |= close_share(xfer->posts->on_duty[post], SHARE_CLOSED);
    return has_closed;
}
