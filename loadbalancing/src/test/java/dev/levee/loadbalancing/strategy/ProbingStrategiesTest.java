package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Probing keeps what every strategy promises, wherever answers come from. */
class ProbingStrategiesTest {
    /**
     * The same but for one thing: what is picked depends on what servers answer and when, and so on more than the seed.
     */
    abstract static class ProbingContract extends StrategyContract {
        @Override
        void the_order_in_which_endpoints_are_named_does_not_matter() {}
    }

    @Nested
    class ByProbes extends ProbingContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.probing(
                    c -> c.probe(endpoint -> CompletableFuture.completedFuture(new ServerLoad(1, 1_000))));
        }
    }

    @Nested
    class ByResponses extends ProbingContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.probing(c -> c.responses(result -> new ServerLoad(result.hashCode() & 3, 1_000)));
        }
    }

    @Nested
    class ByOwnCalls extends ProbingContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.probing();
        }
    }

    @Nested
    class WithABrokenProbe extends ProbingContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.probing(c -> c.probe(endpoint -> {
                throw new IllegalStateException("no probe");
            }));
        }
    }

    @Test
    void each_names_what_it_goes_by() {
        assertThat(BalancingStrategy.probing()).hasToString("probing by own calls");
        assertThat(BalancingStrategy.probing(c -> c.responses(result -> null))).hasToString("probing by responses");
        assertThat(BalancingStrategy.probing(c -> c.probe(endpoint -> new CompletableFuture<>())))
                .hasToString("probing");
    }
}
