/* What test_runner.c and mutants.c run. */
#pragma once

void runner_story(void);
void runner_story_renewal(void);
void runner_story_certificate_ends(void);
void runner_edges_join(void);
void runner_edges_broker(void);

static inline void runner_scenarios(void)
{
    runner_story();
    runner_edges_join();
    runner_edges_broker();
}
