package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.util.List;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few operations: tickets close once, runs of one operation take different hosts, the last set
 * wins.
 */
class InterleavingsTest {
    @Test
    void a_ticket_is_closed_by_exactly_one_of_the_threads_that_close_it() {
        options().check(ClosingTickets.class);
    }

    @Test
    void a_ticket_that_checks_before_it_closes_is_caught() {
        assertThatThrownBy(() -> options().check(ClosingCarelessTickets.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void runs_of_one_operation_take_different_hosts_until_all_are_taken() {
        options().check(ClaimingHosts.class);
    }

    @Test
    void a_memory_that_checks_before_it_claims_is_caught() {
        assertThatThrownBy(() -> options().check(ClaimingHostsCarelessly.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void the_last_set_that_is_set_is_published_last() {
        options().check(SettingEndpoints.class);
    }

    @Test
    void a_task_that_forgets_requests_that_came_meanwhile_is_caught() {
        assertThatThrownBy(() -> options().check(ForgetfulTasks.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(8))
                .invocationsPerIteration(LongForm.invocations(250));
    }

    private static final Leases LEASES = new Leases("nodes", Nanos.NEVER, Environment.system());

    private static Node<String> node(String id) {
        return new Node<>(
                Endpoint.of(id),
                id,
                null,
                null,
                null,
                null,
                null,
                Environment.system().clock(),
                false);
    }

    /** One open ticket; exactly one of the calls that close it must return true. */
    public static class ClosingTickets {
        private final Node<String> node = node("a");
        private final Ticket<String> ticket = new Ticket<>(Endpoint.of("a"), node, node.enter(0), 0, LEASES);

        @Operation
        public boolean complete() {
            return ticket.complete(null, null);
        }

        @Operation
        public boolean fail() {
            return ticket.complete(Verdict.FAILURE);
        }

        @Operation
        public void close() {
            ticket.close();
        }

        @Validate
        public void nothingIsGivenBackTwice() {
            int inFlight = node.inFlight();
            if (inFlight < 0 || inFlight > 1) {
                throw new IllegalStateException("in flight: " + inFlight);
            }
        }
    }

    public static class ClosingCarelessTickets {
        private final Node<String> node = node("a");
        private final long stamp = node.enter(0);
        private volatile boolean closed;

        @Operation
        public boolean complete() {
            if (closed) {
                return false;
            }
            closed = true;
            node.leave(stamp, 0, 0, null, null, true);
            return true;
        }

        @Validate
        public void nothingIsGivenBackTwice() {
            if (node.inFlight() < 0) {
                throw new IllegalStateException("in flight: " + node.inFlight());
            }
        }
    }

    /**
     * As many hosts as runs, so each must get another; round robin without a counter, so that all begin with the first.
     */
    public static class ClaimingHosts {
        final SnapshotBalancer<String> balancer = balancer();
        private final BalancedOperation<String, String, RuntimeException> operation =
                new BalancedOperation<>(balancer, 0, address -> address);

        private static SnapshotBalancer<String> balancer() {
            SnapshotBalancer<String> balancer = new SnapshotBalancer<>(
                    "nodes",
                    candidates -> hash -> 0,
                    LoadBalancerConfig.<String>builder().totals(false).build(),
                    Balancers.seeded(1),
                    0);
            balancer.update(Balancers.endpoints(4));
            return balancer;
        }

        @Operation
        public String run() {
            return operation.run();
        }
    }

    public static class ClaimingHostsCarelessly {
        private final List<Endpoint<String>> endpoints = Balancers.endpoints(4);
        private volatile int tried;

        @Operation
        public String run() {
            int next = tried;
            tried = next + 1;
            return endpoints.get(next % 4).address();
        }
    }

    public static class SettingEndpoints {
        private final UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
        private volatile List<? extends Endpoint<?>> published = List.of();

        public SettingEndpoints() {
            source.subscribe(endpoints -> published = endpoints);
        }

        @Operation
        public void one() {
            source.set(List.of(Endpoint.of("one")));
        }

        @Operation
        public void other() {
            source.set(List.of(Endpoint.of("other")));
        }

        @Validate
        public void whatWasPublishedLastIsWhatIsThere() {
            if (!published.equals(source.endpoints())) {
                throw new IllegalStateException("published " + published + ", set " + source.endpoints());
            }
        }
    }

    public static class ForgetfulTasks {
        private volatile boolean running;
        private volatile int wanted;
        private volatile int seen;

        @Operation
        public void one() {
            set(1);
        }

        @Operation
        public void other() {
            set(2);
        }

        private void set(int value) {
            wanted = value;
            if (!running) {
                running = true;
                seen = wanted;
                running = false;
            }
        }

        @Validate
        public void whatWasSeenLastIsWhatIsWanted() {
            if (seen != wanted) {
                throw new IllegalStateException("seen " + seen + ", wanted " + wanted);
            }
        }
    }
}
