package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.policy.Fallback;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class SafeLogTest {
    private static final Logger LOG = LoggerFactory.getLogger(SafeLogTest.class);

    private static Map<String, Object> about(String kind, String name) {
        return Map.of("levee.kind", kind, "levee.name", name);
    }

    @Test
    void a_line_carries_kind_and_name_of_what_it_begins_with_and_its_text_stays_as_it_is() {
        try (CapturedLog log = new CapturedLog(SafeLogTest.class)) {
            SafeLog.warn(LOG, "balancer \"{}\": no timer for {}", "stock", "a drain");
            SafeLog.warn(LOG, "{} \"{}\": threw when it was left", "breaker", "payments");
            SafeLog.info(LOG, "{}: a task threw", "queue \"mails\"");
            SafeLog.warn(LOG, "Endpoints from {}: {}; no endpoints yet", "dns stock:80", "down");

            assertThat(log.lines())
                    .containsExactly(
                            "WARN balancer \"stock\": no timer for a drain",
                            "WARN breaker \"payments\": threw when it was left",
                            "INFO queue \"mails\": a task threw",
                            "WARN Endpoints from dns stock:80: down; no endpoints yet");
            assertThat(log.keyValues())
                    .containsExactly(
                            about("balancer", "stock"),
                            about("breaker", "payments"),
                            about("queue", "mails"),
                            about("source", "dns stock:80"));
        }
    }

    @Test
    void names_may_have_quotes_braces_and_lines() {
        try (CapturedLog log = new CapturedLog(SafeLogTest.class)) {
            for (String name : List.of("a \"b\" c", "{}", "a\nb", "$1 \\")) {
                SafeLog.warn(LOG, "cache \"{}\": failed", name);
                SafeLog.warn(LOG, "{}: failed", "cache \"" + name + '"');
                assertThat(log.keyValues()).last().isEqualTo(about("cache", name));
            }
            assertThat(log.keyValues()).hasSize(8).doesNotContain(Map.of());
        }
    }

    @Test
    void a_line_that_is_about_nothing_in_particular_carries_nothing() {
        try (CapturedLog log = new CapturedLog(SafeLogTest.class)) {
            SafeLog.warn(LOG, "A clock threw; a call counts as if it had taken no time", new IOException());
            SafeLog.warn(LOG, "Listener {} threw", "x");
            SafeLog.warn(LOG, "{}: a task threw", "environment");
            SafeLog.warn(LOG, "{} \"{}\"", "one alone");

            assertThat(log.keyValues()).hasSize(4).containsOnly(Map.of());
        }
    }

    @Test
    void what_is_thrown_is_logged_with_its_stack_trace_and_is_no_argument() {
        try (CapturedLog log = new CapturedLog(SafeLogTest.class)) {
            SafeLog.warn(LOG, "cache \"{}\": failed {}", "c", new IOException("down"));

            assertThat(log.lines()).containsExactly("WARN cache \"c\": failed {}");
            assertThat(log.throwables()).singleElement().isInstanceOf(IOException.class);
        }
    }

    @Test
    void what_an_argument_throws_goes_nowhere() {
        Object broken = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("broken");
            }
        };

        SafeLog.warn(LOG, "{}: failed", broken);
    }

    @Test
    void a_line_of_a_policy_carries_its_kind_and_name() {
        Fallback fallback = Fallback.chain(
                "prices",
                config -> config.when(error -> {
                            throw new IllegalStateException("condition");
                        })
                        .thenValue("none", 0),
                Environment.system());
        try (CapturedLog log = new CapturedLog(Fallback.class)) {
            try {
                fallback.run(() -> {
                    throw new IOException("down");
                });
            } catch (IOException known) {
                assertThat(known).hasMessage("down");
            }
            assertThat(log.keyValues()).containsExactly(about("fallback", "prices"));
        }
    }
}
