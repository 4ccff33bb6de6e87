/*
 * A scenario put to the test: run, and the test failed with the scenario's numbers if any promise was
 * broken, also where an assert or a sanitizer ends the process.
 */
#ifndef PROPERTY_TRIAL_H
#define PROPERTY_TRIAL_H

struct scenario;
struct scratch;
struct world;

/* The world as it was left, for what a test wants to see of it: free it. The spool is in `scratch`. */
struct world *trial_run(const struct scenario *, struct scratch *scratch);

#endif
