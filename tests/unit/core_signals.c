#include <criterion/criterion.h>
#include <ev.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "core/signals.h"
#include "loops.h"

static struct signals *hear_all(struct ev_loop *loop)
{
    struct signals *signals = signals_new(loop);

    signals_hear_ends(signals);
    return signals;
}

/* Each test is a process of its own, so what is raised hits nobody else. */
static void hear(struct ev_loop *loop, int number)
{
    cr_assert_eq(raise(number), 0);
    loops_look(loop);
    loops_look(loop);
}

Test(signals, say_nothing_before_any_came)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct signals *signals = hear_all(loop);

    loops_look(loop);
    cr_expect_eq(signals_ending(signals), 0);
    cr_expect_not(signals_take_status(signals));
    cr_expect_not(signals_take_continued(signals));
    signals_free(signals);
    signals_free(NULL);
    ev_loop_destroy(loop);
}

Test(signals, that_end_a_run_are_kept_until_asked_for)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
        struct ev_loop *loop = ev_loop_new(0);
        struct signals *signals = hear_all(loop);
        hear(loop, ending[i]);
        cr_expect_eq(signals_ending(signals), ending[i]);
        cr_expect_eq(signals_ending(signals), ending[i]);
        signals_free(signals);
        ev_loop_destroy(loop);
    }
}

Test(signals, that_come_twice_break_the_loop)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct signals *signals = hear_all(loop);

    hear(loop, SIGINT);
    cr_assert_eq(signals_ending(signals), SIGINT);
    cr_expect_not(signals_insist(signals));
    hear(loop, SIGTERM);
    cr_expect(signals_insist(signals));
    cr_expect_eq(signals_ending(signals), SIGTERM);
    signals_free(signals);
    ev_loop_destroy(loop);
}

Test(signals, that_ask_or_continue_are_told_once)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct signals *signals = hear_all(loop);

    hear(loop, SIGUSR1);
    cr_expect(signals_take_status(signals));
    cr_expect_not(signals_take_status(signals));
    cr_expect_not(signals_take_continued(signals));
    hear(loop, SIGCONT);
    cr_expect(signals_take_continued(signals));
    cr_expect_not(signals_take_continued(signals));
    cr_expect_not(signals_take_status(signals));
    cr_expect_eq(signals_ending(signals), 0);
    signals_free(signals);
    ev_loop_destroy(loop);
}

Test(signals, that_were_ignored_stay_so)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    struct ev_loop *loop = ev_loop_new(0);

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        signal(numbers[i], SIG_IGN);
    struct signals *signals = hear_all(loop);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        hear(loop, numbers[i]);
    cr_expect_eq(signals_ending(signals), 0);
    cr_expect_not(signals_take_status(signals));
    signals_free(signals);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        cr_expect_eq(signal(numbers[i], SIG_IGN), SIG_IGN);
    ev_loop_destroy(loop);
}

Test(signals, keep_no_loop_alive)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct signals *signals = hear_all(loop);

    cr_expect_eq(ev_run(loop, 0), 0);
    signals_free(signals);
    ev_loop_destroy(loop);
}

Test(signals, that_end_a_run_end_the_process_before_there_is_one)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct signals *signals = signals_new(ev_loop_new(0));
        raise(SIGTERM);
        _exit(signals == NULL);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFSIGNALED(status));
    cr_expect_eq(WTERMSIG(status), SIGTERM);
}
