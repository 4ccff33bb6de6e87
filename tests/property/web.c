#include "web.h"

#include "base/util.h"
#include "cli/options.h"
#include "dice.h"

/* What the numbers that follow from the seed are for, so that no two are the same. */
enum { FOR_NUMERIC = 1, FOR_DEATH, FOR_PAGE, FOR_BODY };

static uint64_t number_for(const struct web *web, unsigned what, struct place place)
{
    return dice_mix(dice_mix(web->seed, what), (uint64_t)place.host << 32 | place.page);
}

static bool host_is(const struct web *web, unsigned what, uint32_t host, unsigned percent)
{
    return number_for(web, what, (struct place){host, 0}) % 100 < percent;
}

bool web_is_numeric(const struct web *web, uint32_t host)
{
    return host_is(web, FOR_NUMERIC, host, web->numeric);
}

bool web_is_dead(const struct web *web, uint32_t host)
{
    return !web_is_numeric(web, host) && host_is(web, FOR_DEATH, host, web->dead);
}

static enum page_kind kind_of(const struct web *web, struct dice *dice)
{
    unsigned at = (unsigned)dice_below(dice, 100);

    if (at < web->missing)
        return PAGE_MISSING;
    if (at < web->missing + web->broken)
        return PAGE_BROKEN;
    if (at >= web->missing + web->broken + web->moved)
        return PAGE_OK;
    switch (dice_below(dice, 20)) {
    case 0: return PAGE_MOVED_NOWHERE;
    case 1: return PAGE_MOVED_DENIED;
    case 2: return PAGE_MOVED_WRONGLY;
    default: return PAGE_MOVED;
    }
}

static void roll_troubles(const struct web *web, struct page *page, struct dice *dice)
{
    static const unsigned often[] = {1, 1, 1, 2, 3, 1000};

    if (dice_chance(dice, web->shaky))
        page->troubles = often[dice_below(dice, ARRAY_LEN(often))];
    page->trouble = (enum trouble)dice_below(dice, TROUBLE_CLOSED + 1);
    page->closed_for = dice_real(dice, dice_chance(dice, 10) ? 3600 : 5);
    page->closes = dice_chance(dice, web->closing);
}

struct page web_page(const struct web *web, struct place place)
{
    struct dice dice = {number_for(web, FOR_PAGE, place)};
    struct page page = {.kind = kind_of(web, &dice)};

    page.form = (enum location_form)dice_below(&dice, 3);
    page.to.host = (uint32_t)dice_below(&dice, web->hosts);
    page.to.page = (uint32_t)dice_below(&dice, web->pages);
    if (page.form == LOCATION_SAME_HOST)
        page.to.host = place.host;
    uint32_t max = dice_chance(&dice, web->big) ? web->big_max : web->small_max;
    page.size = (uint32_t)dice_below(&dice, (uint64_t)max + 1);
    roll_troubles(web, &page, &dice);
    return page;
}

enum reason web_trouble_reason(enum trouble trouble)
{
    switch (trouble) {
    case TROUBLE_REFUSED: return REASON_CONNECT;
    case TROUBLE_RESET:
    case TROUBLE_UNTOUCHED: return REASON_RESET;
    case TROUBLE_TIMEOUT: return REASON_TIMEOUT;
    case TROUBLE_BUSY:
    case TROUBLE_CLOSED: return REASON_HTTP;
    }
    return REASON_COUNT;
}

long web_status(const struct page *page)
{
    switch (page->kind) {
    case PAGE_OK:
    case PAGE_BROKEN: return 200;
    case PAGE_MISSING: return 404;
    case PAGE_MOVED:
    case PAGE_MOVED_NOWHERE:
    case PAGE_MOVED_DENIED:
    case PAGE_MOVED_WRONGLY: return 302;
    }
    return 0;
}

void web_add_host(const struct web *web, uint32_t host, struct buf *out)
{
    if (web_is_numeric(web, host))
        buf_addf(out, "10.%u.%u.%u", host >> 16 & 255, host >> 8 & 255, host & 255);
    else
        buf_addf(out, "h%u.test", host);
}

void web_add_url(const struct web *web, struct place place, struct buf *out)
{
    buf_add_text(out, "http://");
    web_add_host(web, place.host, out);
    buf_addf(out, "/%u", place.page);
}

static void add_good_location(const struct web *web, const struct page *page, struct buf *out)
{
    switch (page->form) {
    case LOCATION_ABSOLUTE: web_add_url(web, page->to, out); break;
    case LOCATION_OTHER_HOST:
        buf_add_text(out, "//");
        web_add_host(web, page->to.host, out);
        buf_addf(out, "/%u", page->to.page);
        break;
    case LOCATION_SAME_HOST: buf_addf(out, "/%u", page->to.page); break;
    }
}

void web_add_location(const struct web *web, const struct page *page, struct buf *out)
{
    if (page->kind == PAGE_MOVED)
        add_good_location(web, page, out);
    else if (page->kind == PAGE_MOVED_DENIED)
        buf_add_text(out, "ftp://files.test/");
    else if (page->kind == PAGE_MOVED_WRONGLY)
        buf_add_text(out, "http://[nowhere/");
}

void web_fill(const struct web *web, struct place place, uint64_t at, char *bytes, size_t len)
{
    uint32_t key = (uint32_t)number_for(web, FOR_BODY, place);

    for (size_t i = 0; i < len; i++) {
        uint32_t here = (uint32_t)(at + i);
        bytes[i] = (char)((key + here * 0x9e3779b1u) >> 24);
    }
}

bool web_leads_on(const struct page *page, const struct options *options)
{
    return options->location && web_status(page) == 302 && page->kind != PAGE_MOVED_NOWHERE;
}

bool web_keeps(const struct page *page, const struct options *options)
{
    return options->format == OPTION_FORMAT_RAW && !web_leads_on(page, options) &&
           codes_has(&options->accept, web_status(page));
}

static enum reason reason_of(const struct page *page, const struct options *options, unsigned hops)
{
    bool leads_on = web_leads_on(page, options);

    if (leads_on && hops >= options->max_redirs)
        return REASON_REDIRECTS;
    switch (page->kind) {
    case PAGE_OK:
    case PAGE_MOVED:
    case PAGE_MOVED_NOWHERE: return REASON_OK;
    case PAGE_MISSING: return REASON_HTTP;
    case PAGE_BROKEN: return REASON_RESET;
    case PAGE_MOVED_DENIED: return leads_on ? REASON_DENIED : REASON_OK;
    case PAGE_MOVED_WRONGLY: return leads_on ? REASON_PROTOCOL : REASON_OK;
    }
    return REASON_COUNT;
}

struct ending web_ending(const struct web *web, const struct options *options, struct place start)
{
    struct ending ending = {.place = start};

    for (;;) {
        struct page page = web_page(web, ending.place);
        if (web_is_dead(web, ending.place.host)) {
            ending.reason = REASON_DNS;
            return ending;
        }
        ending.reason = reason_of(&page, options, ending.hops);
        ending.kept = web_keeps(&page, options) ? page.size : 0;
        if (page.kind != PAGE_MOVED || !options->location || ending.reason != REASON_OK)
            return ending;
        ending.place = page.to;
        ending.hops++;
    }
}

struct place web_after(const struct web *web, struct place start, size_t hops)
{
    while (hops--)
        start = web_page(web, start).to;
    return start;
}
