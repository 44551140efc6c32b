package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.internal.parts.HandOver;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The protocols of checks, permits and reviews, step by step. */
class CheckProtocolTest {
    private final ManualTime time = new ManualTime();
    private final CheckPermits permits = new CheckPermits(1);
    private final List<String> checked = new ArrayList<>();
    private final List<@Nullable String> results = new ArrayList<>();
    private Runnable duringCheck = () -> {};

    private RepeatedCheck<String> check(String address, Environment environment) {
        HealthConfig<String> config = HealthConfig.<String>builder()
                .check((checkedAddress, timeout) -> true)
                .checkEvery(Duration.ofSeconds(5), 0.0)
                .build();
        return new RepeatedCheck<>(
                "balancer \"nodes\": endpoint " + address,
                address,
                config,
                (checkedAddress, timeout) -> {
                    checked.add(checkedAddress);
                    duringCheck.run();
                    return true;
                },
                permits,
                new PauseDetector(environment.clock().nanoTime()),
                environment,
                new HandOver(LoggerFactory.getLogger(LoadBalancer.class), "balancer \"nodes\", health checks"),
                results::add);
    }

    private RepeatedCheck<String> check(String address) {
        return check(address, time.environment());
    }

    private static NodeHealth node() {
        EndpointHealth.Rules rules =
                EndpointHealth.Rules.of(HealthConfig.<String>builder().build());
        return new NodeHealth("a", EndpointHealth.joined(rules, true, 0), null);
    }

    private void assertThatPermitIsFree() {
        List<String> got = new ArrayList<>();
        permits.acquire(() -> got.add("permit"));
        assertThat(got).hasSize(1);
        permits.release();
    }

    private void assertThatNothingIsLeft() {
        assertThatPermitIsFree();
        time.advance(Duration.ofMinutes(1));
        assertThat(time.pendingTimers()).isZero();
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void checks_that_were_stopped_before_they_start_never_start() {
        NodeHealth node = node();
        node.stopChecks();
        node.startChecks(check("a"));
        assertThat(time.pendingTasks()).isZero();
        time.advance(Duration.ofMinutes(1));
        assertThat(checked).isEmpty();
        assertThatNothingIsLeft();
    }

    @Test
    void checks_that_are_stopped_after_they_started_stop() {
        NodeHealth node = node();
        node.startChecks(check("a"));
        time.runReady();
        assertThat(checked).containsExactly("a");
        node.stopChecks();
        assertThat(time.pendingTimers()).isZero();
        time.advance(Duration.ofMinutes(1));
        assertThat(checked).hasSize(1);
        assertThatNothingIsLeft();
    }

    @Test
    void one_that_waits_for_a_permit_when_it_is_stopped_takes_none() {
        FailingExecutor executor = new FailingExecutor(time, FailingExecutor.Failure.REJECTS, call -> false);
        Environment environment =
                time.environment().toBuilder().executor(executor).build();
        RepeatedCheck<String> first = check("a", environment);
        RepeatedCheck<String> second = check("b", environment);
        first.start();
        second.start();
        second.stop();
        time.runReady();
        first.stop();
        time.advance(Duration.ofMinutes(1));
        assertThat(checked).containsExactly("a");
        assertThat(executor.calls()).isEqualTo(1);
        assertThatNothingIsLeft();
    }

    @Test
    void one_that_waits_in_the_executor_when_it_is_stopped_is_not_made_and_gives_its_permit_back() {
        RepeatedCheck<String> stopped = check("a");
        stopped.start();
        assertThat(time.pendingTasks()).isEqualTo(1);
        stopped.stop();
        time.runReady();
        assertThat(checked).isEmpty();
        assertThat(results).isEmpty();
        assertThatNothingIsLeft();
    }

    @Test
    void one_that_is_stopped_while_it_runs_reports_nothing_and_leaves_no_interrupt() {
        RepeatedCheck<String> running = check("a");
        duringCheck = running::stop;
        running.start();
        time.runReady();
        assertThat(checked).containsExactly("a");
        assertThat(results).isEmpty();
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThatNothingIsLeft();
    }

    @Test
    void one_that_is_stopped_while_its_next_turn_is_set_cancels_that() {
        List<Runnable> meanwhile = new ArrayList<>();
        Environment environment = time.environment().toBuilder()
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        List<Runnable> now = List.copyOf(meanwhile);
                        meanwhile.clear();
                        now.forEach(Runnable::run);
                        return super.schedule(task, delayNanos);
                    }
                })
                .build();
        RepeatedCheck<String> check = check("a", environment);
        duringCheck = () -> meanwhile.add(check::stop); // when the timer of the next turn is set
        check.start();
        time.runReady();
        assertThat(time.pendingTimers()).isZero();
        assertThatNothingIsLeft();
    }

    @Test
    void a_permit_is_given_back_by_one_that_needs_none_and_by_one_that_throws() {
        BooleanSupplier throwing = () -> {
            throw new OutOfMemoryError("Java heap space");
        };
        for (int i = 0; i < 3; i++) {
            permits.acquire(() -> false);
            try {
                permits.acquire(throwing);
            } catch (OutOfMemoryError expected) {
                assertThat(expected).hasMessage("Java heap space");
            }
        }
        assertThatPermitIsFree();
    }

    @Test
    void a_review_that_is_asked_for_while_one_runs_comes_after_it() {
        int[] reviews = {0};
        ReviewTrigger[] trigger = new ReviewTrigger[1];
        Ticker ticker = new Ticker("nodes", time.environment(), false);
        trigger[0] = new ReviewTrigger(
                "nodes",
                time.environment(),
                ticker,
                () -> {
                    reviews[0]++;
                    if (reviews[0] == 1) {
                        trigger[0].request();
                        trigger[0].request();
                    }
                },
                Long.MAX_VALUE >> 1);
        trigger[0].request();
        trigger[0].request(); // the same one
        assertThat(time.pendingTasks()).isEqualTo(1);
        time.runReady();
        assertThat(reviews[0]).isEqualTo(2);
        trigger[0].close();
        trigger[0].request();
        time.runReady();
        assertThat(reviews[0]).isEqualTo(2);
    }

    @Test
    void calls_without_a_key_draw_from_the_environment() {
        List<List<String>> targets = new ArrayList<>();
        for (int seed : new int[] {1, 1, 2}) {
            LoadBalancer<String> nodes = Balancers.over(
                            BalancingStrategy.consistentHash(), Balancers.endpoints(10), Balancers.seeded(seed))
                    .balancer;
            List<String> drawn = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                drawn.add(nodes.call(address -> address));
            }
            targets.add(drawn);
        }
        assertThat(targets.get(0)).isEqualTo(targets.get(1)).isNotEqualTo(targets.get(2));
        assertThat(targets.get(0).stream().distinct().count()).isGreaterThan(5);
    }
}
