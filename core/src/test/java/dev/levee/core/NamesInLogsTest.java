package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Timeout;
import java.lang.reflect.Proxy;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Policies that are made outside of the library may have any name. */
class NamesInLogsTest {
    private static final String FORGED = "pay\nERROR all is lost";

    @Test
    void a_name_of_a_policy_of_a_user_forges_no_line_of_the_log() {
        try (CapturedLog log = new CapturedLog(Pipeline.class)) {
            Pipeline.of(named(Bulkhead.of("b", 1)), named(Timeout.of("t", Duration.ofSeconds(1))));
            Pipeline.of(named(Bulkhead.of("b", 1)), named(Bulkhead.of("c", 1)));

            assertThat(log.lines())
                    .hasSize(2)
                    .allSatisfy(line -> assertThat(line.lines()).hasSize(1))
                    .allSatisfy(line -> assertThat(line).contains("pay\\u000AERROR all is lost"));
        }
    }

    /** Returns the same policy with another name. */
    private static Policy named(Policy policy) {
        Class<?> type = policy instanceof Gate ? Gate.class : Around.class;
        return (Policy) Proxy.newProxyInstance(
                Policy.class.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) ->
                        method.getName().equals("name") ? FORGED : method.invoke(policy, arguments));
    }
}
