package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Exceptions that the configuration lists by their verdicts. */
class ListedOutcomesTest {
    private static void rule(Consumer<OutcomeRule> consumer, String... properties) {
        ConfigurationTest.APP
                .withPropertyValues(properties)
                .run(context -> consumer.accept(
                        context.getBean(CircuitBreaker.class).config().outcomes()));
    }

    @Test
    void the_most_special_type_counts_whichever_list_it_stands_in() {
        rule(
                rule -> {
                    assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.IGNORED);
                    assertThat(rule.judge(null, new SocketTimeoutException())).isEqualTo(Verdict.FAILURE);
                    assertThat(rule.judge(null, new FileNotFoundException())).isEqualTo(Verdict.SUCCESS);
                },
                "levee.policies.a-breaker.outcomes.failure=java.net.SocketTimeoutException",
                "levee.policies.a-breaker.outcomes.ignored=java.io.IOException",
                "levee.policies.a-breaker.outcomes.success=java.io.FileNotFoundException");
        rule(
                rule -> {
                    assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.SUCCESS);
                    assertThat(rule.judge(null, new SocketTimeoutException())).isEqualTo(Verdict.THROTTLED);
                },
                "levee.policies.a-breaker.outcomes.throttled=java.net.SocketTimeoutException",
                "levee.policies.a-breaker.outcomes.success=java.lang.Exception");
    }

    @Test
    void a_type_in_two_lists_of_a_policy_fails_the_start() {
        ConfigurationTest.APP
                .withPropertyValues(
                        "levee.policies.a-breaker.outcomes.failure=java.io.IOException",
                        "levee.policies.a-breaker.outcomes.ignored=java.io.IOException")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("levee.policies.a-breaker.outcomes.ignored = \"java.io.IOException\"")
                        .hasMessageContaining("stands in outcomes.failure too"));
    }

    @Test
    void what_a_policy_says_of_a_type_counts_more_than_what_its_defaults_say() {
        rule(
                rule -> assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.FAILURE),
                "levee.defaults.breaker.outcomes.ignored=java.io.IOException",
                "levee.policies.a-breaker.outcomes.failure=java.io.IOException");
        rule(
                rule -> assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.IGNORED),
                "levee.defaults.breaker.outcomes.failure=java.io.IOException",
                "levee.policies.a-breaker.outcomes.ignored=java.io.IOException");
    }
}
