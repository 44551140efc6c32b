package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Policy;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** {@link Policy#wrap} for an interface that is not public, by code that is not in the package of {@link Policy}. */
class WrapFromOutsideTest {
    private final Policy guard = Bulkhead.of("b", 1);

    @Test
    void a_package_private_interface_is_called() {
        Client safe = guard.wrap(Client.class, new RealClient());

        assertThat(safe.blocking("a")).isEqualTo("blocking a");
        assertThat(safe.later("b")).isCompletedWithValue("later b");
        assertThat(safe.byDefault("c")).isEqualTo("blocking c");
        assertThat(safe).hasToString("real").isEqualTo(safe);
    }

    @Test
    void a_local_interface_is_called() {
        interface Local {
            String get();
        }

        assertThat(guard.wrap(Local.class, () -> "got").get()).isEqualTo("got");
    }

    @Test
    void a_method_that_is_left_unguarded_is_called() {
        Client safe = Policy.wrap(Client.class, new RealClient(), method -> null);

        assertThat(safe.blocking("a")).isEqualTo("blocking a");
    }

    interface Client {
        String blocking(String argument);

        CompletableFuture<String> later(String argument);

        default String byDefault(String argument) {
            return blocking(argument);
        }
    }

    private static final class RealClient implements Client {
        @Override
        public String blocking(String argument) {
            return "blocking " + argument;
        }

        @Override
        public CompletableFuture<String> later(String argument) {
            return CompletableFuture.completedFuture("later " + argument);
        }

        @Override
        public String toString() {
            return "real";
        }
    }
}
