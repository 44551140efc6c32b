package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.XxHash64;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class KeyedCallsTest {
    private final LoadBalancer<String> nodes =
            LoadBalancer.of("nodes", BalancingStrategy.rendezvous(), EndpointSource.of(Balancers.endpoints(10)));

    private static void assertAllGoTo(String owner, BalancedCalls<String> calls) {
        assertThat(calls.<String, RuntimeException>call(address -> address)).isEqualTo(owner);
        assertThat(calls.callAsync(CompletableFuture::completedFuture)).isCompletedWithValue(owner);
        assertThat(calls.<String, RuntimeException>operation(address -> address).run())
                .isEqualTo(owner);
        assertThat(calls.operationAsync(CompletableFuture::completedFuture).get())
                .isCompletedWithValue(owner);
        try (Ticket<String> ticket = calls.pick()) {
            assertThat(ticket.endpoint().address()).isEqualTo(owner);
        }
        assertThat(calls.explain().endpoint().address()).isEqualTo(owner);
    }

    @Test
    void all_calls_of_a_view_go_where_a_call_with_the_key_goes() {
        for (int i = 0; i < 50; i++) {
            String text = "key " + i;
            assertAllGoTo(nodes.call(text, address -> address), nodes.forKey(text));
            assertAllGoTo(nodes.call((long) i, address -> address), nodes.forKey((long) i));
        }
        assertThat(nodes.snapshot()).allMatch(state -> state.inFlight() == 0);
    }

    @Test
    void a_key_or_an_exchange_that_is_null_is_refused() {
        assertThatThrownBy(() -> nodes.forKey(null)).hasMessage("key");
        BalancedCalls<String> calls = nodes.forKey("key");
        assertThatThrownBy(() -> calls.call(null)).hasMessage("exchange");
        assertThatThrownBy(() -> calls.callAsync(null)).hasMessage("exchange");
        assertThatThrownBy(() -> calls.operation(null)).hasMessage("exchange");
        assertThatThrownBy(() -> calls.operationAsync(null)).hasMessage("exchange");
    }

    @Test
    void a_view_names_its_balancer_and_the_hash_of_its_key() {
        assertThat(nodes.forKey(1)).hasToString(nodes + " for a key of hash " + Long.toHexString(XxHash64.hash(1L)));
    }
}
