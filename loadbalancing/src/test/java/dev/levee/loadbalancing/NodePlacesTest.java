package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Gate;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.LoadTracker;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A node that closes between the pick of a call and its entry: nothing of the call stays there. */
class NodePlacesTest {
    private final ManualTime time = new ManualTime();
    private final AtomicInteger idle = new AtomicInteger();
    private final Places places = new Places();

    /** Counts the places that are reserved and not given back. */
    private static final class Places implements LoadTracker {
        int reserved;

        @Override
        public boolean reserve() {
            reserved++;
            return true;
        }

        @Override
        public void release() {
            reserved--;
        }

        @Override
        public long started(long nowNanos) {
            return 7;
        }

        @Override
        public void ended(
                long token,
                long startNanos,
                long endNanos,
                Verdict verdict,
                @Nullable Object result,
                @Nullable Throwable error) {
            assertThat(token).isEqualTo(7);
            reserved--;
        }
    }

    private Node<String> node(@Nullable Gate gate) {
        GateWatch watch = gate == null
                ? null
                : new GateWatch(
                        "nodes", true, new Ticker("nodes", time.environment(), true), time.environment(), () -> {});
        return new Node<>(
                Endpoint.of("a"),
                "a",
                gate,
                places,
                null,
                null,
                watch,
                time.environment().clock(),
                true);
    }

    private void assertNothingIsLeft(Node<String> node) {
        assertThat(places.reserved).isZero();
        assertThat(node.inFlight()).isZero();
        assertThat(node.picks()).isZero();
        assertThat(idle.get()).isPositive();
    }

    @Test
    void a_call_that_has_reserved_a_place_gives_it_back() {
        Node<String> node = node(null);
        assertThat(node.reserve()).isTrue();
        node.close(idle::incrementAndGet);
        assertThat(node.enter(0)).isEqualTo(Gate.REFUSED);
        assertNothingIsLeft(node);
    }

    @Test
    void a_call_that_its_gate_has_admitted_gives_back_both() {
        FakeGate gate = new FakeGate("a", time.environment());
        Node<String> node = node(gate);
        assertThat(node.reserve()).isTrue();
        node.close(idle::incrementAndGet);
        assertThat(node.enter(0)).isEqualTo(Gate.REFUSED);
        assertNothingIsLeft(node);
        assertThat(gate.cancelled).hasValue(1);
    }

    @Test
    void a_call_that_goes_past_the_gate_gives_it_back_too() {
        FakeGate gate = new FakeGate("a", time.environment());
        gate.passable = true;
        Node<String> node = node(gate);
        node.close(idle::incrementAndGet);
        for (int i = 0; i < 10; i++) {
            assertThat(node.enterPast()).isFalse();
        }
        assertNothingIsLeft(node);
    }

    @Test
    void a_call_that_is_under_way_keeps_it_until_it_ends_and_is_the_last_one() {
        Node<String> node = node(null);
        assertThat(node.reserve()).isTrue();
        long stamp = node.enter(0);
        long token = node.begin(stamp, 0);
        node.close(idle::incrementAndGet);
        assertThat(node.reserve()).isTrue();
        assertThat(node.enter(0)).isEqualTo(Gate.REFUSED);
        assertThat(idle).hasValue(0);
        assertThat(places.reserved).isEqualTo(1);
        node.leave(stamp, 0, token, "done", null, true);
        assertThat(idle).hasValue(1);
        assertThat(places.reserved).isZero();
        assertThat(node.isClosed()).isTrue();
        time.advance(Duration.ofSeconds(1));
        assertThat(time.pendingTimers()).isZero();
    }
}
