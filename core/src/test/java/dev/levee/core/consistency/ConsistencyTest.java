package dev.levee.core.consistency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.policy.Retry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsistencyTest {

    @Test
    void a_call_without_a_choice_has_none() {
        assertThat(CallContext.current().consistency()).isNull();
        assertThat(CallContext.current().session()).isNull();
    }

    @Test
    void a_choice_is_seen_within_the_call_and_gone_after_it() {
        Session session = new Session();
        CallContext chosen = CallContext.current()
                .withConsistency(Consistency.session())
                .withSession(session)
                .withAttempt(2);
        chosen.run(() -> {
            assertThat(CallContext.current().consistency()).isEqualTo(Consistency.session());
            assertThat(CallContext.current().session()).isSameAs(session);
            CallContext.current()
                    .withConsistency(Consistency.strong())
                    .run(() -> assertThat(CallContext.current().consistency()).isEqualTo(Consistency.strong()));
            assertThat(CallContext.current().consistency()).isEqualTo(Consistency.session());
        });
        assertThat(CallContext.current().consistency()).isNull();
        assertThat(CallContext.current().session()).isNull();
    }

    @Test
    void policies_that_write_to_the_context_keep_the_choice() {
        Retry retry = Retry.of("reads", config -> config.maxAttempts(3));
        Consistency bounded = Consistency.bounded(Duration.ofSeconds(3));
        CallContext.current()
                .withConsistency(bounded)
                .withDeadline(Deadline.after(Duration.ofMinutes(1), NanoClock.system()))
                .run(() -> {
                    Consistency within = retry.call(() -> CallContext.notIdempotent(
                            () -> CallContext.current().consistency()));
                    assertThat(within).isEqualTo(bounded);
                });
        assertThat(CallContext.current().consistency()).isNull();
    }

    @Test
    void it_goes_to_the_threads_on_which_a_call_continues() {
        Session session = new Session();
        CompletableFuture<Consistency> seen = new CompletableFuture<>();
        CallContext.current()
                .withConsistency(Consistency.strong())
                .withSession(session)
                .run(() -> CallContext.carrying(Environment.system().executor()).execute(() -> {
                    assertThat(CallContext.current().session()).isSameAs(session);
                    seen.complete(CallContext.current().consistency());
                }));
        assertThat(seen.join()).isEqualTo(Consistency.strong());
    }

    @Test
    void choices_are_values_and_say_what_they_are() {
        assertThat(Consistency.bounded(Duration.ofSeconds(2)))
                .isEqualTo(Consistency.bounded(Duration.ofSeconds(1).plusSeconds(1)));
        assertThat(Consistency.bounded(Duration.ofSeconds(2))).hasToString("bounded 2s");
        assertThat(Consistency.strong()).hasToString("strong").isNotEqualTo(Consistency.eventual());
        assertThatThrownBy(() -> Consistency.bounded(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxAge");
    }

    @Test
    void positions_only_grow() {
        Session session = new Session();
        session.advance("db", 7);
        session.advance("db", 5);
        assertThat(session.position("db")).isEqualTo(7);
        assertThat(session.position("other")).isZero();
        assertThatThrownBy(() -> session.advance("db", -1)).hasMessageContaining("position");
    }

    @Test
    void what_another_session_has_seen_is_taken_in() {
        Session session = Session.parse("a=5,b=5");
        session.merge(Session.parse("b=9,a=2,c=1"));
        assertThat(session.toHeader()).isEqualTo("a=5,b=9,c=1");
    }

    @Test
    void a_session_travels_in_a_header() {
        Session session = new Session();
        session.advance("orders, old=1", 0x16B3740);
        session.advance("users", Long.MAX_VALUE);
        Session read = Session.parse(session.toHeader());
        assertThat(read.position("orders, old=1")).isEqualTo(0x16B3740);
        assertThat(read.position("users")).isEqualTo(Long.MAX_VALUE);
        assertThat(session.toHeader()).isEqualTo("orders%2C+old%3D1=16b3740,users=7fffffffffffffff");
        assertThat(Session.parse(" ").toHeader()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "db",
                "=1",
                "db=",
                "db=xyz",
                "db=-1",
                "db=1ffffffffffffffff",
                "d%b=1",
                "%00=1",
                "a=1,,b",
                "db=1\n2"
            })
    void a_header_that_is_none_is_refused(String header) {
        assertThatThrownBy(() -> Session.parse(header))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("session header")
                .message()
                .doesNotContain("\n");
    }

    @Test
    void a_header_is_bounded() {
        assertThatThrownBy(() -> Session.parse("a=1".repeat(2000))).hasMessageContaining("4096");
        StringBuilder many = new StringBuilder("s=1");
        for (int i = 0; i < Session.MAX_SOURCES; i++) {
            many.append(",s").append(i).append("=1");
        }
        assertThatThrownBy(() -> Session.parse(many.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("session");
    }

    @Test
    void a_doubt_is_settled_by_a_position_and_nothing_else_goes_back() {
        Session session = new Session();
        assertThat(session.settle("db", 5)).isFalse();
        assertThat(session.position("db")).isZero();
        session.advance("db", 7);
        assertThat(session.settle("db", 5)).isFalse();
        assertThat(session.position("db")).isEqualTo(7);
        session.advance("db", Long.MAX_VALUE);
        assertThat(session.settle("other", 5)).isFalse();
        assertThat(Session.parse(session.toHeader()).settle("db", 5)).isTrue();
        assertThat(session.settle("db", 5)).isTrue();
        assertThat(session.position("db")).isEqualTo(5);
        assertThatThrownBy(() -> session.settle("db", -1)).isInstanceOf(IllegalArgumentException.class);
    }
}
