#include "check.h"
#include "runner_scenarios.h"

int main(void)
{
    runner_scenarios();
    return check_result("runner");
}
